package settings_test

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/settings"
)

const (
	goodSid   = "AC0123456789abcdef0123456789abcdef"
	goodToken = "0f0e0d0c0b0a09080706050403020100"
	goodFrom  = "+15005550006"
	goodKey   = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// environment makes the env argument of Load from name, value pairs.
func environment(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func load(t *testing.T, args []string, env ...string) settings.Values {
	t.Helper()
	v, _, err := settings.Load(args, environment(env...))
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return v
}

func TestFlagWinsOverEnvironmentWinsOverDefault(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		env    []string
		want   time.Duration
		source settings.Source
	}{
		{"nothing said", nil, nil, 5 * time.Minute, settings.FromDefault},
		{"an empty variable says nothing", nil, []string{"SmsVerifyTimeout", ""}, 5 * time.Minute, settings.FromDefault},
		{"environment", nil, []string{"SmsVerifyTimeout", "90s"}, 90 * time.Second, settings.FromEnv},
		{"flag", []string{"-sms-verify-timeout", "2m"}, []string{"SmsVerifyTimeout", "90s"}, 2 * time.Minute, settings.FromFlag},
		{"flag with an equals sign", []string{"--sms-verify-timeout=2m"}, nil, 2 * time.Minute, settings.FromFlag},
		{"the last flag", []string{"-sms-verify-timeout=2m", "-sms-verify-timeout", "3m"}, nil, 3 * time.Minute, settings.FromFlag},
		{"a bad variable under a good flag", []string{"-sms-verify-timeout=2m"}, []string{"SmsVerifyTimeout", "soon"}, 2 * time.Minute, settings.FromFlag},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := load(t, tt.args, tt.env...)
			if got := v.Duration(settings.SmsVerifyTimeout); got != tt.want {
				t.Errorf("value %v, want %v", got, tt.want)
			}
			if got := v.Source(settings.SmsVerifyTimeout); got != tt.source {
				t.Errorf("source %v, want %v", got, tt.source)
			}
		})
	}
}

func TestEveryKindIsReadThroughItsGetter(t *testing.T) {
	v := load(t, []string{"-addr", ":8080", "-data=/tmp/there", "-public-base-url", "https://x.example/app/", "-stop-grace=0s"},
		"TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken, "TwilioPhoneNumber", goodFrom,
		"VerificationKey", goodKey, "MaxCachedInstances", "0", "LogLevel", "debug")
	for name, want := range map[string]string{
		settings.Address:           ":8080",
		settings.DataFolder:        "/tmp/there",
		settings.PublicBaseUrl:     "https://x.example/app",
		settings.LogLevel:          "debug",
		settings.TwilioAccountSid:  goodSid,
		settings.TwilioPhoneNumber: goodFrom,
		settings.TwilioApiUrl:      "https://api.twilio.com",
	} {
		if got := v.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := v.Secret(settings.TwilioAuthToken).Reveal(); got != goodToken {
		t.Errorf("token is %q", got)
	}
	if got := v.Secret(settings.VerificationKey).Reveal(); got != goodKey {
		t.Errorf("key is %q", got)
	}
	if got := v.Int(settings.MaxCachedInstances); got != 0 {
		t.Errorf("cached instances %d, want 0", got)
	}
	if got := v.Duration(settings.StopGrace); got != 0 {
		t.Errorf("stop grace %v, want 0", got)
	}
}

func TestWhatFollowsTheFlagsIsHandedBack(t *testing.T) {
	tests := []struct{ name, args, rest string }{
		{"nothing", "", ""},
		{"only flags", "-max-activities 3", ""},
		{"a word ends the flags", "-max-activities=3 serve -max-activities 4", "serve -max-activities 4"},
		{"two dashes end the flags", "-max-activities=3 -- -x", "-x"},
		{"a dash is no flag", "- x", "- x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, rest, err := settings.Load(strings.Fields(tt.args), environment())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(rest, strings.Fields(tt.rest)) {
				t.Errorf("rest %q, want %q", rest, tt.rest)
			}
		})
	}
}

func TestABadValueIsReportedWithItsNamePlaceBoundsAndAnExample(t *testing.T) {
	tests := []struct {
		name string
		args []string
		env  []string
		want []string
	}{
		{"no unit", []string{"-sms-verify-timeout", "300"}, nil,
			[]string{`SmsVerifyTimeout "300"`, "flag -sms-verify-timeout", "no duration", "30s to 10m", "for example 5m"}},
		{"too long", nil, []string{"SmsVerifyTimeout", "11m"}, []string{`"11m"`, "environment", "out of bounds"}},
		{"too short", nil, []string{"SmsVerifyTimeout", "29s"}, []string{`"29s"`, "out of bounds"}},
		{"negative", []string{"-max-activities", "-5"}, nil, []string{`MaxActivities "-5"`, "1 to 1000"}},
		{"zero", []string{"-max-activities=0"}, nil, []string{"out of bounds"}},
		{"too many", []string{"-max-activities=1001"}, nil, []string{"out of bounds"}},
		{"no number", []string{"-max-activities=many"}, nil, []string{"no whole number"}},
		{"overflow", []string{"-max-body-bytes=99999999999999999999"}, nil, []string{"no whole number"}},
		{"an empty flag", []string{"-max-activities="}, nil, []string{"is empty"}},
		{"a flag without value", []string{"-max-activities"}, nil, []string{"has no value"}},
		{"not one of", nil, []string{"LogLevel", "loud"}, []string{"debug|info|warn|error"}},
		{"no port", []string{"-addr", "localhost"}, nil, []string{"no host and port"}},
		{"bad port", []string{"-addr", "localhost:70000"}, nil, []string{"no port from 0 to 65535"}},
		{"no scheme", nil, []string{"PublicBaseUrl", "verify.example.com"}, []string{"no absolute http or https"}},
		{"other scheme", nil, []string{"PublicBaseUrl", "ftp://x"}, []string{"no absolute http or https"}},
		{"bad port in url", nil, []string{"PublicBaseUrl", "http://x:70000"}, []string{"no port"}},
		{"query", nil, []string{"PublicBaseUrl", "https://x/?a=b"}, []string{"query or fragment"}},
		{"white space", nil, []string{"DataFolder", "there\n"}, []string{"white space"}},
		{"control character", nil, []string{"DataFolder", "the\x00re"}, []string{"control character"}},
		{"far too long", nil, []string{"DataFolder", strings.Repeat("x", 5000)}, []string{"longer than 4096 bytes", "…"}},
		{"unresolved", nil, []string{"LogLevel", "@Microsoft.KeyVault(VaultName=v;SecretName=s)"},
			[]string{"LogLevel", "Key Vault reference", "identity may read secrets"}},
		{"unknown flag", []string{"-what=secret"}, nil, []string{`-"what" is not a flag`}},
		{"long spelling of a short flag", []string{"-address", "x"}, nil, []string{`-"address" is not a flag`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, rest, err := settings.Load(tt.args, environment(tt.env...))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if v != (settings.Values{}) || rest != nil {
				t.Error("values beside an error")
			}
		})
	}
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	_, _, err := settings.Load([]string{"-nope", "1", "-sms-verify-digits", "3", "-twilio-auth-token", "x"},
		environment("SmsVerifyTries", "11", "TwilioAccountSid", goodSid))
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 5 {
		t.Errorf("%d problems, want 5:\n%v", len(lines), err)
	}
}

func TestASecretIsNeverInAnError(t *testing.T) {
	const bad = "hunter2 hunter2"
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"flag", []string{"-twilio-auth-token", bad}, nil, "secrets come by environment only"},
		{"flag with an equals sign", []string{"--twilio-auth-token=" + bad}, nil, "set the environment variable TwilioAuthToken"},
		{"key as a flag", []string{"-verification-key", bad}, nil, "secrets come by environment only"},
		{"misspelt flag", []string{"-twilio-token=" + bad}, nil, "is not a flag"},
		{"environment", nil, []string{"TwilioAuthToken", bad}, "right form"},
		{"trailing newline", nil, []string{"TwilioAuthToken", bad + "\n"}, "white space"},
		{"key that is no base64", nil, []string{"VerificationKey", bad}, "no base64"},
		{"key too short", nil, []string{"VerificationKey", "aHVudGVyMg=="}, "7 bytes, which is too short"},
		{"reference", nil, []string{"TwilioAuthToken", "@microsoft.keyvault(SecretUri=https://v/secrets/hunter2)"}, "Key Vault reference"},
		{"password in an address", nil, []string{"PublicBaseUrl", "https://me:hunter2@x"}, "user or password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := settings.Load(tt.args, environment(tt.env...))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("no %q in: %v", tt.want, err)
			}
			for _, leak := range []string{"hunter2", "aHVudGVyMg"} {
				if strings.Contains(err.Error(), leak) {
					t.Errorf("the secret is in: %v", err)
				}
			}
		})
	}
}

func TestAPartOfATwilioAccountIsRefusedAndTheRestNamed(t *testing.T) {
	all := []string{"TwilioAccountSid", goodSid, "TwilioAuthToken", goodToken, "TwilioPhoneNumber", goodFrom}
	load(t, nil, all...)
	for i := 0; i < len(all); i += 2 {
		t.Run("only "+all[i], func(t *testing.T) {
			_, _, err := settings.Load(nil, environment(all[i:i+2]...))
			missing := slices.DeleteFunc([]string{all[0], all[2], all[4]}, func(n string) bool { return n == all[i] })
			if err == nil || !strings.Contains(err.Error(), strings.Join(missing, " and ")+" is not") {
				t.Errorf("no mention of %q in: %v", missing, err)
			}
		})
		t.Run("all but "+all[i], func(t *testing.T) {
			_, _, err := settings.Load(nil, environment(slices.Delete(slices.Clone(all), i, i+2)...))
			if err == nil || !strings.Contains(err.Error(), all[i]+" is not") {
				t.Errorf("no mention of %q in: %v", all[i], err)
			}
		})
	}
}

func TestHelpIsErrHelpAndListsEverySetting(t *testing.T) {
	for _, arg := range []string{"-h", "-help", "--help"} {
		_, _, err := settings.Load([]string{"-max-activities=x", arg}, environment("TwilioAuthToken", "hunter2"))
		if !errors.Is(err, flag.ErrHelp) {
			t.Fatalf("%s: %v", arg, err)
		}
		for _, s := range settings.Table() {
			if !strings.Contains(err.Error(), s.Name) || !strings.Contains(err.Error(), s.Meaning) {
				t.Errorf("%s: help does not explain %s", arg, s.Name)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error("help shows a secret")
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("-sms-verify-timeout\x005m", "SmsVerifyTries", "5")
	f.Add("--addr=:0\x00--\x00x", "TwilioAuthToken", "hunter2")
	f.Add("-twilio-auth-token\x00x\x00-h", "VerificationKey", goodKey)
	f.Add("-\x00-=\x00--=", "PublicBaseUrl", "https://[::1]:0")
	f.Fuzz(func(t *testing.T, line, name, text string) {
		args := strings.Split(line, "\x00")
		v, rest, err := settings.Load(args, environment(name, text))
		if err != nil {
			if name == settings.TwilioAuthToken && len(text) > 5 && !strings.Contains(line, text) && !errors.Is(err, flag.ErrHelp) &&
				strings.Contains(err.Error(), text) && !knownWord(text) {
				t.Errorf("the secret %q is in: %v", text, err)
			}
			return
		}
		if len(rest) > len(args) {
			t.Errorf("more left over than given: %q", rest)
		}
		checkBounds(t, v)
	})
}

// knownWord reports whether text is part of what the package itself says, which a fuzzer may guess.
func knownWord(text string) bool {
	_, _, err := settings.Load([]string{"-x", "y", "-twilio-auth-token"}, environment("TwilioAuthToken", "!", "VerificationKey", "!"))
	return strings.Contains(err.Error(), text)
}

// checkBounds holds loaded values against the table in another way than Load does.
func checkBounds(t *testing.T, v settings.Values) {
	t.Helper()
	for _, s := range settings.Table() {
		switch s.Kind {
		case settings.KindDuration:
			low, high := mustDuration(t, s.Min), mustDuration(t, s.Max)
			if d := v.Duration(s.Name); d < low || d > high {
				t.Errorf("%s is %v", s.Name, d)
			}
		case settings.KindInteger:
			low, high := mustInt(t, s.Min), mustInt(t, s.Max)
			if n := v.Int(s.Name); n < low || n > high {
				t.Errorf("%s is %v", s.Name, n)
			}
		case settings.KindSecret:
			if strings.ContainsAny(v.Secret(s.Name).Reveal(), " \t") {
				t.Errorf("%s has white space", s.Name)
			}
		default:
			if text := v.Text(s.Name); text == "" && s.Default != "" || text != strings.TrimSpace(text) {
				t.Errorf("%s is %q", s.Name, text)
			}
		}
	}
}
