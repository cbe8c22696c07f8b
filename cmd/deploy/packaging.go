package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// build makes the package of the app as the command package does, in the folder for what need not stay, and returns its name.
func (u *uploading) build(ctx context.Context) (string, error) {
	folder, err := os.MkdirTemp("", "holdfast")
	if err != nil {
		return "", fmt.Errorf("make a folder for the package: %w", err)
	}
	out := filepath.Join(folder, "holdfast.zip")
	return out, packageApp(ctx, []string{"-o", out}, streams{in: u.std.in, out: u.std.err, err: u.std.err})
}
