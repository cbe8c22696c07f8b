package pack

import (
	"archive/zip"
	"cmp"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// date is that of every file in a package: the first that a zip archive can have.
var date = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Write writes files as a zip archive. The modes are those of Unix on every system, and the order is that of the names.
func Write(w io.Writer, files []File) error {
	files = slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	for _, f := range files {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: date}
		header.SetMode(f.Mode)
		entry, err := z.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(f.Data)
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("finish the package: %w", err)
	}
	return nil
}

// Unpack writes files into a folder, which it replaces, for tools that make the archive themselves. A folder that holds anything but a package is
// left alone.
func Unpack(folder string, files []File) error {
	if _, err := os.Stat(filepath.Join(folder, hostFile)); err == nil {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("remove the package before: %w", err)
		}
	}
	if left, err := os.ReadDir(folder); err == nil && len(left) > 0 {
		return fmt.Errorf("the folder %s is not empty and holds no package; name another one, or empty it", folder)
	}
	for _, f := range files {
		path := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
		if err := os.WriteFile(path, f.Data, f.Mode); err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
	}
	return nil
}
