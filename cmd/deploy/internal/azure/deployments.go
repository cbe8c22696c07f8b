package azure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
)

// Template is a compiled template with what it is given.
type Template struct {
	JSON       map[string]any
	Parameters map[string]*armdeployments.DeploymentParameter
}

// Operation is one step of a deployment: what it does to one resource.
type Operation struct {
	ID    string // of the step, the same however often it is reported
	Type  string // of the resource
	Name  string
	State string // Running, Succeeded, Failed, …
	Error string // why it failed
	Took  time.Duration
}

// Deployment is what is known of a deployment.
type Deployment struct {
	Name      string
	State     string
	Outputs   map[string]string
	Error     string
	Resources []Resource // what it made, in the order in which Azure lists it
}

// Resource is one that a deployment made.
type Resource struct{ ID, APIVersion string }

// Running reports whether the deployment has not ended.
func (d *Deployment) Running() bool {
	switch armdeployments.ProvisioningState(d.State) {
	case armdeployments.ProvisioningStateSucceeded, armdeployments.ProvisioningStateFailed, armdeployments.ProvisioningStateCanceled:
		return false
	}
	return true
}

// Deployment returns the deployment of a name. The error is [ErrNotFound] if there is none.
func (c *Client) Deployment(ctx context.Context, name string) (*Deployment, error) {
	got, err := c.deployments.Get(ctx, c.o.Group, name, nil)
	if err != nil {
		return nil, known(err)
	}
	return deploymentOf(name, got.Properties), nil
}

func deploymentOf(name string, p *armdeployments.DeploymentPropertiesExtended) *Deployment {
	d := &Deployment{Name: name, Outputs: map[string]string{}}
	if p == nil {
		return d
	}
	if p.ProvisioningState != nil {
		d.State = string(*p.ProvisioningState)
	}
	outputs, _ := p.Outputs.(map[string]any)
	for key, o := range outputs {
		if o, ok := o.(map[string]any); ok && o["value"] != nil {
			d.Outputs[key] = fmt.Sprint(o["value"])
		}
	}
	d.Error = textOf(p.Error)
	for _, r := range p.OutputResources {
		if r.ID != nil {
			d.Resources = append(d.Resources, Resource{*r.ID, deref(r.APIVersion)})
		}
	}
	return d
}

// Deploy deploys a template and reports each step whenever its state changes. If a deployment of that name still goes on,
// whoever began it, it is waited for first, as Azure takes no second one. A context that ends stops only the watching.
func (c *Client) Deploy(ctx context.Context, name string, t Template, report func(Operation)) (*Deployment, error) {
	before, err := c.Deployment(ctx, name)
	switch {
	case err == nil && before.Running():
		if _, err := c.Follow(ctx, name, report); err != nil && ctx.Err() != nil {
			return nil, err
		}
	case err != nil && !errors.Is(err, ErrNotFound):
		return nil, fmt.Errorf("look for a deployment %s: %w", name, err)
	}
	_, err = c.deployments.BeginCreateOrUpdate(ctx, c.o.Group, name, armdeployments.Deployment{Properties: &armdeployments.DeploymentProperties{
		Mode: to.Ptr(armdeployments.DeploymentModeIncremental), Template: t.JSON, Parameters: t.Parameters,
	}}, nil)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", name, known(err))
	}
	return c.Follow(ctx, name, report)
}

// Follow watches a deployment to its end.
func (c *Client) Follow(ctx context.Context, name string, report func(Operation)) (*Deployment, error) {
	w := &watch{client: c, report: report, seen: map[string]string{}}
	for {
		d, err := c.Deployment(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("look at the deployment %s: %w", name, err)
		}
		if err := w.operations(ctx, name, 0); err != nil {
			return nil, fmt.Errorf("look at the steps of the deployment %s: %w", name, err)
		}
		if !d.Running() {
			return d, w.result(d)
		}
		if err := c.Pause(ctx); err != nil {
			return nil, err
		}
	}
}

// watch remembers what was reported of a deployment.
type watch struct {
	client *Client
	report func(Operation)
	seen   map[string]string // by the step's id its last state
	failed []string
}

// deepestDeployment bounds how far deployments inside deployments are followed.
const deepestDeployment = 5

// operations reports the steps of a deployment, and of those inside it, whose states are new.
func (w *watch) operations(ctx context.Context, name string, depth int) error {
	pager := w.client.operations.NewListPager(w.client.o.Group, name, nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return known(err)
		}
		for _, o := range page.Value {
			step, ok := operationOf(o)
			if !ok {
				continue
			}
			if strings.EqualFold(step.Type, "Microsoft.Resources/deployments") && depth < deepestDeployment {
				if err := w.operations(ctx, step.Name, depth+1); err != nil && !errors.Is(err, ErrNotFound) {
					return err
				}
			}
			w.note(step)
		}
	}
	return nil
}

func (w *watch) note(step Operation) {
	if w.seen[step.ID] == step.State {
		return
	}
	w.seen[step.ID] = step.State
	isNested := strings.EqualFold(step.Type, "Microsoft.Resources/deployments")
	if step.State == string(armdeployments.ProvisioningStateFailed) && !isNested {
		w.failed = append(w.failed, fmt.Sprintf("%s %s: %s", step.Type, step.Name, step.Error))
	}
	w.report(step)
}

// result is the error of a deployment that ended, with what failed in it.
func (w *watch) result(d *Deployment) error {
	switch {
	case d.State == string(armdeployments.ProvisioningStateSucceeded):
		return nil
	case len(w.failed) > 0:
		return fmt.Errorf("the deployment %s ended as %s:\n  %s", d.Name, d.State, strings.Join(w.failed, "\n  "))
	}
	return fmt.Errorf("the deployment %s ended as %s: %s", d.Name, d.State, d.Error)
}

func operationOf(o *armdeployments.DeploymentOperation) (Operation, bool) {
	p := o.Properties
	if p == nil || p.TargetResource == nil || p.TargetResource.ResourceType == nil {
		return Operation{}, false
	}
	step := Operation{
		ID: deref(o.ID), Type: *p.TargetResource.ResourceType, Name: deref(p.TargetResource.ResourceName), State: deref(p.ProvisioningState),
		Took: duration(deref(p.Duration)),
	}
	if p.StatusMessage != nil {
		step.Error = textOf(p.StatusMessage.Error)
	}
	return step, true
}

// duration reads ISO 8601 as Resource Manager writes it, such as PT1M2.5S.
func duration(text string) time.Duration {
	rest, ok := strings.CutPrefix(text, "PT")
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(strings.ToLower(rest))
	if err != nil {
		return 0
	}
	return d.Round(time.Second)
}

// textOf writes an error of Resource Manager, down to what caused it.
func textOf(e *armdeployments.ErrorResponse) string {
	if e == nil {
		return ""
	}
	text := strings.TrimSpace(deref(e.Code) + ": " + strings.Join(strings.Fields(deref(e.Message)), " "))
	for _, inner := range e.Details {
		text += "; " + textOf(inner)
	}
	return text
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}
