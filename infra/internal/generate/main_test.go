package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/infra"
)

// TestTheTemplatesFollowTheTableOfSettings holds both twins to functions/settings: they ask for each setting with its
// default, bounds and meaning, or this package says why not.
func TestTheTemplatesFollowTheTableOfSettings(t *testing.T) {
	for name, parts := range files() {
		old, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := rewritten(string(old), parts)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(old) {
			t.Errorf("infra/%s does not follow the table of settings; run: go generate ./infra", name)
		}
	}
}

func TestEverySettingIsAParameterOrHasAReason(t *testing.T) {
	asked := map[string]bool{}
	for _, p := range parameters() {
		asked[p.setting] = true
	}
	known := map[string]bool{}
	for _, s := range settings.Table() {
		known[s.Name] = true
		if asked[s.Name] == (infra.NotSet[s.Name] != "") {
			t.Errorf("%s: asked for %t, reason why not %q", s.Name, asked[s.Name], infra.NotSet[s.Name])
		}
	}
	for name := range infra.NotSet {
		if !known[name] {
			t.Errorf("%s is no setting any more", name)
		}
	}
}

func TestThePatternSaysHowLongATextMayBe(t *testing.T) {
	for pattern, want := range map[string][2]int{
		`^AC[0-9a-fA-F]{32}$`:      {34, 34},
		`^\+[1-9][0-9]{6,14}$`:     {8, 16},
		`^[0-9a-zA-Z]+$`:           {1, 0},
		`^(a|bcd)?x*$`:             {0, 0},
		`^(a|bcd)?.$`:              {1, 4},
		`^[0-9a-f]{8}(-[0-9]{4})$`: {13, 13},
	} {
		if least, most := lengths(pattern); least != want[0] || most != want[1] {
			t.Errorf("%s has %d to %d characters, want %v", pattern, least, most, want)
		}
	}
	if n := base64Length("32"); n != 43 {
		t.Errorf("32 bytes have %d characters in base64", n)
	}
}

func TestASettingIsWrittenForBothLanguages(t *testing.T) {
	for _, c := range []struct {
		s                settings.Setting
		bicep, terraform string
	}{
		{settings.Setting{Name: "WaitTime", Kind: settings.KindDuration, Default: "1m30s", Min: "1s", Max: "1h", Meaning: "how long; it doubles"},
			"@description('How long, in seconds; it doubles.')\n@minValue(1)\n@maxValue(3600)\nparam waitTimeSeconds int = 90\n",
			"variable \"wait_time_seconds\" {\n  description = \"How long, in seconds; it doubles.\"\n  type        = number\n  default     = 90\n  nullable    = false\n\n  validation {\n    condition     = var.wait_time_seconds >= 1 && var.wait_time_seconds <= 3600 && floor(var.wait_time_seconds) == var.wait_time_seconds\n    error_message = \"A whole number from 1 to 3600 is wanted.\"\n  }\n}\n"},
		{settings.Setting{Name: "ApiKey", Kind: settings.KindSecret, Secret: true, Min: "16", Meaning: "what's secret; empty: nothing"},
			"@description('What\\'s secret.')\n@secure()\n@minLength(22)\nparam apiKey string\n",
			"variable \"api_key\" {\n  description = \"What's secret.\"\n  type        = string\n  sensitive   = true\n  ephemeral   = true\n  nullable    = false\n\n  validation {\n    condition     = length(var.api_key) >= 22\n    error_message = \"At least 22 characters are wanted.\"\n  }\n}\n"},
		{settings.Setting{Name: "Sender", Kind: settings.KindText, Pattern: "^[a-z]{2,5}$", Meaning: "who"},
			"@description('Who.')\n@maxLength(5)\nparam sender string = ''\n",
			"variable \"sender\" {\n  description = \"Who.\"\n  type        = string\n  default     = \"\"\n  nullable    = false\n\n  validation {\n    condition     = length(var.sender) <= 5\n    error_message = \"At most 5 characters are wanted.\"\n  }\n\n  validation {\n    condition     = var.sender == \"\" || can(regex(\"^[a-z]{2,5}$\", var.sender))\n    error_message = \"It has to match ^[a-z]{2,5}$.\"\n  }\n}\n"},
	} {
		p := parameterOf(c.s)
		if got := bicepParameter(p); got != c.bicep {
			t.Errorf("%s in Bicep\n got %q\nwant %q", c.s.Name, got, c.bicep)
		}
		if got := terraformVariable(p); got != c.terraform {
			t.Errorf("%s in Terraform\n got %q\nwant %q", c.s.Name, got, c.terraform)
		}
	}
}

func TestAPartGoesBetweenItsComments(t *testing.T) {
	text, err := rewritten("a\n  // <x>\n  old\n  // </x>\nb\n", file{"x": "new\n\nline\n"})
	if want := "a\n  // <x>\n  // " + made + "\n  new\n\n  line\n  // </x>\nb\n"; err != nil || text != want {
		t.Errorf("got %q, want %q (%v)", text, want, err)
	}
	if _, err := rewritten("a\n", file{"x": "y"}); err == nil {
		t.Error("a file without the comments is no error")
	}
}
