package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	browserlog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The keys that are no letters.
const (
	KeyTab   = kb.Tab
	KeyEnter = kb.Enter
	KeyDown  = kb.ArrowDown
)

// patience is how long a tab may be used; whatever takes longer hangs.
const patience = 20 * time.Minute

// Options says what a tab is like. The zero value is a window of a desktop.
type Options struct {
	UserAgent     string
	Width, Height int64  // 1024 by 768
	Scheme        string // dark or light, as the person likes it
	Zone          string
	NoJavaScript  bool
}

// Tab is a tab with a profile of its own. What goes wrong in it ends the test, so it
// is for the goroutine of the test.
type Tab struct {
	t            *testing.T
	ctx          context.Context
	noJavaScript bool

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	leaving  int           // how often a page wanted to be left
	loads    int           // how many pages were loaded
	asked    []string
	troubles []string
}

// Tab opens a tab, until the test ends.
func (b *Browser) Tab(t *testing.T, o Options) *Tab {
	t.Helper()
	tab := &Tab{t: t, changed: make(chan struct{})}
	ctx, end := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.hear))
	ctx, cancel := context.WithTimeout(ctx, patience)
	tab.ctx = ctx
	t.Cleanup(func() { cancel(); end() })
	tab.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: reporter})
		return err
	}))
	if o.Width == 0 {
		o.Width, o.Height = 1024, 768
	}
	tab.Be(o)
	return tab
}

// Be changes what the tab is like; what is zero stays as it was. The page that is open
// keeps its name of the browser.
func (tab *Tab) Be(o Options) {
	tab.t.Helper()
	tab.noJavaScript = tab.noJavaScript || o.NoJavaScript
	tab.do(chromedp.Func(o.apply))
}

// reporter makes what runs, and what the policy of a page stops, known.
const reporter = `
for (const name of ['alert', 'confirm', 'prompt']) window[name] = text => console.error('called: ' + name + ' ' + text)
addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))`

// apply makes a tab so. What is zero stays as it was.
func (o *Options) apply(ctx context.Context, target *chromedp.Target) error {
	var all []error
	if o.Width != 0 {
		size := emulation.SetDeviceMetricsOverrideParams{Width: o.Width, Height: o.Height, DeviceScaleFactor: 1}
		_, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride, size)
		all = append(all, err)
	}
	if o.UserAgent != "" {
		_, err := cdp.Call(ctx, target, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: o.UserAgent})
		all = append(all, err)
	}
	if o.Scheme != "" {
		scheme := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: o.Scheme}}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: scheme})
		all = append(all, err)
	}
	if o.Zone != "" {
		_, err := cdp.Call(ctx, target, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: o.Zone})
		all = append(all, err)
	}
	if o.NoJavaScript {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		all = append(all, err)
	}
	return errors.Join(all...)
}

// hear notes what the browser tells of the tab.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !isIcon(e.Request.URL) {
			tab.asked = append(tab.asked, e.Request.URL)
		}
	case *page.EventFrameRequestedNavigation:
		tab.leaving++
	case *page.EventLoadEventFired:
		tab.loads++
		close(tab.changed)
		tab.changed = make(chan struct{})
	case *runtime.EventConsoleAPICalled:
		for _, said := range e.Args {
			tab.troubles = append(tab.troubles, string(said.Value))
		}
	case *runtime.EventExceptionThrown:
		tab.troubles = append(tab.troubles, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *browserlog.EventEntryAdded:
		tab.troubles = append(tab.troubles, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
	}
}

// do does something in the tab.
func (tab *Tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, steps...); err != nil {
		tab.t.Fatal("in the browser: ", err)
	}
}

// Open opens an address, and waits until the page is loaded and has nothing to do.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	tab.do(chromedp.Navigate(url))
	tab.rest()
}

// Back goes back by one page.
func (tab *Tab) Back() {
	tab.t.Helper()
	tab.do(chromedp.NavigateBack())
	tab.rest()
}

// Reload loads the page again.
func (tab *Tab) Reload() {
	tab.t.Helper()
	tab.do(chromedp.Reload())
	tab.rest()
}

// rest waits until the page has nothing to do.
func (tab *Tab) rest() {
	tab.t.Helper()
	if tab.noJavaScript {
		return
	}
	Eval[bool](tab, "new Promise(done => requestIdleCallback(() => done(true)))")
}

// Press presses keys, one after the other, and reports whether that led to another
// page, which is loaded then.
func (tab *Tab) Press(keys ...string) bool {
	tab.t.Helper()
	return tab.act(chromedp.KeyEvent(strings.Join(keys, "")))
}

// Click clicks with the mouse on what a selector of CSS finds first, and reports
// whether that led to another page, which is loaded then.
func (tab *Tab) Click(selector string) bool {
	tab.t.Helper()
	return tab.act(chromedp.Click(chromedp.CSS(selector)))
}

// ClickTwice is two clicks right after each other.
func (tab *Tab) ClickTwice(selector string) bool {
	tab.t.Helper()
	return tab.act(chromedp.DoubleClick(chromedp.CSS(selector)))
}

// Run runs a script in the page, and reports whether that led to another page, which is
// loaded then.
func (tab *Tab) Run(script string) bool {
	tab.t.Helper()
	return tab.act(chromedp.Evaluate[chromedp.Void](script))
}

// Type types a text into what a selector of CSS finds first.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do(chromedp.Focus(chromedp.CSS(selector)), chromedp.KeyEvent(text))
}

// act does what a person does. A page that is left says so before it answers anything
// else.
func (tab *Tab) act(step chromedp.Action[chromedp.Void]) bool {
	tab.t.Helper()
	left, loads, _ := tab.progress()
	tab.do(step)
	_, _ = chromedp.Run(tab.ctx, chromedp.Evaluate[int]("1")) // may be asked of a page that is no more
	if now, _, _ := tab.progress(); now == left {
		return false
	}
	tab.await(loads)
	tab.rest()
	return true
}

// await waits until more pages were loaded than so many.
func (tab *Tab) await(loads int) {
	tab.t.Helper()
	for {
		_, now, changed := tab.progress()
		if now > loads {
			return
		}
		select {
		case <-changed:
		case <-tab.ctx.Done():
			tab.t.Fatal("no page is loaded: ", tab.ctx.Err())
		}
	}
}

// progress tells how often pages were to be left, how many were loaded, and when that
// changes.
func (tab *Tab) progress() (leaving, loads int, changed <-chan struct{}) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return tab.leaving, tab.loads, tab.changed
}

// Eval returns what an expression of JavaScript is in the page, or what its promise
// becomes.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	v, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatal("in the page: ", err)
	}
	return v
}

// WaitFor waits until an expression of JavaScript is true in the page.
func (tab *Tab) WaitFor(condition string) {
	tab.t.Helper()
	Eval[bool](tab, "new Promise(done => { const look = () => ("+condition+") ? done(true) : setTimeout(look, 50); look() })")
}

// Text returns what can be read on the page.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return Eval[string](tab, "document.body.innerText")
}

// Asked returns the addresses that the tab asked for so far.
func (tab *Tab) Asked() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	return slices.Clone(tab.asked)
}

// Troubles returns, and forgets, what pages wrote to the console, which dialogs they
// opened, and what the browser complains of: errors, and what a policy stopped.
func (tab *Tab) Troubles() []string {
	tab.t.Helper()
	Eval[int](tab, "1") // what was said before is heard then
	tab.mu.Lock()
	defer tab.mu.Unlock()
	troubles := tab.troubles
	tab.troubles = nil
	return troubles
}

// Shot writes a picture of the whole page, in the format PNG.
func (tab *Tab) Shot(file string) {
	tab.t.Helper()
	picture, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(file, picture, 0o600)
	}
	if err != nil {
		tab.t.Fatal("take a picture: ", err)
	}
}
