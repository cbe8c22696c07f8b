package tablestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store"
)

const (
	// defaultLimit is the size of a page that names none.
	defaultLimit = 100
	// maxLimit is the most rows that Azure returns at once.
	maxLimit = 1000
)

// bareColumns are those that a list needs without what may be large.
const bareColumns = "PartitionKey,RowKey,Timestamp,ExecutionId,FirstExecutionId,Name,Version,Tags,ParentInstance,RuntimeStatus,Secret,Events,Turn,RowVersion," +
	revokedColumn + "," + faultColumn + "," + faultWasColumn + ",FaultSince" + exact + ",CreatedTime" + exact + ",LastUpdatedTime" + exact + ",CompletedTime" + exact + ",Wake" + exact

// A place where a list goes on is what Azure says of it, in two halves with a
// separator between them that no key holds. Behind a page that was cut short here
// it is the key of its last instance.
const (
	placeSeparator = "\n"
	behind         = ">"
)

// maxListed is how many bytes of inputs and outputs end a page.
const maxListed = 32 << 20

// List returns a page of instances as their projections show them, in the order
// of their keys. It asks Azure once, which may return a short page, or an empty
// one, although the list goes on.
func (s *Store) List(ctx context.Context, q store.Query) (page store.Page, err error) {
	select {
	case <-s.closed:
		err = store.ErrClosed
	default:
		page, err = s.list(ctx, &q)
	}
	if err != nil {
		return store.Page{}, fmt.Errorf("list instances: %w", asGone(brief(err)))
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, q *store.Query) (page store.Page, err error) {
	options, err := listOptions(q)
	if err != nil || !utf8.ValidString(q.IDPrefix) {
		return page, err
	}
	answer, err := s.instances.NewListEntitiesPager(options).NextPage(ctx)
	if err != nil {
		return page, err
	}
	size := 0
	for _, b := range answer.Entities {
		in, err := s.listed(ctx, b, q.Bare)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return page, err
		}
		if !q.Matches(&in) {
			continue // Azure cannot look into tags
		}
		page.Instances = append(page.Instances, in)
		if size += len(in.Input) + len(in.Output); size > maxListed {
			page.Next = store.EncodePlace(behind + encodeKey(in.ID))
			return page, nil
		}
	}
	if place := text(answer.NextPartitionKey) + placeSeparator + text(answer.NextRowKey); place != placeSeparator {
		page.Next = store.EncodePlace(place)
	}
	return page, nil
}

// listed returns an instance as its projection shows it. One whose projection
// names a blob that is gone was changed or purged since, and is read itself.
func (s *Store) listed(ctx context.Context, projection []byte, bare bool) (in store.Instance, err error) {
	e, err := decodeEntity(projection)
	if err != nil {
		return in, err
	}
	e.refer(e.blobs())
	if !bare {
		err = s.fill(ctx, e)
	}
	r, errRow := decodeRecord(e)
	switch {
	case errRow != nil:
		return in, errRow
	case errors.Is(err, errNoBlob):
		in, err := s.instance(ctx, r.ID)
		in.Messages = 0 // as in the rest of the list
		return in, err
	case bare:
		r.Strip()
	}
	return r.Instance, err
}

// listOptions says to Azure what the query asks for.
func listOptions(q *store.Query) (*aztables.ListEntitiesOptions, error) {
	limit := int32(defaultLimit)
	if q.Limit > 0 {
		limit = int32(min(q.Limit, maxLimit))
	}
	options := &aztables.ListEntitiesOptions{Top: &limit}
	if f := string(filterOf(q)); f != "" {
		options.Filter = &f
	}
	if q.Bare {
		columns := bareColumns
		options.Select = &columns
	}
	if q.After == "" {
		return options, nil
	}
	place, err := store.DecodePlace(q.After)
	if err != nil {
		return nil, err
	}
	if key, found := strings.CutPrefix(place, behind); found {
		f := string(filterOf(q).and(where("PartitionKey", "gt", key)))
		options.Filter = &f
		return options, nil
	}
	partition, row, found := strings.Cut(place, placeSeparator)
	if !found {
		return nil, store.ErrBadPage
	}
	options.NextPartitionKey = &partition
	if row != "" {
		options.NextRowKey = &row
	}
	return options, nil
}

// filterOf returns what lets the projections of those instances through that the
// query asks for. It has 14 comparisons at most, and 15 with
// the place behind a page; Azure takes no more.
func filterOf(q *store.Query) filter {
	f := startsWith(q.IDPrefix)
	statuses := slices.Clone(q.Statuses)
	slices.Sort(statuses)
	var ofStatus []filter
	for _, status := range slices.Compact(statuses) {
		ofStatus = append(ofStatus, where("RuntimeStatus", "eq", status.String()))
	}
	if len(ofStatus) > 0 {
		f = f.and(anyOf(ofStatus...))
	}
	if !q.CreatedFrom.IsZero() {
		f = f.and(where("CreatedTime"+exact, "ge", formatTime(q.CreatedFrom)))
	}
	if !q.CreatedTo.IsZero() {
		f = f.and(where("CreatedTime"+exact, "le", formatTime(q.CreatedTo)))
	}
	if !q.EndedTo.IsZero() {
		f = f.and(where("CompletedTime"+exact, "le", formatTime(q.EndedTo)))
	}
	if !q.UpdatedFrom.IsZero() && q.EndedTo.IsZero() { // or it would be one comparison too many
		f = f.and(where("LastUpdatedTime"+exact, "ge", formatTime(q.UpdatedFrom)))
	}
	if q.Name != "" {
		f = f.and(where("Name", "eq", q.Name))
	}
	return f
}

// text returns what an optional header says.
func text(header *string) string {
	if header == nil {
		return ""
	}
	return *header
}
