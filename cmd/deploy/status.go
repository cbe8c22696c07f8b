package main

import (
	"context"
	"errors"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
)

// status shows what is deployed and how it is.
func status(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("status"), &targetFlags{}
	own.add(flags)
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "status", paths, std, always(wants{azure: true}))
	if err != nil {
		return err
	}
	return t.running(ctx, "status", t.status)
}

func (t *target) status(ctx context.Context) error {
	if p, ok := t.provisioner().(*bicepProvisioner); ok {
		d, err := p.azure.Deployment(ctx, t.name)
		switch {
		case errors.Is(err, azure.ErrNotFound):
			return errors.New("there is no deployment " + t.name + " in " + t.group + "; deploy up makes one")
		case err != nil:
			return err
		}
		t.report.state("deployment", t.name, d.State, d.Error)
	}
	outputs, err := t.provisioner().outputs(ctx)
	if err != nil {
		return err
	}
	t.report.outputs(outputs)
	name := output(outputs, "functionappname")
	if name == "" {
		return errors.New("nothing is deployed yet, or the deployment failed before the app was made")
	}
	site, err := t.azure.Site(ctx, name)
	if err != nil {
		return err
	}
	t.report.state("app", site.Host, site.State, "")
	host, err := t.azure.Host(ctx, name)
	if err != nil {
		return err
	}
	t.report.state("host", host.Version, host.State, strings.Join(host.Errors, "; "))
	functions, err := t.azure.Functions(ctx, name)
	if err != nil {
		return err
	}
	for _, f := range functions {
		t.report.state("function", f, "", "")
	}
	return nil
}
