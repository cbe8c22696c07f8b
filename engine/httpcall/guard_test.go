package httpcall

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/seed21523604/holdfast/engine"
)

// canary is a server on the loopback address that nobody may reach, and a guard
// that would: its names resolve as the test says, and every connection it makes
// is noted.
type canary struct {
	*httptest.Server
	port string

	mu    sync.Mutex
	dials []string
	hits  int
}

func newCanary(t *testing.T) *canary {
	c := &canary{}
	c.Server = httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.hits++
	}))
	t.Cleanup(c.Close)
	_, c.port, _ = net.SplitHostPort(c.Listener.Addr().String())
	return c
}

// caller returns one that allows public URLs, whose names resolve by lookup.
func (c *canary) caller(lookup func(context.Context, string) ([]netip.Addr, error), change ...func(*Options)) *caller {
	o := Options{Public: true}
	for _, f := range change {
		f(&o)
	}
	k := newCaller(o)
	g := newGuard()
	g.lookup = lookup
	g.connect = func(_ context.Context, _, address string) (net.Conn, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dials = append(c.dials, address)
		return nil, errors.New("nobody is called in a test")
	}
	k.public = newClient(g.dial)
	return k
}

// untouched checks that nobody was called who may not be.
func (c *canary) untouched(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hits > 0 {
		t.Errorf("the canary was reached %d times", c.hits)
	}
	for _, address := range c.dials {
		host, _, _ := net.SplitHostPort(address)
		if checkAddress(netip.MustParseAddr(host)) != nil {
			t.Errorf("%s was dialed", address)
		}
	}
}

func isRefused(err error) bool { return engine.KindOf(err) == KindRefused }

// system resolves like a C library does, which takes numbers in every form for
// addresses.
func system(_ context.Context, host string) ([]netip.Addr, error) {
	if a, ok := number(host); ok {
		return []netip.Addr{a}, nil
	}
	if strings.Contains(host, "localhost") || strings.HasSuffix(host, "internal") {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// number reads 127.1, 0x7f000001, 017700000001 and the like.
func number(host string) (netip.Addr, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	var address uint64
	for i, part := range parts {
		var n uint64
		if _, err := fmt.Sscanf(part, "%v", &n); err != nil || len(parts) > 4 {
			return netip.Addr{}, false
		}
		if i == len(parts)-1 {
			address = address<<(8*(4-uint(i))) | n
			break
		}
		address = address<<8 | n
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}), true
}

// forbidden returns URLs that lead to this machine, to its network or to the
// cloud's own services, in all the ways in which they can be written.
func forbidden(port string) []string {
	var hosts []string
	for _, a := range []string{
		"127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
		"169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "192.168.255.255",
		"198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "192.88.99.1",
	} {
		v4 := netip.MustParseAddr(a).As4()
		n := uint32(v4[0])<<24 | uint32(v4[1])<<16 | uint32(v4[2])<<8 | uint32(v4[3])
		hosts = append(hosts,
			a, a+".", fmt.Sprint(n), fmt.Sprintf("0x%08x", n), fmt.Sprintf("0%o", n),
			fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", v4[0], v4[1], v4[2], v4[3]),
			fmt.Sprintf("%d.%d", v4[0], n&0xffffff),
			"[::ffff:"+a+"]", fmt.Sprintf("[::ffff:%x:%x]", n>>16, n&0xffff), "[::"+a+"]", fmt.Sprintf("[64:ff9b::%x:%x]", n>>16, n&0xffff),
			fmt.Sprintf("[2002:%x:%x::]", n>>16, n&0xffff),
		)
	}
	hosts = append(hosts,
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata.google.internal", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fe80::1]", "[fe80::1%25eth0]",
		"[fc00::1]", "[fd12:3456:789a::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[2001::1]", "[100::1]", "[64:ff9b:1::1]", "[3fff::1]", "[5f00::1]",
		"127。0。0。1", "①②⑦.⓪.⓪.①", "localhost%00.example.com", "localhost\t", " localhost", "", "%31%32%37.0.0.1", "127.0.0.1%2f@example.com",
	)
	var urls []string
	for _, h := range hosts {
		urls = append(urls, "https://"+h+":"+port+"/")
	}
	return append(urls,
		"http://127.0.0.1:"+port, "http://example.com", "ftp://127.0.0.1:"+port, "file:///etc/passwd", "gopher://127.0.0.1:"+port, "unix:///var/run/docker.sock",
		"//127.0.0.1:"+port, "https:127.0.0.1:"+port, "https:/127.0.0.1:"+port, "https:///127.0.0.1:"+port, "HTTPS://127.0.0.1:"+port,
		"https://example.com@127.0.0.1:"+port, "https://user:pass@127.0.0.1:"+port, "https://127.0.0.1:"+port+"#@example.com", "https://127.0.0.1:"+port+"?@example.com",
		"https://example.com:"+port+"@localhost", "https://127.0.0.1:"+port+"\\@example.com", "127.0.0.1:"+port, "", "https://", "/", "javascript:1", "data:text/plain,x", "https://[::1", "https://%",
	)
}

func TestNoURLLeadsToThisMachineOrItsNetwork(t *testing.T) {
	c := newCanary(t)
	caller := c.caller(system)
	urls := forbidden(c.port)
	if len(urls) < 250 {
		t.Fatalf("%d URLs", len(urls))
	}
	for _, u := range urls {
		if _, err := caller.call(t.Context(), Request{URL: u}); err == nil {
			t.Errorf("%s was called", u)
		} else if kind := engine.KindOf(err); kind != KindRefused && kind != KindUnavailable {
			t.Errorf("%s: a failure of kind %q", u, kind)
		}
	}
	c.untouched(t)
}

// A name that resolves to a public address when it is checked and to another
// when it is used would be called if it were resolved twice.
func TestANameThatChangesItsAddressGainsNothing(t *testing.T) {
	c := newCanary(t)
	var n int
	flip := func(context.Context, string) ([]netip.Addr, error) {
		n++
		public, local := netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("127.0.0.1")
		switch n % 4 {
		case 0:
			return []netip.Addr{public}, nil
		case 1:
			return []netip.Addr{local}, nil
		case 2:
			return []netip.Addr{public, local}, nil
		default:
			return []netip.Addr{local, public}, nil
		}
	}
	caller := c.caller(flip)
	for i := range 1000 {
		before := n
		_, err := caller.call(t.Context(), Request{URL: "https://rebind.example:" + c.port})
		if n != before+1 {
			t.Fatalf("the name was resolved %d times", n-before)
		}
		if want := n%4 != 0; isRefused(err) != want {
			t.Errorf("call %d: %v", i, err)
		}
	}
	c.untouched(t)
	if len(c.dials) != 250 {
		t.Errorf("%d connections were tried, want one for each public answer", len(c.dials))
	}
}

func TestRedirectionsAreNotFollowed(t *testing.T) {
	c := newCanary(t)
	for i := range 50 {
		code := []int{301, 302, 303, 307, 308}[i%5]
		server := httptest.NewServer(http.RedirectHandler(c.URL, code))
		caller := newCaller(Options{Destinations: map[string]Destination{"it": {URL: server.URL}}})
		answer, err := caller.call(t.Context(), Request{To: "it", URL: "/"})
		if err != nil || answer.StatusCode != code || answer.Header.Get("Location") != c.URL {
			t.Errorf("%+v %v", answer, err)
		}
		// And where the answer points is a request that is refused.
		if _, err := caller.call(t.Context(), Request{To: "it"}.following(answer.Header.Get("Location"))); !isRefused(err) {
			t.Errorf("%d: %v", code, err)
		}
		server.Close()
	}
	c.untouched(t)
}

// Fifty chains of one to ten redirections over a public host lead to the canary in the end,
// by every status and in all the ways in which its address can be written. Neither who
// follows them by hand nor an exchange, which follows those of 202 by itself, reaches it.
func TestNoChainOfRedirectionsReachesTheCanary(t *testing.T) {
	const chains = 50
	targets := func(port string) []string {
		return []string{
			"https://127.0.0.1:" + port + "/", "https://localhost:" + port, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port, "https://rebind.example:" + port,
			"https://2130706433:" + port, "https://0x7f.1:" + port, "http://127.0.0.1:" + port, "//127.0.0.1:" + port + "/x", "https://169.254.169.254/metadata/instance",
			"https://168.63.129.16/", "https://public.example@127.0.0.1:" + port, "https://public.example:1@localhost:" + port, "file:///etc/passwd", "gopher://127.0.0.1:" + port,
		}
	}
	for _, polled := range []bool{false, true} {
		c, hops := newCanary(t), 0
		public := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hops++
			var chain, left int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d/%d", &chain, &left) // it is as the test wrote it
			w.Header().Set("Location", fmt.Sprintf("https://example.com/%d/%d", chain, left-1))
			if all := targets(c.port); left == 0 {
				w.Header().Set("Location", all[chain%len(all)])
			}
			code := []int{301, 302, 303, 307, 308}[(chain+left)%5]
			if polled {
				code = http.StatusAccepted
			}
			w.WriteHeader(code)
		}))
		defer public.Close()
		k := c.callerBy(t, public)
		wanted := 0
		for chain := range chains {
			wanted += chain%10 + 1
			r := Request{URL: fmt.Sprintf("https://example.com/%d/%d", chain, chain%10), Header: http.Header{"Authorization": {"Bearer key"}}}
			if err := follow(t, k, r, polled); !isRefused(err) {
				t.Errorf("chain %d: %v", chain, err)
			}
		}
		if hops != wanted {
			t.Errorf("%d redirections, want %d", hops, wanted)
		}
		c.untouched(t)
	}
}

// follow goes where answers send it, by hand or as an exchange does, until it fails.
func follow(t *testing.T, k *caller, r Request, polled bool) error {
	if polled {
		d, _ := exchangeBy(t, k, r)
		if d.Failure == nil {
			return nil
		}
		return &failure{d.Failure.Kind, errors.New(d.Failure.Message)}
	}
	for {
		answer, err := k.call(t.Context(), r)
		if err != nil {
			return err
		}
		r = r.following(answer.Header.Get("Location"))
	}
}

// callerBy returns a caller for whom example.com is a public host that the server stands
// for, and other names are as the system has them.
func (c *canary) callerBy(t *testing.T, server *httptest.Server) *caller {
	k := c.caller(nil)
	g := newGuard()
	g.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
		switch host {
		case "example.com":
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
		case "rebind.example":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		return system(ctx, host)
	}
	g.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == "8.8.8.8:443" {
			address = server.Listener.Addr().String()
		} else {
			t.Errorf("%s was dialed", address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	k.public = newClient(g.dial)
	k.public.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	return k
}

func TestOnlyAllowedHostsAreCalled(t *testing.T) {
	public := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	c := newCanary(t)
	caller := c.caller(public, func(o *Options) { o.Hosts = []string{"api.example.com", "*.hooks.example"} })
	for host, allowed := range map[string]bool{
		"api.example.com": true, "API.example.COM": true, "api.example.com.": true, "a.hooks.example": true, "a.b.hooks.example": true,
		"example.com": false, "xapi.example.com": false, "api.example.com.evil": false, "hooks.example": false, "ahooks.example": false, "8.8.8.8": false,
	} {
		if _, err := caller.call(t.Context(), Request{URL: "https://" + host}); isRefused(err) == allowed {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestNothingIsAllowedThatWasNotSaid(t *testing.T) {
	caller := newCaller(Options{})
	for _, r := range []Request{{URL: "https://example.com"}, {To: "billing", URL: "/"}} {
		if _, err := caller.call(t.Context(), r); !isRefused(err) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestARequestStaysBelowItsDestination(t *testing.T) {
	base, err := url.Parse("https://billing.example/api/")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"invoices":                              "https://billing.example/api/invoices",
		"/invoices?a=b%26c":                     "https://billing.example/api/invoices?a=b%26c",
		"invoices/a%2Fb/":                       "https://billing.example/api/invoices/a%2Fb/",
		"":                                      "https://billing.example/api",
		"https://billing.example/api/status/1":  "https://billing.example/api/status/1",
		"../admin":                              "",
		"/../admin":                             "",
		"%2e%2e/admin":                          "",
		"x/..%2F..%2Fadmin":                     "",
		"//evil.example/api/":                   "",
		"https://evil.example/api/":             "",
		"http://billing.example/api/":           "",
		"https://billing.example:444/api/":      "",
		"https://u@billing.example/api/":        "",
		"https://billing.example/apiary":        "",
		"https://billing.example/api/../admin":  "",
		"https://billing.example@evil.example/": "",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		target, err := below(base, u)
		if want == "" && err == nil || want != "" && (err != nil || target.String() != want) {
			t.Errorf("%q: %v, %v; want %q", text, target, err, want)
		}
	}
}

func FuzzCheckPublic(f *testing.F) {
	for _, u := range forbidden("1") {
		f.Add(u)
	}
	c := newCaller(Options{Public: true, Hosts: []string{"api.example.com"}})
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.Parse(text)
		if err == nil && c.checkPublic(u) == nil && (u.Scheme != "https" || !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), "api.example.com")) {
			t.Errorf("%q is allowed", text)
		}
	})
}
