// Package spoofs is a corpus of texts that want to be more than text where they are
// shown: to run as a script, to look like another text, to begin a new header, or to
// be filled in by a template. It is for tests of whatever shows people what other
// people wrote.
package spoofs

import (
	"strings"
	"unicode"
)

// Kind is what a text tries.
type Kind string

// The kinds, with how many texts there are of each.
const (
	// Markup breaks out of HTML. Whatever runs calls alert, or asks Host for something. 720.
	Markup Kind = "markup"
	// Hidden has characters that nobody sees, which turn the order of others around, or
	// part a word. 360.
	Hidden Kind = "hidden"
	// Lines goes on in a line of its own, as a header, a field, or an end. 240.
	Lines Kind = "lines"
	// Templates is in the language of a template, a shell, a sheet, a chat. 180.
	Templates Kind = "templates"
)

// Host is where texts send a browser to.
const Host = "spoof.example"

// Text is one of the corpus.
type Text struct {
	Kind Kind
	Text string
}

// All returns the 1,500 texts of the corpus, all different, always in the same order.
func All() []Text {
	var all []Text
	add := func(kind Kind, texts []string) {
		for _, text := range texts {
			all = append(all, Text{kind, text})
		}
	}
	add(Markup, pairs(exits, vectors))
	add(Hidden, carried())
	add(Lines, pairs(breaks, headers))
	add(Templates, pairs(carriers, programs))
	return all
}

// Of returns the texts of a kind.
func Of(kind Kind) (texts []string) {
	for _, t := range All() {
		if t.Kind == kind {
			texts = append(texts, t.Text)
		}
	}
	return texts
}

// pairs returns each of the first with each of the second.
func pairs(first, second []string) (all []string) {
	for _, a := range first {
		for _, b := range second {
			all = append(all, a+b)
		}
	}
	return all
}

// carried returns every hidden character in every text that one might read wrongly, in
// the place of its |.
func carried() (all []string) {
	for _, c := range hidden {
		for _, text := range readings {
			all = append(all, strings.ReplaceAll(text, "|", c))
		}
	}
	return all
}

// IsUnseen reports whether a character may not be in a line for people.
func IsUnseen(r rune) bool {
	return r == '\u2028' || r == '\u2029' || unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Other_Default_Ignorable_Code_Point)
}
