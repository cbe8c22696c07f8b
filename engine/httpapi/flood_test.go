package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
)

// flood is a body that has no end in sight, and counts what is read of it.
type flood struct{ read int64 }

func (f *flood) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	f.read += int64(len(b))
	return len(b), nil
}

// Who sends more than an instance takes is refused before it costs anything, and
// nobody else notices.
func TestOneInstanceCannotBeFlooded(t *testing.T) {
	const unmatched, limit = 20, 64 << 10
	h := newHubIn(t, inFolder, client.Options{MaxUnmatched: unmatched, MaxEvents: 1000, MaxEventBytes: 8 << 20}, func(o *httpapi.Options) { o.MaxBody = 0 })
	h.bring("Running", "flooded")
	h.bring("Running", "other")
	before := heap()
	for range 1000 { // events of 1 MiB each
		body := &flood{}
		r := httptest.NewRequest("POST", basePath+"/instances/flooded/raiseEvent/Large", io.LimitReader(body, 1<<20))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.serve(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || body.read > 2*limit {
			t.Fatalf("%d after %d bytes", w.Code, body.read)
		}
	}
	taken := 0
	for range 20_000 / slow {
		switch w := h.post("POST", basePath+"/instances/flooded/raiseEvent/Unheard"); w.Code {
		case http.StatusAccepted:
			taken++
		case http.StatusTooManyRequests:
		default:
			t.Fatal(w.Code, w.Body)
		}
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	in, err := h.client.Get(t.Context(), "flooded")
	h.must(err)
	if taken != unmatched || in.Events != 2+unmatched+taken {
		t.Errorf("%d events were taken, and the history has %d", taken, in.Events)
	}
	h.want(202, "POST", "/instances/flooded/raiseEvent/Approval", "1") // what is waited for still gets through
	h.want(202, "POST", "/instances/other/raiseEvent/Approval", "1")
	h.want(200, "GET", "/instances/flooded", "")
	h.want(200, "GET", "/instances/other", "")
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An instance takes so many events in all, and so many bytes.
func TestARunTakesSoManyEventsAndBytes(t *testing.T) {
	h := newHubIn(t, inFolder, client.Options{MaxEvents: 30, MaxEventBytes: 1000})
	for id, body := range map[string]string{"many": "1", "large": `"` + strings.Repeat("x", 98) + `"`} {
		h.bring("Running", id)
		want := map[string]int{"many": 30, "large": 10}[id]
		for n := range 40 {
			code := 202
			if n >= want {
				code = 429
			}
			h.want(code, "POST", "/instances/"+id+"/raiseEvent/Other", body)
		}
		wantProblem(t, h.reply(id, "", body), 429, "too-many")
	}
}
