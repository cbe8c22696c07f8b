package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/functions/internal/hub"
	"github.com/seed21523604/holdfast/functions/settings"
)

// call is one run of a command, and what was typed for it.
type call struct {
	stdio
	env    func(string) (string, bool)
	values settings.Values
	which  string // the instance, or the file, that is asked about
	// requester is whose request a dry run shows, and at when it is made; both may be
	// empty.
	requester, at string
	yes           string // what may be deleted
	force         bool   // although it is in use

	key     string // that a receipt must be signed with
	earlier string // a receipt that was made before
	head    string // what was kept of an instance that is gone
}

// command is what can be typed behind the program's name.
type command struct {
	name, meaning string
	run           func(context.Context, *call) error
}

func commands() []command {
	return []command{
		{"", "start the app", serve},
		{"settings", "show every setting, its value and where it came from", showSettings},
		{"explain", "say why an instance waits, or how it ended: explain ID, or the URL of its status", explainInstance},
		{"history", "show what has happened to an instance: history ID, or the URL of its status", showHistory},
		{"policy", "check an approval policy, and show what happens if nobody answers: policy FILE [REQUESTER]; -at TIME for a request that is not made now", showPolicy},
		{"policy-schema", "print the JSON Schema of approval policies", showSchema},
		{"limits", "say where it is remembered what a number was sent, and how to unlock it: limits NUMBER", showLimits},
		{"receipt", "write out a receipt of an instance: receipt ID, or the URL of its status", getReceipt},
		{"verify-receipt", "tell whether a receipt is whole and what it says: verify-receipt FILE; -key KEY, -earlier FILE, -head FILE", verifyReceipt},
		{"receipt-key", "show the key by which the receipts of the app are verified", showReceiptKey},
		{"hub show", "show what the hub consists of and what is in it", showHub},
		{"hub export", "write out everything in the hub, a JSON object a line", exportHub},
		{"hub delete", "delete the hub with everything in it; asks first, or takes -yes NAME; -force if it is in use", deleteHub},
	}
}

// findCommand takes the command off the front of the arguments.
func findCommand(args []string) (command, []string) {
	all := commands()
	for _, c := range all[1:] {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):]
		}
	}
	return all[0], args
}

// isAboutOne reports whether the command is told of which instance.
func (c command) isAboutOne() bool {
	return slices.Contains([]string{"explain", "history", "limits", "receipt", "verify-receipt"}, c.name)
}

// commandHelp lists the commands.
func commandHelp() string {
	var b strings.Builder
	b.WriteString("The commands, each with the flags of the settings behind it:\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  functions %-14s  %s\n", c.name, c.meaning)
	}
	return b.String()
}

// takeOwn takes out of the arguments what is this command's own and not a setting.
func (c command) takeOwn(to *call, args []string) (rest []string) {
	switch {
	case c.name == "verify-receipt":
		args = takeValues(args, map[string]*string{"key": &to.key, "earlier": &to.earlier, "head": &to.head})
		fallthrough
	case c.isAboutOne():
		if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
			to.which, args = args[0], args[1:]
		}
		return args
	case c.name == "policy":
		args = takeValues(args, map[string]*string{"at": &to.at})
		for _, to := range []*string{&to.which, &to.requester} {
			if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
				*to, args = args[0], args[1:]
			}
		}
		return args
	case c.name == "hub delete":
		return takeForce(to, takeValues(args, map[string]*string{"yes": &to.yes}))
	default:
		return args
	}
}

// takeValues takes flags with values out.
func takeValues(args []string, of map[string]*string) (rest []string) {
	for len(args) > 0 {
		name, value, hasValue := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		to, ok := of[name]
		switch {
		case !strings.HasPrefix(args[0], "-") || !ok:
			rest = append(rest, args[0])
		case hasValue:
			*to = value
		case len(args) > 1:
			*to, args = args[1], args[1:]
		}
		args = args[1:]
	}
	return rest
}

// takeForce takes out the flag that has no value.
func takeForce(to *call, args []string) (rest []string) {
	for _, arg := range args {
		if arg == "-force" || arg == "--force" {
			to.force = true
			continue
		}
		rest = append(rest, arg)
	}
	return rest
}

func showSettings(_ context.Context, c *call) error { return c.values.WriteTable(c.out) }

// openForKeeping opens the hub for somebody who looks at it, or removes it.
func openForKeeping(ctx context.Context, c *call) (store.Keeper, error) {
	logger := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level(c.values)}))
	return openState(ctx, c.values, stateOptions{Logger: logger, Existing: true})
}

func showHub(ctx context.Context, c *call) error {
	k, err := openForKeeping(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(hub.Show(ctx, k, capital(whereState(c.values)), c.out), k.Close())
}

func exportHub(ctx context.Context, c *call) error {
	k, err := openForKeeping(ctx, c)
	if err != nil {
		return err
	}
	counts, err := hub.Export(ctx, k, time.Now(), c.out)
	if err == nil {
		fmt.Fprintf(c.err, "%d instances, %d events and %d messages are written out.\n", counts.Instances, counts.Events, counts.Messages)
	}
	return errors.Join(err, k.Close())
}

// errNotMeant is returned when the answer to the question was another.
var errNotMeant = errors.New("nothing is deleted")

func deleteHub(ctx context.Context, c *call) (err error) {
	k, err := openForKeeping(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	d := hub.Deletion{Keeper: k, Me: hubOwner(c.values, deploymentOf(c.env)), Where: capital(whereState(c.values))}
	if err := d.Check(ctx); err != nil && !c.force {
		return err
	}
	if err := d.Describe(c.out); err != nil {
		return err
	}
	if err := confirm(c, hubName(c.values)); err != nil {
		return err
	}
	if err := k.Remove(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "It is deleted.")
	return nil
}

// hubName is what must be typed to delete the hub.
func hubName(values settings.Values) string {
	if inAccount(values) {
		return values.Text(settings.TaskHubName)
	}
	return values.Text(settings.DataFolder)
}

// confirm asks whether the hub is to be deleted, unless that was said before.
func confirm(c *call, name string) error {
	answer := c.yes
	if answer == "" {
		fmt.Fprintf(c.out, "Type %s to delete it: ", name)
		line, _ := bufio.NewReader(c.in).ReadString('\n') // no line is no
		answer = strings.TrimSpace(line)
	}
	if answer != name {
		return fmt.Errorf("%w, as the answer was %q and not %q", errNotMeant, answer, name)
	}
	return nil
}
