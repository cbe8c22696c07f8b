// Package browsertest opens pages in a real browser: Chromium, or one that is made of
// it, without a window. It is for tests.
//
// There is one browser for all tests of a package, and each of its tabs is like the
// only one of a person that has never been there. It reaches no network but the hosts
// that the tests serve, over HTTPS and under names that end with .example, so that
// origins, sites and the rules for them are the real ones.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { defer browsertest.Stop(); m.Run() }
package browsertest

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Browser is a running browser, with the hosts that it sees.
type Browser struct {
	ctx  context.Context
	stop context.CancelFunc
	web  *web
}

// only is the browser of this process, once it was started.
var only struct {
	sync.Mutex
	browser *Browser
	err     error
}

// Start returns the browser of this process, and starts it if need be. Where there is
// none installed, the test is skipped.
func Start(t *testing.T) *Browser {
	t.Helper()
	only.Lock()
	defer only.Unlock()
	if only.browser == nil && only.err == nil {
		only.browser, only.err = launch()
	}
	if errors.Is(only.err, exec.ErrNotFound) {
		t.Skip("there is no Chromium here; install it: apt-get install chromium, or Chrome")
	}
	if only.err != nil {
		t.Fatal("start the browser: ", only.err)
	}
	return only.browser
}

// Stop ends the browser, if it was started.
func Stop() {
	only.Lock()
	defer only.Unlock()
	if only.browser != nil {
		only.browser.stop()
		only.browser.web.close()
		only.browser = nil
	}
}

// launch starts the browser. It has no sandbox, which root cannot have, and which
// pages of our own don't need.
func launch() (*Browser, error) {
	w := newWeb()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.WSURLReadTimeout(5*time.Minute), // it may start on a machine that has much else to do
		chromedp.Flag("host-resolver-rules", w.rules()),
		chromedp.Flag("no-proxy-server", true), // else the machine's would be asked
		chromedp.Flag("disable-component-update", true),
	)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &Browser{ctx, func() { cancel(); end() }, w}
	if err := chromedp.Do(ctx); err != nil {
		b.stop()
		w.close()
		return nil, err
	}
	return b, nil
}
