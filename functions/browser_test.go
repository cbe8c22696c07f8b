//go:build linux && !race

package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
)

// An expense goes from the phone to the page and to the end, in a real browser: each
// who is asked follows the link in the message and decides there.
func TestAnExpenseIsDecidedInABrowser(t *testing.T) {
	t.Cleanup(browsertest.Stop)
	const origin = "https://app.example"
	b := browsertest.Start(t)
	s := open(t, t.TempDir(), true, "PublicBaseUrl="+origin)
	b.Serve(t, origin, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.address}))
	a := s.ask("http://"+s.address+expensePath, anExpense)
	tab := b.Tab(t, browsertest.Options{})
	for _, who := range []string{boss, finance} {
		tab.Open(origin + "/local/phone?to=" + who)
		tab.WaitFor("document.querySelector('.bubble a')")
		const follow = "{ const a = document.querySelector('.bubble a'); a.target = '_self'; a.click() }" // not in a tab of its own
		if !tab.Run(follow) || !strings.Contains(tab.Text(), "84.5 CHF") {
			t.Fatalf("%s reads %s", who, tab.Text())
		}
		tab.Click("input[value=approve]")
		if !tab.Click("button") || !strings.Contains(tab.Text(), "This is decided") {
			t.Fatalf("%s reads %s", who, tab.Text())
		}
	}
	tab.Open(a.RequesterURI)
	for !strings.Contains(tab.Text(), "It was approved by "+finance) {
		tab.Reload()
	}
	if said := tab.Troubles(); len(said) > 0 {
		t.Errorf("the browser says %q", said)
	}
	for _, v := range b.Visits() {
		_, secret, _ := strings.Cut(a.RequesterURI, "#")
		if !strings.HasPrefix(v.URL, origin+"/") || v.Method == http.MethodPost && !strings.HasPrefix(v.URL, origin+approvePath) || strings.Contains(v.URL+v.From, secret) {
			t.Errorf("%s %s from %s", v.Method, v.URL, v.From)
		}
	}
}
