package limit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine"
	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/internal/memory"
)

// The names of the limits, which a human.Refusal gives.
const (
	Phone    = "phone"      // verifications of one phone
	Prefix   = "prefix"     // messages to numbers that differ in the last four digits only
	Caller   = "caller"     // messages that one caller asked for
	Person   = "person"     // messages to one phone that verify nobody
	Request  = "request"    // those of them that are about the same thing
	Failures = "failures"   // wrong answers for one phone, until it is unlocked
	Day      = "day"        // messages of a day
	Money    = "money"      // what the messages of a day cost
	Country  = "country"    // the country is not among those that are sent messages
	Breaker  = "conversion" // too few messages to the country led to a verification
	Stopped  = "stopped"    // an operator suspended a ledger
	OptedOut = "optedOut"   // whoever has the phone wants no messages
)

// Options are the limits. A zero is no limit, except that Countries must name
// some.
type Options struct {
	// Countries are those that messages may be sent to, as [Options.CountryOf]
	// names them; "*" is all of them.
	Countries []string
	// CountryOf returns the country of a number, or "" if it has none or should
	// be sent nothing for another reason.
	CountryOf func(number string) string
	// PhoneHourly is how many verifications of a phone may begin within an hour;
	// PrefixHourly and CallerHourly are how many messages may be sent.
	PhoneHourly, PrefixHourly, CallerHourly int
	// PersonHourly is how many messages that verify nobody may be sent to a phone
	// within an hour, and RequestHourly how many of them about the same thing.
	PersonHourly, RequestHourly int
	// PhoneFailures is how many wrong answers there may be for a phone between
	// two verifications that succeed.
	PhoneFailures int
	// Daily is how many messages may be sent on a day, UTC; DailyMoney what they
	// may cost, in the units of Price.
	Daily      int
	DailyMoney int64
	// Price returns what a message to a country costs for each segment.
	Price func(country string) int64
	// BreakerSends is after how many messages to a country, if fewer than
	// BreakerPercent of them led to a verification, no more are sent, until
	// BreakerPause after the first of them or an operator unlocks the country.
	BreakerSends, BreakerPercent int
	BreakerPause                 time.Duration
	// Name returns what a value of a kind is called in ids and in what is
	// stored, as human.Sealer's Name does.
	Name func(kind, value string) string
}

// Gate lets messages pass that are within the limits.
type Gate struct {
	o      Options
	client *client.Client
}

var _ human.Gate = (*Gate)(nil)

// New returns a gate, which lets nothing pass before Use.
func New(o Options) *Gate { return &Gate{o: o} }

// Use gives the gate a client of the store in which the ledgers are. It must be
// called before anything is sent.
func (g *Gate) Use(c *client.Client) { g.client = c }

// errNoClient is returned before Use.
var errNoClient = errors.New("the gate was given no client")

// patience is how long the ledgers may take to answer.
const patience = 10 * time.Second

// Admit asks the ledgers, that of the caller first and that for everything last.
func (g *Gate) Admit(ctx context.Context, s human.Sending) ([]human.Account, *human.Refusal, error) {
	if g.client == nil {
		return nil, nil, errNoClient
	}
	country := g.o.CountryOf(s.To)
	if country == "" || !slices.Contains(g.o.Countries, "*") && !slices.Contains(g.o.Countries, country) {
		return nil, &human.Refusal{Limit: Country}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	phone := g.o.Name("phone", s.To)
	neighbours := g.PrefixLedger(s.To)
	for _, page := range []struct {
		id     string
		claims []Claim
	}{
		{"sms-limits-" + g.o.Name("caller", s.Caller), g.callerClaims(s)},
		{neighbours, g.phoneClaims(s, phone)},
		{All, g.totalClaims(s, country)},
	} {
		refused, err := g.reserve(ctx, page.id, s, page.claims)
		if err != nil || refused != nil {
			return nil, refused, err
		}
	}
	return g.accounts(s, human.Account{Instance: neighbours, Key: phone}, human.Account{Instance: All, Key: country}), nil, nil
}

// accounts returns who wants to know how the verification ends, of those who count
// the phone and the country.
func (g *Gate) accounts(s human.Sending, phone, country human.Account) (told []human.Account) {
	if s.Tries > 0 && g.o.PhoneFailures > 0 {
		told = append(told, phone)
	}
	if s.Tries > 0 && g.o.BreakerSends > 0 {
		told = append(told, country)
	}
	return told
}

// PrefixLedger returns the id of the ledger that a number is in, and PhoneKey by
// what it is counted there.
func (g *Gate) PrefixLedger(number string) string {
	return "sms-limits-" + g.o.Name("prefix", number[:max(0, len(number)-4)])
}

// PhoneKey returns by what a number is counted, which an operator unlocks.
func (g *Gate) PhoneKey(number string) string { return g.o.Name("phone", number) }

func (g *Gate) callerClaims(s human.Sending) []Claim {
	if s.Caller == "" {
		return nil
	}
	return whole(perHour(Caller, "", g.o.CallerHourly))
}

// phoneClaims counts the message to a number, and what is risked with it once for
// each verification.
func (g *Gate) phoneClaims(s human.Sending, phone string) []Claim {
	wanted := Claim{Kind: Barred, Limit: OptedOut, Key: phone, Most: 1}
	prefix := perHour(Prefix, "", g.o.PrefixHourly)
	switch {
	case s.About != "":
		return whole(
			wanted,
			perHour(Request, g.o.Name("request", s.To+" "+s.About), g.o.RequestHourly),
			perHour(Person, phone, g.o.PersonHourly),
			prefix,
		)
	case s.Again:
		return whole(wanted, prefix)
	}
	return whole(
		wanted,
		Claim{Kind: Risk, Limit: Failures, Key: phone, Amount: int64(s.Tries), Most: int64(g.o.PhoneFailures)},
		perHour(Phone, phone, g.o.PhoneHourly),
		prefix,
	)
}

func (g *Gate) totalClaims(s human.Sending, country string) []Claim {
	var price int64
	if g.o.Price != nil {
		price = g.o.Price(country) * int64(s.Segments)
	}
	most := int64(g.o.BreakerSends)
	if s.About != "" {
		most = 0 // nobody is to type anything back
	}
	return whole(
		Claim{Kind: Conversion, Limit: Breaker, Key: country, Amount: 1, Most: most, Percent: int64(g.o.BreakerPercent), Window: human.Duration(g.o.BreakerPause)},
		Claim{Kind: Daily, Limit: Day, Amount: 1, Most: int64(g.o.Daily)},
		Claim{Kind: Daily, Limit: Money, Amount: price, Most: g.o.DailyMoney},
	)
}

// perHour is what a message counts as where so many may be sent within an hour.
func perHour(limit, key string, most int) Claim {
	return Claim{Kind: Rate, Limit: limit, Key: key, Amount: 1, Most: int64(most), Window: human.Duration(time.Hour)}
}

// whole leaves out what is not limited.
func whole(claims ...Claim) []Claim {
	return slices.DeleteFunc(claims, func(c Claim) bool { return c.Most == 0 })
}

// reserve asks one ledger. It remembers what it said to a key; an attempt after one that
// was refused wants to know what holds now.
func (g *Gate) reserve(ctx context.Context, id string, s human.Sending, claims []Claim) (*human.Refusal, error) {
	if len(claims) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(Reservation{claims})
	if err != nil {
		return nil, err
	}
	refused, err := g.reserveAs(ctx, id, s.Key, body)
	if refused != nil && s.Attempt > 1 {
		return g.reserveAs(ctx, id, fmt.Sprintf("%s attempt %d", s.Key, s.Attempt), body)
	}
	return refused, err
}

// pages is how often a ledger may turn its page between two tries of one message.
const pages = 4

// reserveAs asks under a key. Whoever asked before the ledger turned its page, and did not
// hear the answer, is counted once more, and so is whoever asked when the limits were
// others.
func (g *Gate) reserveAs(ctx context.Context, id, key string, body []byte) (*human.Refusal, error) {
	var answer client.Answer
	for range pages {
		var err error
		if answer, err = g.ask(ctx, id, string(Reserve), client.Payload{Body: body, Key: key}); err != nil {
			return nil, err
		}
		if ctx.Err() != nil || answer.Outcome != "" && answer.Outcome != history.KeyReused {
			break
		}
		key += " again"
	}
	return g.answered(id, answer)
}

// ask raises an event of a ledger, which is begun if there is none or it has ended.
func (g *Gate) ask(ctx context.Context, id, event string, p client.Payload) (client.Answer, error) {
	return memory.Memory{Client: g.client, Orchestration: string(Ledger), Empty: Book{}}.Ask(ctx, id, event, p)
}

// Subscribe takes note of whether messages are wanted at a number. While they are
// not, none is sent.
func (g *Gate) Subscribe(ctx context.Context, number string, wanted bool) error {
	if g.client == nil {
		return errNoClient
	}
	body, err := json.Marshal(Subscription{g.PhoneKey(number), wanted})
	if err != nil {
		return err
	}
	answer, err := g.ask(ctx, g.PrefixLedger(number), string(Subscribe), client.Payload{Body: body})
	if err == nil && answer.Outcome != history.Taken {
		err = fmt.Errorf("the ledger does not answer: %q", answer.Outcome)
	}
	if err != nil {
		return fmt.Errorf("take note of who wants messages: %w", err)
	}
	return nil
}

// answered reads what a ledger says.
func (g *Gate) answered(id string, answer client.Answer) (*human.Refusal, error) {
	switch answer.Outcome {
	case history.Taken:
		return nil, nil
	case history.Rejected:
		var refusal human.Refusal
		if err := json.Unmarshal([]byte(answer.Reason), &refusal); err != nil || refusal.Limit == "" {
			return nil, fmt.Errorf("the ledger %s refuses for a reason that cannot be read: %s", id, answer.Reason)
		}
		return &refusal, nil
	case history.NotWaiting:
		if answer.Instance.Status == history.Suspended || strings.Contains(answer.Reason, "suspended") {
			return &human.Refusal{Limit: Stopped}, nil
		}
	}
	return nil, fmt.Errorf("the ledger %s does not answer: %q", id, answer.Outcome)
}

// Guard returns a messenger that sends what the gate lets pass, by what is counted
// of messages but not of verifications.
func (g *Gate) Guard(m human.Messenger) human.Messenger { return guarded{g, m} }

// guarded is a messenger behind a gate.
type guarded struct {
	gate      *Gate
	messenger human.Messenger
}

// Send sends a message if it may be.
func (m guarded) Send(ctx context.Context, to, body string) error {
	call := engine.CallOf(ctx)
	_, refused, err := m.gate.Admit(ctx, human.Sending{Key: call.Key(), Attempt: call.Attempt, To: to, Segments: human.Segments(body), About: cmp.Or(call.Instance, "nothing")})
	switch {
	case err != nil:
		return human.NewError(human.KindUnavailable, "ask whether a message may be sent: "+err.Error())
	case refused != nil && refused.Until.IsZero():
		return human.NewError(human.KindUndeliverable, refused.Error())
	case refused != nil:
		return human.NewError(human.KindUnavailable, refused.Error()).After(refused.Until.Sub(m.gate.client.Now()))
	}
	return m.messenger.Send(ctx, to, body)
}
