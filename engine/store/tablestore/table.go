package tablestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// maxReads is how often an instance is read again that changes while it is
// read.
const maxReads = 5

// errTorn is returned for an instance that changed during every read of it, or
// whose history is not all there.
var errTorn = fmt.Errorf("%w: the history does not have as many events as its row says", store.ErrCorrupt)

// query calls f with every row that matches.
func query(ctx context.Context, table *aztables.Client, f filter, columns string, each func(entity) error) error {
	options := &aztables.ListEntitiesOptions{}
	if text := string(f); text != "" {
		options.Filter = &text
	}
	if columns != "" {
		options.Select = &columns
	}
	for pager := table.NewListEntitiesPager(options); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, b := range page.Entities {
			e, err := decodeEntity(b)
			if err != nil {
				return err
			}
			if err := each(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// row reads an instance's row; ErrNotFound.
func (s *Store) row(ctx context.Context, id string) (entity, error) {
	answer, err := s.history.GetEntity(ctx, encodeKey(id), sentinelKey, nil)
	if err != nil {
		return nil, asNotFound(err)
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return nil, err
	}
	if e[purgedColumn] == true {
		return nil, store.ErrNotFound
	}
	e["odata.etag"] = string(answer.ETag)
	return e, nil
}

// record reads an instance's row without what is in blobs; ErrNotFound.
func (s *Store) record(ctx context.Context, id string) (*record, error) {
	e, err := s.row(ctx, id)
	if err != nil {
		return nil, err
	}
	return decodeRecord(e)
}

// instance reads an instance's row whole; ErrNotFound.
func (s *Store) instance(ctx context.Context, id string) (in store.Instance, err error) {
	var e entity
	for range maxReads {
		if e, err = s.row(ctx, id); err != nil {
			return in, err
		}
		if err = s.fill(ctx, e); !errors.Is(err, errTorn) {
			break
		}
	}
	if err != nil {
		return in, err
	}
	r, err := decodeRecord(e)
	if err != nil {
		return in, err
	}
	r.Messages = int(r.waiting)
	return r.Instance, nil
}

// snapshot is an instance's partition, or the end of it, as it was read.
type snapshot struct {
	row     entity
	record  *record // of the row, if it is that of an instance; nil if there is none
	grave   *record // of the row, if it is what a purge leaves last
	history []entity
	inbox   []entity
}

// read reads the rows of an instance that match.
func (s *Store) read(ctx context.Context, f filter, columns string) (*snapshot, error) {
	shot := &snapshot{}
	return shot, query(ctx, s.history, f, columns, shot.add)
}

// add takes a row into the snapshot.
func (shot *snapshot) add(e entity) error {
	switch row := e.row(); {
	case row == sentinelKey:
		return shot.take(e)
	case row < inboxPrefix:
		shot.history = append(shot.history, e)
	default:
		shot.inbox = append(shot.inbox, e)
	}
	return nil
}

// take takes note of the instance's row.
func (shot *snapshot) take(e entity) error {
	r, err := decodeRecord(e)
	if err != nil {
		return err
	}
	shot.row = e
	if r.purged {
		shot.grave = r
	} else {
		shot.record = r
	}
	return nil
}

// readInbox reads the row and the inbox.
func (s *Store) readInbox(ctx context.Context, id string) (*snapshot, error) {
	return s.read(ctx, ofInstance(id).and(where("RowKey", "ge", inboxPrefix)), "")
}

// load reads an instance whole; ErrNotFound.
func (s *Store) load(ctx context.Context, id string) (state store.State, err error) {
	for range maxReads {
		shot, err := s.read(ctx, ofInstance(id), "")
		if err != nil {
			return state, err
		}
		if shot.record == nil {
			return state, store.ErrNotFound
		}
		state, err = s.state(ctx, shot)
		if !errors.Is(err, errTorn) {
			return state, err
		}
	}
	return state, errTorn
}

// state returns what the rows say, or errTorn; with an ErrCorrupt all but the
// history, as far as it can be understood.
func (s *Store) state(ctx context.Context, shot *snapshot) (state store.State, err error) {
	if state, err = s.stateBut(ctx, shot); err != nil {
		return state, err
	}
	events := shot.record.own(shot.history)
	if len(events) != shot.record.Events {
		return state, fmt.Errorf("%w: %d, not %d", errTorn, len(events), shot.record.Events)
	}
	if err := s.fill(ctx, events...); err != nil {
		return state, err
	}
	state.History, err = decodeEvents(events)
	return state, err
}

// stateBut returns what the rows say of all but the history.
func (s *Store) stateBut(ctx context.Context, shot *snapshot) (state store.State, err error) {
	messages := shot.record.own(shot.inbox)
	if err := s.fill(ctx, append(messages, shot.row)...); err != nil {
		return state, err
	}
	r, err := decodeRecord(shot.row)
	if err != nil {
		return state, err
	}
	state.Instance = r.Instance
	state.Inbox, err = decodeEvents(messages)
	return state, err
}

// own returns those of the rows that belong to the record's execution: of the
// history those that it counts, of the inbox all. Rows of an execution that was
// replaced, and those behind the end, do not count.
func (r *record) own(rows []entity) (own []entity) {
	first, end := historyKey(r.begins), historyKey(r.begins+int64(r.Events))
	for _, e := range rows {
		if row := e.row(); e.execution() == r.Execution && (row >= inboxPrefix || row >= first && row < end) {
			own = append(own, e)
		}
	}
	return own
}

func decodeEvents(rows []entity) (events []history.Event, err error) {
	for _, e := range rows {
		event, err := decodeEvent(e)
		if err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, nil
}

// removeRows deletes rows of one partition in as few transactions as there can
// be, each row as it was read. Rows that are gone or changed stay as they are.
func (s *Store) removeRows(ctx context.Context, rows []entity) error {
	for len(rows) > 0 {
		b, n := &batch{}, 0
		for n < len(rows) && n < maxOperations {
			b.remove(rows[n].partition(), rows[n].row(), rows[n].etag())
			n++
		}
		_, err := b.submit(ctx, s.history)
		var refused *batchError
		if isConflict(err) && errors.As(err, &refused) && refused.index < n {
			rows = append(rows[:refused.index:refused.index], rows[refused.index+1:]...)
			continue
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
