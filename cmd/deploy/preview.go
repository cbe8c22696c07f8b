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
	t, err := own.open(ctx, "preview", paths, std, wants{inputs: true, azure: isBicepPath(paths)})
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

// isBicepPath reports whether a command works on Bicep, for which Azure is asked directly. Where that can't be told it isn't,
// and the error comes when the template is read.
func isBicepPath(paths []string) bool {
	if len(paths) != 1 {
		return false
	}
	t, _ := load(paths[0])
	return t != nil && t.Language == template.Bicep
}
