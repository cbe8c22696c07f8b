package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// enginesVariable names the folder that .ci/engines builds OpenTofu and the azurerm provider into.
const enginesVariable = "HOLDFAST_ENGINES"

// engine is the real OpenTofu with the real azurerm provider, in a copy of the Terraform twin.
type engine struct {
	t      *testing.T
	tofu   string
	folder string
	env    []string
}

// newEngine returns the engine, or skips the test where there is none.
func newEngine(t *testing.T) *engine {
	t.Helper()
	engines := os.Getenv(enginesVariable)
	if engines == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		engines = filepath.Join(cache, "holdfast-engines")
	}
	tofu := filepath.Join(engines, "tofu")
	if !isThere(tofu) || !isThere(filepath.Join(engines, "tofu.rc")) {
		t.Skipf("there is no OpenTofu in %s; .ci/engines builds it in ten minutes, or set %s", engines, enginesVariable)
	}
	e := &engine{t: t, tofu: tofu, folder: t.TempDir()}
	if err := os.CopyFS(e.folder, os.DirFS(terraformTwin)); err != nil {
		t.Fatal(err)
	}
	e.env = append(withoutSecrets(os.Environ()), "TF_CLI_CONFIG_FILE="+filepath.Join(engines, "tofu.rc"), "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1")
	return e
}

// newApplying returns the engine before a Resource Manager, for a test that creates something. That takes minutes, as azurerm waits for what it makes,
// so such a test runs only where the variable is set.
func newApplying(t *testing.T) (*engine, *resourceManager) {
	t.Helper()
	if os.Getenv(enginesVariable) == "" {
		t.Skipf("this takes minutes, as azurerm waits for what it makes; set %s to the folder that .ci/engines builds", enginesVariable)
	}
	e, r := newEngine(t), newResourceManager(t)
	e.before(r)
	return e, r
}

// withoutSecrets leaves out what would be this machine's own account.
func withoutSecrets(env []string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, "ARM_") && !strings.HasPrefix(e, "TF_") && !strings.HasPrefix(e, "AZURE_") {
			out = append(out, e)
		}
	}
	return out
}

// run runs a command of the engine and returns what it wrote. It fails the test if the exit code is another.
func (e *engine) run(want int, args ...string) string {
	e.t.Helper()
	command := osexec.CommandContext(e.t.Context(), e.tofu, args...)
	command.Dir, command.Env = e.folder, e.env
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	_ = command.Run() // the exit code says it
	if got := command.ProcessState.ExitCode(); got != want {
		e.t.Fatalf("tofu %s exits with %d, not %d:\n%s%s", strings.Join(args, " "), got, want, out.String(), said.String())
	}
	if strings.Contains(said.String(), canary) {
		e.t.Errorf("tofu %s repeats a secret:\n%s", args[0], said.String())
	}
	return out.String()
}

// TestTheRealEngineTakesTheTerraformTwin runs OpenTofu with the azurerm provider over it: its form, the provider's own schema and
// checks of values, and the tests beside it, which assert resources, settings and roles on a mock provider.
func TestTheRealEngineTakesTheTerraformTwin(t *testing.T) {
	e := newEngine(t)
	e.run(0, "init", "-backend=false", "-input=false", "-no-color")
	e.run(0, "fmt", "-check", "-recursive")
	e.run(0, "validate", "-no-color")
	out := e.run(0, "test", "-no-color")
	if !strings.Contains(out, " passed, 0 failed.") {
		t.Errorf("tofu test says:\n%s", out)
	}
}

// TestNoSecretIsInAPlan makes a real plan, with the real provider, of the twin with canaries as secrets, and looks for
// them in everything that OpenTofu wrote.
func TestNoSecretIsInAPlan(t *testing.T) {
	e := newEngine(t)
	e.before(newResourceManager(t))
	e.run(0, "init", "-backend=false", "-input=false", "-no-color")
	e.run(2, "plan", "-no-color", "-input=false", "-detailed-exitcode", "-out=plan")
	plan := e.run(0, "show", "-json", "plan")
	var shown struct {
		Changes []struct {
			Type string `json:"type"`
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(plan), &shown); err != nil {
		t.Fatal(err)
	}
	secrets := 0
	for _, c := range shown.Changes {
		if c.Type == "azurerm_key_vault_secret" {
			secrets++
		}
	}
	if len(shown.Changes) < 30 || secrets < 4 {
		t.Errorf("the plan has %d resources, %d of them secrets", len(shown.Changes), secrets)
	}
	if strings.Contains(plan, canary) {
		t.Error("a secret is in the plan as JSON")
	}
	e.noCanary()
}

// noCanary looks for secrets in all files of the engine's folder; a plan is a zip.
func (e *engine) noCanary() {
	e.t.Helper()
	err := filepath.WalkDir(e.folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, ".tftest.hcl") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(canary)) {
			e.t.Errorf("a secret is in %s", path)
		}
		if d.Name() == "plan" {
			e.noCanaryInZip(text)
		}
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *engine) noCanaryInZip(text []byte) {
	e.t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		e.t.Fatal(err)
	}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			e.t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			e.t.Fatal(err)
		}
		if bytes.Contains(content, []byte(canary)) {
			e.t.Errorf("a secret is in the plan's part %s", f.Name)
		}
	}
}

// before gives the engine a Resource Manager and the inputs of the twin.
func (e *engine) before(r *resourceManager) {
	certificate := filepath.Join(e.t.TempDir(), "ca.pem")
	if err := os.WriteFile(certificate, r.certificate(), 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.env = append(e.env, "SSL_CERT_FILE="+certificate, "HTTPS_PROXY="+r.proxy.URL, "ARM_METADATA_HOSTNAME="+r.host(), "ARM_TENANT_ID="+testTenant, "ARM_CLIENT_ID="+testClient,
		"ARM_CLIENT_SECRET=none", "ARM_SUBSCRIPTION_ID="+testSubscription, "ARM_RESOURCE_PROVIDER_REGISTRATIONS=none",
		"TF_VAR_resource_group_name=rg", "TF_VAR_twilio_account_sid=AC0123456789abcdef0123456789abcdef", "TF_VAR_twilio_phone_number=+15005550006",
		"TF_VAR_twilio_auth_token="+canary+"twiliotoken0000000000000000", "TF_VAR_operator_key="+canary+"-operator-key-000000000000",
		"TF_VAR_verification_key=Y2FuYXJ5"+canary+"ZmljYXRpb24ta2V5LTAwMDAwMDAwMDAwMDA=", "TF_VAR_link_key=Y2FuYXJ5"+canary+"bGluay1rZXktMDAwMDAwMDAwMDAwMDAwMDA=")
}
