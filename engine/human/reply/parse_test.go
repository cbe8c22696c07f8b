package reply_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/reply"
)

func TestAnAnswerHasAVerbAndAReference(t *testing.T) {
	for text, want := range map[string]reply.Reply{
		"A 7F3K":                     {Verb: reply.Approve, Ref: "7F3K"},
		"a 7f3k":                     {Verb: reply.Approve, Ref: "7F3K"},
		"A7F3K":                      {Verb: reply.Approve, Ref: "7F3K"},
		" A\t7F3K \r\n":              {Verb: reply.Approve, Ref: "7F3K"},
		"A: 7F3K":                    {Verb: reply.Approve, Ref: "7F3K"},
		"A #7F3K.":                   {Verb: reply.Approve, Ref: "7F3K"},
		"Approve 7F3K":               {Verb: reply.Approve, Ref: "7F3K"},
		"A 7F3K thanks":              {Verb: reply.Approve, Ref: "7F3K", Reason: "thanks"},
		"R 7F3K":                     {Verb: reply.Reject, Ref: "7F3K"},
		"r 7f3k too dear":            {Verb: reply.Reject, Ref: "7F3K", Reason: "too dear"},
		"R 7F3K, too dear":           {Verb: reply.Reject, Ref: "7F3K", Reason: "too dear"},
		"REJECT 7F3K\nno":            {Verb: reply.Reject, Ref: "7F3K", Reason: "no"},
		"\u200fA 7F3K":               {Verb: reply.Approve, Ref: "7F3K"},
		"A\u00a07F3K":                {Verb: reply.Approve, Ref: "7F3K"},
		"R 7F3K \u202edrac\u202c no": {Verb: reply.Reject, Ref: "7F3K", Reason: "drac no"},

		"A": {Verb: reply.Unclear}, "R": {Verb: reply.Unclear}, "7F3K": {Verb: reply.Unclear}, "A 7F3": {Verb: reply.Unclear},
		"A 7F3KX": {Verb: reply.Unclear}, "B 7F3K": {Verb: reply.Unclear}, "ok": {Verb: reply.Unclear}, "A 7F3K7F3K": {Verb: reply.Unclear},
		"Yes A 7F3K": {Verb: reply.Unclear}, "not A 7F3K": {Verb: reply.Unclear}, "A R 7F3K": {Verb: reply.Unclear}, "А 7F3K": {Verb: reply.Unclear}, // a Cyrillic А
		"A 7O3K": {Verb: reply.Unclear}, "A BCDF": {Verb: reply.Unclear}, "A 2345": {Verb: reply.Unclear}, "👍 7F3K": {Verb: reply.Unclear}, "": {Verb: reply.Unclear},

		"STOP": {Verb: reply.OptOut}, "stop": {Verb: reply.OptOut}, " Stop. ": {Verb: reply.OptOut}, "REVOKE": {Verb: reply.OptOut}, "Cancel!": {Verb: reply.OptOut},
		"START": {Verb: reply.OptIn}, "yes": {Verb: reply.OptIn}, "UNSTOP": {Verb: reply.OptIn}, "help": {Verb: reply.Help}, "INFO": {Verb: reply.Help},
		"STOP 7F3K": {Verb: reply.Unclear}, "please stop": {Verb: reply.Unclear},
	} {
		if got := reply.Parse(text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestAReasonIsCut(t *testing.T) {
	if r := reply.Parse("R 7F3K " + strings.Repeat("é", 2000)); len([]rune(r.Reason)) != 500 {
		t.Errorf("%d characters", len([]rune(r.Reason)))
	}
}

// No verb means anything to Twilio, and no reference is a word.
func TestNoAnswerIsAWordOfTwilios(t *testing.T) {
	for _, word := range []string{"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL", "START", "YES", "UNSTOP", "HELP", "INFO"} {
		if v := reply.Parse(word).Verb; v == reply.Approve || v == reply.Reject || v == reply.Unclear || reply.IsRef(word) {
			t.Errorf("%s is %s", word, v)
		}
	}
	if strings.ContainsAny(reply.Alphabet, "AEIOUY01L") {
		t.Error("there are vowels, or what looks like something else")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("R 7F3K too dear")
	f.Fuzz(func(t *testing.T, text string) {
		r := reply.Parse(text)
		if answer := r.Verb == reply.Approve || r.Verb == reply.Reject; answer != (r.Ref != "") || answer && !reply.IsRef(r.Ref) || !answer && r.Reason != "" {
			t.Errorf("%q: %+v", text, r)
		}
	})
}
