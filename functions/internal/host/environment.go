package host

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// The environment variables that the host sets for its handler, or that override host.json.
const (
	PortVariable    = "FUNCTIONS_CUSTOMHANDLER_PORT"
	TimeoutVariable = "AzureFunctionsJobHost__functionTimeout"
)

// Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (value string, set bool)

// Address returns where the host of this process expects it to listen, which is a loopback address always: whoever else reached it could
// call functions in the host's stead. hosted is false, with no error, if there is no host.
func Address(env Env) (address string, hosted bool, err error) {
	text, hosted := env(PortVariable)
	if !hosted {
		return "", false, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return "", true, fmt.Errorf("%s is %q, and no port from 1 to 65535: the Functions host sets it; unset it to run without a host", PortVariable, text)
	}
	return net.JoinHostPort("127.0.0.1", strconv.FormatUint(port, 10)), true, nil
}

// FunctionTimeout returns after how long the host kills a handler with an unfinished invocation. It is the setting that overrides
// host.json, or else what host.json says, which the caller knows. 0 is never.
func FunctionTimeout(env Env, inFile time.Duration) (time.Duration, error) {
	text, _ := env(TimeoutVariable)
	if text == "" {
		return inFile, nil
	}
	timeout, err := ParseTimeSpan(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", TimeoutVariable, err)
	}
	return timeout, nil
}

// ParseTimeSpan reads a duration as host.json has it: hh:mm:ss, d.hh:mm:ss, or -1 for one without an end, which is 0 here.
func ParseTimeSpan(text string) (time.Duration, error) {
	if text == "-1" {
		return 0, nil
	}
	bad := fmt.Errorf("%q is no duration like 00:05:00", text)
	days, clock, hasDays := strings.Cut(text, ".")
	if !hasDays {
		days, clock = "0", text
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, bad
	}
	total, ok := atMost(days, 3650)
	for i, most := range []int{23, 59, 59} {
		n, fine := atMost(parts[i], most)
		total, ok = total*(most+1)+n, ok && fine
	}
	if !ok || total == 0 {
		return 0, bad
	}
	return time.Duration(total) * time.Second, nil
}

// atMost reads one part of a time span.
func atMost(text string, most int) (n int, ok bool) {
	value, err := strconv.ParseUint(text, 10, 16)
	return int(value), err == nil && int(value) <= most
}

// CheckReferences reports every one of the variables that still is a reference to a secret in Key Vault. The platform puts the secret in
// its place; where it cannot, it hands on the text of the reference, and a program that takes it for the secret fails in ways that nobody
// understands.
func CheckReferences(env Env, names []string) error {
	var problems []error
	for _, name := range names {
		if value, _ := env(name); isReference(value) {
			problems = append(problems, fmt.Errorf("%s is still %s", name, shown(value)))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w\nThe platform did not put the secret in place of the reference. Check that the vault and the secret exist under these names and the secret is enabled, "+
		"that the app's keyVaultReferenceIdentity is an identity with the role Key Vault Secrets User on the secret, and that the vault's firewall lets the app's network in. "+
		"The app's configreferences in the resource manager say which of them it is; a change of any setting makes the platform look again", errors.Join(problems...))
}

// isReference reports whether a value is a Key Vault reference.
func isReference(value string) bool {
	const prefix = "@Microsoft.KeyVault("
	value = strings.TrimSpace(value)
	return len(value) >= len(prefix) && strings.EqualFold(value[:len(prefix)], prefix)
}

// shown returns a reference for people. It names a secret and does not hold one.
func shown(reference string) string {
	const most = 200
	if len(reference) > most {
		reference = reference[:most] + "…"
	}
	return strconv.Quote(reference)
}

// The exit codes as the host understands them: after any other than these two it counts an error and starts the handler again, and
// gives up after three errors in half an hour.
const (
	exitForGood   = 0   // the app is dead until the host is started anew
	exitToRestart = 200 // the handler is started again, and no error is counted
)

// ExitCode returns with which code a process should exit that would exit with this one. Under a host, a good end asks to be started again:
// a host that is going as well does not, and one that stays would leave the app dead.
func ExitCode(code int, hosted bool) int {
	if hosted && code == exitForGood {
		return exitToRestart
	}
	return code
}
