package settings_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
)

func TestASecretShowsAsStarsHoweverItIsPrinted(t *testing.T) {
	s := settings.Secret("hunter2")
	holder := struct{ Token settings.Secret }{s}
	for _, verb := range []string{"%v", "%s", "%q", "%+v", "%#v", "%x", "%X", "%d", "%20s", "%T %[1]v"} {
		for _, what := range []any{s, &s, holder, []settings.Secret{s}, map[string]settings.Secret{"k": s}} {
			if text := fmt.Sprintf(verb, what); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74") {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if got := fmt.Sprintf("%v|%s|%q|%+v|%#v|%s|%s", s, s, s, s, s, s.String(), s.GoString()); got != "***|***|***|***|***|***|***" {
		t.Errorf("printed as %s", got)
	}
	encoded, err := json.Marshal([]any{s, &s, holder})
	if err != nil || string(encoded) != `["***","***",{"Token":"***"}]` {
		t.Errorf("encoded as %s, %v", encoded, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "holder", holder)
	if strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "***") {
		t.Errorf("logged as %s", log.String())
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal does not")
	}
}

func TestAnEmptySecretShowsAsNothing(t *testing.T) {
	var s settings.Secret
	if got := fmt.Sprintf("%v%s%q%+v%#v", s, s, s, s, s) + s.String() + s.LogValue().String(); got != "" {
		t.Errorf("printed as %q", got)
	}
	if encoded, err := json.Marshal(s); err != nil || string(encoded) != `""` {
		t.Errorf("encoded as %s, %v", encoded, err)
	}
}

func TestPrintingValuesShowsNoSecret(t *testing.T) {
	v := load(t, nil, "TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken, "TwilioPhoneNumber", goodFrom, "VerificationKey", goodKey)
	type app struct{ v settings.Values }
	for _, what := range []any{v, &v, app{v}, &app{v}} {
		if text := fmt.Sprintf("%v %+v %#v", what, what, what); strings.Contains(text, goodToken) || strings.Contains(text, goodKey) {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestTheWrittenTableShowsValueAndSourceButNoSecret(t *testing.T) {
	v := load(t, []string{"-sms-verify-timeout=600s", "-data", "tab\u202ehere"}, "TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken,
		"TwilioPhoneNumber", goodFrom)
	var b bytes.Buffer
	if err := v.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if lines := strings.Count(text, "\n"); lines != len(settings.Table())+1 {
		t.Errorf("%d lines for %d settings:\n%s", lines, len(settings.Table()), text)
	}
	fields := map[string][]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		fields[f[0]] = f
	}
	for name, want := range map[string]string{
		"SmsVerifyTimeout": "10m flag 5m 30s to 10m how",
		"TwilioAuthToken":  "*** env - - the",
		"VerificationKey":  "- default - 32 bytes or more key",
		"LogLevel":         "info default info debug|info|warn|error the",
		"DataFolder":       `"tab\u202ehere" flag .holdfast - the`,
	} {
		if got := strings.Join(fields[name][1:], " "); !strings.HasPrefix(got, want) {
			t.Errorf("%s shows as %q, want %q", name, got, want)
		}
	}
	if strings.Contains(text, goodToken) {
		t.Error("the token is in the table")
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestAFailingWriterIsReported(t *testing.T) {
	if err := load(t, nil).WriteTable(brokenWriter{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestGettersPanicOnAMistakeInTheProgram(t *testing.T) {
	v := load(t, nil)
	tests := map[string]func(){
		"unknown name":      func() { v.Duration("Nope") },
		"unknown source":    func() { v.Source("Nope") },
		"number as text":    func() { v.Text(settings.MaxActivities) },
		"secret as text":    func() { v.Text(settings.TwilioAuthToken) },
		"text as secret":    func() { v.Secret(settings.LogLevel) },
		"duration as int":   func() { v.Int(settings.StopGrace) },
		"values from a var": func() { new(settings.Values).Int(settings.MaxActivities) },
	}
	for name, call := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}
