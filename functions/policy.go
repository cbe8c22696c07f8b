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

// showPolicy checks the policy in a file, and shows what will happen to a request that
// is made now if nobody answers. Nothing is sent.
func showPolicy(_ context.Context, c *call) error {
	if c.which == "" {
		return errors.New("say in which file the policy is: policy FILE, or policy FILE REQUESTER")
	}
	text, err := os.ReadFile(c.which)
	if err != nil {
		return fmt.Errorf("read the policy: %w", err)
	}
	p, err := approval.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.which, err)
	}
	timeline, err := approval.DryRun(&p, cmp.Or(c.requester, someone), time.Now())
	if err != nil {
		return fmt.Errorf("%s: %w", c.which, err)
	}
	_, err = fmt.Fprint(c.out, timeline)
	return err
}
