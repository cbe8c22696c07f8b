package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// build makes and checks the package of the app in a folder, and says what the command package says.
func (u *uploading) build(ctx context.Context, folder string) (string, error) {
	file := filepath.Join(folder, "holdfast.zip")
	var said bytes.Buffer
	err := packageApp(ctx, []string{"-o", file}, streams{in: u.std.in, out: &said, err: u.std.err})
	if text := strings.TrimSpace(said.String()); text != "" {
		u.report.note("%s", text)
	}
	if err != nil {
		return "", fmt.Errorf("build the app: %w", err)
	}
	return file, nil
}
