package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
)

// everyID follows a list to its end as clients do, and returns the ids in it.
func (h *hub) everyID(query string) (ids []string) {
	h.t.Helper()
	token := ""
	for {
		r := httptest.NewRequest("GET", basePath+"/instances?"+query, nil)
		r.Header.Set("x-ms-continuation-token", token)
		w := httptest.NewRecorder()
		h.serve(w, r)
		var page []struct{ InstanceID string }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
			h.t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		for _, row := range page {
			ids = append(ids, row.InstanceID)
		}
		if token = w.Header().Get("x-ms-continuation-token"); token == "" {
			return ids
		}
	}
}

func TestAListIsWholeHoweverItIsCut(t *testing.T) {
	h := newHub(t)
	var want []string
	for i := range 230 {
		id := fmt.Sprintf("i%03d", i)
		_, err := h.client.Start(t.Context(), string(approve), id, i)
		h.must(err)
		want = append(want, id)
	}
	for _, top := range []string{"", "top=1", "top=7", "top=229", "top=230", "top=100000", "top=0", "top=-5", "top=x"} {
		if got := h.everyID(top); !slices.Equal(got, want) {
			t.Errorf("%s: %d of %d", top, len(got), len(want))
		}
	}
}

// Times are read as .NET reads them, as far as that is a good idea.
func TestTimesAreReadHoweverTheyAreWritten(t *testing.T) {
	h := newHub(t)
	h.bring("Running", "a") // at 12:00:00.9876543 on 23 November 2026
	for _, text := range []string{
		"2026-11-23T12:00:00Z", "2026-11-23T12:00:00", "2026-11-23T12:00:00.98Z", "2026-11-23T12:00", "2026-11-23T12:00Z",
		"2026-11-23 12:00:00", "2026-11-23 12:00:00Z", "2026-11-23", " 2026-11-23 ", "11/23/2026 12:00:00", "11/23/2026", "2026-11-23T14:00:00+02:00",
		"2026-11-23T14:00:00 02:00", "2026-11-23T14:00:00.5 02:00", "Mon, 23 Nov 2026 12:00:00 GMT", "1-1-1", "0001-01-01T00:00:00.0000000", "999-12-31T23:59:59",
	} {
		value := url.QueryEscape(text)
		if got := h.everyID("createdTimeFrom=" + value); len(got) != 1 {
			t.Errorf("since %s: %v", text, got)
		}
		if got := h.everyID("createdTimeTo=" + value); len(got) != 0 {
			t.Errorf("until %s: %v", text, got)
		}
	}
	for _, text := range []string{"soon", "2026-13-01", "12:00", "-", "0000-00-00", "99999-01-01", "2026-11-23T12:00:00+", "٢٠٢٦-١١-٢٣"} {
		if got := h.everyID("createdTimeTo=" + url.QueryEscape(text)); len(got) != 1 {
			t.Errorf("%s was taken for a time", text)
		}
	}
}

func TestPurgingManyTakesTimeButNotTheRunning(t *testing.T) {
	h := newHub(t)
	for i := range 120 {
		h.bring([]string{"Completed", "Failed", "Running"}[i%3], fmt.Sprintf("i%03d", i))
	}
	if w := h.want(200, "DELETE", "/instances/?createdTimeFrom=2026-11-23&runtimeStatus=Failed", ""); w.Body.String() != `{"instancesDeleted":40}`+"\n" {
		t.Error(w.Body)
	}
	if w := h.want(200, "DELETE", "/instances/?createdTimeFrom=0001-01-01", ""); w.Body.String() != `{"instancesDeleted":40}`+"\n" {
		t.Error(w.Body)
	}
	if got := h.everyID(""); len(got) != 40 {
		t.Errorf("%d are left", len(got))
	}
}
