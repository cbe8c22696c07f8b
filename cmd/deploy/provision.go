package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/inputs"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/tools"
)

// provisioner brings about what a template says.
type provisioner interface {
	// preview returns what apply would change.
	preview(ctx context.Context, readOnly bool) ([]change.Change, error)
	// apply may be repeated after any failure. It returns the outputs.
	apply(ctx context.Context) (map[string]string, error)
	// outputs returns those of the last apply. There are none, and no error, when there was none.
	outputs(ctx context.Context) (map[string]string, error)
	// destroy removes what apply made. It may be repeated.
	destroy(ctx context.Context) error
}

// provisioner returns that of the target's language.
func (t *target) provisioner() provisioner {
	if t.template.Language == template.Terraform {
		return &terraformProvisioner{t}
	}
	return &bicepProvisioner{t}
}

// bicepProvisioner has a template compiled by the Bicep compiler, and deployed by Resource Manager.
type bicepProvisioner struct{ *target }

func (p *bicepProvisioner) compile(ctx context.Context) (azure.Template, error) {
	compiler, err := tools.FindBicep()
	if err != nil {
		return azure.Template{}, err
	}
	compiled, err := compiler.Compile(ctx, p.file, inputs.Environment(p.inputs), inputs.Secrets(p.inputs))
	if err != nil {
		return azure.Template{}, err
	}
	if compiled.Warnings != "" {
		p.report.note("%s", compiled.Warnings)
	}
	if compiled.Parameters == nil {
		compiled.Parameters, err = p.parameters()
	}
	return azure.Template{JSON: compiled.Template, Parameters: compiled.Parameters}, err
}

// parameters are the template's, where there is no parameter file.
func (p *bicepProvisioner) parameters() (map[string]*armdeployments.DeploymentParameter, error) {
	out := map[string]*armdeployments.DeploymentParameter{}
	for _, in := range p.inputs {
		if in.From == inputs.FromDefault {
			continue
		}
		value, err := in.JSON()
		if err != nil {
			return nil, fmt.Errorf("read the value of %s: it is no %s", in.Parameter.Name, in.Wanted())
		}
		out[in.Parameter.Name] = &armdeployments.DeploymentParameter{Value: value}
	}
	return out, nil
}

func (p *bicepProvisioner) preview(ctx context.Context, readOnly bool) ([]change.Change, error) {
	t, err := p.compile(ctx)
	if err != nil {
		return nil, err
	}
	return p.azure.Preview(ctx, p.name, t, readOnly)
}

func (p *bicepProvisioner) apply(ctx context.Context) (map[string]string, error) {
	t, err := p.compile(ctx)
	if err != nil {
		return nil, err
	}
	d, err := p.azure.Deploy(ctx, p.name, t, func(o azure.Operation) {
		p.report.operation(o.Type, o.Name, o.State, o.Took, o.Error)
	})
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the deployment %s goes on in Azure, and the same command follows it: %w", p.name, context.Canceled)
	case err != nil:
		return nil, err
	}
	return d.Outputs, nil
}

func (p *bicepProvisioner) outputs(ctx context.Context) (map[string]string, error) {
	d, err := p.azure.Deployment(ctx, p.name)
	switch {
	case errors.Is(err, azure.ErrNotFound):
		return map[string]string{}, nil
	case err != nil:
		return nil, err
	}
	return d.Outputs, nil
}

func (p *bicepProvisioner) destroy(ctx context.Context) error {
	d, err := p.azure.Deployment(ctx, p.name)
	switch {
	case errors.Is(err, azure.ErrNotFound):
		p.report.note("there is no deployment %s in %s", p.name, p.group)
		return nil
	case err != nil:
		return err
	case d.Running():
		return fmt.Errorf("the deployment %s still goes on; wait until it has ended", p.name)
	}
	return p.azure.Remove(ctx, d, func(id string) { p.report.operation("delete", id, "Running", 0, "") })
}

// terraformProvisioner has everything done by Terraform or OpenTofu.
type terraformProvisioner struct{ *target }

// in runs something with the tool, which finds the inputs in the environment.
func (p *terraformProvisioner) in(ctx context.Context, do func(*tools.Terraform) error) error {
	t, err := tools.FindTerraform(p.file, inputs.Secrets(p.inputs))
	if err != nil {
		return err
	}
	env := inputs.Environment(p.inputs)
	if p.subscription != "" {
		env = append(env, "ARM_SUBSCRIPTION_ID="+p.subscription)
	}
	undo, err := inputs.Export(env)
	if err != nil {
		return err
	}
	defer undo()
	if err := t.Init(ctx, p.backend); err != nil {
		return err
	}
	return do(t)
}

func (p *terraformProvisioner) preview(ctx context.Context, readOnly bool) (changes []change.Change, err error) {
	err = p.in(ctx, func(t *tools.Terraform) error {
		changes, err = t.Preview(ctx, readOnly)
		return err
	})
	return changes, err
}

func (p *terraformProvisioner) apply(ctx context.Context) (outputs map[string]string, err error) {
	err = p.in(ctx, func(t *tools.Terraform) error {
		if err := t.Apply(ctx, p.tell); err != nil {
			return err
		}
		outputs, err = t.Outputs(ctx)
		return err
	})
	return outputs, err
}

func (p *terraformProvisioner) outputs(ctx context.Context) (outputs map[string]string, err error) {
	err = p.in(ctx, func(t *tools.Terraform) error {
		outputs, err = t.Outputs(ctx)
		return err
	})
	return outputs, err
}

func (p *terraformProvisioner) destroy(ctx context.Context) error {
	return p.in(ctx, func(t *tools.Terraform) error { return t.Destroy(ctx, p.tell) })
}

// tell tells of a step. That one still goes on is for programs only, as Terraform says so of each every ten seconds.
func (p *terraformProvisioner) tell(o tools.Operation) {
	if o.State == "Running" && o.Seconds > 0 && !p.report.json {
		return
	}
	p.report.operation(o.Action, o.Address, o.State, time.Duration(o.Seconds)*time.Second, "")
}
