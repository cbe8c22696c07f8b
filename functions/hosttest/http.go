package hosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The largest request that the host takes: the bytes of its body, and the characters of its URL and of the query in that.
const (
	maxBody  = 104_857_600
	maxURL   = 8192
	maxQuery = 4096
)

// ServeHTTP is the host's public side.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/admin/"); ok {
		h.serveAdmin(w, r, name)
		return
	}
	f, params := h.routed(r)
	switch {
	case len(r.RequestURI) > maxURL, len(r.URL.RawQuery) > maxQuery:
		w.WriteHeader(http.StatusRequestURITooLong)
	case f == nil && r.URL.Path == "/":
		h.serveHome(w)
	case f == nil:
		w.WriteHeader(http.StatusNotFound)
	case !h.allows(f, r):
		w.WriteHeader(http.StatusUnauthorized)
	case r.ContentLength > maxBody:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case !f.plain() || h.config.mode == wraps:
		h.wrap(w, r, f, params)
	default:
		h.pass(w, r, f)
	}
}

// serveHome shows that a host is there, unless a setting says that it should not.
func (h *Host) serveHome(w http.ResponseWriter) {
	if strings.EqualFold(h.o.Settings["AzureWebJobsDisableHomepage"], "true") {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>Your app is up and running</title>") // the caller is gone
}

// routed finds the function of a request: the one with the most literal segments.
func (h *Host) routed(r *http.Request) (best *function, params map[string]string) {
	for _, f := range h.functions {
		if f.trigger.Type != httpTrigger || best != nil && f.route.literal() <= best.route.literal() {
			continue
		}
		named := func(method string) bool { return strings.EqualFold(method, r.Method) }
		if len(f.trigger.Methods) > 0 && !slices.ContainsFunc(f.trigger.Methods, named) {
			continue
		}
		if values, ok := f.route.match(r.URL.Path); ok {
			best, params = f, values
		}
	}
	return best, params
}

// allows checks the key of a request. The header counts before the query.
func (h *Host) allows(f *function, r *http.Request) bool {
	key := r.Header.Get("X-Functions-Key")
	if key == "" {
		key = r.URL.Query().Get("code")
	}
	switch f.trigger.AuthLevel {
	case "anonymous":
		return true
	case "function":
		return key == h.FunctionKey() || key == h.MasterKey()
	}
	return key == h.MasterKey()
}

// pass proxies or forwards a request.
func (h *Host) pass(w http.ResponseWriter, r *http.Request, f *function) {
	began := time.Now()
	done := Invocation{ID: uuid.NewString(), Function: f.name}
	i, err := h.machine(r.Context())
	var p *process
	if err == nil {
		p, err = i.handler(r.Context())
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	target, err := url.Parse(p.url)
	if err != nil {
		panic(err) // we made it
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(out *httputil.ProxyRequest) {
			out.SetURL(target)
			out.Out.Host = out.In.Host
			out.SetXForwarded()
			out.Out.Header.Set(invocationHeader, done.ID)
			if h.config.mode == forwards {
				copied(out.Out)
			}
		},
		ModifyResponse: func(answer *http.Response) error { done.Status = answer.StatusCode; return nil },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			done.Err = err
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	_, _ = i.within(r.Context(), p, func(ctx context.Context) ([]byte, error) {
		proxy.ServeHTTP(w, r.WithContext(ctx))
		return nil, done.Err
	})
	done.Took = time.Since(began)
	h.note(done)
}

// copied makes a request what it is when the host forwards it: with a query that was taken apart and put together, and without a body that
// doesn't say how long it is.
func copied(r *http.Request) {
	r.URL.RawQuery = r.URL.Query().Encode()
	if r.ContentLength <= 0 {
		r.Body, r.ContentLength, r.TransferEncoding = http.NoBody, 0, nil
	}
}

// output is what the handler answers a request with that came in an envelope.
type output struct {
	StatusCode any
	Status     any
	Headers    map[string]any
	Body       any
}

// wrap puts a request into an envelope, and takes the answer out of one.
func (h *Host) wrap(w http.ResponseWriter, r *http.Request, f *function, params map[string]string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	metadata := map[string]any{}
	for name, value := range params {
		metadata[name] = value
	}
	i, err := h.machine(r.Context())
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	done, reply := i.call(r.Context(), f, newEnvelope(f, requestData(r, string(body), params), metadata))
	h.note(done)
	if done.Err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	raw := reply.ReturnValue
	if len(f.outputs) > 0 && f.outputs[0].Name != "$return" {
		raw = reply.Outputs[f.outputs[0].Name]
	}
	var o output
	if err := json.Unmarshal(raw, &o); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	o.write(w)
}

func (o output) write(w http.ResponseWriter) {
	status := http.StatusOK
	for _, given := range []any{o.StatusCode, o.Status} {
		if given != nil {
			_, _ = fmt.Sscan(fmt.Sprint(given), &status) // what is no number is not heard
		}
	}
	for name, value := range o.Headers {
		w.Header().Set(name, fmt.Sprint(value))
	}
	text, isText := o.Body.(string)
	if !isText && o.Body != nil {
		encoded, err := json.Marshal(o.Body)
		if err != nil {
			panic(err) // it was read from JSON
		}
		text = string(encoded)
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewBufferString(text)) // the caller is gone
}

// serveAdmin is the part of the admin API that smoke tests use.
func (h *Host) serveAdmin(w http.ResponseWriter, r *http.Request, path string) {
	if r.Header.Get("X-Functions-Key") != h.MasterKey() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	name, isFunction := strings.CutPrefix(path, "functions/")
	switch {
	case path == "host/status" && r.Method == http.MethodGet:
		state := "Running"
		if h.Err() != nil {
			state = "Error"
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"state": state, "version": Version}) // the caller is gone
	case isFunction && r.Method == http.MethodPost:
		h.invokeByHand(w, r, name)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// invokeByHand sets a function off that has no HTTP trigger. The caller doesn't learn how it ends.
func (h *Host) invokeByHand(w http.ResponseWriter, r *http.Request, name string) {
	var asked struct{ Input string }
	f, err := h.named(name)
	if err != nil || f.trigger.Type == httpTrigger {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&asked); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	data := messageData(f, asked.Input)
	if f.trigger.Type == timerTrigger {
		data = timerData(f.times, false, time.Now().UTC())
	}
	i, err := h.machine(r.Context())
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	i.run(func() { i.invoke(i.ctx, f, newEnvelope(f, data, nil)) })
	w.WriteHeader(http.StatusAccepted)
}
