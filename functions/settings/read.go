package settings

import (
	"encoding/base64"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// longest is the most bytes that any value may have. It is far above every good one.
const longest = 4096

// read turns the text of a setting into its value, or says what is wrong with it.
func (s Setting) read(raw string, from Source) (value, error) {
	got := value{setting: s, text: raw, from: from}
	if raw == "" && s.Default == "" {
		return got, nil
	}
	if why := got.parse(); why != "" {
		return value{}, s.problem(raw, from, why)
	}
	return got, nil
}

// Check returns what is wrong with a value as it would stand in the environment, or nil. It doesn't repeat a secret.
func (s Setting) Check(value string) error {
	_, err := s.read(value, FromEnv)
	return err
}

// parse fills in the value from its text and returns what is wrong, in words that never repeat the text.
func (v *value) parse() string {
	if why := suspicious(v.text); why != "" {
		return why
	}
	switch v.setting.Kind {
	case KindDuration:
		return v.parseDuration()
	case KindInteger:
		return v.parseInteger()
	case KindAddress:
		return checkAddress(v.text)
	case KindURL:
		v.text = strings.TrimRight(v.text, "/")
		if why := checkURL(v.text); why != "" {
			return why
		}
	case KindSecret:
		return checkSecret(v.setting, v.text)
	}
	return checkForm(v.setting, v.text)
}

// suspicious finds what is wrong with a value of any kind.
func suspicious(text string) string {
	const reference = "@Microsoft.KeyVault("
	switch {
	case text == "":
		return "is empty"
	case len(text) >= len(reference) && strings.EqualFold(text[:len(reference)], reference):
		return "is still a Key Vault reference, so the platform did not resolve it: check that the vault and the secret exist" +
			" under these names, that the app's identity may read secrets there, and that the vault lets the app's network in"
	case len(text) > longest:
		return "is longer than " + strconv.Itoa(longest) + " bytes"
	case text != strings.TrimSpace(text):
		return "begins or ends with white space"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "contains a control character"
	}
	return ""
}

func (v *value) parseDuration() string {
	d, err := time.ParseDuration(v.text)
	if err != nil {
		return "is no duration (a number with its unit)"
	}
	v.duration, v.text = d, brief(d)
	if outside(d, v.setting.Min, v.setting.Max, time.ParseDuration) {
		return "is out of bounds"
	}
	return ""
}

func (v *value) parseInteger() string {
	n, err := strconv.Atoi(v.text)
	if err != nil {
		return "is no whole number"
	}
	v.integer, v.text = n, strconv.Itoa(n)
	if outside(n, v.setting.Min, v.setting.Max, strconv.Atoi) {
		return "is out of bounds"
	}
	return ""
}

// outside reports whether n is below least or above most, where an empty or unreadable bound is none.
func outside[T int | time.Duration](n T, least, most string, parse func(string) (T, error)) bool {
	low, errLow := parse(least)
	high, errHigh := parse(most)
	return errLow == nil && n < low || errHigh == nil && n > high
}

// brief prints a duration as people write it: 5m, and not 5m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func checkAddress(text string) string {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return "is no host and port"
	}
	if !isPort(port) {
		return "has no port from 0 to 65535"
	}
	return ""
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

func checkURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "is no absolute http or https address"
	case u.Port() != "" && !isPort(u.Port()):
		return "has no port from 0 to 65535"
	case u.User != nil:
		return "holds a user or password, which would be shown"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "has a query or fragment"
	}
	return ""
}

func checkSecret(s Setting, text string) string {
	if s.Min == "" {
		return checkForm(s, text)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "is no base64"
	}
	if outside(len(key), s.Min, s.Max, strconv.Atoi) {
		return "stands for " + strconv.Itoa(len(key)) + " bytes, which is too short"
	}
	return ""
}

func checkForm(s Setting, text string) string {
	switch {
	case len(s.OneOf) > 0 && !slices.Contains(s.OneOf, text):
		return "is none of the values allowed"
	case s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(text):
		return "does not have the right form"
	}
	return ""
}
