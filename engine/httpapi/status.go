package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// statusBody is the answer to a status query.
type statusBody struct {
	Name          string          `json:"name"`
	InstanceID    string          `json:"instanceId"`
	RuntimeStatus string          `json:"runtimeStatus"`
	Input         json.RawMessage `json:"input"`
	CustomStatus  json.RawMessage `json:"customStatus"`
	Output        json.RawMessage `json:"output"`
	CreatedTime   string          `json:"createdTime"`
	LastUpdated   string          `json:"lastUpdatedTime"`
	HistoryEvents []historyEvent  `json:"historyEvents,omitempty"`
	Faulted       *fault          `json:"faulted,omitempty"`
}

// fault says why an instance is parked. Its runtimeStatus is Suspended then, which
// is what tools know; this is for those who want to know more.
type fault struct {
	Reason string `json:"reason"`
	Since  string `json:"since"`
}

// The forms of the two kinds of time in the API.
const (
	seconds    = "2006-01-02T15:04:05Z"
	hundredNas = "2006-01-02T15:04:05.0000000Z"
)

func (a *API) status(c *call) {
	in, err := c.client.Get(c.r.Context(), c.id)
	if err != nil {
		a.fail(c, err)
		return
	}
	a.tell(c, in)
}

// tell answers with where an instance stands.
func (a *API) tell(c *call, in store.Instance) {
	body, err := a.shown(c, in)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.answer(a.statusCode(c, in.Status), body)
}

// shown returns what the caller asks to be shown of an instance.
func (a *API) shown(c *call, in store.Instance) (statusBody, error) {
	body := newStatus(in, c.flag("showinput", true))
	if !c.flag("showhistory", false) || in.Status == history.Pending {
		return body, nil
	}
	if c.link != nil {
		return body, errNoHistory
	}
	events, err := c.client.History(c.r.Context(), in.ID)
	body.HistoryEvents = condense(events, c.flag("showinput", true), c.flag("showhistoryoutput", false))
	return body, err
}

// statusCode returns the HTTP status for a runtime status, and says in headers
// when to ask again.
func (a *API) statusCode(c *call, s history.Status) int {
	switch {
	case s == history.Failed && c.flag("returninternalservererroronfailure", false):
		return http.StatusInternalServerError
	case s.IsTerminal():
		return http.StatusOK
	default:
		c.w.Header().Set("Location", a.origin+a.again(c))
		c.w.Header().Set("Retry-After", "5")
		return http.StatusAccepted
	}
}

// again returns where to ask the same again. A code that did not let the caller
// in is not repeated.
func (a *API) again(c *call) string {
	if a.o.Doorkeeper == nil || c.link != nil {
		return c.r.URL.RequestURI()
	}
	u, query := *c.r.URL, url.Values{}
	for name, values := range u.Query() {
		if !strings.EqualFold(name, "code") {
			query[name] = values
		}
	}
	u.RawQuery = query.Encode()
	return u.RequestURI()
}

func newStatus(in store.Instance, showInput bool) statusBody {
	body := statusBody{
		Name: in.Name, InstanceID: in.ID, RuntimeStatus: in.Status.String(),
		CustomStatus: orNull(in.CustomStatus), Output: orNull(in.Output), Input: orNull(nil),
		CreatedTime: in.Created.UTC().Format(seconds), LastUpdated: in.Updated.UTC().Format(seconds),
	}
	if showInput {
		body.Input = orNull(in.Input)
	}
	if in.Failure != nil {
		body.Output = text(in.Failure.String())
	}
	if f := in.Fault; f != nil {
		reason, _, _ := strings.Cut(f.Reason, "\n") // what follows is a stack, which is in the log
		body.Faulted = &fault{reason, f.Since.UTC().Format(seconds)}
	}
	return body
}

func orNull(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}

func text(s string) json.RawMessage {
	b, _ := json.Marshal(s) // a string has a JSON form
	return b
}

// historyEvent is a row of the condensed history.
type historyEvent struct {
	EventType           string
	Timestamp           string
	ScheduledTime       string          `json:",omitempty"`
	FunctionName        string          `json:",omitempty"`
	Name                string          `json:",omitempty"`
	InstanceID          string          `json:"InstanceId,omitempty"`
	FireAt              string          `json:",omitempty"`
	Input               json.RawMessage `json:",omitempty"`
	Result              json.RawMessage `json:",omitempty"`
	OrchestrationStatus string          `json:",omitempty"`
	Reason              string          `json:",omitempty"`
	Details             string          `json:",omitempty"`
	FailureDetails      *failureDetails `json:",omitempty"`
}

type failureDetails struct {
	ErrorType    string
	ErrorMessage string
	StackTrace   string `json:",omitempty"`
}

// condense turns a history into what a status query shows: the beginnings of
// turns are left out, and a call is shown with its completion.
func condense(events []history.Event, inputs, outputs bool) []historyEvent {
	calls := map[int32]history.Event{}
	completed := map[int32]bool{}
	for _, e := range events {
		switch {
		case isCall(e.Kind):
			calls[e.ID] = e
		case isResult(e.Kind):
			completed[e.TaskID] = true
		}
	}
	rows := []historyEvent{}
	for _, e := range events {
		if e.Kind == history.OrchestratorStarted || isCall(e.Kind) && completed[e.ID] {
			continue
		}
		row := newHistoryEvent(e, inputs, outputs)
		if c, ok := calls[e.TaskID]; ok && isResult(e.Kind) {
			row.ScheduledTime, row.FunctionName, row.InstanceID = c.Time.UTC().Format(hundredNas), c.Name, c.InstanceID
			if inputs {
				row.Input = c.Input
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func isCall(k history.Kind) bool {
	return k == history.TaskScheduled || k == history.SubOrchestrationInstanceCreated
}

func isResult(k history.Kind) bool {
	switch k {
	case history.TaskCompleted, history.TaskFailed, history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return true
	default:
		return false
	}
}

func newHistoryEvent(e history.Event, inputs, outputs bool) historyEvent {
	row := historyEvent{EventType: e.Kind.String(), Timestamp: e.Time.UTC().Format(hundredNas), Reason: e.Reason}
	isEvent := e.Kind == history.EventRaised || e.Kind == history.EventSent
	if e.Kind.IsAction() {
		row.InstanceID = e.InstanceID
	}
	if isEvent {
		row.Name = e.Name
	} else {
		row.FunctionName = e.Name
	}
	if inputs || isEvent {
		row.Input = e.Input
	}
	if outputs {
		row.Result = e.Result
	}
	if !e.FireAt.IsZero() {
		row.FireAt = e.FireAt.UTC().Format(hundredNas)
	}
	if e.Kind == history.ExecutionCompleted || e.Kind == history.ContinueAsNew {
		row.OrchestrationStatus = e.Status.String()
	}
	if f := e.Failure; f != nil {
		row.Reason, row.Details = f.Message, f.String()
		row.FailureDetails = &failureDetails{ErrorType: f.Kind, ErrorMessage: f.Message, StackTrace: f.Stack}
	}
	return row
}
