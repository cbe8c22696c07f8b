package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/receipt"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/settings"
)

// writeReceipt writes a receipt of an instance.
func writeReceipt(w io.Writer, values settings.Values, s *receipt.Signer, in store.Instance, past []history.Event) error {
	entries, err := receipt.Entries(past, whoAnswered)
	if err != nil {
		return fmt.Errorf("make a receipt of %s: %w", in.ID, err)
	}
	return s.Write(w, receiptHeader(values.Text(settings.TaskHubName), in), entries, time.Now())
}

// whoAnswered says who raised an event, and how that is known, by what the door that
// took it wrote into it. Of events that anybody raises who has a link or the key, nothing
// is known, whatever is in them.
func whoAnswered(event string, payload json.RawMessage) (who, how string) {
	switch event {
	case string(human.SmsChallengeResponse):
		return "whoever holds the phone", "by a one-time code that was sent to it"
	case string(approval.ApprovalDecision):
		var d approval.Decision
		_ = json.Unmarshal(payload, &d) // an older version may have written another
		return d.By, string(d.Via)
	}
	return "", ""
}

// getReceipt writes out a receipt of an instance.
func getReceipt(ctx context.Context, c *call) error { return look(ctx, c, "receipt", readReceipt) }

// readReceipt makes one of what is stored.
func readReceipt(ctx context.Context, c *call, k store.Keeper) error {
	keys, err := openKeys(c.values)
	if err != nil {
		return err
	}
	signer, err := receipt.NewSigner(keys.codes)
	if err != nil {
		return err
	}
	in, past, err := client.New(k, client.Options{}).Look(ctx, c.which)
	if err != nil {
		return fmt.Errorf("make a receipt of %s: %w", c.which, err)
	}
	return writeReceipt(c.out, c.values, signer, in, past)
}

// showReceiptKey prints the key by which the receipts of the app are verified.
func showReceiptKey(_ context.Context, c *call) error {
	keys, err := openKeys(c.values)
	if err != nil {
		return err
	}
	signer, err := receipt.NewSigner(keys.codes)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, signer.PublicKey())
	return nil
}

// verifyReceipt tells whether a receipt is whole, and what it says. It needs nothing
// but the file, and to know who signed it the key.
func verifyReceipt(_ context.Context, c *call) error {
	if c.which == "" {
		return errors.New("say which file: verify-receipt FILE; with -key KEY, -earlier FILE for a receipt that was made before, and -head FILE for what was kept when the run was removed")
	}
	r, err := readReceiptFile(c.which, c.key)
	if err != nil {
		return err
	}
	if c.earlier != "" {
		before, err := readReceiptFile(c.earlier, c.key)
		if err != nil {
			return fmt.Errorf("%s: %w", c.earlier, err)
		}
		if err := r.Continues(before); err != nil {
			return err
		}
	}
	if c.head != "" {
		head, err := readHeadFile(c.head, c.key)
		if err != nil {
			return fmt.Errorf("%s: %w", c.head, err)
		}
		if err := r.IsLast(head); err != nil {
			return err
		}
		fmt.Fprintf(c.out, "It is the last of its run: nothing happened after it until the run was removed at %s.\n", head.Seal.Made.Format(time.RFC3339))
	}
	return errors.Join(tell(c.out, r), signedBy(c.err, c.key, r))
}

// readReceiptFile reads a receipt and verifies it.
func readReceiptFile(path, key string) (*receipt.Receipt, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return receipt.Verify(text, key)
}

// tell writes for people what a receipt says.
func tell(w io.Writer, r *receipt.Receipt) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "The receipt is whole: %d entries of %s, instance %s, run %s, made at %s.\n\n",
		len(r.Entries), r.Orchestration, r.Instance, r.Execution, r.Seal.Made.Format(time.RFC3339))
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "%4d  %s  %-8s  %s", e.N, e.At.Format("2006-01-02 15:04:05.000"), e.What, e.Name)
		if e.Who != "" {
			fmt.Fprintf(&b, " by %s", printable(e.Who))
		}
		if e.How != "" {
			fmt.Fprintf(&b, ", known %s", printable(cmp.Or(knownBy[e.How], e.How)))
		}
		if e.Verdict != "" {
			fmt.Fprintf(&b, ": %s", printable(e.Verdict))
		}
		fmt.Fprintln(&b)
		if len(e.Content) > 0 {
			fmt.Fprintf(&b, "      %s\n", printable(string(e.Content)))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// knownBy says in words how it was known who decided.
var knownBy = map[string]string{
	string(approval.ViaLink):     "by the link that was sent to them",
	string(approval.ViaCode):     "by the link that was sent to them and a one-time code to their phone",
	string(approval.ViaSignIn):   "by their signing in",
	string(approval.ViaMessage):  "by a text message from their phone",
	string(approval.ViaOperator): "by the word of an operator",
}

// signedBy says by whom the receipt is signed, as far as that is known.
func signedBy(w io.Writer, key string, r *receipt.Receipt) error {
	if key == "" {
		_, err := fmt.Fprintf(w, "\nIt is signed with the key %s. Whether that is the app's, the app tells: functions receipt-key. Then say -key KEY.\n", r.Seal.Key)
		return err
	}
	_, err := fmt.Fprintln(w, "\nIt is signed with that key.")
	return err
}

// printable returns a text without what a terminal obeys.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, text)
}
