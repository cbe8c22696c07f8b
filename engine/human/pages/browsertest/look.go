package browsertest

import (
	_ "embed"
	"encoding/json"
	"slices"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

//go:embed look.js
var look string

// Sideways returns what is wider than the window, so that one would have to scroll
// sideways to read it.
func (tab *Tab) Sideways() []string {
	tab.t.Helper()
	return tab.look("sideways")
}

// Faint returns what has too little contrast, with what it is: texts need 4.5 to 1, and
// the edges of what is filled in 3 to 1, by the criteria 1.4.3 and 1.4.11 of WCAG 2.2.
func (tab *Tab) Faint() []string {
	tab.t.Helper()
	return tab.look("faint")
}

// Reordered returns the lines of the page on which the letters from left to right are
// not in the order in which they stand in the text. Letters of languages that are
// written from right to left are left out, with the digits and signs among them.
func (tab *Tab) Reordered() []string {
	tab.t.Helper()
	return tab.look("reordered")
}

// look calls a function of look.js.
func (tab *Tab) look(function string) []string {
	tab.t.Helper()
	return Eval[[]string](tab, "(() => { "+look+"; return "+function+"() })()")
}

// Control is something on a page that a person can use, as programs that read pages
// out tell of it.
type Control struct{ Role, Name string }

// controls are the roles of what takes the focus.
var controls = []string{"button", "checkbox", "combobox", "Date", "link", "radio", "searchbox", "spinbutton", "textbox"}

// Controls returns what there is to use on the page.
func (tab *Tab) Controls() (found []Control) {
	tab.t.Helper()
	tree, err := chromedp.Call(tab.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		tab.t.Fatal("read the accessibility tree: ", err)
	}
	for _, n := range tree.Nodes {
		if role := spoken(n.Role); !n.Ignored && slices.Contains(controls, role) {
			found = append(found, Control{role, spoken(n.Name)})
		}
	}
	return found
}

// spoken returns a value of the accessibility tree.
func spoken(v *accessibility.Value) (text string) {
	if v != nil {
		_ = json.Unmarshal(v.Value, &text) // what is no text has no name
	}
	return text
}
