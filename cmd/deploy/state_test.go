package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNoSecretIsInStateOnceItIsInTheVault has the real provider put a canary into a vault of ours, and looks for it in the state.
func TestNoSecretIsInStateOnceItIsInTheVault(t *testing.T) {
	e, r := newApplying(t)
	e.run(0, "init", "-backend=false", "-input=false", "-no-color")
	e.run(0, "apply", "-no-color", "-input=false", "-auto-approve", "-target=azurerm_key_vault_secret.operator_key")
	state, err := os.ReadFile(filepath.Join(e.folder, "terraform.tfstate"))
	if err != nil || !strings.Contains(string(state), `"azurerm_key_vault_secret"`) {
		t.Fatalf("the state has no secret of the vault: %v", err)
	}
	if !strings.Contains(r.vault["operator-key"], canary) {
		t.Errorf("the vault has %q", r.vault["operator-key"])
	}
	e.noCanary()
}
