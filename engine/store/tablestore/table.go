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
var errTorn = errors.New("the history does not have as many events as its row says")

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

// record reads an instance's row; ErrNotFound.
func (s *Store) record(ctx context.Context, id string) (*record, error) {
	answer, err := s.history.GetEntity(ctx, encodeKey(id), sentinelKey, nil)
	if err != nil {
		return nil, asNotFound(err)
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return nil, err
	}
	e["odata.etag"] = string(answer.ETag)
	return decodeRecord(e)
}

// snapshot is an instance's partition, or the end of it, as it was read.
type snapshot struct {
	record  *record // nil if there is none
	history []entity
	inbox   []entity
}

// read reads the rows of an instance that match.
func (s *Store) read(ctx context.Context, f filter, columns string) (*snapshot, error) {
	shot := &snapshot{}
	return shot, query(ctx, s.history, f, columns, shot.add)
}

// add takes a row into the snapshot.
func (shot *snapshot) add(e entity) (err error) {
	switch row := e.row(); {
	case row == sentinelKey:
		shot.record, err = decodeRecord(e)
	case row < inboxPrefix:
		shot.history = append(shot.history, e)
	default:
		shot.inbox = append(shot.inbox, e)
	}
	return err
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
		state, err = shot.state()
		if !errors.Is(err, errTorn) {
			return state, err
		}
	}
	return state, errTorn
}

// state returns what the rows say, or errTorn. Rows of an execution that was
// replaced, and those behind the end, do not count.
func (shot *snapshot) state() (state store.State, err error) {
	state.Instance = shot.record.Instance
	if state.History, err = shot.record.events(shot.history); err != nil {
		return state, err
	}
	if len(state.History) != state.Instance.Events {
		return state, fmt.Errorf("%w: %d, not %d", errTorn, len(state.History), state.Instance.Events)
	}
	state.Inbox, err = shot.record.events(shot.inbox)
	return state, err
}

// events decodes the rows that belong to the record's execution: of the
// history those that it counts, of the inbox all.
func (r *record) events(rows []entity) (events []history.Event, err error) {
	end := historyKey(r.Events)
	for _, e := range rows {
		if row := e.row(); e.execution() != r.Execution || row >= end && row < inboxPrefix {
			continue
		}
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
