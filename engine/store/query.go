package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed21523604/holdfast/engine/history"
)

// Page is a part of a list.
type Page struct {
	Instances []Instance
	// Next is where the list goes on; empty at its end. It consists of
	// letters, digits, - and _, and means something to the store only. A page
	// may have fewer instances than were asked for, or none, although the list
	// goes on: who wants all asks until Next is empty.
	Next string
}

// Query says which instances to list: those for which all that it says is true.
// The zero Query lists all.
type Query struct {
	// Statuses are those that an instance may have; none means any.
	Statuses []history.Status
	// CreatedFrom and CreatedTo are the first and the last moment at which an
	// instance may have been created; a zero time is no bound.
	CreatedFrom, CreatedTo time.Time
	// EndedTo is the last moment at which an instance may have ended; a zero time
	// is no bound, and any other leaves out what has not ended.
	EndedTo time.Time
	// UpdatedFrom is the first moment at which an instance may have been updated
	// last; a zero time is no bound.
	UpdatedFrom time.Time
	// Name is that of the orchestration; empty means any.
	Name string
	// Tags are those that an instance must have; it may have others.
	Tags map[string]string
	// IDPrefix is what the id begins with. No id begins with what is not valid
	// UTF-8.
	IDPrefix string

	// After is the Next of the page before, of a list by the same query.
	After string
	// Limit is the most instances to return; 100 if it is zero. A store may
	// have a lower limit of its own.
	Limit int
	// Bare leaves out what may be large: Input, Output, CustomStatus and
	// Failure.
	Bare bool
}

// Matches reports whether the query asks for an instance.
func (q *Query) Matches(in *Instance) bool {
	return (len(q.Statuses) == 0 || slices.Contains(q.Statuses, in.Status)) &&
		(q.CreatedFrom.IsZero() || !in.Created.Before(q.CreatedFrom)) &&
		(q.CreatedTo.IsZero() || !in.Created.After(q.CreatedTo)) &&
		(q.EndedTo.IsZero() || !in.Completed.IsZero() && !in.Completed.After(q.EndedTo)) &&
		(q.UpdatedFrom.IsZero() || !in.Updated.Before(q.UpdatedFrom)) &&
		(q.Name == "" || q.Name == in.Name) &&
		q.matchesTags(in) &&
		strings.HasPrefix(in.ID, q.IDPrefix) && utf8.ValidString(q.IDPrefix)
}

func (q *Query) matchesTags(in *Instance) bool {
	for name, value := range q.Tags {
		if had, ok := in.Tags[name]; !ok || had != value {
			return false
		}
	}
	return true
}

// Strip leaves out of an instance what a Bare query does not ask for.
func (in *Instance) Strip() {
	in.Input, in.Output, in.CustomStatus, in.Failure = nil, nil, nil, nil
}

// EncodePlace makes the Next of a page from what the store knows the place by.
func EncodePlace(place string) string { return base64.RawURLEncoding.EncodeToString([]byte(place)) }

// DecodePlace returns what EncodePlace was given; ErrBadPage for what it cannot
// have made.
func DecodePlace(next string) (string, error) {
	place, err := base64.RawURLEncoding.DecodeString(next)
	if err == nil && !utf8.Valid(place) {
		err = errors.New("it is not valid UTF-8")
	}
	if err != nil {
		return "", fmt.Errorf("%w (%w)", ErrBadPage, err)
	}
	return string(place), nil
}
