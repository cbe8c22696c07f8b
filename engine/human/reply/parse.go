package reply

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/engine/human/notify"
)

// Verb is what somebody wants.
type Verb string

// What people write.
const (
	Approve Verb = "approve"
	Reject  Verb = "reject"
	OptOut  Verb = "optOut" // no more messages
	OptIn   Verb = "optIn"  // messages again
	Help    Verb = "help"
	Unclear Verb = "unclear" // anything else
)

// Reply is a message that was read.
type Reply struct {
	Verb Verb
	// Ref is the reference, in capitals; only with Approve and Reject.
	Ref string
	// Reason is what follows the reference; it may be empty.
	Reason string
}

// Alphabet has the characters of references. There are no vowels, so a reference
// is no word that a phone could correct or that means something to Twilio, and none
// that look alike.
const Alphabet = "23456789BCDFGHJKMNPQRSTVWXZ"

// RefLength is how many characters a reference has, of which at least one is a
// digit and one a letter.
const RefLength = 4

// The words that Twilio and the carriers take as a wish for no more messages, for
// messages again, and for help, when they are all that a message says.
var (
	optOutWords = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
	optInWords  = []string{"START", "YES", "UNSTOP"}
	helpWords   = []string{"HELP", "INFO"}
)

// answer is a verb and a reference, and what follows behind a space or a mark.
var answer = regexp.MustCompile(`^(?i:(a|approve|r|reject))[\s:,.;#\-]*([0-9A-Za-z]{4})(?:[\s:,.;\-]+(.*))?$`)

// longestReason is how many characters of a reason are kept.
const longestReason = 500

// Parse reads a message.
func Parse(body string) Reply {
	text := notify.Clean(body)
	word := strings.ToUpper(strings.Trim(text, ".!\"' "))
	switch {
	case slices.Contains(optOutWords, word):
		return Reply{Verb: OptOut}
	case slices.Contains(optInWords, word):
		return Reply{Verb: OptIn}
	case slices.Contains(helpWords, word):
		return Reply{Verb: Help}
	}
	match := answer.FindStringSubmatch(text)
	if match == nil || !IsRef(strings.ToUpper(match[2])) {
		return Reply{Verb: Unclear}
	}
	verb := Approve
	if strings.ToUpper(match[1])[0] == 'R' {
		verb = Reject
	}
	return Reply{verb, strings.ToUpper(match[2]), clip(match[3], longestReason)}
}

// clip returns as many characters of a text as are kept.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// IsRef reports whether a text may be a reference.
func IsRef(text string) bool {
	return len(text) == RefLength && strings.Trim(text, Alphabet) == "" && strings.ContainsAny(text, "23456789") && strings.Trim(text, "23456789") != ""
}
