package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Remove deletes what a deployment made, the last first, and then the record of the deployment itself. Resources inside
// others go with those. What is gone already is no error, so it may be repeated.
func (c *Client) Remove(ctx context.Context, d *Deployment, report func(id string)) error {
	made, err := c.made(ctx, d, 0)
	if err != nil {
		return err
	}
	outer := outermost(made)
	var errs []error
	for i := len(outer) - 1; i >= 0; i-- {
		report(outer[i].ID)
		if err := c.remove(ctx, outer[i]); err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, fmt.Errorf("delete %s: %w", outer[i].ID, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	poller, err := c.deployments.BeginDelete(ctx, c.o.Group, d.Name, nil)
	if err == nil {
		_, err = poller.PollUntilDone(ctx, c.polling())
	}
	if err := known(err); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete the record of the deployment %s: %w", d.Name, err)
	}
	return nil
}

// made returns what a deployment made, and those inside it, whose records may be gone.
func (c *Client) made(ctx context.Context, d *Deployment, depth int) ([]Resource, error) {
	all := d.Resources
	pager := c.operations.NewListPager(c.o.Group, d.Name, nil)
	for depth < deepestDeployment && pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("look at the steps of the deployment %s: %w", d.Name, known(err))
		}
		for _, o := range page.Value {
			step, ok := operationOf(o)
			if !ok || !strings.EqualFold(step.Type, "Microsoft.Resources/deployments") {
				continue
			}
			more, err := c.inside(ctx, step.Name, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

func (c *Client) inside(ctx context.Context, name string, depth int) ([]Resource, error) {
	d, err := c.Deployment(ctx, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at the deployment %s: %w", name, err)
	}
	return c.made(ctx, d, depth)
}

func (c *Client) polling() *runtime.PollUntilDoneOptions {
	return &runtime.PollUntilDoneOptions{Frequency: c.o.Pause}
}

// outermost leaves out the resources that are parts of others, deployments, and what is listed again.
func outermost(all []Resource) []Resource {
	var out []Resource
	for _, r := range all {
		again := func(o Resource) bool { return strings.EqualFold(o.ID, r.ID) }
		around := func(o Resource) bool { return strings.HasPrefix(strings.ToLower(r.ID), strings.ToLower(o.ID)+"/") }
		isDeployment := strings.Contains(strings.ToLower(r.ID), "/providers/microsoft.resources/deployments/")
		if !isDeployment && !slices.ContainsFunc(out, again) && !slices.ContainsFunc(all, around) {
			out = append(out, r)
		}
	}
	return out
}

func (c *Client) remove(ctx context.Context, r Resource) error {
	if r.APIVersion == "" {
		return errors.New("the version of the API that it was made by is not known; delete it in the portal")
	}
	resp, err := c.call(ctx, "DELETE", r.ID, r.APIVersion, nil, nil)
	if err != nil {
		return err
	}
	poller, err := runtime.NewPoller[json.RawMessage](resp, c.arm.Pipeline(), nil)
	if err != nil {
		return known(err)
	}
	_, err = poller.PollUntilDone(ctx, c.polling())
	return known(err)
}
