package tablestore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

// maxProjected is how many projections' etags are remembered.
const maxProjected = 10000

// projections remembers the projections that were written here, so that the next
// one can be written without a look.
type projections struct {
	mu   sync.Mutex
	byID map[string]projected
}

// projected is a projection: its etag, and the turn that it shows.
type projected struct{ etag, turn string }

func (p *projections) get(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byID[id].etag
}

// shows reports whether the projection that was written last shows a turn.
func (p *projections) shows(id, turn string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byID[id].turn == turn
}

// set remembers a projection; an empty etag forgets it.
func (p *projections) set(id, etag, turn string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = map[string]projected{}
	}
	delete(p.byID, id)
	for other := range p.byID {
		if len(p.byID) < maxProjected {
			break
		}
		delete(p.byID, other)
	}
	if etag != "" {
		p.byID[id] = projected{etag, turn}
	}
}

// project writes what lists show of an instance, unless something newer is
// there. fresh says that there is hardly a projection yet.
func (s *Store) project(ctx context.Context, r *record, fresh bool) error {
	e, err := r.projection(s.o.Hub, s.blobURL)
	if err != nil {
		return err
	}
	text, err := e.encode()
	if err != nil {
		return err
	}
	etag := s.projected.get(r.ID)
	look, inserts := etag == "" && !fresh, false
	for range maxReads {
		if look {
			var newer bool
			etag, newer, err = s.lookAtProjection(ctx, r)
			switch {
			case err != nil:
				return err
			case newer && inserts:
				return s.unlessPurged(ctx, r, etag) // it is perhaps our own, whose answer was lost
			case newer:
				return nil
			}
		}
		inserts = etag == ""
		if etag, err = s.writeProjection(ctx, text, etag); err == nil {
			s.projected.set(r.ID, etag, r.Turn)
			if look && inserts {
				return s.unlessPurged(ctx, r, etag)
			}
			return nil
		}
		if !isConflict(err) {
			return fmt.Errorf("write the projection: %w", err)
		}
		look = true
	}
	return fmt.Errorf("write the projection: %w", err)
}

// unlessPurged takes a projection back that was not there although the instance
// was, as it does when it was purged meanwhile.
func (s *Store) unlessPurged(ctx context.Context, r *record, etag string) error {
	if _, err := s.record(ctx, r.ID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return s.unproject(ctx, r.ID, r.Execution, etag)
}

// writeProjection inserts a projection, or replaces the one with the etag.
func (s *Store) writeProjection(ctx context.Context, text []byte, etag string) (string, error) {
	if etag == "" {
		answer, err := s.instances.AddEntity(ctx, text, nil)
		return string(answer.ETag), err
	}
	match := azcore.ETag(etag)
	answer, err := s.instances.UpdateEntity(ctx, text, &aztables.UpdateEntityOptions{IfMatch: &match, UpdateMode: aztables.UpdateModeReplace})
	return string(answer.ETag), err
}

// projection reads an instance's projection without what is in blobs; nil if
// there is none.
func (s *Store) projection(ctx context.Context, id string) (entity, error) {
	answer, err := s.instances.GetEntity(ctx, encodeKey(id), "", nil)
	if hasCode(err, codeRowMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the projection: %w", err)
	}
	e, err := decodeEntity(answer.Value)
	if err != nil {
		return nil, err
	}
	e["odata.etag"] = string(answer.ETag)
	e.refer(e.blobs())
	return e, nil
}

// lookAtProjection returns the etag of the projection that is there, if any,
// and whether it is as new as r.
func (s *Store) lookAtProjection(ctx context.Context, r *record) (etag string, newer bool, err error) {
	e, err := s.projection(ctx, r.ID)
	if e == nil {
		return "", false, err
	}
	there, err := decodeRecord(e)
	if err != nil {
		return "", false, err
	}
	s.projected.set(r.ID, e.etag(), there.Turn)
	if there.Execution != r.Execution {
		newer, err = s.isReplaced(ctx, r)
		return e.etag(), newer, err
	}
	return e.etag(), there.Events > r.Events || sameTurn(there.Version, r.version()), nil
}

// isReplaced reports whether the instance is of another execution than r says,
// or gone. Times do not tell: clocks differ.
func (s *Store) isReplaced(ctx context.Context, r *record) (bool, error) {
	now, err := s.record(ctx, r.ID)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && now.Execution != r.Execution, err
}
