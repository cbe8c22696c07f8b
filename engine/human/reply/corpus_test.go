package reply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/reply"
)

// saying is a message that somebody may write, with {ref} where a reference stands, and what
// it means to a person who knows the rule: a verb, and a reason.
type saying struct {
	body   string
	verb   reply.Verb
	reason string
}

// corpus is what people write, each with what it means.
func corpus() (all []saying) {
	add := func(verb reply.Verb, reason string, bodies ...string) {
		for _, body := range bodies {
			all = append(all, saying{body, verb, reason})
		}
	}
	for verb, words := range map[reply.Verb][]string{reply.Approve: {"A", "a", "Approve", "approve", "APPROVE"}, reply.Reject: {"R", "r", "Reject", "reject", "REJECT"}} {
		for _, word := range words {
			for _, between := range []string{" ", "  ", "", ": ", ":", "-", " - ", ", ", ". ", " #", "\t", "\n", "\u00a0", " \u200e", "\u200b"} {
				for tail, reason := range map[string]string{
					"": "", ".": "", " ": "", "\r\n": "", " too dear": "too dear", ", too dear": "too dear", "\nno receipt": "no receipt", " 👍": "👍", " شكرا": "شكرا",
					" STOP": "STOP", " cancel": "cancel", " yes": "yes", " \u202eabc\u202c": "abc",
				} {
					add(verb, reason, word+between+"{ref}"+tail, " "+word+between+"{REF}"+tail)
				}
			}
		}
	}
	for _, word := range []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"} {
		add(reply.OptOut, "", spelt(word)...)
	}
	for _, word := range []string{"START", "YES", "UNSTOP"} {
		add(reply.OptIn, "", spelt(word)...)
	}
	for _, word := range []string{"HELP", "INFO"} {
		add(reply.Help, "", spelt(word)...)
	}
	for _, word := range slices.Concat(otherWords, []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "START", "YES", "UNSTOP", "HELP", "INFO"}) {
		add(reply.Unclear, "", word+" {ref}", "{ref} "+word, word+": {ref}!", word+"{ref}", strings.ToLower(word)+" {REF}", word+" A {ref}", "{ref} "+word+" A")
	}
	for _, word := range otherWords {
		add(reply.Unclear, "", word, word+"!", "“"+word+"”")
	}
	add(reply.Unclear, "",
		"", " ", "A", "R", "a", "r", "A.", "Approve", "reject", "{ref}", "{REF}", "#{ref}", "A R {ref}", "R A {ref}", "A/R {ref}", "AR {ref}", "AA {ref}", "A A {ref}",
		"A {ref}?", "A {ref}!", "A ({ref})", "A <{ref}>", "A '{ref}'", "A *{ref}*", "A {ref}{ref}", "A {ref}1", "A 1{ref}", "A x{ref}", "A+{ref}", "A={ref}", "A_{ref}", "A/{ref}",
		"{ref}A", "{ref} a", "{ref}: approve", "{ref} R", "not A {ref}", "don't A {ref}", "please A {ref}", "I A {ref}", "Re: A {ref}", "> A {ref}", "1. A {ref}", "\"A {ref}\"",
		"А {ref}", "Α {ref}", "Ａ {ref}", "𝐀 {ref}", "ⓐ {ref}", "🅰️ {ref}", "Ꭱ {ref}", "Ｒ {ref}", // letters that look like A and R
		"An {ref}", "And {ref}", "As {ref}", "At {ref}", "Are {ref}", "Ar {ref}", "Ra {ref}", "Re {ref}", "Approved {ref}", "Rejected {ref}", "Aprove {ref}", "Approve; reject {ref}", "Apple {ref}",
		"A {r ef}", "A {r.ef}", "A {r-ef}", "A {refO}", "A 0000", "A AAAA", "A 12345", "A BCDF", "A 2345", "approve all", "A all", "A *", "R everything",
	)
	return all
}

// spelt are the ways in which a phone and its user write a word.
func spelt(word string) []string {
	lower := strings.ToLower(word)
	title := word[:1] + lower[1:]
	var all []string
	for _, w := range []string{word, lower, title} {
		all = append(all, w, w+".", w+"!", " "+w+" ", w+"\n", "'"+w+"'", "\""+w+"\"", "\u200f"+w, w+"\u200e")
	}
	return all
}

// otherWords are what people of many languages write to agree, to refuse and to ask, and
// what they draw.
var otherWords = []string{
	"ok", "Okay", "no", "sure", "fine", "approved", "rejected", "decline", "accept", "agree", "nope", "Y", "N", // English
	"ja", "nein", "genehmigt", "abgelehnt", "Stopp", // German
	"oui", "non", "d'accord", "refusé", "arrêt", // French
	"sí", "vale", "aprobado", "rechazar", "alto", // Spanish
	"va bene", "approvo", "rifiuto", // Italian
	"sim", "não", "aprovar", "parar", // Portuguese
	"goedgekeurd", "nee", "akkoord", // Dutch
	"tak", "nie", "zgoda", // Polish
	"да", "нет", "согласен", "стоп", // Russian
	"evet", "hayır", "onay", // Turkish
	"نعم", "لا", "موافق", "مرفوض", "قف", // Arabic
	"כן", "לא", "מאשר", // Hebrew
	"हाँ", "नहीं", "ठीक है", // Hindi
	"是", "不", "同意", "拒绝", // Chinese
	"はい", "いいえ", "承認", // Japanese
	"ναι", "όχι", // Greek
	"👍", "👎", "✅", "❌", "🛑", "🙏", "🤷", "👍🏽", "❤️", "1", "2", "0", "?", "...", "10-4", "a+", "LGTM", "k",
}

// tally notes what was decided by each message, and settles nothing.
type tally struct {
	decided map[string]string
	wanted  map[string]bool
}

// Decide notes the decision.
func (t *tally) Decide(_ context.Context, id string, r reply.Request, answer reply.Reply) (string, bool, error) {
	t.decided[id] = fmt.Sprintf("%s %s %q", answer.Verb, r.Instance, answer.Reason)
	return "Done.", false, nil
}

// Subscribe notes what is wanted.
func (t *tally) Subscribe(_ context.Context, number string, wanted bool) error {
	t.wanted[number] = wanted
	return nil
}

// More than three thousand messages, each to nobody and to phones with one, two and five
// open requests: what a person would take for an answer to one of them is that answer,
// and nothing else is one.
func TestWhateverIsWrittenNothingIsDecidedThatWasNotMeant(t *testing.T) {
	all := corpus()
	different := map[string]bool{}
	for _, s := range all {
		different[s.body] = true
	}
	if len(different) < 3000 {
		t.Fatalf("%d messages", len(different))
	}
	for _, open := range []int{0, 1, 2, 5} {
		t.Run(fmt.Sprint(open, " open"), func(t *testing.T) { hearAll(t, all, open) })
	}
}

func hearAll(t *testing.T, all []saying, open int) {
	d, heard := newDesk(t), &tally{map[string]string{}, map[string]bool{}}
	d.Decider, d.Subscriber = heard, heard
	var refs []string
	for n := range open {
		refs = append(refs, d.open(boss, fmt.Sprint("i", n)))
	}
	decisions := 0
	for n, s := range all {
		if n%slow != 0 {
			continue
		}
		id, instance, ref := fmt.Sprint("m", n), "", foreign(refs)
		if at := n / slow % (open + 1); at < open { // each of them, and one that is not open, in turn
			ref, instance = refs[at], fmt.Sprint("i", at)
		}
		clear(heard.wanted)
		body := written(s.body, ref)
		says := d.hear(id, body)
		want := ""
		if (s.verb == reply.Approve || s.verb == reply.Reject) && instance != "" {
			want = fmt.Sprintf("%s %s %q", s.verb, instance, s.reason)
			decisions++
		}
		if got := heard.decided[id]; got != want {
			t.Fatalf("%q: decided %q, want %q", body, got, want)
		}
		wanted, told := heard.wanted[boss]
		if told != (s.verb == reply.OptOut || s.verb == reply.OptIn) || wanted != (s.verb == reply.OptIn) {
			t.Fatalf("%q: messages are wanted: %v, %v", body, wanted, told)
		}
		if silent := s.verb == reply.OptOut || s.verb == reply.OptIn || s.verb == reply.Help; silent != (says == "") {
			t.Fatalf("%q is answered %q", body, says)
		}
		if want == "" && says != "" && open > 0 && !strings.Contains(says, "A "+refs[0]+" approves") {
			t.Fatalf("%q is answered %q, which does not say how to answer", body, says)
		}
	}
	if open > 0 && decisions < 1000/slow {
		t.Errorf("%d decisions", decisions)
	}
}

// written puts a reference into a message: as it is, in small letters, and spoilt.
func written(body, ref string) string {
	return strings.NewReplacer(
		"{ref}", strings.ToLower(ref), "{REF}", ref, "{r ef}", ref[:2]+" "+ref[2:], "{r.ef}", ref[:2]+"."+ref[2:], "{r-ef}", ref[:2]+"-"+ref[2:], "{refO}", ref[:3]+"O",
	).Replace(body)
}

// foreign returns a reference that is none of those.
func foreign(refs []string) string {
	for _, ref := range []string{"7F3K", "9Q2M"} {
		if !slices.Contains(refs, ref) {
			return ref
		}
	}
	return "X23Z"
}

// Who answers two requests in one message has answered neither, and is told so.
func TestAMessageThatNamesTwoRequestsAnswersNeither(t *testing.T) {
	d := newDesk(t)
	one, two := d.open(boss, "one"), d.open(boss, "two")
	for n, body := range []string{"A %s A %s", "A %s, R %s", "A %s %s", "a %s and %s", "R %s too dear. A%s", "Approve %s\nApprove %s"} {
		for _, refs := range [][2]string{{one, two}, {two, strings.ToLower(one)}} {
			says := d.hear(fmt.Sprint(n, refs), fmt.Sprintf(body, refs[0], refs[1]))
			if len(d.decided) != 0 || !strings.Contains(says, "One answer in each message") {
				t.Errorf("%q: %q, %v", body, says, d.decided)
			}
		}
	}
	if says := d.hear("last", "R "+one+" see 7F3K"); !strings.HasPrefix(says, "Done: reject one") {
		t.Errorf("another text that looks like a reference: %s", says)
	}
}
