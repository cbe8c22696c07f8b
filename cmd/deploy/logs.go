package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
)

// mostLines is how many lines one question brings.
const mostLines = 1000

// logs shows what the app logged, and with -follow also what it logs from now on. Azure takes a minute or more until a line
// can be read.
func logs(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("logs"), &targetFlags{}
	own.add(flags)
	since := flags.Duration("since", time.Hour, "")
	follow := flags.Bool("follow", false, "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "logs", paths, std, always(wants{azure: true}))
	if err != nil {
		return err
	}
	return t.running(ctx, "logs", func(ctx context.Context) error {
		outputs, err := t.provisioner().outputs(ctx)
		if err != nil {
			return err
		}
		workspace := output(outputs, "workspacename")
		if workspace == "" {
			return errors.New("nothing is deployed yet, or the template has no output workspaceName")
		}
		return t.logs(ctx, workspace, t.report.now().Add(-*since), *follow)
	})
}

func (t *target) logs(ctx context.Context, workspace string, since time.Time, follow bool) error {
	for {
		lines, err := t.azure.Logs(ctx, workspace, since, mostLines)
		if err != nil {
			return err
		}
		for _, l := range lines {
			t.line(l)
			since = l.Time
		}
		if len(lines) == mostLines {
			continue
		}
		if !follow {
			return nil
		}
		if err := t.azure.Pause(ctx); err != nil {
			return err
		}
	}
}

func (t *target) line(l azure.Line) {
	text := fmt.Sprintf("%s %s %s", l.Time.UTC().Format(time.RFC3339), l.Level, l.Text)
	t.report.tell(event{Event: "log", State: l.Level, Text: l.Text, Name: l.Time.UTC().Format(time.RFC3339Nano)}, "%s\n", text)
}
