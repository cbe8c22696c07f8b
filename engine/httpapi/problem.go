package httpapi

import (
	"encoding/json"
)

// problemKind is what went wrong in a word that programs can tell apart, and in
// a title for people.
type problemKind struct{ name, title string }

// The problems of links.
var (
	problemOperators    = problemKind{"operators-only", "This takes an operator"}
	problemOtherDoor    = problemKind{"link-for-something-else", "The link is for something else"}
	problemExpiredLink  = problemKind{"link-expired", "The link has expired"}
	problemRevokedLink  = problemKind{"link-revoked", "The link was revoked"}
	problemReplacedLink = problemKind{"link-replaced", "The link is for an earlier run"}
)

// problemType is what the types of our problems begin with.
const problemType = "urn:problem-type:holdfast:"

// problem is the body of an error in the form of RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// problem answers with a problem.
func (c *call) problem(status int, kind problemKind, detail string) {
	c.w.Header().Set("Content-Type", "application/problem+json")
	c.w.WriteHeader(status)
	encoder := json.NewEncoder(c.w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(problem{Type: problemType + kind.name, Title: kind.title, Status: status, Detail: detail}) // the caller is gone
}
