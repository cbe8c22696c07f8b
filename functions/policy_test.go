package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAPolicyIsCheckedAndShownFromTheCommandLine(t *testing.T) {
	env := []string{"DataFolder=" + t.TempDir()}
	const file = "../engine/human/approval/testdata/policies/expense.json"
	typed(t, env, "", "policy "+file, exitOK, "Expenses, requested by someone@example.org. If nobody answers:", "2 of ann@example.org, bob@example.org, carol@example.org must approve", "the stage ends: rejected")
	typed(t, env, "", "policy "+file+" bob@example.org", exitOK, "not asked: bob@example.org, as it is their own request")
	typed(t, env, "", "policy "+file+" bob@example.org -at 2026-12-24T09:00:00+13:00", exitOK, "from Wed 2026-12-23 21:00 CET (20:00 UTC)")
	typed(t, env, "", "policy -at=2026-12-24 "+file, exitFailure, "-at 2026-12-24T09:00:00+13:00")
	typed(t, env, "", "policy-schema", exitOK, "https://json-schema.org/draft/2020-12/schema")
	typed(t, env, "", "policy", exitFailure, "policy FILE REQUESTER")
	typed(t, env, "", "policy nowhere.json", exitFailure, "read the policy", "nowhere.json")
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte(`{"name":"P","stages":[{"name":"one","rules":[{"of":["ann"],"need":2}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	typed(t, env, "", "policy "+bad, exitFailure, "stages[0].rules[0].need is 2, but 1 are asked", "stages[0].deadline is missing")
}
