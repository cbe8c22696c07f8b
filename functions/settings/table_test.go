package settings_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/settings"
)

func mustDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustInt(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryRowOfTheTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range settings.Table() {
		if seen[s.Name] || seen[s.Flag()] {
			t.Errorf("%s or its flag is there twice", s.Name)
		}
		seen[s.Name] = true
		if s.Flag() != "" {
			seen[s.Flag()] = true
		}
		if s.Meaning == "" || s.Example == "" {
			t.Errorf("%s lacks a meaning or an example", s.Name)
		}
		if s.Secret != (s.Kind == settings.KindSecret) || s.Secret && (s.Default != "" || s.Flag() != "") {
			t.Errorf("%s is half a secret", s.Name)
		}
		if _, err := regexp.Compile(s.Pattern); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if _, err := time.ParseDuration(s.Min); s.Kind == settings.KindDuration && err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	checkBounds(t, load(t, nil))
}

func TestExamplesAreGoodValues(t *testing.T) {
	for _, s := range settings.Table() {
		if s.Secret || s.Name == settings.TwilioAccountSid {
			continue // their examples are words
		}
		env := []string{s.Name, s.Example}
		switch {
		case s.Name == settings.TwilioPhoneNumber:
			env = append(env, "TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken)
		case s.Name == settings.TwilioApiKeySid, s.Name == settings.TwilioVerifyServiceSid:
			env = append(env, "TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken, "TwilioPhoneNumber", "+15005550006", "TwilioApiKeySid", "SK0123456789abcdef0123456789abcdef", "TwilioApiKeySecret", "s3cret")
		case s.Name == settings.WebhookUrl:
			env = append(env, "WebhookSecret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		case s.Name == settings.MailServer, s.Name == settings.MailFrom, s.Name == settings.MailUser:
			env = append(env, "MailServer", "smtp.example.com:587", "MailFrom", "a@example.com", "MailUser", "me", "MailPassword", "x")
		case strings.HasPrefix(s.Name, "Entra"):
			env = append(env, settings.EntraTenantId, "00000000-1111-2222-3333-444444444444", settings.EntraAudience, "api://shop")
		case strings.HasPrefix(s.Name, settings.AzureWebJobsStorage):
			env = append(env, "TaskHubOwner", "shop", settings.AzureWebJobsStorage__accountName, "shopstorage", settings.AzureWebJobsStorage__credential, "managedidentity")
		}
		load(t, nil, env...)
	}
}

func TestTheTableIsTheCallersOwn(t *testing.T) {
	mine := settings.Table()
	i := slices.IndexFunc(mine, func(s settings.Setting) bool { return len(s.OneOf) > 0 })
	mine[i].OneOf[0], mine[i].Name = "spoilt", "spoilt"
	if again := settings.Table()[i]; again.Name == "spoilt" || again.OneOf[0] == "spoilt" {
		t.Error("a change to one copy shows in the next")
	}
}

func TestFlagsAreTheNamesInKebabCase(t *testing.T) {
	want := map[string]string{
		settings.Address:          "addr",
		settings.DataFolder:       "data",
		settings.SmsVerifyTimeout: "sms-verify-timeout",
		settings.TwilioApiUrl:     "twilio-api-url",
		settings.TwilioAuthToken:  "",
		settings.VerificationKey:  "",
		settings.MaxBodyBytes:     "max-body-bytes",

		settings.OTEL_SERVICE_NAME:          "otel-service-name",
		settings.OTEL_EXPORTER_OTLP_HEADERS: "",

		settings.AzureWebJobsStorage__tableServiceUri: "azure-web-jobs-storage-table-service-uri",
	}
	for _, s := range settings.Table() {
		if flag, ok := want[s.Name]; ok && s.Flag() != flag {
			t.Errorf("flag of %s is %q, want %q", s.Name, s.Flag(), flag)
		}
	}
}
