package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/dispatch"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/engine/human/door"
	asklinks "github.com/seed21523604/holdfast/engine/human/links"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/human/receipt"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/telemetry"
	"github.com/seed21523604/holdfast/functions/settings"
)

// options are what an app is given besides its settings.
type options struct {
	Logger  *slog.Logger
	Address string // listened on
	Local   bool   // run alone, by whoever sits at this machine
	SignsIn bool   // the platform lets people sign in, and says who did
	// Development says that a Functions host runs the app on a developer's machine.
	Development bool
	// Deployment is where on Azure the app is deployed; empty elsewhere.
	Deployment string
	// Timeout is after how long the Functions host kills the app for one call
	// that has not ended; 0 is never.
	Timeout time.Duration
}

// app is everything wired together: the store, the worker on it, and what
// answers HTTP requests.
type app struct {
	url        string // where it is reached, without a slash at the end
	management string // the path of the management API
	where      string // a sentence on where messages go
	simulated  bool   // they go to a simulated phone
	open       bool   // whoever reaches it may act on instances
	signsIn    bool   // the platform says who has signed in
	state      string // where the state is kept, in words
	folder     string // for what is kept on this machine
	grace      time.Duration
	log        *slog.Logger
	receipt    func(io.Writer, store.Instance, []history.Event) error

	keeper *httpapi.Doorkeeper // nil if it is open
	person personOf            // whose a bearer token is; nil if none is taken
	links  *asklinks.Maker     // to those who are asked
	heads  *heads              // of receipts, which stay when instances are purged

	store     store.Store
	worker    *dispatch.Worker
	health    *health
	handler   http.Handler
	live      *httpapi.API // has those who follow what happens
	collector *collector
}

// newApp wires the app. It opens the store, and starts nothing.
func newApp(ctx context.Context, values settings.Values, o options) (*app, error) {
	a := &app{folder: values.Text(settings.DataFolder), grace: values.Duration(settings.StopGrace), log: o.Logger, signsIn: o.SignsIn}
	a.place(values, o)
	keys, err := openKeys(values)
	if err != nil {
		return nil, err
	}
	sealer, err := human.NewSealer(keys.codes)
	if err != nil {
		return nil, err
	}
	line, err := a.openLine(values, sealer)
	if err != nil {
		return nil, err
	}
	if err := checkPolicies(values); err != nil {
		return nil, err
	}
	if a.links, err = asklinks.New(keys.asks, a.url+approvePath); err != nil {
		return nil, err
	}
	ways, err := line.ways(values)
	if err != nil {
		return nil, err
	}
	told, err := notify.ParseTargets(values.Text(settings.CompletionNotices), ways)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", settings.CompletionNotices, err)
	}
	registry := engine.NewRegistry()
	line.register(registry, values)
	notify.Add(registry, ways)
	addApprovals(registry, notifier{line.sparing(values, ways["mail"].Channel), line.guarded(), line.simulated != nil, line.replies}, a.links)
	addClaimReview(registry)
	addReceiptHeads(registry)
	if err := a.openStore(ctx, values, o); err != nil {
		return nil, err
	}
	a.state = whereState(values)
	if a.collector, err = openCollector(ctx, values, o.Logger); err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	signer, err := receipt.NewSigner(keys.codes)
	if err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	work, ask := a.workerOptions(values), clientOptions(values, registry, line.sealer)
	a.heads = newHeads(values, signer)
	work.BeforePurge, ask.BeforePurge = a.heads.keep, a.heads.keep
	if t := a.collector.telemetry; t != nil {
		work.Telemetry, ask.Tracer = t, t
	}
	a.worker = dispatch.New(a.store, registry, work)
	c := client.New(a.worker.Instances(), ask)
	plain := client.New(a.worker.Instances(), client.Options{})
	line.use(plain)
	a.heads.client = plain
	a.receipt = func(w io.Writer, in store.Instance, past []history.Event) error {
		return writeReceipt(w, values, signer, in, past)
	}
	api, err := a.api(c, registry, values, keys.links, o.Local)
	if err != nil {
		return nil, errors.Join(err, a.store.Close())
	}
	a.health = &health{store: a.store, load: a.worker.Load, log: o.Logger, now: time.Now}
	a.live = api
	a.route(routes{app: a, client: c, api: api, values: values, line: line, told: told, local: o.Local, account: values.Text(settings.TwilioAccountSid)}, o)
	return a, nil
}

// route puts the app's handler together.
func (a *app) route(r routes, o options) {
	r.door = door.New(door.Options{Client: r.client, Codes: door.NewVerifications(r.client, string(SmsVerify))})
	r.listener = &reply.Listener{Book: r.line.replies, Decider: messageAnswers{r.door}, Subscriber: r.line}
	if o.Local || o.Development {
		r.phone = r.line.simulated
	}
	if r.line.simulated != nil && !o.Local {
		o.Logger.Warn("no Twilio account is set: messages go to a simulated phone, which only a machine of a developer shows", "url", "http://"+o.Address+phonePath)
	}
	a.handler = r.handler()
	if a.collector.telemetry != nil {
		a.handler = telemetry.Handler(a.handler)
	}
	if !o.Local {
		a.handler = a.hosted(a.handler, o)
	}
}

// workerOptions say how much the worker does at once, keeps, and bears with.
func (a *app) workerOptions(values settings.Values) dispatch.Options {
	return dispatch.Options{
		Activities: values.Int(settings.MaxActivities), Cached: orNone(values.Int(settings.MaxCachedInstances)),
		MaxHistoryEvents: values.Int(settings.MaxHistoryEvents), MaxHistoryBytes: int64(values.Int(settings.MaxHistoryBytes)),
		Retention: dispatch.Retention{
			Completed: values.Duration(settings.KeepCompleted), Failed: values.Duration(settings.KeepFailed), Terminated: values.Duration(settings.KeepTerminated),
		},
		Tries: values.Int(settings.MaxTries), MaxTurn: values.Duration(settings.MaxTurnTime),
		Grace: time.Duration(orNone(int(a.grace))), Logger: a.log,
	}
}

// openStore opens the store, and what wakes the app for its doorbells.
func (a *app) openStore(ctx context.Context, values settings.Values, o options) error {
	state := stateOptions{Logger: o.Logger, Deployment: o.Deployment}
	w, err := openWaker(ctx, values, o.Logger)
	if err != nil {
		return err
	}
	if w != nil {
		state.Rouse = w.rouse
	}
	a.store, err = openState(ctx, values, state)
	return err
}

// clientOptions say what may be sent to an instance, and what is sealed first.
func clientOptions(values settings.Values, registry *engine.Registry, sealer *human.Sealer) client.Options {
	return client.Options{
		Secret: registry.SecretEvents, Seal: sealer.Seal, Suspect: human.LooksLikeCode,
		MaxUnmatched: values.Int(settings.MaxUnmatchedEvents), MaxEvents: values.Int(settings.MaxInstanceEvents),
		MaxEventBytes: int64(values.Int(settings.MaxInstanceBytes)),
	}
}

// place says where the app is reached.
func (a *app) place(values settings.Values, o options) {
	a.url, a.management = "http://"+o.Address, hostedPath
	if public := values.Text(settings.PublicBaseUrl); public != "" {
		a.url = strings.TrimSuffix(public, "/")
	}
	if o.Local {
		a.management = localPath
	}
}

// api returns the management API, and notes whether it is open to all.
func (a *app) api(c *client.Client, registry *engine.Registry, values settings.Values, linkKey []byte, local bool) (*httpapi.API, error) {
	keeper, err := doorkeeper(values, linkKey, local)
	if err != nil {
		return nil, err
	}
	a.open, a.keeper = keeper == nil, keeper
	if tokens := entraTokens(values); tokens != nil {
		a.person = tokens.Person
	}
	return httpapi.New(c, httpapi.Options{
		URL: a.url + a.management, Hub: values.Text(settings.TaskHubName), Orchestrators: registry.Orchestrators(),
		Reserved: []string{string(approval.ApprovalDecision)}, Runs: a.worker.Runs, MaxBody: int64(values.Int(settings.MaxBodyBytes)),
		Doorkeeper: keeper, Receipt: a.receipt, Logger: a.log,
	})
}

// orNone turns a zero that means none into what the worker takes as none; its
// own zero means the default.
func orNone(n int) int {
	if n > 0 {
		return n
	}
	return -1
}

// serve answers requests and does the work until the context ends, then stops
// in order: no new requests, then no new work, then the store.
func (a *app) serve(ctx context.Context, f *front) error {
	f.server.RegisterOnShutdown(a.live.Stop)
	working := make(chan error, 1)
	workCtx, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	go func() { working <- a.worker.Run(workCtx) }()
	f.door.Open(a.handler)

	var err error
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case err = <-f.served:
		err = fmt.Errorf("serve: %w", err)
	case err = <-working:
		working <- nil
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.grace)
	defer cancel()
	_ = f.server.Shutdown(shutdown) // what is left is cut off by Close
	_ = f.server.Close()
	stopWork()
	err = errors.Join(err, <-working, a.store.Close())
	if lost := a.collector.stop(context.WithoutCancel(ctx)); lost != nil {
		a.log.Warn("send the last telemetry", "error", lost)
	}
	return err
}
