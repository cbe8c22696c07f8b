package approval

import (
	"cmp"
	"context"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/human/links"
)

// The activities of an approval.
const (
	// ApprovalPlan plans a stage.
	ApprovalPlan engine.Activity[Timing, Schedule] = "ApprovalPlan"
	// ApprovalLinks makes links, and returns what may be written down of them.
	ApprovalLinks engine.Activity[Questions, []Issued] = "ApprovalLinks"
	// ApprovalNotify tells a person something.
	ApprovalNotify engine.Activity[Notice, struct{}] = "ApprovalNotify"
)

// Timing is what the schedule of a stage is made from.
type Timing struct {
	Stage    Stage     `json:"stage"` // its spans only
	Calendar *Calendar `json:"calendar,omitempty"`
	Opened   time.Time `json:"opened"`
}

// Questions are those for which links are made.
type Questions struct {
	Digest string  `json:"digest"`
	Of     []Asked `json:"of"`
}

// Asked says who is asked in which stage. The requester is asked in none: their
// link shows how the request stands, and lets them take it back.
type Asked struct {
	To    string `json:"to"`
	Stage string `json:"stage,omitempty"`
}

// Issued is what is written down of a link.
type Issued struct {
	Asked
	links.Marks
}

// LinkOf returns the link of somebody who is asked by a run of an instance. The
// zero Asked.Stage is for the requester.
func LinkOf(m *links.Maker, instance, execution, digest string, a Asked) links.Link {
	return m.Link(links.Question{Instance: instance, Execution: execution, Topic: a.Stage, To: key(a.To), Digest: digest})
}

// Notice is something to tell a person about a request.
type Notice struct {
	Effect
	Contact   Contact `json:"contact,omitzero"`
	Requester string  `json:"requester"`
	Title     string  `json:"title"`
	// Revision is how often the request was changed before.
	Revision int    `json:"revision,omitempty"`
	Digest   string `json:"digest"`
}

// Notifier tells people. What it is given may come more than once, after a crash
// or a failure: the context holds the engine's Call, whose Key is the same then, as
// is the link. There is a link for those who are asked or reminded, and for the
// requester; it must not be written down anywhere.
type Notifier interface {
	Notify(ctx context.Context, n Notice, link links.Link) error
}

// AddApprovals registers the activities of [Decide].
func AddApprovals(r *engine.Registry, n Notifier, m *links.Maker) {
	engine.AddActivity(r, ApprovalPlan, func(_ context.Context, t Timing) (Schedule, error) {
		return Plan(&Policy{Stages: []Stage{t.Stage}, Calendar: t.Calendar}, 0, t.Opened)
	})
	engine.AddActivity(r, ApprovalLinks, func(ctx context.Context, q Questions) ([]Issued, error) {
		issued := make([]Issued, 0, len(q.Of))
		for _, a := range q.Of {
			issued = append(issued, Issued{a, linkIn(ctx, m, q.Digest, a).Marks()})
		}
		return issued, nil
	})
	engine.AddActivity(r, ApprovalNotify, func(ctx context.Context, notice Notice) (struct{}, error) {
		return struct{}{}, n.Notify(ctx, notice, notice.link(ctx, m))
	})
}

// link returns the link that goes with a notice; none for who is told that no
// answer is wanted.
func (n *Notice) link(ctx context.Context, m *links.Maker) links.Link {
	switch n.Kind {
	case Ask, Remind:
		return linkIn(ctx, m, n.Digest, Asked{To: n.To, Stage: n.Stage})
	case Tell:
		return linkIn(ctx, m, n.Digest, Asked{To: n.To})
	}
	return links.Link{}
}

// linkIn returns a link of the run that calls the activity. One that was rewound
// goes by the ids of the run before, and so do its links.
func linkIn(ctx context.Context, m *links.Maker, digest string, a Asked) links.Link {
	call := engine.CallOf(ctx)
	return LinkOf(m, call.Instance, cmp.Or(call.Origin, call.Execution), digest, a)
}
