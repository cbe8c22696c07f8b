package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
)

const operator = "X-Functions-Key: 5c1a0e6d9b7f43aab1d8"

func TestAnAppWithAnOperatorKeyAsksWhoYouAre(t *testing.T) {
	s := open(t, t.TempDir(), true, "OperatorKey="+strings.TrimPrefix(operator, "X-Functions-Key: "))
	l := s.authenticate(number)
	code := s.code(number)
	s.waiting(l)
	s.want(401, "GET", localPath+"/instances/"+l.ID, "")
	s.want(401, "POST", l.SuspendPostURI, "")
	s.want(401, "POST", l.RestartPostURI, "")
	s.want(401, "DELETE", l.PurgeHistoryDeleteURI, "")
	s.want(404, "POST", strings.Replace(l.SendEventPostURI, "{eventName}", "Another", 1), "1")
	s.want(401, "POST", localPath+"/orchestrators/SmsVerify", `"`+number+`"`)
	s.want(202, "GET", localPath+"/instances/"+l.ID+"?showHistory=true", "", operator)
	s.want(401, "GET", localPath+"/instances/"+l.ID, "", operator+"x")
	s.want(202, "POST", l.event(), code)
	if answer := s.want(200, "GET", l.StatusQueryGetURI, ""); !strings.Contains(answer, `"verified":true`) {
		t.Error(answer)
	}
}

// Links must be good after a restart and in every process of a hub.
func TestLinksOutliveTheProcess(t *testing.T) {
	folder := t.TempDir()
	s := open(t, folder, true, "OperatorKey="+strings.Repeat("k", 20))
	l := s.authenticate(number)
	s.stop()
	again := open(t, folder, true, "OperatorKey="+strings.Repeat("k", 20))
	again.want(202, "GET", strings.Replace(l.StatusQueryGetURI, s.app.url, again.app.url, 1), "")
	again.stop()
	other := open(t, folder, true, "LinkKey=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	other.want(404, "GET", strings.Replace(l.StatusQueryGetURI, s.app.url, other.app.url, 1), "")
}

func TestUnderAHostTheAPIAsksAndIsFoundElsewhere(t *testing.T) {
	s := open(t, t.TempDir(), false)
	l := s.authenticate(number)
	if want := s.app.url + "/api/durabletask/instances/" + l.ID + "?"; !strings.HasPrefix(l.StatusQueryGetURI, want) {
		t.Errorf("%s, want %s…", l.StatusQueryGetURI, want)
	}
	s.want(202, "GET", l.StatusQueryGetURI, "")
	s.want(202, "GET", strings.Replace(l.StatusQueryGetURI, "/api/durabletask/", "/API/DurableTask/", 1), "")
	s.want(401, "GET", "/api/durabletask/instances/"+l.ID, "")
	s.want(404, "GET", localPath+"/instances/"+l.ID, "")
}

func TestWhoMayDoWhatIsSaidAtTheStart(t *testing.T) {
	for _, test := range []struct {
		env  []string
		want string
	}{
		{nil, "whoever reaches this address may do everything"},
		{[]string{"OperatorKey=" + strings.Repeat("k", 20)}, "by the links that are handed out, and by operators"},
	} {
		s := open(t, t.TempDir(), true, test.env...)
		var out bytes.Buffer
		welcome(&out, s.app)
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("%v: %s", test.env, out.String())
		}
	}
}

func TestUnderAHostSomebodyMustSayWhereTheAppIs(t *testing.T) {
	var out bytes.Buffer
	env := environment([]string{"FUNCTIONS_CUSTOMHANDLER_PORT=7071", "Address=127.0.0.1:0", "DataFolder=" + t.TempDir()})
	if code := run(t.Context(), nil, env, stdio{strings.NewReader(""), &out, &out}); code != exitFailure || !strings.Contains(out.String(), settings.PublicBaseUrl) {
		t.Errorf("%d %s", code, out.String())
	}
}

// What a request says of the host it was sent to never gets into a link.
func TestForwardedHostsGetIntoNoLink(t *testing.T) {
	s := open(t, t.TempDir(), true, "PublicBaseUrl=https://verify.example")
	hosts := []string{"evil.example", "evil.example:443", "verify.example.evil.example", "verify.example@evil.example", "127.0.0.1", "[::1]", "", "evil.example\tx", "EVIL.EXAMPLE", "xn--80ak6aa92e.com"}
	headers := []string{
		"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Original-Host", "X-Host", "X-HTTP-Host-Override",
		"Forwarded", "X-Original-URL", "X-Rewrite-URL", "Referer", "X-Azure-FDID", "X-Arr-SSL", "X-MS-Original-Url", "Disguised-Host", "Was-Default-Hostname", "Via",
		"True-Client-Ip", "CF-Connecting-IP", "X-Real-IP", "X-Client-IP", "X-WAWS-Unencoded-URL", "X-Site-Deployment-Id", "Max-Forwards", "X-ProxyUser-Ip", "X-Envoy-Original-Path",
		"X-Forwarded-Scheme", "X-Scheme", "Front-End-Https",
	}
	tried := 0
	for _, header := range headers {
		for _, host := range hosts {
			value := host
			if header == "Forwarded" {
				value = "host=" + host + ";proto=gopher"
			}
			r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.address+authenticatePath+"?number=%2B447700900123", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "verify.example"
			r.Header[http.CanonicalHeaderKey(header)] = []string{strings.ReplaceAll(value, "\t", "")}
			w, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var links map[string]string
			err = json.NewDecoder(w.Body).Decode(&links)
			w.Body.Close()
			if err != nil || w.StatusCode != 202 {
				t.Fatalf("%s: %s: %d %v", header, value, w.StatusCode, err)
			}
			links["location"] = w.Header.Get("Location")
			delete(links, "id")
			for name, link := range links {
				if !strings.HasPrefix(link, "https://verify.example"+localPath+"/instances/") {
					t.Errorf("%s: %s: %s is %s", header, value, name, link)
				}
			}
			tried++
		}
	}
	if tried < 300 {
		t.Errorf("%d combinations", tried)
	}
}

// Who follows what happens hears it through all that is before the API, and does
// not keep the app from stopping.
func TestWhoFollowsHearsTheEndOfTheAppAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), true, "StopGrace=5m")
	l := s.authenticate(number)
	r, err := http.NewRequestWithContext(t.Context(), "GET", strings.Replace(l.StatusQueryGetURI, "?", "/live?", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	lines := bufio.NewScanner(w.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if !strings.Contains(lines.Text(), l.ID) {
		t.Fatalf("%d %q", w.StatusCode, lines.Text())
	}
	s.stop() // would wait for minutes
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
}
