package approval_test

import (
	"testing"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
)

// Whatever nobody sees is refused, wherever people write, also what Unicode calls a
// letter though it is blank. What joins the letters of Persian and the parts of emoji
// is none of that.
func TestTextsWithCharactersThatNobodySeesAreRefused(t *testing.T) {
	check := func(text string, isTaken bool) {
		content := approval.Request{Requester: "rex", Content: approval.Content{Title: "Train", Details: []approval.Detail{{Label: "Why", Text: text}}}, Policy: plain()}
		person := approval.Request{Requester: "rex", Content: approval.Content{Title: "Train"}, Policy: plain()}
		person.Policy.People = map[string]approval.Contact{"rex": {Name: text}}
		if err := content.Check(); (err == nil) != isTaken {
			t.Errorf("%+q as a detail: %v", text, err)
		}
		if err := person.Check(); err == nil && !isTaken {
			t.Errorf("%+q is taken as a name", text)
		}
	}
	for _, text := range spoofs.Of(spoofs.Hidden) {
		check(text, false)
	}
	for _, text := range []string{"می\u200cخواهم", "👩\u200d💻 fixes it", "❤️", "Grüezi, 你好", "one\n\ttwo"} {
		check(text, true)
	}
}

func plain() approval.Policy {
	return approval.Policy{Name: "Plain", Stages: []approval.Stage{{Name: "one", Rules: []approval.Rule{{Of: []string{"ann"}}}, Deadline: approval.Elapsed(3600e9)}}}
}

func TestASentenceHasACapitalButAnAddressHasNone(t *testing.T) {
	for text, want := range map[string]string{
		"the request was changed": "The request was changed.", "élan is missing.": "Élan is missing.", "bob@example.org took it back": "bob@example.org took it back.",
		`"x" is no answer`: `"x" is no answer.`, "": ".",
	} {
		r := approval.Refusal{Text: text}
		if got := r.Sentence(); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
