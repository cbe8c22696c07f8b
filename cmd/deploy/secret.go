package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/infra"
)

// secretUse is the usage of secret.
const secretUse = "set SETTING PATH [--generate] [--vault NAME] [--restart] " + targetUse

// secret writes one secret into the vault. The value is asked for, or read from the standard input, or made; it is never an
// argument.
func secret(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("secret"), &targetFlags{}
	own.add(flags)
	generate := flags.Bool("generate", false, "")
	vault := flags.String("vault", "", "")
	restart := flags.Bool("restart", false, "")
	words, err := parse(flags, args)
	if err != nil {
		return err
	}
	if len(words) != 3 || words[0] != "set" {
		return &usageError{"secret", "secret wants the word set, a setting and a path; the value is asked for and is no argument"}
	}
	row, err := secretSetting(words[1])
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "secret", words[2:], std, always(wants{azure: true}))
	if err != nil {
		return err
	}
	return t.running(ctx, "secret", func(ctx context.Context) error {
		value, err := secretValue(ctx, std, row, *generate, own.noInput)
		if err != nil {
			return err
		}
		return t.setSecret(ctx, row, value, *vault, *restart)
	})
}

// secretSetting returns the setting of a name, which may be written as that of the secret: TwilioAuthToken,
// twilio-auth-token.
func secretSetting(name string) (settings.Setting, error) {
	var known []string
	for _, s := range settings.Table() {
		if s.Secret && s.Name != settings.AzureWebJobsStorage && !strings.HasPrefix(s.Name, "OTEL_") {
			known = append(known, s.Name)
			if strings.EqualFold(s.Name, name) || secretName(s.Name) == name {
				return s, nil
			}
		}
	}
	return settings.Setting{}, &inputError{[]string{fmt.Sprintf("%s is no secret of the app; there are %s", name, strings.Join(known, ", "))}}
}

// secretName is what the vault calls the secret of a setting, as the templates have it: TwilioAuthToken becomes
// twilio-auth-token.
func secretName(setting string) string {
	return strings.ToLower(capital.ReplaceAllString(setting, "$1-$2"))
}

var capital = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// secretValue makes the value or has it given, and holds it to the table of settings.
func secretValue(ctx context.Context, std streams, row settings.Setting, generate, noInput bool) (settings.Secret, error) {
	if generate {
		if row.Min == "" && row.Name != settings.OperatorKey {
			return "", &inputError{[]string{row.Name + " can't be made here, as somebody else gives it out: " + row.Example}}
		}
		var key [32]byte
		if _, err := rand.Read(key[:]); err != nil {
			return "", fmt.Errorf("make a key: %w", err)
		}
		return settings.Secret(base64.StdEncoding.EncodeToString(key[:])), nil
	}
	if std.terminal() {
		if noInput {
			return "", &inputError{[]string{"the value of " + row.Name + " is not given: write it to the standard input, or use --generate"}}
		}
		fmt.Fprintf(std.err, "%s (%s): ", row.Name, row.Meaning)
	}
	text, err := answer(ctx, std, bufio.NewReader(std.in), true)
	if err != nil && text == "" {
		return "", &inputError{[]string{"the value of " + row.Name + " is not given: write it to the standard input, or use --generate"}}
	}
	if err := row.Check(text); err != nil {
		return "", &inputError{[]string{err.Error()}}
	}
	return settings.Secret(text), nil
}

// setSecret writes the value, and restarts the app if that is asked for.
func (t *target) setSecret(ctx context.Context, row settings.Setting, value settings.Secret, vault string, restart bool) error {
	outputs, err := t.provisioner().outputs(ctx)
	if err != nil && vault == "" {
		return err
	}
	vault = firstOf(vault, output(outputs, "vaultname"))
	if vault == "" {
		return errors.New("nothing is deployed yet; name the vault with --vault")
	}
	version, err := t.azure.SetSecret(ctx, vault, secretName(row.Name), value)
	if err != nil {
		return err
	}
	t.report.note("%s is version %s of %s in %s", row.Name, version, secretName(row.Name), vault)
	if slices.Contains(infra.Further, row.Name) {
		t.report.note("The app is told of it if %s has %s; up then wants the value too", secretsInput, row.Name)
	}
	app := output(outputs, "functionappname")
	if !restart || app == "" {
		t.report.note("The app reads it within a day, or when it is restarted: use --restart. With Terraform, raise secrets_version if the old value is still in the environment.")
		return nil
	}
	if err := t.azure.Restart(ctx, app); err != nil {
		return err
	}
	t.report.note("%s was restarted and reads it", app)
	return nil
}
