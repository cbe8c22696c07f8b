package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

// someone is who requests what a dry run shows, if nobody is named.
const someone = "someone@example.org"

// showSchema prints the schema of policies, for editors and for whoever makes them.
func showSchema(_ context.Context, c *call) error {
	_, err := c.out.Write(approval.Schema)
	return err
}

// showPolicy checks the policy in a file, and shows what will happen to a request that
// is made now, or when it is said, if nobody answers. Nothing is sent.
func showPolicy(_ context.Context, c *call) error {
	if c.which == "" {
		return errors.New("say in which file the policy is: policy FILE, or policy FILE REQUESTER")
	}
	at := time.Now()
	if c.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, c.at); err != nil {
			return fmt.Errorf("%q is no time: say -at 2026-12-24T09:00:00+13:00, with the difference to UTC, or Z for UTC", c.at)
		}
	}
	text, err := os.ReadFile(c.which)
	if err != nil {
		return fmt.Errorf("read the policy: %w", err)
	}
	p, err := approval.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.which, err)
	}
	timeline, err := approval.DryRun(&p, cmp.Or(c.requester, someone), at)
	if err != nil {
		return fmt.Errorf("%s: %w", c.which, err)
	}
	_, err = fmt.Fprint(c.out, timeline)
	return err
}
