package main

import (
	"context"
	"fmt"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// down removes what up made. Of Bicep that is what the deployment lists, of Terraform what is in the state. A vault stays for
// as long as it is protected, deleted but not gone.
func down(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("down"), &targetFlags{}
	own.add(flags)
	yes := flags.Bool("yes", false, "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "down", paths, std, func(l template.Language) wants {
		return wants{inputs: l == template.Terraform, azure: l == template.Bicep}
	})
	if err != nil {
		return err
	}
	if !*yes {
		if err := confirm(ctx, std, fmt.Sprintf("delete everything that the deployment %s made in %s, with all its data", t.name, firstOf(t.group, t.file)), t.name); err != nil {
			return err
		}
	}
	return t.running(ctx, "down", func(ctx context.Context) error {
		if err := t.provisioner().destroy(ctx); err != nil {
			return err
		}
		t.report.note("It is gone. A vault with purge protection is kept, deleted, for as many days as it was told to; until then its name is taken.")
		return nil
	})
}
