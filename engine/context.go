package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf16"

	"github.com/google/uuid"
)

// MaxCustomStatus is the size limit of a custom status: its JSON text, counted
// in bytes of UTF-16 as Durable Functions counts.
const MaxCustomStatus = 16 << 10

// ErrStatusTooLarge is returned by SetCustomStatus for a status over
// MaxCustomStatus.
var ErrStatusTooLarge = errors.New("custom status is too large")

// Context is an orchestration's window to the engine. It is deliberately not a
// context.Context, so that it cannot be handed to code that does I/O. It must
// not be used outside the orchestration's own function and its branches.
type Context struct {
	x *Execution
}

// InstanceID returns the id of the instance.
func (c *Context) InstanceID() string { return c.x.instance }

// ExecutionID returns the id of this run of the instance.
func (c *Context) ExecutionID() string { return c.x.execution }

// Version returns the version of the instance: the one that was given at its
// start, else that of the program which began it. It stays the same however long
// the instance runs, so the code can tell old instances from new ones.
func (c *Context) Version() string { return c.x.sender.version }

// Now returns the time of the present turn, UTC: the same at every replay, and
// never earlier than before or than a timer that has fired.
func (c *Context) Now() time.Time { return c.x.now }

// IsReplaying reports whether the code that runs now ran before, in an earlier
// turn, and only repeats itself.
func (c *Context) IsReplaying() bool { return c.x.replaying }

// NewGUID returns a UUID (version 5) that is unique to this place in this
// execution and the same at every replay. It is not a secret: anyone who knows
// the ids can compute it.
func (c *Context) NewGUID() string {
	c.x.guids++
	name := fmt.Sprintf("%s_%s_%d", c.x.instance, c.x.execution, c.x.guids)
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
}

// SetCustomStatus sets what a status query shows beside the runtime status, as
// JSON. It becomes visible at the end of the turn. It returns ErrStatusTooLarge
// or an encoding error, and then leaves the status as it was.
func (c *Context) SetCustomStatus(status any) error {
	text, err := encode(status)
	if err != nil {
		return err
	}
	if size := 2 * len(utf16.Encode([]rune(string(text)))); size > MaxCustomStatus {
		return fmt.Errorf("%w: %d bytes of UTF-16, at most %d", ErrStatusTooLarge, size, MaxCustomStatus)
	}
	c.x.customStatus = text
	return nil
}

// Logger returns a logger that is silent during replay, with the instance, the
// execution and the orchestration on every line. A turn that had to be made again may
// log a line twice.
func (c *Context) Logger() *slog.Logger {
	return slog.New(replayHandler{c.x, c.x.o.Logger.Handler()}).With("execution", c.x.runID, "orchestration", c.x.name)
}

// replayHandler drops what is logged while its execution is replaying.
type replayHandler struct {
	x *Execution
	slog.Handler
}

// Enabled is false while the execution replays or is put away.
func (h replayHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return !h.x.replaying && !h.x.leaving && h.Handler.Enabled(ctx, level)
}

// WithAttrs keeps the silence.
func (h replayHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return replayHandler{h.x, h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the silence.
func (h replayHandler) WithGroup(name string) slog.Handler {
	return replayHandler{h.x, h.Handler.WithGroup(name)}
}
