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
	"github.com/seed21523604/holdfast/cmd/deploy/internal/terraform"
)

// load reads the template at a path: a Bicep file, a parameter file, a Terraform file with the folder it is in, or a
// folder with one template. As the readers do, it returns a template along with problems in it.
func load(path string) (*template.Template, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{"", fmt.Sprintf("there is no file or folder %s", path)}
	case err != nil:
		return nil, err
	case info.IsDir():
		return loadFolder(path)
	case isBicep(path):
		return bicep.Read(path)
	case terraform.IsTemplate(path):
		return terraform.Read(filepath.Dir(path))
	case terraform.IsValues(path):
		return terraform.Read(filepath.Dir(path), path)
	}
	return nil, &usageError{"", fmt.Sprintf("%s is no template; they end in .bicep, .bicepparam, .tf, .tf.json or .tfvars", path)}
}

// loadFolder reads the template of a folder. In Bicep that is main.bicep or, if there is no such file, the only one.
func loadFolder(folder string) (*template.Template, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var files []string
	isTerraform := false
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".bicep") {
			files = append(files, filepath.Join(folder, e.Name()))
		}
		isTerraform = isTerraform || !e.IsDir() && terraform.IsTemplate(e.Name())
	}
	main := filepath.Join(folder, "main.bicep")
	for _, f := range files {
		if f == main {
			files = []string{main}
		}
	}
	switch {
	case len(files) > 0 && isTerraform:
		return nil, &usageError{"", fmt.Sprintf("the folder %s holds Bicep and Terraform; name one of its files", folder)}
	case isTerraform:
		return terraform.Read(folder)
	case len(files) == 1:
		return bicep.Read(files[0])
	case len(files) > 1:
		return nil, &usageError{"", fmt.Sprintf("the folder %s holds several templates and no main.bicep; name one of %s", folder, strings.Join(files, ", "))}
	}
	return nil, &usageError{"", fmt.Sprintf("the folder %s holds no template", folder)}
}

func isBicep(path string) bool {
	return strings.HasSuffix(path, ".bicep") || strings.HasSuffix(path, ".bicepparam")
}
