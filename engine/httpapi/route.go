package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// route says which requests are answered how. A part of the path in braces
// stands for any text; the others match in any case.
type route struct {
	method string // empty for any
	path   string
	door   Door // whose links are good for it
	handle func(*API, *call)
}

var routes = []route{
	{http.MethodPost, "orchestrators/{name}", operators, (*API).start},
	{http.MethodPost, "orchestrators/{name}/{id}", operators, (*API).start},
	{http.MethodGet, "instances", operators, (*API).list},
	{http.MethodDelete, "instances", operators, (*API).purgeMany},
	{http.MethodGet, "instances/{id}", DoorStatus, (*API).status},
	{http.MethodDelete, "instances/{id}", DoorPurge, (*API).purge},
	{http.MethodPost, "instances/{id}/raiseEvent/{name}", DoorRaiseEvent, (*API).raise},
	{http.MethodPost, "instances/{id}/terminate", DoorTerminate, (*API).terminate},
	{http.MethodPost, "instances/{id}/suspend", DoorSuspend, (*API).suspend},
	{http.MethodPost, "instances/{id}/resume", DoorResume, (*API).resume},
	{http.MethodPost, "instances/{id}/rewind", operators, (*API).rewind},
	{http.MethodPost, "instances/{id}/restart", DoorRestart, (*API).restart},
	{http.MethodGet, "instances/{id}/explain", DoorStatus, (*API).explain},
	{http.MethodGet, "instances/{id}/history", operators, (*API).history},
	{http.MethodGet, "instances/{id}/receipt", operators, (*API).receipt},
	{http.MethodGet, "instances/{id}/live", DoorStatus, (*API).live},
	{http.MethodGet, "live", operators, (*API).liveList},
	{http.MethodGet, "instances/{id}/links", operators, (*API).links},
	{http.MethodPost, "instances/{id}/revokeLinks", operators, (*API).revoke},
	{http.MethodGet, "entities", operators, (*API).noEntities},
	{http.MethodGet, "entities/{name}", operators, (*API).noEntities},
	{http.MethodGet, "entities/{name}/{id}", operators, (*API).noEntities},
	{http.MethodPost, "entities/{name}", operators, (*API).noEntities},
	{http.MethodPost, "entities/{name}/{id}", operators, (*API).noEntities},
	{http.MethodDelete, "entities/{name}", operators, (*API).noEntities},
	{http.MethodDelete, "entities/{name}/{id}", operators, (*API).noEntities},
	{"", "makeprimary", operators, (*API).makePrimary},
	{http.MethodGet, "openapi.json", anyone, (*API).openAPI},
}

// find returns the route of a request and what stands in its path for {id} and
// {name}.
func find(method string, segments []string) (r route, id, name string, ok bool) {
	for _, r := range routes {
		if r.method != "" && r.method != method {
			continue
		}
		if id, name, ok := match(strings.Split(r.path, "/"), segments); ok {
			return r, id, name, true
		}
	}
	return route{}, "", "", false
}

func match(path, segments []string) (id, name string, ok bool) {
	if len(path) != len(segments) {
		return "", "", false
	}
	for i, part := range path {
		switch {
		case part == "{id}" && segments[i] != "":
			id = segments[i]
		case part == "{name}" && segments[i] != "":
			name = segments[i]
		case !strings.EqualFold(part, segments[i]):
			return "", "", false
		}
	}
	return id, name, true
}

// segments returns the decoded parts of the path below the API's own. They are
// decoded after the path was split, and as a path, not as a form.
func (a *API) segments(u *url.URL) ([]string, bool) {
	path := u.EscapedPath()
	if len(path) <= len(a.path) || path[len(a.path)] != '/' || !strings.EqualFold(path[:len(a.path)], a.path) {
		return nil, false
	}
	segments := strings.Split(strings.Trim(path[len(a.path):], "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return nil, false
		}
		segments[i] = decoded
	}
	return segments, true
}

// lowerNames returns the query with its names in lower case.
func lowerNames(query url.Values) url.Values {
	lower := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		lower[strings.ToLower(name)] = append(lower[strings.ToLower(name)], query[name]...)
	}
	return lower
}

// flag reads a query parameter that is true or false; anything else is taken
// as if it were not there.
func (c *call) flag(name string, otherwise bool) bool {
	switch strings.ToLower(strings.TrimSpace(c.query.Get(name))) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		return otherwise
	}
}

// seconds reads a query parameter that is a number of seconds; ok is false for
// anything else.
func (c *call) seconds(name string) (s float64, ok bool) {
	s, err := strconv.ParseFloat(strings.TrimSpace(c.query.Get(name)), 64)
	return s, err == nil && s >= 0 && s <= maxSeconds
}
