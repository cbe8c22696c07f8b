//go:build linux && !race

package phone_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
	"github.com/seed21523604/holdfast/engine/human/spoofs"
	"github.com/seed21523604/holdfast/functions/internal/phone"
)

func TestMain(m *testing.M) {
	defer browsertest.Stop()
	m.Run()
}

const origin = "https://phone.example"

// onScreen lets a browser see a phone, and opens its page.
func onScreen(t *testing.T, p *phone.Phone, o browsertest.Options) *browsertest.Tab {
	t.Helper()
	b := browsertest.Start(t)
	b.Serve(t, origin, p.Handler())
	tab := b.Tab(t, o)
	tab.Open(origin + "/local/phone")
	return tab
}

// calm fails if the tab has troubles, or asked for anything but the page.
func calm(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	for _, trouble := range tab.Troubles() {
		t.Errorf("the browser says %s", trouble)
	}
	for _, address := range tab.Asked() {
		if address != origin+"/local/phone" {
			t.Errorf("asked for %s", address)
		}
	}
}

// The phone can be read on small screens and large ones, by day and by night.
// HOLDFAST_PICTURES may name a folder, which gets a picture of each.
func TestThePhoneIsFitToBeSeen(t *testing.T) {
	full := phone.New(clock())
	for _, body := range []string{
		"Your code is 012345. It is good for 5 minutes.", "Train to Bern\nAnswer here:\nhttps://app.example/api/approve/0123456789abcdef/ABCDEFGHIJKLMNOPQRSTUV#RjjTh1Ys6Ptuo_V4WsHc6dcb4MyUvoKOz97mAKcN_gk",
		strings.Repeat("Donaudampfschifffahrt", 8), "קוד האימות שלך הוא 4711",
	} {
		send(t, full, alice, body)
	}
	send(t, full, "ann.with-a-long-name.and-more@subdomain.of.a.department.example.org", "Your answer is wanted.")
	for name, p := range map[string]*phone.Phone{"full": full, "empty": phone.New(clock())} {
		tab := onScreen(t, p, browsertest.Options{Width: 320, Height: 640})
		see(t, tab, name+"-320")
		tab.Be(browsertest.Options{Width: 390, Height: 844})
		see(t, tab, name+"-390")
		tab.Be(browsertest.Options{Width: 1024, Height: 768, Scheme: "dark"})
		see(t, tab, name+"-dark")
		for _, c := range tab.Controls() {
			if c.Name == "" {
				t.Errorf("a %s without a name", c.Role)
			}
		}
		calm(t, tab)
	}
}

func see(t *testing.T, tab *browsertest.Tab, name string) {
	t.Helper()
	if wrong := slices.Concat(tab.Sideways(), tab.Faint(), tab.Reordered()); len(wrong) > 0 {
		t.Errorf("%s: hard to read: %q", name, wrong)
	}
	if folder := os.Getenv("HOLDFAST_PICTURES"); folder != "" {
		tab.Shot(filepath.Join(folder, "phone-"+name+".png"))
	}
}

// A message comes in while one looks at the page.
func TestANewMessageComesInByItself(t *testing.T) {
	p := phone.New(clock())
	tab := onScreen(t, p, browsertest.Options{})
	send(t, p, alice, "Your code is 012345.")
	tab.WaitFor("document.querySelector('.bubble')")
	if text := tab.Text(); !strings.Contains(text, "012345") || !strings.Contains(text, "+447700900123") {
		t.Error(text)
	}
	calm(t, tab)
}

// 1,500 texts are messages of the phone, and its numbers: they are read as they were
// written, and nothing in them runs or loads.
func TestTheBrowserShowsMessagesAsText(t *testing.T) {
	for part := range slices.Chunk(spoofs.All(), phone.Kept/2) {
		p := phone.New(clock())
		for _, s := range part {
			send(t, p, s.Text, s.Text)
		}
		tab := onScreen(t, p, browsertest.Options{})
		bodies := browsertest.Eval[[]string](tab, "[...document.querySelectorAll('li > .bubble')].map(e => e.textContent)")
		inLines := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\ufffd")
		for n, s := range part {
			if n >= len(bodies) || bodies[n] != inLines.Replace(s.Text) {
				t.Fatalf("%q cannot be read as it was written", s.Text)
			}
		}
		const others = "[...document.body.querySelectorAll('*')].filter(e => !e.closest('ol')).map(e => e.tagName).join(' ')"
		if got := browsertest.Eval[string](tab, others); got != "DIV HEADER H1 P MAIN FOOTER SCRIPT" {
			t.Errorf("there is more on the page: %s", got)
		}
		const inside = "[...new Set([...document.querySelectorAll('ol *')].map(e => e.tagName + ' ' + [...e.attributes].map(a => a.name)))]"
		for _, element := range browsertest.Eval[[]string](tab, inside) {
			if !slices.Contains([]string{"LI ", "P class", "BDI ", "TIME datetime", "P class,dir", "STRONG ", "A href,target,rel"}, element) {
				t.Errorf("there is <%s> in the messages", element)
			}
		}
		calm(t, tab)
	}
}
