package main

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/infra"
)

// parameter is a setting as a template asks for it.
type parameter struct {
	setting     string // the name of the app setting
	name        string // in Bicep; Terraform has snake_case
	secret      bool
	required    bool   // a secret that isn't is there if furtherSecrets names it
	number      bool   // a whole number, else text
	unit        string // what follows the number in the setting
	fallback    string // the default, when it is not required
	allowed     []string
	min, max    string // of a number
	least, most int    // characters of a text; most 0: no bound
	pattern     string
	description string
}

// The settings without a default that a deployment can't do without, and those whose default is for a local run.
var (
	required  = map[string]bool{settings.TwilioAccountSid: true, settings.TwilioPhoneNumber: true}
	fallbacks = map[string]string{settings.TaskHubName: "Holdfast"}
)

// parameters returns the settings that a template asks for, in the order of the table.
func parameters() []parameter {
	var all []parameter
	for _, s := range settings.Table() {
		if infra.NotSet[s.Name] == "" {
			all = append(all, parameterOf(s))
		}
	}
	return all
}

func parameterOf(s settings.Setting) parameter {
	p := parameter{
		setting: s.Name, name: lowerFirst(s.Name), secret: s.Secret, required: s.Secret && !slices.Contains(infra.Further, s.Name) || required[s.Name],
		fallback: s.Default, allowed: s.OneOf, min: s.Min, max: s.Max, description: s.Meaning,
	}
	if p.required { // what happens without it doesn't happen here
		p.description, _, _ = strings.Cut(s.Meaning, "; empty")
	}
	if other := fallbacks[s.Name]; other != "" {
		p.fallback = other
	}
	switch s.Kind {
	case settings.KindDuration:
		p.name += "Seconds"
		p.number, p.unit = true, "s"
		p.fallback, p.min, p.max = seconds(p.fallback), seconds(s.Min), seconds(s.Max)
		p.description = inSeconds(p.description)
	case settings.KindInteger:
		p.number = true
	case settings.KindSecret:
		p.min = ""
		p.least = base64Length(s.Min)
	}
	p.description = sentence(p.description)
	if s.Pattern != "" {
		p.pattern = s.Pattern
		p.least, p.most = lengths(s.Pattern)
	}
	return p
}

// isFurther reports whether a parameter is a secret that a deployment can do without.
func (p parameter) isFurther() bool { return p.secret && !p.required }

// What both templates say of the list of the further secrets that there are.
const (
	furtherName    = "furtherSecrets"
	furtherMeaning = "Which of the secrets there are that the app can do without, by the names of their settings."
)

// seconds turns a duration of the table into a number of seconds.
func seconds(text string) string {
	d, err := time.ParseDuration(text)
	if err != nil || d%time.Second != 0 {
		panic(fmt.Sprintf("%q is no whole number of seconds; say in this package how a template asks for it", text))
	}
	return strconv.Itoa(int(d / time.Second))
}

// inSeconds adds the unit to a meaning, before what is said beside it.
func inSeconds(meaning string) string {
	if strings.Contains(meaning, "seconds") {
		return meaning
	}
	what, beside, found := strings.Cut(meaning, "; ")
	if found {
		beside = "; " + beside
	}
	return what + ", in seconds" + beside
}

// base64Length returns how many characters so many bytes have in base64, or 1, as an empty secret is none.
func base64Length(bytes string) int {
	n, err := strconv.Atoi(bytes)
	if err != nil {
		return 1
	}
	return (n*8 + 5) / 6
}

// lengths returns the least and the greatest number of characters of what a pattern matches, 0 when there is no greatest, as
// when it says nothing of the end.
func lengths(pattern string) (least, most int) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err)
	}
	least, most, bounded := measure(re.Simplify())
	if !bounded || !strings.HasSuffix(pattern, "$") {
		most = 0
	}
	return least, most
}

func measure(re *syntax.Regexp) (least, most int, bounded bool) {
	bounded = true
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune), len(re.Rune), true
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1, 1, true
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			l, m, b := measure(sub)
			least, most, bounded = least+l, most+m, bounded && b
		}
	case syntax.OpAlternate:
		least, most, bounded = measure(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			l, m, b := measure(sub)
			least, most, bounded = min(least, l), max(most, m), bounded && b
		}
	case syntax.OpQuest:
		_, most, bounded = measure(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		least, _, _ = measure(re.Sub[0])
		bounded = false
		if re.Op == syntax.OpStar {
			least = 0
		}
	}
	return least, most, bounded
}

// sentence makes a sentence of a meaning.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

var capital = regexp.MustCompile(`[A-Z]`)

// separated turns smsVerifyTimeout into sms_verify_timeout, or with another separator.
func separated(name, separator string) string {
	return strings.ToLower(capital.ReplaceAllStringFunc(name, func(c string) string { return separator + c }))
}
