package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/bicep"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// load reads the template at a path: a Bicep file, a parameter file, or a folder with one template in it. As the readers
// do, it returns a template along with problems in it.
func load(path string) (*template.Template, error) {
	file, err := mainFile(path)
	if err != nil {
		return nil, err
	}
	return bicep.Read(file)
}

// mainFile returns the file to begin with. Of a folder that is main.bicep or, if there is no such file, the only template.
func mainFile(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &usageError{"", fmt.Sprintf("there is no file or folder %s", path)}
	case err != nil:
		return "", err
	case !info.IsDir() && isBicep(path):
		return path, nil
	case !info.IsDir():
		return "", &usageError{"", fmt.Sprintf("%s is no template; they end in .bicep or .bicepparam", path)}
	}
	if main := filepath.Join(path, "main.bicep"); isFile(main) {
		return main, nil
	}
	found, err := filepath.Glob(filepath.Join(path, "*.bicep"))
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", &usageError{"", fmt.Sprintf("the folder %s holds no templates", path)}
	case len(found) > 1:
		return "", &usageError{"", fmt.Sprintf("the folder %s holds several templates and no main.bicep; name one of %s", path, strings.Join(found, ", "))}
	}
	return found[0], nil
}

func isBicep(path string) bool {
	return strings.HasSuffix(path, ".bicep") || strings.HasSuffix(path, ".bicepparam")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
