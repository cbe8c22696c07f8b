package twilio

import (
	"regexp"
	"strings"
	"unicode"
)

// longestMessage bounds, in bytes, what is kept of a message that came from outside.
const longestMessage = 300

// hider takes out of a text what must not be seen: the message, the token, and phone numbers but for their last digits.
type hider struct{ to, body, token string }

// text hides what it should in words of this process or its libraries, which may hold addresses and ports.
func (h hider) text(words string) string { return h.clean(words, regexp.MustCompile(`\d{6,}`)) }

// quoted hides what it should in Twilio's words, which may also hold numbers written with spaces or dashes.
func (h hider) quoted(words string) string {
	return h.clean(words, regexp.MustCompile(`\d(?:[ ().-]{0,2}\d){5,}`))
}

func (h hider) clean(words string, number *regexp.Regexp) string {
	words = strings.Map(printable, words)
	for _, hidden := range []string{strings.Map(printable, h.body), h.token} {
		if hidden != "" {
			words = strings.ReplaceAll(words, hidden, "***")
		}
	}
	words = regexp.MustCompile(`\d{4,}`).ReplaceAllStringFunc(words, h.withoutCode)
	return shorten(number.ReplaceAllStringFunc(words, mask))
}

// withoutCode hides digits that also stand in the message, because they may be the code it carries. The recipient's
// number is left to mask, which keeps its last digits.
func (h hider) withoutCode(digits string) string {
	if strings.Contains(h.body, digits) && !strings.Contains(h.to, digits) {
		return strings.Repeat("*", len(digits))
	}
	return digits
}

// mask replaces all digits but the last two.
func mask(number string) string {
	masked := []byte(number)
	for i, last := len(masked)-1, 2; i >= 0; i-- {
		switch {
		case masked[i] < '0' || masked[i] > '9':
		case last > 0:
			last--
		default:
			masked[i] = '*'
		}
	}
	return string(masked)
}

// printable keeps text from elsewhere on one line and free of characters that a terminal obeys.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

func shorten(words string) string {
	if len(words) <= longestMessage {
		return words
	}
	return strings.ToValidUTF8(words[:longestMessage], "") + "…"
}
