package hosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Version is what the host says it is.
const Version = "4.1037.0.0"

// The headers of an invocation.
const (
	invocationHeader = "X-Azure-Functions-InvocationId"
	versionHeader    = "X-Azure-Functions-HostVersion"
)

var (
	// ErrNoAnswer is the error of an invocation that was answered by 2xx and an empty body or null. The host waits for more until functionTimeout.
	ErrNoAnswer = errors.New("the answer is empty or null, and the host waited for one")
	// ErrTimeout is the error of an invocation for which the handler was killed, and of those that ran beside it.
	ErrTimeout = errors.New("the invocation took longer than functionTimeout, and the handler was killed")
	// ErrAnswer is the error of an invocation whose answer cannot be read.
	ErrAnswer = errors.New("the answer is no JSON object")
	// ErrStatus is the error of an invocation that the handler says has failed.
	ErrStatus = errors.New("the handler answered with a status that is no success")
)

// reply is the body of an answer.
type reply struct {
	Outputs     map[string]json.RawMessage
	Logs        []string
	ReturnValue json.RawMessage
}

// invoke calls a function with an envelope and notes how it went.
func (i *instance) invoke(ctx context.Context, f *function, e envelope) Invocation {
	done, _ := i.call(ctx, f, e)
	if i.ctx.Err() == nil { // nobody is there who could note it
		i.host.note(done)
	}
	return done
}

// call calls a function with an envelope.
func (i *instance) call(ctx context.Context, f *function, e envelope) (done Invocation, r reply) {
	began := time.Now()
	done = Invocation{ID: uuid.NewString(), Function: f.name}
	defer func() { done.Took = time.Since(began) }()
	body, err := json.Marshal(e)
	if err != nil {
		done.Err = err
		return done, r
	}
	p, err := i.handler(ctx)
	if err != nil {
		done.Err = err
		return done, r
	}
	answer, err := i.within(ctx, p, func(ctx context.Context) ([]byte, error) {
		var text []byte
		text, done.Status, err = i.post(ctx, p, f, done.ID, body)
		return text, err
	})
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	done.Logs, done.Err = r.Logs, err
	return done, r
}

// within waits for an answer as long as the host does, and then kills the handler.
func (i *instance) within(ctx context.Context, p *process, ask func(context.Context) ([]byte, error)) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(i.ctx, func() { cancel(errDead) })
	defer stop()
	if timeout := i.host.config.timeout; timeout > 0 {
		timer := time.AfterFunc(timeout, func() {
			cancel(ErrTimeout)
			p.kill()
		})
		defer timer.Stop()
	}
	text, err := ask(ctx)
	if errors.Is(err, ErrNoAnswer) && i.host.config.timeout > 0 {
		<-ctx.Done()
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return text, err
}

// post makes the request and returns the answer's body if it is one.
func (i *instance) post(ctx context.Context, p *process, f *function, id string, body []byte) (text []byte, status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/"+f.name, bytes.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set(invocationHeader, id)
	request.Header.Set(versionHeader, Version)
	request.Header.Set("User-Agent", "Azure-Functions-Host/"+Version)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return nil, answer.StatusCode, err
	}
	return text, answer.StatusCode, checkAnswer(answer, text)
}

// checkAnswer holds an answer to the host's rules.
func checkAnswer(answer *http.Response, text []byte) error {
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("%w: %d", ErrStatus, answer.StatusCode)
	}
	trimmed := strings.TrimSpace(string(text))
	if trimmed == "" || trimmed == "null" {
		return ErrNoAnswer
	}
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && kind != "text/json" && !strings.HasSuffix(kind, "+json") {
		return fmt.Errorf("%w: its type is %q", ErrAnswer, answer.Header.Get("Content-Type"))
	}
	var r *reply
	if err := json.Unmarshal(text, &r); err != nil || r == nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}
