package hub

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// format is the version of the export's form.
const format = 1

// Counts is how much an export holds.
type Counts struct {
	Instances int `json:"instances"`
	Events    int `json:"events"`
	Messages  int `json:"messages"`
}

// Export writes out everything in the hub, instance by instance: no more than
// one of them is in memory at a time.
func Export(ctx context.Context, k store.Keeper, now time.Time, w io.Writer) (Counts, error) {
	e := &exporter{store: k, buffer: bufio.NewWriter(w)}
	e.lines = json.NewEncoder(e.buffer)
	e.lines.SetEscapeHTML(false)
	if err := e.all(ctx, now); err != nil {
		return e.counts, fmt.Errorf("export the hub: %w", err)
	}
	return e.counts, nil
}

type exporter struct {
	store  store.Keeper
	buffer *bufio.Writer
	lines  *json.Encoder
	counts Counts
}

func (e *exporter) all(ctx context.Context, now time.Time) error {
	hub, err := e.store.Describe(ctx)
	if err != nil {
		return err
	}
	if err := e.lines.Encode(newHubLine(&hub, now)); err != nil {
		return err
	}
	if err := e.store.IDs(ctx, func(id string) error { return e.instance(ctx, id) }); err != nil {
		return err
	}
	end := struct {
		Type string `json:"type"`
		Counts
	}{"end", e.counts}
	return errors.Join(e.lines.Encode(end), e.buffer.Flush())
}

// instance writes one instance, unless it was purged meanwhile.
func (e *exporter) instance(ctx context.Context, id string) error {
	state, err := e.store.Load(ctx, id, "")
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := e.lines.Encode(newInstanceLine(&state.Instance)); err != nil {
		return fmt.Errorf("instance %s: %w", id, err)
	}
	for position, event := range state.History {
		line := newEventLine("event", id, &event)
		line.Position = &position
		if err := e.lines.Encode(line); err != nil {
			return fmt.Errorf("event %d of instance %s: %w", position, id, err)
		}
	}
	for _, message := range state.Inbox {
		if err := e.lines.Encode(newEventLine("message", id, &message)); err != nil {
			return fmt.Errorf("message %s to instance %s: %w", message.Message, id, err)
		}
	}
	e.counts.Instances++
	e.counts.Events += len(state.History)
	e.counts.Messages += len(state.Inbox)
	return nil
}

type hubLine struct {
	Type       string    `json:"type"`
	Format     int       `json:"format"`
	Name       string    `json:"name,omitempty"`
	Owner      string    `json:"owner,omitempty"`
	Deployment string    `json:"deployment,omitempty"`
	Layout     int       `json:"layout"`
	Exported   time.Time `json:"exported"`
}

func newHubLine(hub *store.Hub, now time.Time) hubLine {
	return hubLine{"hub", format, hub.Name, hub.Owner.App, hub.Owner.Deployment, hub.Layout, now.UTC()}
}

type instanceLine struct {
	Type         string            `json:"type"`
	ID           string            `json:"id"`
	Execution    string            `json:"execution"`
	First        string            `json:"first,omitempty"`
	Name         string            `json:"name"`
	Status       string            `json:"status"`
	Input        json.RawMessage   `json:"input,omitempty"`
	Output       json.RawMessage   `json:"output,omitempty"`
	CustomStatus json.RawMessage   `json:"customStatus,omitempty"`
	Failure      *history.Failure  `json:"failure,omitempty"`
	Secret       []string          `json:"secret,omitempty"`
	Revoked      uint32            `json:"revoked,omitempty"`
	Version      string            `json:"version,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
	Parent       *parentLine       `json:"parent,omitempty"`
	External     history.External  `json:"external,omitzero"`
	Created      time.Time         `json:"created,omitzero"`
	Updated      time.Time         `json:"updated,omitzero"`
	Completed    time.Time         `json:"completed,omitzero"`
	Wake         time.Time         `json:"wake,omitzero"`
	Fault        *faultLine        `json:"fault,omitempty"`
	TurnTries    int               `json:"turnTries,omitempty"`
	TaskTries    []taskTriesLine   `json:"taskTries,omitempty"`
	Hands        []handLine        `json:"hands,omitempty"`
	Events       int               `json:"events"`
	Turn         string            `json:"turn,omitempty"`
}

type faultLine struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Was    string    `json:"was"`
}

type taskTriesLine struct {
	Times int     `json:"times"`
	Tasks []int32 `json:"tasks"`
}

type handLine struct {
	Receipt string  `json:"receipt"`
	Tasks   []int32 `json:"tasks,omitempty"`
	Sends   []int32 `json:"sends,omitempty"`
}

func newInstanceLine(in *store.Instance) instanceLine {
	var hands []handLine
	for _, h := range in.Hands {
		hands = append(hands, handLine(h))
	}
	var tries []taskTriesLine
	for _, t := range in.TaskTries {
		tries = append(tries, taskTriesLine(t))
	}
	var fault *faultLine
	if f := in.Fault; f != nil {
		fault = &faultLine{f.Reason, f.Since, f.Was.String()}
	}
	return instanceLine{
		Type: "instance", ID: in.ID, Execution: in.Execution, First: in.First, Name: in.Name, Status: in.Status.String(),
		Input: in.Input, Output: in.Output, CustomStatus: in.CustomStatus, Failure: in.Failure, Secret: in.Secret, Revoked: in.Revoked, External: in.External,
		Version: in.CodeVersion, Tags: in.Tags, Parent: (*parentLine)(in.Parent),
		Created: in.Created, Updated: in.Updated, Completed: in.Completed, Wake: in.Wake,
		Fault: fault, TurnTries: in.TurnTries, TaskTries: tries, Hands: hands, Events: in.Events, Turn: in.Turn,
	}
}

// eventLine is an event of a history, or a message, which has no position.
type eventLine struct {
	Type       string            `json:"type"`
	Instance   string            `json:"instance"`
	Position   *int              `json:"position,omitempty"`
	Kind       string            `json:"kind"`
	ID         int32             `json:"id"`
	Time       time.Time         `json:"time,omitzero"`
	Message    string            `json:"message,omitempty"`
	TaskID     *int32            `json:"taskId,omitempty"`
	Attempt    int32             `json:"attempt,omitempty"`
	Name       string            `json:"name,omitempty"`
	Execution  string            `json:"execution,omitempty"`
	Origin     string            `json:"origin,omitempty"`
	InstanceID string            `json:"instanceId,omitempty"`
	Input      json.RawMessage   `json:"input,omitempty"`
	Result     json.RawMessage   `json:"result,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Failure    *history.Failure  `json:"failure,omitempty"`
	FireAt     time.Time         `json:"fireAt,omitzero"`
	Status     string            `json:"status,omitempty"`
	Secret     []string          `json:"secret,omitempty"`
	Version    string            `json:"version,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Parent     *parentLine       `json:"parent,omitempty"`
	Detached   bool              `json:"detached,omitempty"`
	Recurse    bool              `json:"recurse,omitempty"`
	Carried    *carriedLine      `json:"carried,omitempty"`
	Strict     bool              `json:"strict,omitempty"`
	Verdict    *history.Verdict  `json:"verdict,omitempty"`
	Trace      *history.Trace    `json:"trace,omitempty"`
}

type parentLine struct {
	Instance  string `json:"instance"`
	Execution string `json:"execution"`
	Name      string `json:"name"`
	Task      int32  `json:"task"`
}

type carriedLine struct {
	Events       []string        `json:"events,omitempty"`
	CustomStatus json.RawMessage `json:"customStatus,omitempty"`
	Version      string          `json:"version,omitempty"`
	Seen         []string        `json:"seen,omitempty"`
	Idle         int             `json:"idle,omitempty"`
	Actions      uint32          `json:"actions,omitempty"`
}

func newEventLine(kind, instance string, e *history.Event) eventLine {
	line := eventLine{
		Type: kind, Instance: instance, Kind: e.Kind.String(), ID: e.ID, Time: e.Time, Message: e.Message,
		Attempt: e.Attempt, Name: e.Name, Execution: e.Execution, Origin: e.Origin, InstanceID: e.InstanceID,
		Input: e.Input, Result: e.Result, Reason: e.Reason, Failure: e.Failure, FireAt: e.FireAt,
		Secret: e.Secret, Version: e.Version, Tags: e.Tags, Parent: (*parentLine)(e.Parent), Detached: e.Detached, Recurse: e.Recurse, Carried: (*carriedLine)(e.Carried),
		Strict: e.Strict, Verdict: e.Verdict, Trace: e.Trace,
	}
	if completes(e) {
		line.TaskID = &e.TaskID
	}
	if e.Kind == history.ExecutionCompleted || e.Kind == history.ContinueAsNew {
		line.Status = e.Status.String()
	}
	return line
}

// completes reports whether the event is about an action, whose number may be 0.
func completes(e *history.Event) bool {
	switch e.Kind {
	case history.TaskCompleted, history.TaskFailed, history.TimerFired,
		history.SubOrchestrationInstanceCompleted, history.SubOrchestrationInstanceFailed:
		return true
	}
	return e.Attempt > 0
}
