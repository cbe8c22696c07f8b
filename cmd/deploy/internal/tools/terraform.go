package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

// lockTimeout is how long a state that somebody else has locked is waited for.
const lockTimeout = "5m"

// Terraform is Terraform or OpenTofu in the folder of a root module. It takes its variables from this process's
// environment, TF_VAR_NAME, as the library that drives it lets nobody set them otherwise.
type Terraform struct {
	Path    string
	secrets []string
	cli     *tfexec.Terraform
}

// TerraformVariable names another program than the first of terraform and tofu on PATH.
const TerraformVariable = "HOLDFAST_TERRAFORM"

// FindTerraform looks for the program and prepares it for a folder. secrets are replaced in what it says.
func FindTerraform(folder string, secrets []string) (*Terraform, error) {
	path := os.Getenv(TerraformVariable)
	if path == "" {
		found, ok := find("terraform", "tofu")
		if !ok {
			return nil, &MissingError{"Terraform", "get it from https://developer.hashicorp.com/terraform/install, or OpenTofu from https://opentofu.org/docs/intro/install, " +
				"and put it on PATH as terraform or tofu, or name it in " + TerraformVariable}
		}
		path = found
	}
	cli, err := tfexec.NewTerraform(folder, path)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", path, err)
	}
	return &Terraform{Path: path, secrets: secrets, cli: cli}, nil
}

// Name is what people call the program.
func (t *Terraform) Name() string {
	if strings.Contains(filepath.Base(t.Path), "tofu") {
		return "OpenTofu"
	}
	return "Terraform"
}

// Version returns the program's version.
func (t *Terraform) Version(ctx context.Context) (string, error) {
	v, _, err := t.cli.Version(ctx, true)
	if err != nil {
		return "", t.problem("ask for its version", err)
	}
	return v.String(), nil
}

// Init gets providers and modules, and the state's backend with its configuration, each NAME=VALUE.
func (t *Terraform) Init(ctx context.Context, backend []string) error {
	var options []tfexec.InitOption
	for _, b := range backend {
		options = append(options, tfexec.BackendConfig(b))
	}
	return t.problem("init", t.cli.Init(ctx, options...))
}

// Preview returns what applying would change. The plan is for a moment in a folder that only this user can read; a plan has no
// ephemeral values. readOnly leaves the state unlocked, as whoever may only read can't lock it.
func (t *Terraform) Preview(ctx context.Context, readOnly bool) ([]change.Change, error) {
	folder, err := os.MkdirTemp("", "holdfast-plan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "plan")
	var said bytes.Buffer
	options := []tfexec.PlanOption{tfexec.Out(file), tfexec.Lock(!readOnly), tfexec.LockTimeout(lockTimeout)}
	if _, err := t.cli.PlanJSON(ctx, &said, options...); err != nil {
		return nil, t.problem("plan", withDiagnostics(err, said.Bytes()))
	}
	t.cli.SetStdout(nil)
	plan, err := t.cli.ShowPlanFile(ctx, file)
	if err != nil {
		return nil, t.problem("read the plan", err)
	}
	return changesOf(plan), nil
}

// Operation is one step: what is done to one resource.
type Operation struct {
	Address string
	Action  string // create, update, delete, read
	State   string // Running, Succeeded, Failed
	Seconds int    // how long it took so far
}

// Apply makes everything as the module says, and reports each step. A context that ends stops it in order: what was begun is
// finished and written into the state.
func (t *Terraform) Apply(ctx context.Context, report func(Operation)) error {
	w := &progress{report: report}
	err := t.cli.ApplyJSON(ctx, w, tfexec.Lock(true), tfexec.LockTimeout(lockTimeout))
	return t.problem("apply", w.explain(err))
}

// Destroy removes everything that is in the state.
func (t *Terraform) Destroy(ctx context.Context, report func(Operation)) error {
	w := &progress{report: report}
	err := t.cli.DestroyJSON(ctx, w, tfexec.Lock(true), tfexec.LockTimeout(lockTimeout))
	return t.problem("destroy", w.explain(err))
}

// Outputs returns the outputs that are not sensitive, as text.
func (t *Terraform) Outputs(ctx context.Context) (map[string]string, error) {
	t.cli.SetStdout(nil)
	all, err := t.cli.Output(ctx)
	if err != nil {
		return nil, t.problem("read the outputs", err)
	}
	out := map[string]string{}
	for name, o := range all {
		var value any
		if o.Sensitive || json.Unmarshal(o.Value, &value) != nil {
			continue
		}
		out[name] = fmt.Sprint(value)
	}
	return out, nil
}

// problem says what the program was doing, without the secrets that it may have repeated.
func (t *Terraform) problem(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s %s: %w", t.Name(), doing, context.Canceled)
	}
	return fmt.Errorf("%s %s: %s", t.Name(), doing, Masked(strings.TrimSpace(err.Error()), t.secrets))
}
