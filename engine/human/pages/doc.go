// Package pages serves the pages to which links lead, over a door. There is one for
// everything that can be the matter with a request: it may be decided, or is decided,
// expired, recalled, changed, somebody else's turn, locked or stopped.
//
//	GET  {base}/{instance}/{page}   what is asked, whole
//	POST {base}/{instance}/{page}   the answer: token, verb, and what the form asks for
//
// A GET changes nothing, whoever makes it. The page is read without JavaScript; the
// few lines of script on it copy the end of the link into the form, which a person
// can do as well. An answer takes a choice and a click: nothing is chosen beforehand,
// and there is no button that approves. A page is less than [MaxPage] bytes, loads
// nothing, and its policy allows it nothing but its own style, its own script and to
// send its form back to where it came from.
//
// With Accept: application/json there is the same as JSON, and errors are problems of
// RFC 9457.
package pages
