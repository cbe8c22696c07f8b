package httpapi_test

import (
	"net/http"
	"testing"
)

// wrong is the body of an answer that tells of an exception.
func wrong(exception string) string {
	return `{"Message":"Something went wrong while processing your request","ExceptionMessage":"` + exception + `"}` + "\n"
}

func TestOperationsInEveryStatus(t *testing.T) {
	const accepted, gone, unknown, failed = http.StatusAccepted, http.StatusGone, http.StatusNotFound, http.StatusInternalServerError
	tests := map[string]struct {
		terminate, suspend, resume int
	}{
		"Pending":    {accepted, accepted, failed},
		"Running":    {accepted, accepted, failed},
		"Suspended":  {accepted, failed, accepted},
		"Completed":  {gone, gone, gone},
		"Failed":     {gone, gone, gone},
		"Terminated": {gone, gone, gone},
		"unknown":    {unknown, unknown, unknown},
	}
	bodies := map[string]string{
		"suspend Suspended": wrong("suspend: the instance is suspended already"),
		"resume Pending":    wrong("resume: the instance is not suspended"),
		"resume Running":    wrong("resume: the instance is not suspended"),
	}
	h := newHub(t)
	for status, want := range tests {
		for operation, code := range map[string]int{"terminate": want.terminate, "suspend": want.suspend, "resume": want.resume} {
			id := operation + "-" + status
			h.bring(status, id)
			w := h.want(code, "POST", "/instances/"+id+"/"+operation+"?reason=because", "")
			if got := w.Body.String(); got != bodies[operation+" "+status] {
				t.Errorf("%s: body %q, want %q", id, got, bodies[operation+" "+status])
			}
		}
	}
}

// What was accepted happens, and what was refused does not.
func TestOperationsHaveTheirEffect(t *testing.T) {
	after := map[string]map[string]string{
		"terminate": {"Running": "Terminated", "Suspended": "Terminated", "Completed": "Completed", "Failed": "Failed"},
		"suspend":   {"Running": "Suspended", "Suspended": "Suspended", "Completed": "Completed", "Terminated": "Terminated"},
		"resume":    {"Running": "Running", "Suspended": "Running", "Failed": "Failed", "Terminated": "Terminated"},
	}
	h := newHub(t)
	for operation, statuses := range after {
		for status, want := range statuses {
			id := operation + "-" + status
			h.bring(status, id)
			h.ask("POST", "/instances/"+id+"/"+operation, "")
			in, err := h.client.Get(t.Context(), id)
			h.must(err)
			if got := in.Status.String(); got != want {
				t.Errorf("%s: now %s, want %s", id, got, want)
			}
		}
	}
}

func TestRaiseInEveryStatus(t *testing.T) {
	codes := map[string]int{
		"Pending": 202, "Running": 202, "Suspended": 202,
		"Completed": 410, "Failed": 410, "Terminated": 410, "unknown": 404,
	}
	h := newHub(t)
	for status, want := range codes {
		h.bring(status, status)
		h.want(want, "POST", "/instances/"+status+"/raiseEvent/Approval", `1`)
	}
}

func TestPurgeInEveryStatus(t *testing.T) {
	codes := map[string]int{
		"Pending": 412, "Running": 412, "Suspended": 412,
		"Completed": 200, "Failed": 200, "Terminated": 200, "unknown": 404,
	}
	h := newHub(t)
	for status, want := range codes {
		h.bring(status, status)
		h.want(want, "DELETE", "/instances/"+status, "")
	}
}

func TestRestartInEveryStatus(t *testing.T) {
	codes := map[string][2]int{ // under the same id, under another
		"Pending": {409, 202}, "Running": {409, 202}, "Suspended": {409, 202},
		"Completed": {202, 202}, "Failed": {202, 202}, "Terminated": {202, 202}, "unknown": {400, 400},
	}
	h := newHub(t)
	for status, want := range codes {
		h.bring(status, status)
		h.want(want[1], "POST", "/instances/"+status+"/restart?restartWithNewInstanceId=true", "")
		h.want(want[0], "POST", "/instances/"+status+"/restart?restartWithNewInstanceId=false", "")
	}
}
