// Command deploy understands the templates in infra, and anyone's Bicep and Terraform, and deploys them.
//
//	go run ./cmd/deploy inspect infra/bicep                          show what a template asks for, makes and gives back
//	go run ./cmd/deploy check -twins infra/bicep infra/terraform     find secrets that get out, and where the two differ
//	go run ./cmd/deploy package -o holdfast.zip                      build the app and pack it for Azure Functions
//	go run ./cmd/deploy preview infra/bicep --group rg               show what a deployment would change
//	go run ./cmd/deploy up infra/bicep --group rg                    deploy
//	go run ./cmd/deploy help                                         show the commands and the exit codes
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := exec(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	report(os.Stderr, err)
	os.Exit(exitCode(err))
}

// command is one of the words after "deploy".
type command struct {
	name  string
	use   string // what may follow the name
	short string // one line for the list of commands
	run   func(ctx context.Context, args []string, std streams) error
}

// streams are where a command reads from and writes to, and how it reaches Azure.
type streams struct {
	in       io.Reader
	out, err io.Writer
	azure    azure.Options // but for where in Azure, which a command is told
}

// commands are in the order in which people meet them.
func commands() []command {
	return []command{
		{"inspect", "PATH [--json]", "show what a template asks for, makes and gives back", inspect},
		{"check", "PATH... [--twins] [--app FOLDER] [--json | --sarif]    or: check --rules", "find secrets that get out, time-outs without bounds, and more; of twins also where they differ", checkTemplates},
		{"package", "-o FILE [--folder FOLDER] [--arch amd64|arm64] [--version VERSION]    or: package --check FILE", "build the app and pack it for Azure Functions, and look for what is wrong with the package", packageApp},
		{"trace", "SETTING [PATH...] [--app FOLDER] [--json | --dot]", "draw the way of a setting or secret, from what a deployment is told to the lines of code that read it", traceSetting},
		{"params", "PATH [--set NAME=VALUE]... [--json]", "show what a template has to be told, in which environment variables, and what it would get", params},
		{"preview", "PATH [--read-only] " + targetUse, "show what up would change; --read-only asks for no right but to read", preview},
		{"up", "PATH [--package FILE] [--from STEP] [--looks N] " + targetUse, "check, package, provision, publish and look whether it works; the same command goes on after a failure", up},
		{"status", "PATH " + targetUse, "show what is deployed and how it is", status},
		{"doctor", "PATH " + targetUse, "look at all that keeps an app from working, and say what to do", doctor},
		{"secret", secretUse, "write one secret into the vault; the value is asked for, read from the standard input, or made", secret},
		{"logs", "PATH [--since 1h] [--follow] " + targetUse, "show what the app logged", logs},
		{"down", "PATH [--yes] " + targetUse, "remove what up made", down},
	}
}

// exec is the program. What is wrong comes back as the error and is not written anywhere.
func exec(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	return run(ctx, args, streams{in: stdin, out: stdout, err: stderr})
}

func run(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return help(std.out)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], std)
		}
	}
	return &usageError{"", fmt.Sprintf("%q is no command; deploy help lists them", args[0])}
}

func help(w io.Writer) error {
	text := "deploy understands Bicep and Terraform templates, and deploys them.\n\n"
	for _, c := range commands() {
		text += fmt.Sprintf("  deploy %s %s\n      %s\n", c.name, c.use, c.short)
	}
	text += "\nExit codes:\n"
	for _, e := range exitCodes {
		text += fmt.Sprintf("  %d  %s\n", e.code, e.meaning)
	}
	_, err := io.WriteString(w, text)
	return err
}

// report tells people what went wrong.
func report(w io.Writer, err error) {
	var problems source.Problems
	var found *foundError
	switch {
	case err == nil:
	case errors.As(err, &found):
		fmt.Fprintln(w, found)
	case errors.As(err, &problems):
		_ = problems.Write(w) // there is nowhere left to complain
	default:
		fmt.Fprintln(w, "deploy:", err)
	}
}
