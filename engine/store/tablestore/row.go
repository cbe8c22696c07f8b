package tablestore

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// record is an instance's row with what only this package knows of it.
type record struct {
	store.Instance
	etag string
	// wakeBell is where the doorbell for Wake is: the message's id and pop
	// receipt, or byDueRow with a turn.
	wakeBell string
	// handBells are the ids of the messages for work in hand, by the hands'
	// receipts.
	handBells map[string]string
	// waiting is how many messages are in the inbox.
	waiting int64
	// generation counts the starts under this id, from 0.
	generation int32
	// begins is the position of the execution's first event.
	begins int64
	// unlisted says that the row's turn changed what lists show, so that they
	// may not show it yet.
	unlisted bool
	// blobs says that the instance may have blobs.
	blobs bool
	// large names, by column, the blobs of the texts that are too large for the
	// row. Those texts are not in the Instance unless they were filled in.
	large map[string]string
	// purged says that the instance is gone, and that not all it had is.
	purged bool
	// attempt names the call that wrote the row, by which a request that was
	// repeated on its way recognises itself.
	attempt string
}

// byDueRow begins the wakeBell of a row whose Wake is too far ahead for the queue.
// The token of the turn that put the due row follows.
const byDueRow = "due" + receiptSeparator

// dueTurn returns the token of the turn that put the due row for a row's Wake, and
// whether there is a due row.
func dueTurn(wakeBell string) (turn string, isDue bool) { return strings.CutPrefix(wakeBell, byDueRow) }

const (
	// waitingColumn counts the inbox; every message changes it.
	waitingColumn = "Waiting"
	// beginsColumn is the position of the execution's first event, if it is not
	// the first row.
	beginsColumn = "Begins"
	// unlistedColumn says that lists may not show the row's turn yet.
	unlistedColumn = "Unlisted"
	// faultColumn says why the instance is parked; it has a text if it is.
	faultColumn = "FaultReason"
	// faultWasColumn is the status from before, and turnTriesColumn and
	// taskTriesColumn what was begun in vain.
	faultWasColumn  = "FaultWas"
	turnTriesColumn = "TurnTries"
	taskTriesColumn = "TaskTries"
	// executionColumn names the execution that a row of the history, or the
	// instance's row, belongs to.
	executionColumn = "ExecutionId"
	// revokedColumn counts how often the links to the instance were revoked;
	// it is there if they were.
	revokedColumn = "LinksRevoked"
	// receiverColumn names the execution that a message is for.
	receiverColumn = "ReceiverExecutionId"
)

// execution returns the execution that a row belongs to.
func (e entity) execution() string {
	if e.row() >= inboxPrefix && e.row() < sentinelKey {
		return e.text(receiverColumn)
	}
	return e.text(executionColumn)
}

// encode returns the columns that the sentinel and the projection share.
func (r *record) encode(row, hub string) (entity, error) {
	in := &r.Instance
	e := newEntity(encodeKey(in.ID), row)
	e.setText(executionColumn, in.Execution)
	e.setText("FirstExecutionId", in.First)
	e.setText("Name", in.Name)
	e["Version"] = in.CodeVersion
	e.setInt32("Generation", r.generation)
	e.setText("RuntimeStatus", in.Status.String())
	e.setText("Input", string(in.Input))
	e.setText("Output", string(in.Output))
	e.setText("CustomStatus", string(in.CustomStatus))
	e.setTime("CreatedTime", in.Created)
	e.setTime("LastUpdatedTime", in.Updated)
	e.setTime("CompletedTime", in.Completed)
	e.setText("TaskHubName", hub)
	e.setTime("Wake", in.Wake)
	e.setInt64("Events", int64(in.Events))
	e.setText("Turn", in.Turn)
	if f := in.Fault; f != nil {
		e.setText(faultColumn, f.Reason)
		e.setTime("FaultSince", f.Since)
		e.setText(faultWasColumn, f.Was.String())
	}
	if err := setOrigin(e, in.Parent, in.Tags); err != nil {
		return nil, err
	}
	if !in.External.IsZero() {
		if err := e.setJSON("External", &in.External); err != nil {
			return nil, err
		}
	}
	err := setDetails(e, in.Failure, in.Secret)
	e.refer(r.large)
	return e, err
}

// sentinel returns the row that guards the instance's turns.
func (r *record) sentinel(hub string) (entity, error) {
	e, err := r.encode(sentinelKey, hub)
	if err != nil {
		return nil, err
	}
	e["IsCheckpointComplete"] = true
	e.setTime("CheckpointCompletedTimestamp", r.Updated)
	if r.unlisted {
		e[unlistedColumn] = true
	}
	e.setText("WakeBell", r.wakeBell)
	e.setText("Attempt", r.attempt)
	if r.Revoked > 0 {
		e.setInt64(revokedColumn, int64(r.Revoked))
	}
	e.setInt64(waitingColumn, r.waiting)
	if r.begins != 0 {
		e.setInt64(beginsColumn, r.begins)
	}
	if r.blobs {
		e[blobsColumn] = true
	}
	if r.TurnTries > 0 {
		e.setInt64(turnTriesColumn, int64(r.TurnTries))
	}
	if err := e.setTaskTries(r.TaskTries); err != nil {
		return nil, err
	}
	if err := e.setHands(r.Hands); err != nil {
		return nil, err
	}
	if len(r.handBells) > 0 {
		return e, e.setJSON("HandBells", r.handBells)
	}
	return e, nil
}

// projection returns the row that lists are made of. What DurableTask writes
// although it says nothing new is only here, and as it has it, a column whose text
// is in a blob says where that is found.
func (r *record) projection(hub string, blobURL func(string) string) (entity, error) {
	e, err := r.encode("", hub)
	if err != nil {
		return nil, err
	}
	e.setText("RowVersion", string(r.version()))
	if r.CustomStatus == nil {
		e["CustomStatus"] = "null"
	}
	if r.Failure != nil {
		e["Output"] = clip(r.Failure.String())
	}
	for column, name := range r.large {
		e[column] = blobURL(name)
	}
	return e, nil
}

// clip cuts a text to what a column may hold.
func clip(text string) string {
	n := 0
	for i, r := range text {
		if n += utf16.RuneLen(max(r, 0)); 2*n > maxText {
			return text[:i]
		}
	}
	return text
}

// decodeRecord reads a sentinel, or a projection, which knows its version and of
// which those texts must have been cleared or filled in that are in blobs.
func decodeRecord(e entity) (*record, error) {
	id, err := decodeKey(e.partition())
	if err != nil {
		return nil, err
	}
	in := store.Instance{
		ID: id, Execution: e.text(executionColumn), First: e.text("FirstExecutionId"), Name: e.text("Name"),
		Input: e.raw("Input"), Output: e.raw("Output"), CustomStatus: e.raw("CustomStatus"),
		Created: e.time("CreatedTime"), Updated: e.time("LastUpdatedTime"), Completed: e.time("CompletedTime"),
		Wake: e.time("Wake"), Events: int(e.int64("Events")), Turn: e.text("Turn"), CodeVersion: e.text("Version"),
		Revoked: uint32(e.int64(revokedColumn)), TurnTries: int(e.int64(turnTriesColumn)),
	}
	if reason := e.text(faultColumn); reason != "" {
		in.Fault = &store.Fault{Reason: reason, Since: e.time("FaultSince")}
		in.Fault.Was, _ = history.ParseStatus(e.text(faultWasColumn))
	}
	in.Status, _ = history.ParseStatus(e.text("RuntimeStatus"))
	if in.Failure, err = e.failure(); err != nil {
		return nil, err
	}
	if in.Parent, in.Tags, err = e.origin(); err != nil {
		return nil, err
	}
	if err := e.json("Secret", &in.Secret); err != nil {
		return nil, err
	}
	if err := e.json("External", &in.External); err != nil {
		return nil, err
	}
	if in.Hands, err = e.hands(); err != nil {
		return nil, err
	}
	if in.TaskTries, err = e.taskTries(); err != nil {
		return nil, err
	}
	r := &record{
		Instance: in, etag: e.etag(), wakeBell: e.text("WakeBell"), attempt: e.text("Attempt"),
		waiting: e.int64(waitingColumn), generation: e.int32("Generation"),
		begins: e.int64(beginsColumn), blobs: e[blobsColumn] == true, large: e.blobs(), purged: e[purgedColumn] == true, unlisted: e[unlistedColumn] == true,
	}
	if err := e.json("HandBells", &r.handBells); err != nil {
		return nil, err
	}
	if e.row() == sentinelKey {
		r.Version = r.version()
		return r, nil
	}
	r.Version = store.Version(e.text("RowVersion"))
	if string(r.CustomStatus) == "null" {
		r.CustomStatus = nil
	}
	if r.Failure != nil {
		r.Output = nil
	}
	return r, nil
}

// base is what a commit must know of the row it replaces. It travels in the
// version, so that no commit need read the row again.
type base struct {
	ETag       string            `json:"etag"`
	Execution  string            `json:"execution"`
	Generation int32             `json:"generation,omitempty"`
	Turn       string            `json:"turn"`
	Events     int               `json:"events"`
	Status     string            `json:"status"`
	Waiting    int64             `json:"waiting,omitempty"`
	Wake       string            `json:"wake,omitempty"`
	WakeBell   string            `json:"wakeBell,omitempty"`
	HandBells  map[string]string `json:"handBells,omitempty"`
	// Begins and Blobs are the record's, Large the digests of the texts that
	// its row has in blobs.
	Begins int64 `json:"begins,omitempty"`
	// Unlisted says that lists may not show the row's turn yet.
	Unlisted bool     `json:"unlisted,omitempty"`
	Faulted  bool     `json:"faulted,omitempty"`
	Blobs    bool     `json:"blobs,omitempty"`
	Large    []string `json:"large,omitempty"`
}

func (r *record) base() base {
	var large []string
	for _, name := range r.large {
		large = append(large, digestOf(name))
	}
	slices.Sort(large)
	return base{
		Unlisted: r.unlisted,
		ETag:     r.etag, Execution: r.Execution, Generation: r.generation, Turn: r.Turn, Events: r.Events, Status: r.Status.String(),
		Waiting: r.waiting, Wake: formatTime(r.Wake), WakeBell: r.wakeBell, HandBells: r.handBells,
		Faulted: r.Fault != nil, Begins: r.begins, Blobs: r.blobs, Large: slices.Compact(large),
	}
}

func (r *record) version() store.Version {
	text, err := json.Marshal(r.base())
	if err != nil {
		panic(err) // texts and numbers only
	}
	return store.Version(text)
}

// parseVersion reads the version of a row; ErrConflict for what is none of
// ours.
func parseVersion(v store.Version) (b base, err error) {
	if json.Unmarshal([]byte(v), &b) != nil || b.ETag == "" {
		return base{}, store.ErrConflict
	}
	return b, nil
}

// wake returns the row's Wake.
func (b *base) wake() time.Time {
	t, _ := parseTime(b.Wake)
	return t
}

// nextGeneration is that of an execution which replaces the row's: a new start
// if the row's has ended, and otherwise the same start going on.
func (b *base) nextGeneration() int32 {
	if status, _ := history.ParseStatus(b.Status); status.IsTerminal() {
		return b.Generation + 1
	}
	return b.Generation
}

// sameTurn reports whether two versions differ by messages at most.
func sameTurn(a, b store.Version) bool {
	one, errOne := parseVersion(a)
	two, errTwo := parseVersion(b)
	return errOne == nil && errTwo == nil && one.Execution == two.Execution && one.Turn == two.Turn && one.Events == two.Events
}
