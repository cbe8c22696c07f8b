package host_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/internal/host"
)

// env is an environment of one variable.
func env(name, value string) host.Env {
	return func(asked string) (string, bool) {
		if asked != name {
			return "", false
		}
		return value, true
	}
}

func TestTheHostSaysOnWhichPort(t *testing.T) {
	for _, test := range []struct {
		port, want string
		bad        bool
	}{
		{port: "7071", want: "127.0.0.1:7071"},
		{port: "1", want: "127.0.0.1:1"},
		{port: "65535", want: "127.0.0.1:65535"},
		{port: "0", bad: true},
		{port: "65536", bad: true},
		{port: "", bad: true},
		{port: "http", bad: true},
		{port: "-1", bad: true},
	} {
		address, hosted, err := host.Address(env(host.PortVariable, test.port))
		if !hosted || address != test.want || (err != nil) != test.bad {
			t.Errorf("%q: %q, %t, %v", test.port, address, hosted, err)
		}
		if err != nil && !strings.Contains(err.Error(), host.PortVariable) {
			t.Errorf("%q: the error does not name the variable: %v", test.port, err)
		}
	}
	if address, hosted, err := host.Address(env("OTHER", "7071")); hosted || address != "" || err != nil {
		t.Errorf("without a host: %q, %t, %v", address, hosted, err)
	}
}

func TestTheTimeOutIsThatOfTheSettingOrOfTheFile(t *testing.T) {
	const inFile = 7 * time.Minute
	for text, want := range map[string]time.Duration{
		"":           inFile,
		"00:05:00":   5 * time.Minute,
		"01:02:03":   time.Hour + 2*time.Minute + 3*time.Second,
		"1.00:00:00": 24 * time.Hour,
		"-1":         0,
	} {
		got, err := host.FunctionTimeout(env(host.TimeoutVariable, text), inFile)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"5m", "05:00", "00:60:00", "00:00:60", "24:00:00", "00:00:00", "-2", "x.00:00:01", "1.2.00:00:01", "00:-1:00"} {
		if got, err := host.FunctionTimeout(env(host.TimeoutVariable, text), inFile); err == nil || !strings.Contains(err.Error(), host.TimeoutVariable) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestTheWatchdogIsWellBeforeTheHost(t *testing.T) {
	for _, timeout := range []time.Duration{30 * time.Second, 5 * time.Minute, 10 * time.Minute, time.Hour} {
		if limit := host.Limit(timeout); limit < timeout/2 || limit > timeout*4/5 {
			t.Errorf("%v: %v", timeout, limit)
		}
	}
}

func TestAReferenceThatIsNotResolvedIsNamedWithWhatToCheck(t *testing.T) {
	const reference = "@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/token)"
	of := map[string]string{"A": "b", "TwilioAuthToken": reference, "Other": " @microsoft.keyvault(VaultName=shop;SecretName=x)", "C": "", "NotOurs": reference}
	lookup := func(name string) (string, bool) { value, set := of[name]; return value, set }
	err := host.CheckReferences(lookup, []string{"A", "TwilioAuthToken", "Other", "C", "D"})
	if err == nil {
		t.Fatal("it was not found")
	}
	for _, part := range []string{"TwilioAuthToken", "Other", reference, "Key Vault Secrets User", "firewall", "keyVaultReferenceIdentity", "configreferences"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message does not speak of %s:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "NotOurs") {
		t.Errorf("the message speaks of what was not asked about:\n%v", err)
	}
	for _, fine := range []string{"secret", "see @Microsoft.KeyVault(x)", "", "@Microsoft.KeyVault"} {
		if err := host.CheckReferences(env("A", fine), []string{"A"}); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	if err := host.CheckReferences(env("A", reference+strings.Repeat("x", 10_000)), []string{"A"}); len(err.Error()) > 2000 {
		t.Errorf("the message has %d bytes", len(err.Error()))
	}
}

func TestNoEndOfAHostedProcessLooksLikeTheEndOfAllWork(t *testing.T) {
	for _, test := range []struct {
		code, want int
		hosted     bool
	}{{0, 0, false}, {1, 1, false}, {2, 2, false}, {0, 200, true}, {1, 1, true}, {2, 2, true}} {
		if got := host.ExitCode(test.code, test.hosted); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}
