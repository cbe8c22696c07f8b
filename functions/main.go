// Command functions is the Holdfast app. Run alone it serves on a loopback
// address and keeps its state in a local folder, or in a storage account if the
// settings name one:
//
//	go run ./functions               start the app
//	go run ./functions settings      show every setting, its value and where it came from
//	go run ./functions explain ID    say why an instance waits, or how it ended
//	go run ./functions history ID    show what has happened to an instance
//	go run ./functions policy FILE   check an approval policy, and show what happens if nobody answers
//	go run ./functions limits NUMBER say how to unlock a phone that was sent too much
//	go run ./functions receipt ID    write out a receipt of what was shown and decided
//	go run ./functions verify-receipt FILE
//	                                 tell whether a receipt is whole, and what it says;
//	                                 with -head FILE also whether it is the last
//	go run ./functions receipt-key   show the key by which receipts are verified
//	go run ./functions hub show      show what the hub consists of and what is in it
//	go run ./functions hub export    write out everything in the hub, a JSON object a line
//	go run ./functions hub delete    delete the hub with everything in it
//	go run ./functions -h            show the commands and the flags
//
// It exits with 0 after a stop that was asked for, 1 when it cannot go on, and
// 2 when the command line or the environment is wrong. Under the Functions host,
// which takes 0 for the end of all work, it exits with 200 instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/seed21523604/holdfast/engine/telemetry"
	"github.com/seed21523604/holdfast/functions/internal/host"
	"github.com/seed21523604/holdfast/functions/settings"
)

// The exit codes.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	_, hosted := os.LookupEnv(host.PortVariable)
	os.Exit(host.ExitCode(run(ctx, os.Args[1:], os.LookupEnv, stdio{os.Stdin, os.Stdout, os.Stderr}), hosted))
}

// stdio is what a person sees of the program.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program: everything it needs comes in, everything it says goes
// out, and what is returned is the exit code.
func run(ctx context.Context, args []string, env func(string) (string, bool), io stdio) int {
	c := &call{env: env, stdio: io}
	if err := host.CheckReferences(env, settingNames()); err != nil {
		fmt.Fprintln(io.err, "functions:", err)
		return exitUsage
	}
	command, args := findCommand(args)
	args = command.takeOwn(c, args)
	values, rest, err := settings.Load(args, env)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(io.out, "%s\n%v\n", commandHelp(), err)
		return exitOK
	case err == nil && c.which == "" && command.isAboutOne() && len(rest) == 1:
		c.which = rest[0]
	case err == nil && len(rest) > 0:
		err = fmt.Errorf("%q is not a command\n\n%s", strings.Join(rest, " "), commandHelp())
	}
	if err != nil {
		fmt.Fprintln(io.err, err)
		return exitUsage
	}
	c.values = values
	if err := command.run(ctx, c); err != nil {
		fmt.Fprintln(io.err, "functions:", advised(err, values))
		return exitFailure
	}
	return exitOK
}

// serve runs the app until the context ends. It is listened before anything
// slow, so that the Functions host knows that somebody is there, and a caller
// can connect while the store is still being read.
func serve(ctx context.Context, c *call) error {
	address, hosted, err := whereToListen(c)
	if err != nil {
		return err
	}
	timeout, err := host.FunctionTimeout(c.env, functionTimeout())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; is another one running? choose another with -addr 127.0.0.1:PORT", address, err)
	}
	logger := slog.New(telemetry.LogHandler(logHandler(c, hosted)))
	logger.Debug("starting", "version", version)
	front := openFront(listener, logger)
	app, err := newApp(ctx, c.values, options{
		Logger: logger, Address: listener.Addr().String(), Local: !hosted, Development: isDevelopment(c.env),
		SignsIn: hosted && signsIn(c.env), Deployment: deploymentOf(c.env), Timeout: timeout,
	})
	if err != nil {
		return errors.Join(err, front.server.Close())
	}
	if !hosted {
		welcome(c.out, app)
	}
	return app.serve(ctx, front)
}

// whereToListen returns the address on which the Functions host expects the app,
// or that of the settings if there is no host.
func whereToListen(c *call) (address string, hosted bool, err error) {
	address, hosted, err = host.Address(c.env)
	switch {
	case err != nil:
		return "", hosted, err
	case !hosted:
		address = c.values.Text(settings.Address)
		return address, false, checkLoopback(address)
	case c.values.Text(settings.PublicBaseUrl) == "":
		return "", true, errNoPublicURL
	case c.values.Text(settings.WakeQueue) == "" && inAccount(c.values):
		return "", true, errNoWakeQueue
	}
	if root, _ := c.env(rootVariable); root != "" {
		err = checkFunctions(os.DirFS(root))
	}
	return address, true, err
}

// isDevelopment reports whether the host says that it runs on a developer's
// machine, as that of the Core Tools does.
func isDevelopment(env host.Env) bool {
	name, _ := env("AZURE_FUNCTIONS_ENVIRONMENT")
	return strings.EqualFold(name, "Development")
}

// settingNames are the names of all settings.
func settingNames() (names []string) {
	for _, s := range settings.Table() {
		names = append(names, s.Name)
	}
	return names
}

// logHandler returns what writes the log: for people, or for the host.
func logHandler(c *call, hosted bool) slog.Handler {
	if hosted {
		return host.LogHandler(c.out, level(c.values))
	}
	return slog.NewTextHandler(c.out, &slog.HandlerOptions{Level: level(c.values)})
}

// signsIn reports whether App Service lets people sign in before they reach the app,
// and so says who they are.
func signsIn(env func(string) (string, bool)) bool {
	enabled, _ := env("WEBSITE_AUTH_ENABLED")
	return strings.EqualFold(enabled, "true")
}

// errNoPublicURL is returned under a host when nobody says where the app is
// reached: what requests say of it is not believed.
var errNoPublicURL = errors.New("PublicBaseUrl is not set, and nothing in the environment names the site: set it to what the links handed out are to begin with, " +
	"such as https://verify.example.com")

// errNoWakeQueue is returned under a host when nothing says by which queue it
// wakes the app.
var errNoWakeQueue = errors.New("WakeQueue is not set: without it the Functions host does not load the function Wake, and the app sleeps until the schedule of Sweep; " +
	"set it to the hub's name in small letters and -wake, such as shophub-wake")

// checkLoopback refuses an address that others can reach: a local run asks
// nobody who they are.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-addr %s: %w; it looks like 127.0.0.1:7071", address, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("-addr %s: a local run asks nobody who they are, so it listens on a loopback address only, such as 127.0.0.1:7071", address)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func level(values settings.Values) slog.Level {
	var l slog.Level
	_ = l.UnmarshalText([]byte(values.Text(settings.LogLevel))) // the table allows nothing else
	return l
}

// welcome says what is running, who may use it and what to type next.
func welcome(out io.Writer, app *app) {
	answer := "\"" + app.url + app.management + "/instances/ID/raiseEvent/SmsChallengeResponse\""
	where := "ID is the id in the first answer"
	if !app.open {
		answer, where = "'SENDEVENTPOSTURI'", "SENDEVENTPOSTURI is the first answer's sendEventPostUri with SmsChallengeResponse in place of {eventName}"
	}
	look, code := "curl \""+app.url+messagesPath+"\"", "the code from the second"
	if !app.simulated {
		look, code = "curl 'STATUSQUERYGETURI'", "the code that was sent to the phone"
	}
	fmt.Fprintf(out, `Holdfast, durable human interaction: a local run on %[1]s, with its state in %[2]s.
Stop it with Ctrl-C, or kill it: started again, it goes on where it was. %[3]s
%[4]s

Type next, in another terminal:

  curl -X POST "%[1]s/api/Authenticate?number=%%2B447700900123"
  %[5]s
  curl -X POST -d CODE %[6]s

where %[7]s and CODE is %[8]s. How it ended is at the first answer's statusQueryGetUri.

`, app.url, app.state, app.where, app.who(), look, answer, where, code)
}
