package browsertest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/human/pages/browsertest"
)

func TestMain(m *testing.M) {
	defer browsertest.Stop()
	m.Run()
}

const form = `<!doctype html><title>Form</title><form method=post><input name=a required><button>Send</button></form>`

func TestKeysAndClicksReportWhetherThePageWasLeft(t *testing.T) {
	b := browsertest.Start(t)
	b.Page(t, "https://a.example", form)
	tab := b.Tab(t, browsertest.Options{})
	tab.Open("https://a.example/")
	if tab.Press(browsertest.KeyTab, browsertest.KeyEnter) || tab.Click("button") {
		t.Error("the form was sent without what it requires")
	}
	tab.Type("input", "x")
	if !tab.Press(browsertest.KeyEnter) {
		t.Error("the form was not sent")
	}
	tab.Type("input", "y")
	if !tab.Click("button") {
		t.Error("the form was not sent by a click")
	}
	if got := posts(b); got != "a=x a=y" {
		t.Errorf("sent %q", got)
	}
}

func TestScriptsAreSwitchedOff(t *testing.T) {
	b := browsertest.Start(t)
	b.Page(t, "https://a.example", "<p>before</p><script>document.body.append('after')</script>")
	for off, want := range map[bool]string{false: "after", true: "before"} {
		tab := b.Tab(t, browsertest.Options{NoJavaScript: off})
		if tab.Open("https://a.example/"); !strings.HasSuffix(strings.TrimSpace(tab.Text()), want) {
			t.Errorf("%t: %q", off, tab.Text())
		}
	}
}

// What runs, loads, or is stopped is told.
func TestWhatGoesOnIsTold(t *testing.T) {
	b := browsertest.Start(t)
	for html, want := range map[string]string{
		"<script>alert(1)</script>":                                                        `called: alert 1`,
		"<script>throw Error('x')</script>":                                                "x",
		"<script>console.log('y')</script>":                                                "y",
		"<iframe srcdoc='<script>alert(2)</script>'></iframe>":                             "called: alert 2",
		"<meta http-equiv=Content-Security-Policy content=\"img-src 'none'\"><img src=/a>": "policy: img-src",
	} {
		b.Page(t, "https://a.example", html)
		tab := b.Tab(t, browsertest.Options{})
		tab.Open("https://a.example/")
		if told := tab.Troubles(); !strings.Contains(strings.Join(told, "\n"), want) {
			t.Errorf("%s: told %q", html, told)
		}
	}
}

func TestHostsAreTheOnesThatAreServed(t *testing.T) {
	b := browsertest.Start(t)
	b.Page(t, "https://a.example", "<p>secure</p><img src=//c.example/x>")
	b.Page(t, "https://a.example:444", "<p>port</p>")
	b.Page(t, "http://a.example", "<p>open</p>")
	b.Visits()
	tab := b.Tab(t, browsertest.Options{UserAgent: "Looker/1.0"})
	for _, url := range []string{"https://a.example/", "https://a.example:444/", "http://a.example/"} {
		tab.Open(url)
	}
	if tab.Text() != "open" {
		t.Error(tab.Text())
	}
	var came []string
	for _, v := range b.Visits() {
		came = append(came, v.URL)
		if name := v.Header.Get("User-Agent"); name != "Looker/1.0" {
			t.Error(name)
		}
	}
	if want := []string{"https://a.example/", "https://c.example/x", "https://a.example:444/", "http://a.example/"}; !slices.Equal(came, want) {
		t.Errorf("came to %q", came)
	}
	if asked := tab.Asked(); !slices.Equal(asked, came) {
		t.Errorf("asked for %q", asked)
	}
}

func TestAPageIsWaitedForUntilItIsAsItShouldBe(t *testing.T) {
	b := browsertest.Start(t)
	b.Page(t, "https://a.example", "<p>before</p><script>setTimeout(() => document.querySelector('p').textContent = 'after', 200)</script>")
	tab := b.Tab(t, browsertest.Options{})
	tab.Open("https://a.example/")
	if tab.WaitFor("document.querySelector('p').textContent == 'after'"); tab.Text() != "after" {
		t.Errorf("the page says %q", tab.Text())
	}
}

// posts returns what was posted.
func posts(b *browsertest.Browser) string {
	var bodies []string
	for _, v := range b.Visits() {
		if v.Method == http.MethodPost {
			bodies = append(bodies, v.Body)
		}
	}
	return strings.Join(bodies, " ")
}

// The looks find what they look for, and nothing else.
func TestTheLooksFindWhatIsHardToRead(t *testing.T) {
	b := browsertest.Start(t)
	tab := b.Tab(t, browsertest.Options{Width: 320, Height: 640})
	for html, want := range map[string]string{
		"<p>Pay 100 to Ann":                                              "[] [] []",
		"<p style='width:400px'>Pay 100 to Ann":                          "[the page: 408 P Pay 100 to Ann] [] []",
		"<p style='color:#888'>Pay 100 to Ann":                           "[] [Pay 100 to Ann: 3.54] []",
		"<p style='color:#fff;background:#000'>Pay <b>100</b> to Ann":    "[] [] []",
		"<p style='background:#000'>Pay":                                 "[] [Pay: 1.00] []",
		"<label>a<input name=a style='border:1px solid #ccc'></label>":   "[] [around a: 1.61] []",
		"<p>Pay &#x202e;100 to Ann":                                      "[] [] [Pay\u202e100toAnn]",
		"<p>Pay <bdi>אב 100</bdi> to Ann":                                "[] [] []",
		"<p dir=rtl>Pay 100, to <b>Ann</b>.":                             "[] [] [Pay100,toAnn.]",
		"<p>one<br>two <img width=9 height=9 alt='' src='data:,'> three": "[] [] []",
	} {
		b.Page(t, "https://a.example", "<!doctype html><meta charset=utf-8><body>"+html)
		tab.Open("https://a.example/")
		if got := fmt.Sprint(tab.Sideways(), " ", tab.Faint(), " ", tab.Reordered()); got != want {
			t.Errorf("%s: %s, want %s", html, got, want)
		}
	}
}

func TestControlsAreToldByRoleAndName(t *testing.T) {
	b := browsertest.Start(t)
	b.Page(t, "https://a.example", "<label>One <input></label><input><a href=/x>Two</a><button aria-label=Three></button><input type=radio aria-label=Four>")
	tab := b.Tab(t, browsertest.Options{})
	tab.Open("https://a.example/")
	got := fmt.Sprint(tab.Controls())
	if got != "[{textbox } {link Two} {button Three} {radio Four} {textbox One}]" {
		t.Error(got)
	}
}
