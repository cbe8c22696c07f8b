package main

import "context"

// build makes the package of the app.
func (u *uploading) build(context.Context) (string, error) {
	return "", &inputError{[]string{"the package is not given: use --package FILE"}}
}
