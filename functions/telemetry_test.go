package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/functions/settings"
)

// collectorFake is an OpenTelemetry collector that keeps what it is sent.
type collectorFake struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string][]byte // by path
	keys   []string
}

func newCollector(t *testing.T) *collectorFake {
	t.Helper()
	c := &collectorFake{bodies: map[string][]byte{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies[r.URL.Path] = append(c.bodies[r.URL.Path], body...)
		c.keys = append(c.keys, r.Header.Get("Api-Key"))
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func TestAVerificationIsSentToTheCollectorWithoutItsSecrets(t *testing.T) {
	c := newCollector(t)
	s := open(t, t.TempDir(), true, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL+"/", "OTEL_EXPORTER_OTLP_HEADERS=api-key=k%20y", "OTEL_SERVICE_NAME=shop",
		"OTEL_RESOURCE_ATTRIBUTES=team=red")
	s.app.collector.patience = time.Minute // all of it is to come, however slow the machine is
	l := s.authenticate(number)
	code := s.code(number)
	s.waiting(l)
	s.want(202, "POST", l.event(), code, "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	s.want(200, "GET", l.StatusQueryGetURI, "")
	s.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	traces, metrics := c.bodies["/v1/traces"], c.bodies["/v1/metrics"]
	for _, name := range []string{"create_orchestration:SmsVerify", "orchestration:SmsVerify", "activity:SmsChallenge", "orchestration_event:SmsChallengeResponse", "shop", "team", l.ID} {
		if !bytes.Contains(traces, []byte(name)) {
			t.Errorf("%s is not in the traces", name)
		}
	}
	if !bytes.Contains(traces, []byte{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd}) {
		t.Error("the trace of the request is not in the traces")
	}
	if !bytes.Contains(metrics, []byte("durabletask.orchestration.duration")) {
		t.Error("there are no metrics")
	}
	for _, secret := range []string{code, strings.TrimPrefix(number, "+")} {
		if bytes.Contains(traces, []byte(secret)) || bytes.Contains(metrics, []byte(secret)) {
			t.Errorf("%s was sent to the collector", secret)
		}
	}
	for _, key := range c.keys {
		if key != "k y" {
			t.Errorf("the collector was sent the key %q", key)
		}
	}
}

func TestNothingIsSentUnlessACollectorIsNamed(t *testing.T) {
	for _, env := range [][]string{nil, {"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_SDK_DISABLED=true"}} {
		if s := open(t, t.TempDir(), true, env...); s.app.collector.telemetry != nil {
			t.Errorf("%v: there is telemetry", env)
		}
	}
}

// A collector that is away holds nothing up and is no reason to fail.
func TestACollectorMayBeAway(t *testing.T) {
	s := open(t, t.TempDir(), true, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_METRICS_EXPORTER=none")
	l := s.authenticate(number)
	s.waiting(l)
	s.want(202, "POST", l.event(), s.code(number))
	s.want(200, "GET", l.StatusQueryGetURI, "")
	s.app.collector.patience = time.Millisecond
	s.stop()
}

func TestSamplersHaveTheNamesOfTheStandard(t *testing.T) {
	for setting, want := range map[[2]string]string{
		{"always_on", ""}:                     "AlwaysOnSampler",
		{"always_off", ""}:                    "AlwaysOffSampler",
		{"traceidratio", "0.25"}:              "TraceIDRatioBased{0.25}",
		{"traceidratio", ""}:                  "TraceIDRatioBased{1}",
		{"parentbased_always_on", ""}:         "ParentBased{root:AlwaysOnSampler,",
		{"parentbased_always_off", ""}:        "ParentBased{root:AlwaysOffSampler,",
		{"parentbased_traceidratio", "0.125"}: "ParentBased{root:TraceIDRatioBased{0.125},",
	} {
		if got := sampler(setting[0], setting[1]).Description(); !strings.HasPrefix(got, want) {
			t.Errorf("%v is %s, want %s", setting, got, want)
		}
	}
}

func TestPairsAreRead(t *testing.T) {
	got, err := pairs(" a=1, b=x%2Cy ,c=")
	if err != nil || len(got) != 3 || got["a"] != "1" || got["b"] != "x,y" || got["c"] != "" {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"a", "=1", "a=%zz", "a=1,"} {
		if _, err := pairs(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := exportOptions(loadEnv(t, settings.OTEL_EXPORTER_OTLP_HEADERS+"=a=%zz")); err == nil || strings.Contains(err.Error(), "zz") {
		t.Errorf("the error of headers that are none is %v", err)
	}
}
