package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/engine/human/notify"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/functions/internal/mail"
	"github.com/seed21523604/holdfast/functions/internal/queue"
	"github.com/seed21523604/holdfast/functions/settings"
)

// ways returns the channels that are set up, by their names. Those of which two of
// the same message can be told apart send again what may have been sent.
func (l *line) ways(values settings.Values) (ways map[string]notify.Way, err error) {
	ways = map[string]notify.Way{"sms": {Channel: notify.Texts{Messenger: l.guarded()}}}
	add := func(name string, repeats bool, channel notify.Channel, wrong error) {
		err = errors.Join(err, wrong)
		ways[name] = notify.Way{Channel: channel, Repeats: repeats}
	}
	if url := values.Text(settings.WebhookUrl); url != "" {
		channel, wrong := notify.NewWebhook(url, values.Secret(settings.WebhookSecret).Reveal(), nil, time.Now)
		add("webhook", true, channel, wrong)
	}
	if url := values.Secret(settings.SlackWebhookUrl); url != "" {
		channel, wrong := notify.NewSlack(url.Reveal(), nil)
		add("slack", false, channel, wrong)
	}
	if url := values.Secret(settings.TeamsWebhookUrl); url != "" {
		channel, wrong := notify.NewTeams(url.Reveal(), nil)
		add("teams", false, channel, wrong)
	}
	if server := values.Text(settings.MailServer); server != "" {
		channel, wrong := mail.New(mail.Options{
			Server: server, Security: values.Text(settings.MailSecurity), From: values.Text(settings.MailFrom),
			User: values.Text(settings.MailUser), Password: values.Secret(settings.MailPassword),
		})
		add("mail", true, channel, wrong)
	}
	if inAccount(values) {
		o, wrong := hubOptions(values)
		if wrong != nil {
			return nil, errors.Join(err, wrong)
		}
		channel, wrong := queue.New(queue.Options{ConnectionString: tablestore.Expand(o.ConnectionString), URL: o.QueueURL, Credential: o.Credential})
		add("queue", true, channel, wrong)
	}
	return ways, err
}

// guarded returns the messenger behind the gate, for messages that verify nobody.
func (l *line) guarded() human.Messenger {
	if l.gate == nil {
		return l.messenger
	}
	return l.gate.Guard(l.messenger)
}

// sparing returns the channel for e-mail about requests, which sends so many to one address
// within an hour: more would wear people down until they say yes. Those behind it are sent
// later, or not. What is remembered of them is apart from that of text messages.
func (l *line) sparing(values settings.Values, mail notify.Channel) notify.Channel {
	most := values.Int(settings.MailPersonHourly)
	if mail == nil || most == 0 {
		return mail
	}
	l.letters = limit.New(limit.Options{
		Countries: []string{"*"}, CountryOf: func(string) string { return "mail" }, PersonHourly: most,
		Name: func(kind, value string) string { return l.sealer.Name("mail "+kind, value) },
	})
	return spared{mail, l.letters}
}

// spared is a channel behind a gate.
type spared struct {
	channel notify.Channel
	gate    *limit.Gate
}

// Send sends a message if it may be.
func (s spared) Send(ctx context.Context, to string, m notify.Message) error {
	return s.gate.Guard(letter{s.channel, m}).Send(ctx, to, m.Text)
}

// letter is a message on its way through a gate, which lets text messages pass.
type letter struct {
	channel notify.Channel
	message notify.Message
}

// Send sends the whole message.
func (l letter) Send(ctx context.Context, to, _ string) error {
	return l.channel.Send(ctx, to, l.message)
}

// beginTime bounds how long a start waits for an instance whose end is told, which
// another instance begins.
const beginTime = 10 * time.Second

// start starts an orchestration for an HTTP trigger, and tells how it ends to whom
// the settings name.
func (r routes) start(req *http.Request, orchestration string, input any) (httpapi.Run, error) {
	if len(r.told) == 0 {
		execution := client.NewID()
		id, err := r.client.Start(req.Context(), orchestration, "", input, client.AsExecution(execution))
		return httpapi.Run{Instance: id, Execution: execution}, err
	}
	ctx, cancel := context.WithTimeout(req.Context(), beginTime)
	defer cancel()
	in, err := notify.Start(ctx, r.client, orchestration, "", input, r.told)
	return httpapi.Run{Instance: in.ID, Execution: in.Execution, First: in.First, Revoked: in.Revoked}, err
}

// notStarted answers a start that failed. One that was accepted begins later, and
// whoever asks again starts another.
func (r routes) notStarted(w http.ResponseWriter, orchestration string, err error, says string) {
	r.app.log.Error("start for an HTTP trigger", "orchestration", orchestration, "error", err)
	if errors.Is(err, notify.ErrNotBegun) {
		refuse(w, http.StatusServiceUnavailable, "This was accepted and will begin, but has not yet, so there is no link to it. Asked for again, it is done twice.")
		return
	}
	refuse(w, http.StatusInternalServerError, says)
}
