package triggers

import (
	"strings"

	"github.com/seed21523604/holdfast/functions/settings"
)

// Prefix is what the paths of all HTTP functions begin with, as host.json has it. It keeps callers from the paths at which the host invokes
// the others.
const Prefix = "/api/"

// Kind is what sets a function off.
type Kind string

// The kinds of triggers.
const (
	HTTP  Kind = "httpTrigger"
	Queue Kind = "queueTrigger"
	Timer Kind = "timerTrigger"
)

// Level is which key the host asks callers of an HTTP function for.
type Level string

// The levels. Anonymous does not mean that the app asks nobody who they are.
const (
	Anonymous Level = "anonymous"
	Keyed     Level = "function"
)

// The names of the functions.
const (
	Authenticate    = "Authenticate"
	ExpenseApproval = "ExpenseApproval"
	ReleaseGate     = "ReleaseGate"
	ClaimReview     = "ClaimReview"
	Approve         = "Approve"
	Approvals       = "Approvals"
	TwilioSms       = "TwilioSms"
	TwilioStatus    = "TwilioStatus"
	DurableTask     = "DurableTask"
	Health          = "Health"
	Wake            = "Wake"
	Sweep           = "Sweep"
)

// The names under which the host sends what set a function off.
const (
	Message  = "message"
	Schedule = "schedule"
	request  = "req"
	response = "res"
)

// Function is one row of the table.
type Function struct {
	// Name is that of the folder, and for a queue or a timer of the path at which the host invokes it.
	Name string
	Kind Kind
	// Route is the path behind the prefix, Methods are those that the host lets through, none for all, and Level is whom. They are for HTTP only.
	Route   string
	Methods []string
	Level   Level
	// Setting has the queue's name or the timer's schedule.
	Setting string
	// Meaning is a sentence for people.
	Meaning string
}

// Table returns all functions. The slice is the caller's own.
func Table() []Function {
	return []Function{
		{Name: Authenticate, Kind: HTTP, Route: "Authenticate", Methods: []string{"post"}, Level: Keyed,
			Meaning: "Starts a verification. Who may do that costs money, so the host asks for a key."},
		{Name: ExpenseApproval, Kind: HTTP, Route: "ExpenseApproval", Methods: []string{"post"}, Level: Keyed,
			Meaning: "Starts the approval of an expense. Whoever may do that vouches for who wants the money."},
		{Name: ReleaseGate, Kind: HTTP, Route: "ReleaseGate", Methods: []string{"post"}, Level: Keyed,
			Meaning: "Starts the gate of a release."},
		{Name: ClaimReview, Kind: HTTP, Route: "ClaimReview", Methods: []string{"post"}, Level: Keyed,
			Meaning: "Starts the review of a claim."},
		{Name: Approve, Kind: HTTP, Route: "approve/{instance}/{page}", Methods: []string{"get", "post"}, Level: Anonymous,
			Meaning: "The pages on which people answer who were sent a link. The link says who they are."},
		{Name: Approvals, Kind: HTTP, Route: "approvals/{instance}", Methods: []string{"post"}, Level: Anonymous,
			Meaning: "Takes answers of those who signed in, have a token, or are operators."},
		{Name: TwilioSms, Kind: HTTP, Route: "TwilioSms", Methods: []string{"post"}, Level: Anonymous,
			Meaning: "Takes a text message that somebody sent. Twilio has no key of the host's; its signature lets it in, and nothing else does."},
		{Name: TwilioStatus, Kind: HTTP, Route: "TwilioStatus/{instance}/{message}", Methods: []string{"post"}, Level: Anonymous,
			Meaning: "Takes what Twilio reports on a message. Its signature lets it in, and nothing else does."},
		{Name: DurableTask, Kind: HTTP, Route: "durabletask/{*path}", Level: Anonymous,
			Meaning: "The management API, which asks for links and keys itself: a link's code is in the query as the host's keys are, and the host would refuse it."},
		{Name: Health, Kind: HTTP, Route: "health/{probe?}", Methods: []string{"get"}, Level: Anonymous,
			Meaning: "Says whether the app lives, and whether it can work."},
		{Name: Wake, Kind: Queue, Setting: settings.WakeQueue,
			Meaning: "Works off what rings, in a process that was started for it."},
		{Name: Sweep, Kind: Timer, Setting: settings.SweepSchedule,
			Meaning: "Does the same by a clock: for timers that are far ahead, and whatever else nobody was woken for."},
	}
}

// Path returns the path of an HTTP function up to what its route leaves open, without a slash at the end.
func (f Function) Path() string {
	fixed, _, _ := strings.Cut(f.Route, "{")
	return Prefix + strings.TrimSuffix(fixed, "/")
}
