package httpapi

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// continuation is the header that says where a list goes on, in the answer and
// in the next request.
const continuation = "X-Ms-Continuation-Token"

// maxPage is the most instances that one page may have.
const maxPage = 1000

// list answers with a page of instances. What it does not understand of a filter
// it passes over, as the original does.
func (a *API) list(c *call) {
	q, _ := c.filter()
	q.IDPrefix, q.Name = c.query.Get("instanceidprefix"), c.query.Get("name")
	q.After = c.r.Header.Get(continuation)
	if top, err := strconv.Atoi(strings.TrimSpace(c.query.Get("top"))); err == nil && top > 0 {
		q.Limit = min(top, maxPage)
	}
	page, err := c.client.List(c.r.Context(), q)
	if err != nil {
		a.fail(c, err)
		return
	}
	rows := make([]statusBody, len(page.Instances))
	for i, in := range page.Instances {
		rows[i] = newStatus(in, c.flag("showinput", true))
	}
	c.w.Header().Set(continuation, page.Next)
	c.answer(http.StatusOK, rows)
}

// purgeMany removes the ended instances of a filter. It must have a beginning,
// and, unlike that of a list, be understood: nobody wants more to be removed
// than was meant.
func (a *API) purgeMany(c *call) {
	q, unknown := c.filter()
	switch {
	case q.CreatedFrom.IsZero():
		c.answer(http.StatusBadRequest, "Please provide value for 'createdTimeFrom' parameter.")
		return
	case unknown != "":
		c.refuse(http.StatusBadRequest, "Nothing was purged, as "+unknown+" is not understood.")
		return
	}
	c.outlast(longestWait)
	n, err := c.client.PurgeMany(c.r.Context(), q)
	switch {
	case err != nil:
		a.fail(c, err)
	case n == 0:
		c.w.WriteHeader(http.StatusNotFound)
	default:
		c.answer(http.StatusOK, map[string]int{"instancesDeleted": n})
	}
}

// filter reads the query parameters that lists and purges have in common. The
// second result names one that is not understood.
func (c *call) filter() (q store.Query, unknown string) {
	q.CreatedFrom, unknown = c.time("createdtimefrom", unknown)
	q.CreatedTo, unknown = c.time("createdtimeto", unknown)
	for _, word := range strings.Split(strings.Join(c.query["runtimestatus"], ","), ",") {
		switch s, ok := statusOf(strings.TrimSpace(word)); {
		case ok:
			q.Statuses = append(q.Statuses, s)
		case word != "":
			unknown = "runtimeStatus " + quote(word)
		}
	}
	return q, unknown
}

// statusOf returns the status with the word in any case.
func statusOf(word string) (history.Status, bool) {
	for s := history.Running; s <= history.Suspended; s++ {
		if strings.EqualFold(s.String(), word) {
			return s, true
		}
	}
	return 0, false
}

// time reads a query parameter that is a moment; it is zero if it is not there
// or not understood.
func (c *call) time(name, unknown string) (time.Time, string) {
	text := c.query.Get(name)
	if text == "" {
		return time.Time{}, unknown
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, "the time " + quote(text)
	}
	return t, unknown
}

// timeForms are the ways in which moments are written. Without a zone it is UTC.
var timeForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-1-2",
	"01/02/2006 15:04:05", "01/02/2006 15:04", "01/02/2006", time.RFC1123,
}

var (
	// shortYear is a year of fewer than four digits, as Python writes those
	// before 1000.
	shortYear = regexp.MustCompile(`^\d{1,3}-`)
	// lostPlus is a zone whose plus sign was not escaped in the query.
	lostPlus = regexp.MustCompile(`(:\d\d(?:\.\d+)?) (\d\d:\d\d)$`)
)

// parseTime reads a moment leniently. The zero time, which means none in a query,
// becomes the moment after it.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if shortYear.MatchString(text) {
		text = strings.Repeat("0", 4-strings.IndexByte(text, '-')) + text
	}
	text = lostPlus.ReplaceAllString(text, "$1+$2")
	for _, form := range timeForms {
		t, err := time.Parse(form, text)
		switch {
		case err == nil && t.IsZero():
			return t.UTC().Add(1), true
		case err == nil:
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
