package httpapi_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/httpapi"
)

// A reserved event is raised by nobody here, in either way; one of another name is.
func TestAReservedEventIsNotRaised(t *testing.T) {
	h := newHub(t, func(o *httpapi.Options) { o.Reserved = []string{"Approval"} })
	h.bring("Running", "a")
	if w := h.want(403, "POST", "/instances/a/raiseEvent/Approval", "1"); !strings.Contains(w.Body.String(), ":reserved-event") {
		t.Error(w.Body)
	}
	if w := h.reply("a", "", "1"); w.Code != 403 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	h.want(202, "POST", "/instances/a/raiseEvent/Another", "1")
	if w := h.want(202, "GET", "/instances/a", ""); !strings.Contains(w.Body.String(), `"Running"`) {
		t.Error(w.Body)
	}
}
