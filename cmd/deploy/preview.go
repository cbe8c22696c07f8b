package main

import (
	"context"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// preview shows what up would change in Azure. With -read-only it can be asked by somebody who may change nothing.
func preview(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("preview"), &targetFlags{}
	own.add(flags)
	readOnly := flags.Bool("read-only", false, "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "preview", paths, std, func(l template.Language) wants {
		return wants{inputs: true, azure: l == template.Bicep} // of which Resource Manager is asked
	})
	if err != nil {
		return err
	}
	return t.running(ctx, "preview", func(ctx context.Context) error {
		changes, err := t.provisioner().preview(ctx, *readOnly)
		if err != nil {
			return err
		}
		if err := t.report.changes(changes); err != nil {
			return err
		}
		if change.Any(changes) {
			return &foundError{"something would change"}
		}
		return nil
	})
}
