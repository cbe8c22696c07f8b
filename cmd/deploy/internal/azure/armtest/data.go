package armtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// vault takes secrets.
func (s *Server) vault(w http.ResponseWriter, r *http.Request, body []byte) {
	name, isSecret := strings.CutPrefix(r.URL.Path, "/secrets/")
	if !isSecret || r.Method != http.MethodPut {
		refuse(w, http.StatusNotFound, "NotFound", "The vault is asked to take secrets only.")
		return
	}
	var in struct {
		Value string `json:"value"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "BadParameter", err.Error())
		return
	}
	s.secrets[name] = in.Value
	answer(w, http.StatusOK, map[string]any{"id": "https://" + r.Host + "/secrets/" + name + "/0123456789abcdef", "value": in.Value})
}

// queues lists the queues and tells how many messages the poison queue has.
func (s *Server) queues(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("comp") == "list" {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Queues><Queue><Name>holdfast-wake</Name></Queue>`+
			`<Queue><Name>holdfast-wake-poison</Name></Queue></Queues><NextMarker /></EnumerationResults>`) // whoever asks may be gone
		return
	}
	w.Header().Set("x-ms-approximate-messages-count", fmt.Sprint(s.is.Poisoned))
	w.WriteHeader(http.StatusOK)
}

// lateLooks is how often a new publication is not known yet, and publishing how often it goes on after that.
const (
	lateLooks  = 2
	publishing = 2
)

// management takes packages and tells what becomes of them.
func (s *Server) management(w http.ResponseWriter, r *http.Request, body []byte) {
	const looks = "/api/deployments/"
	switch path := r.URL.Path; {
	case r.Method == http.MethodPost && s.is.Busy > 0:
		s.is.Busy--
		w.WriteHeader(http.StatusConflict)
	case r.Method == http.MethodPost && path == "/api/publish" && !s.is.Classic:
		s.published, s.looks = body, 0
		answer(w, http.StatusAccepted, "publication-1")
	case r.Method == http.MethodPost && path == "/api/zipdeploy" && s.is.Classic:
		s.published, s.looks = body, 0
		w.Header().Set("Location", "https://"+r.Host+looks+"publication-1")
		w.WriteHeader(http.StatusAccepted)
	case path == looks+"publication-1":
		s.publication(w)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *Server) publication(w http.ResponseWriter) {
	s.looks++
	state := 2
	switch {
	case s.looks <= lateLooks:
		w.WriteHeader(http.StatusNotFound)
		return
	case s.looks <= lateLooks+publishing:
	case s.is.PublishFail:
		state = 3
	default:
		state = 4
	}
	answer(w, http.StatusOK, map[string]any{"id": "publication-1", "status": state, "status_text": "", "message": "the zip has no host.json"})
}

// newer returns the lines of the log after the time that a question names.
func (s *Server) newer(question string) [][]any {
	out := [][]any{}
	_, rest, _ := strings.Cut(question, "datetime(")
	since, _, _ := strings.Cut(rest, ")")
	for _, line := range s.is.Lines {
		if fmt.Sprint(line[0]) > since {
			out = append(out, line)
		}
	}
	return out
}
