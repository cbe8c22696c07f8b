// Package explain tells in words why an instance waits, or how it ended, and
// what can be done about it. It knows nothing but the instance's row and history,
// so whoever can read them can explain: the HTTP API, the command line, a page.
//
// Nothing that came from people or code as a payload is told: no input, result or
// event's content, no stack. What is told in their words are names, reasons and the
// messages of failures, without control characters and cut short.
package explain
