package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/limit"
	"github.com/seed21523604/holdfast/engine/human/reply"
	"github.com/seed21523604/holdfast/functions/internal/phone"
	"github.com/seed21523604/holdfast/functions/internal/region"
	"github.com/seed21523604/holdfast/functions/internal/twilio"
	"github.com/seed21523604/holdfast/functions/settings"
)

// line is how the app reaches phones, and they reach it.
type line struct {
	messenger human.Messenger
	sealer    *human.Sealer
	simulated *phone.Phone    // nil if messages really go out
	gate      *limit.Gate     // nil if nothing really goes out
	letters   *limit.Gate     // for e-mail; nil if there is no limit
	service   human.Service   // nil if the app makes the codes
	webhook   *twilio.Webhook // refuses everything if there is no account
	replies   *reply.Book
	classes   map[int]twilio.Class
	reported  bool // Twilio tells what becomes of messages
}

// openLine returns what sends text messages: Twilio if it is set up, else a
// simulated phone.
func (a *app) openLine(values settings.Values, sealer *human.Sealer) (*line, error) {
	l := &line{sealer: sealer, replies: reply.NewBook(sealer.Name), webhook: twilio.NewWebhook(a.url)}
	if values.Text(settings.TwilioAccountSid) == "" {
		a.where = "Text messages go to a simulated phone: " + a.url + phonePath
		a.simulated = true
		l.simulated = phone.New(time.Now)
		l.messenger = l.simulated
		return l, nil
	}
	a.where = "Text messages go out through Twilio."
	l.webhook = twilio.NewWebhook(a.url, values.Secret(settings.TwilioAuthToken), values.Secret(settings.TwilioAuthTokenNext))
	var err error
	if l.classes, err = twilio.ParseClasses(values.Text(settings.TwilioErrorClasses)); err != nil {
		return nil, fmt.Errorf("read %s: %w", settings.TwilioErrorClasses, err)
	}
	o := l.twilioOptions(a.url, values)
	if l.messenger, err = twilio.New(o); err != nil {
		return nil, err
	}
	l.gate = limit.New(gateOptions(values, sealer))
	if service := values.Text(settings.TwilioVerifyServiceSid); service != "" {
		o.BaseURL = values.Text(settings.TwilioVerifyUrl)
		if l.service, err = twilio.NewVerifier(service, o); err != nil {
			return nil, err
		}
		l.sealer, err = sealer.Openable()
	}
	return l, err
}

// twilioOptions say which account sends. Twilio reports what becomes of messages
// only to an address that it can reach: one that was set, or any where it is a fake.
func (l *line) twilioOptions(base string, values settings.Values) twilio.Options {
	o := twilio.Options{
		AccountSid: values.Text(settings.TwilioAccountSid), AuthToken: values.Secret(settings.TwilioAuthToken),
		ApiKeySid: values.Text(settings.TwilioApiKeySid), ApiKeySecret: values.Secret(settings.TwilioApiKeySecret),
		From: values.Text(settings.TwilioPhoneNumber), BaseURL: values.Text(settings.TwilioApiUrl),
		Timeout: values.Duration(settings.TwilioTimeout), Classes: l.classes, LookUp: true,
	}
	if strings.HasPrefix(base, "https://") || strings.HasPrefix(o.BaseURL, "http://") {
		l.reported = values.Text(settings.TwilioVerifyServiceSid) == ""
		o.Callback = func(ctx context.Context) string { return callbackOf(base, engine.CallOf(ctx)) }
	}
	return o
}

// callbackOf returns where Twilio reports on the message of a call: the address
// names the instance, and the message as its receipt does.
func callbackOf(base string, call engine.Call) string {
	return base + smsStatusPath + url.PathEscape(call.Instance) + "/" + strconv.Itoa(int(call.Task)+1)
}

// gateOptions are the limits of what is sent.
func gateOptions(values settings.Values, sealer *human.Sealer) limit.Options {
	prices := pricesOf(values.Text(settings.SmsPrices))
	return limit.Options{
		Countries: strings.Split(values.Text(settings.SmsCountries), ","), CountryOf: region.Of,
		PhoneHourly: values.Int(settings.SmsPhoneHourly), PrefixHourly: values.Int(settings.SmsPrefixHourly), CallerHourly: values.Int(settings.SmsCallerHourly),
		PersonHourly: values.Int(settings.SmsPersonHourly), RequestHourly: values.Int(settings.SmsRequestHourly), PhoneFailures: values.Int(settings.SmsPhoneFailures),
		Daily: values.Int(settings.SmsDaily), DailyMoney: int64(values.Int(settings.SmsDailyBudget)),
		Price: func(country string) int64 {
			if price, ok := prices[country]; ok {
				return price
			}
			return int64(values.Int(settings.SmsPrice))
		},
		BreakerSends: values.Int(settings.SmsBreakerSends), BreakerPercent: values.Int(settings.SmsBreakerPercent), BreakerPause: values.Duration(settings.SmsBreakerPause),
		Name: sealer.Name,
	}
}

// pricesOf reads what the table of settings has checked.
func pricesOf(text string) map[string]int64 {
	prices := map[string]int64{}
	for part := range strings.SplitSeq(text, ",") {
		country, price, _ := strings.Cut(part, "=")
		prices[country], _ = strconv.ParseInt(price, 10, 64)
	}
	return prices
}

// register adds what the line needs to the registry.
func (l *line) register(r *engine.Registry, values settings.Values) {
	var options []human.PhoneOption
	if l.gate != nil {
		options = append(options, human.Behind(l.gate))
	}
	if l.reported {
		options = append(options, human.Reported())
	}
	if l.service != nil {
		options = append(options, human.ByService(l.service))
	}
	engine.AddOrchestrator(r, SmsVerify, human.VerifyPhone, engine.SecretEvent(human.SmsChallengeResponse))
	human.AddPhoneVerification(r, l.messenger, l.sealer, smsLimits(values), options...)
	limit.Add(r)
	reply.Add(r)
}

// use gives the line a client of the store in which it remembers what it must.
func (l *line) use(c *client.Client) {
	l.replies.Use(c)
	for _, gate := range []*limit.Gate{l.gate, l.letters} {
		if gate != nil {
			gate.Use(c)
		}
	}
}

// Subscribe takes note of whether messages are wanted at a number.
func (l *line) Subscribe(ctx context.Context, number string, wanted bool) error {
	if l.gate == nil {
		return nil
	}
	return l.gate.Subscribe(ctx, number, wanted)
}
