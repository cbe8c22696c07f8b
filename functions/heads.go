package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human/receipt"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/settings"
)

const (
	// ReceiptHead remembers how the receipt of a run ended whose instance was purged. It
	// waits, which costs nothing, so that no purge of what has ended removes it; whoever
	// is to forget it terminates it, and purges it.
	ReceiptHead engine.Orchestrator[receipt.Head, struct{}] = "ReceiptHead"
	// ForgetReceipt ends it.
	ForgetReceipt engine.Event[struct{}] = "ForgetReceipt"
)

// addReceiptHeads registers the orchestration.
func addReceiptHeads(r *engine.Registry) {
	engine.AddOrchestrator(r, ReceiptHead, func(ctx *engine.Context, _ receipt.Head) (struct{}, error) {
		return engine.WaitForExternalEvent(ctx, ForgetReceipt, engine.From("operators")).Await()
	})
}

// headID is the id of the instance that remembers a run.
func headID(execution string) string { return "receipt-head-" + execution }

// heads keeps the heads of the receipts of what people decided.
type heads struct {
	client *client.Client
	signer *receipt.Signer
	hub    string
}

// decided are the orchestrations in which people decide.
var decided = []string{string(ExpenseApproval), string(ReleaseGate), string(ClaimReview)}

// keep writes down the head of an instance's receipt, before the instance is purged. When
// the process dies between the two, it is there already the next time, and the same: what
// has ended changes no more. Of others it reads nothing, and of what cannot be read nothing
// is kept.
func (h *heads) keep(ctx context.Context, in store.Instance) error {
	if !slices.Contains(decided, in.Name) {
		return nil
	}
	now, past, err := h.client.Look(ctx, in.ID)
	switch {
	case errors.Is(err, client.ErrNotFound), errors.Is(err, store.ErrCorrupt):
		return nil
	case err != nil:
		return err
	case now.Execution != in.Execution:
		return store.ErrActive
	}
	head, err := h.headOf(now, past)
	if err != nil {
		return err
	}
	_, err = h.client.Start(ctx, string(ReceiptHead), headID(in.Execution), head)
	if err != nil && !errors.Is(err, client.ErrExists) {
		return fmt.Errorf("keep the head of its receipt: %w", err)
	}
	return nil
}

func (h *heads) headOf(in store.Instance, past []history.Event) (receipt.Head, error) {
	entries, err := receipt.Entries(past, whoAnswered)
	if err != nil {
		return receipt.Head{}, fmt.Errorf("make a receipt of %s: %w", in.ID, err)
	}
	return h.signer.Head(receiptHeader(h.hub, in), entries, time.Now())
}

// receiptHeader says of which run a receipt is.
func receiptHeader(hub string, in store.Instance) receipt.Header {
	return receipt.Header{Hub: hub, Instance: in.ID, Execution: in.Execution, Orchestration: in.Name}
}

// readHeadFile reads a head from the receipt of the instance that remembers it.
func readHeadFile(path, key string) (h receipt.Head, err error) {
	r, err := readReceiptFile(path, key)
	if err != nil {
		return h, err
	}
	if first := r.Entries; r.Orchestration != string(ReceiptHead) || len(first) == 0 || json.Unmarshal(first[0].Content, &h) != nil {
		return h, fmt.Errorf("this is no head: write it out with  functions receipt %s", headID("RUN"))
	}
	return h, nil
}

// newHeads returns what keeps heads, with a client that it is given later.
func newHeads(values settings.Values, s *receipt.Signer) *heads {
	return &heads{signer: s, hub: values.Text(settings.TaskHubName)}
}
