package history

import "fmt"

// Status is the runtime status of an instance. The numbers and words are those
// of Durable Functions.
type Status uint8

// The words for an instance's status. Canceled is known for the sake of tools
// and filters. ContinuedAsNew is that of an instance whose execution ended with
// something to send, until the next execution has begun.
const (
	Running Status = iota
	Completed
	ContinuedAsNew
	Failed
	Canceled
	Terminated
	Pending
	Suspended
)

var statusNames = [...]string{
	Running:        "Running",
	Completed:      "Completed",
	ContinuedAsNew: "ContinuedAsNew",
	Failed:         "Failed",
	Canceled:       "Canceled",
	Terminated:     "Terminated",
	Pending:        "Pending",
	Suspended:      "Suspended",
}

// String returns the status word.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// ParseStatus returns the status with the given word, compared exactly.
func ParseStatus(word string) (Status, bool) {
	for s, name := range statusNames {
		if name == word {
			return Status(s), true
		}
	}
	return 0, false
}

// IsTerminal reports whether an instance in this status has ended for good.
func (s Status) IsTerminal() bool {
	return s == Completed || s == Failed || s == Canceled || s == Terminated
}
