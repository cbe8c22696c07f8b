package tablestore

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// record is an instance's row with what only this package knows of it.
type record struct {
	store.Instance
	etag string
	// wakeBell is where the doorbell for Wake is: the message's id and pop
	// receipt, or byDueRow.
	wakeBell string
	// attempt names the call that wrote the row, by which a request that was
	// repeated on its way recognises itself.
	attempt string
}

// byDueRow is the wakeBell of a row whose Wake is too far ahead for the queue.
const byDueRow = "due"

// encode returns the columns that the sentinel and the projection share.
func (r *record) encode(row, hub string) (entity, error) {
	in := &r.Instance
	e := newEntity(encodeKey(in.ID), row)
	e.setText("ExecutionId", in.Execution)
	e.setText("Name", in.Name)
	e.setText("RuntimeStatus", in.Status.String())
	e.setText("Input", string(in.Input))
	e.setText("Output", string(in.Output))
	e.setText("CustomStatus", string(in.CustomStatus))
	e.setTime("CreatedTime", in.Created)
	e.setTime("LastUpdatedTime", in.Updated)
	e.setTime("CompletedTime", in.Completed)
	e.setText("TaskHubName", hub)
	e.setTime("Wake", in.Wake)
	e["InHand"] = in.InHand
	e.setInt64("Events", int64(in.Events))
	e.setText("Turn", in.Turn)
	return e, setDetails(e, in.Failure, in.Secret)
}

// sentinel returns the row that guards the instance's turns.
func (r *record) sentinel(hub string) (entity, error) {
	e, err := r.encode(sentinelKey, hub)
	if err != nil {
		return nil, err
	}
	e["IsCheckpointComplete"] = true
	e.setTime("CheckpointCompletedTimestamp", r.Updated)
	e.setText("WakeBell", r.wakeBell)
	e.setText("Attempt", r.attempt)
	return e, nil
}

// projection returns the row that lists are made of.
func (r *record) projection(hub string) (entity, error) {
	e, err := r.encode("", hub)
	if err != nil {
		return nil, err
	}
	e.setText("RowVersion", string(r.version()))
	return e, nil
}

// decodeRecord reads a sentinel, or a projection, which knows its version.
func decodeRecord(e entity) (*record, error) {
	id, err := decodeKey(e.partition())
	if err != nil {
		return nil, err
	}
	in := store.Instance{
		ID: id, Execution: e.text("ExecutionId"), Name: e.text("Name"),
		Input: e.raw("Input"), Output: e.raw("Output"), CustomStatus: e.raw("CustomStatus"),
		Created: e.time("CreatedTime"), Updated: e.time("LastUpdatedTime"), Completed: e.time("CompletedTime"),
		Wake: e.time("Wake"), InHand: e.bool("InHand"), Events: int(e.int64("Events")), Turn: e.text("Turn"),
	}
	in.Status, _ = history.ParseStatus(e.text("RuntimeStatus"))
	if err := e.json("FailureDetails", &in.Failure); err != nil {
		return nil, err
	}
	if err := e.json("Secret", &in.Secret); err != nil {
		return nil, err
	}
	r := &record{Instance: in, etag: e.etag(), wakeBell: e.text("WakeBell"), attempt: e.text("Attempt")}
	if e.row() == sentinelKey {
		r.Version = r.version()
	} else {
		r.Version = store.Version(e.text("RowVersion"))
	}
	return r, nil
}

// base is what a commit must know of the row it replaces. It travels in the
// version, so that no commit need read the row again.
type base struct {
	etag, execution string
	events          int
	wake            time.Time
	wakeBell        string
	status          string
}

const versionSeparator = "\n"

func (r *record) version() store.Version {
	wake := ""
	if !r.Wake.IsZero() {
		wake = strconv.FormatInt(r.Wake.UnixNano(), 36)
	}
	return store.Version(strings.Join([]string{r.etag, r.Execution, strconv.Itoa(r.Events), wake, r.wakeBell, r.Status.String()}, versionSeparator))
}

// parseVersion reads the version of a row; ErrConflict for what is none of
// ours.
func parseVersion(v store.Version) (base, error) {
	part := strings.Split(string(v), versionSeparator)
	if len(part) != 6 {
		return base{}, store.ErrConflict
	}
	b := base{etag: part[0], execution: part[1], wakeBell: part[4], status: part[5]}
	var err error
	if b.events, err = strconv.Atoi(part[2]); err != nil {
		return base{}, store.ErrConflict
	}
	if part[3] != "" {
		n, err := strconv.ParseInt(part[3], 36, 64)
		if err != nil {
			return base{}, store.ErrConflict
		}
		b.wake = time.Unix(0, n).UTC()
	}
	return b, nil
}
