package limit

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/human"
)

// Kind is a kind of limit.
type Kind string

// The kinds of limits.
const (
	// Rate is how much there may be within a time that ends now.
	Rate Kind = "rate"
	// Daily is how much there may be on a day, UTC.
	Daily Kind = "daily"
	// Risk is how much there may be until somebody unlocks it. A verification
	// counts with all its tries until it is known how many were wrong, and a
	// phone that was verified begins anew.
	Risk Kind = "risk"
	// Conversion is how many messages may be sent of which fewer than some
	// percent led to a verification, within a time that begins with the first.
	Conversion Kind = "conversion"
	// Barred lets nothing pass while somebody wants no messages.
	Barred Kind = "barred"
)

// Claim is what a message counts as for one limit.
type Claim struct {
	Kind Kind `json:"kind"`
	// Limit is what the limit is called.
	Limit string `json:"limit"`
	// Key is what it is counted by; it may be empty.
	Key    string `json:"key,omitempty"`
	Amount int64  `json:"amount"`
	Most   int64  `json:"most"`
	// Window is the time of a Rate, or of a Conversion.
	Window human.Duration `json:"window,omitempty"`
	// Percent is that of a Conversion.
	Percent int64 `json:"percent,omitempty"`
}

func (c Claim) account() string { return c.Limit + "/" + c.Key }

// Book is what a ledger remembers. Its times are Unix milliseconds.
type Book struct {
	Accounts map[string]Account `json:"accounts,omitempty"`
}

// Account is what is remembered for one limit and key.
type Account struct {
	Kind Kind `json:"kind"`
	// Times are when something was counted, for a Rate.
	Times []int64 `json:"times,omitempty"`
	// Sum is how much was counted, and Good how many were verified.
	Sum  int64 `json:"sum,omitempty"`
	Good int64 `json:"good,omitempty"`
	// Until is when it may be forgotten; zero for never.
	Until int64 `json:"until,omitempty"`
	// Enough is how many must be verified for a Conversion not to refuse.
	Enough int64 `json:"enough,omitempty"`
	// Stopped says that a Conversion refuses.
	Stopped bool `json:"stopped,omitempty"`
}

// refusal returns which claim is one too many now; nil if none is.
func (b *Book) refusal(claims []Claim, now time.Time) *human.Refusal {
	for _, c := range claims {
		if until, refused := c.refuses(b.Accounts[c.account()].at(now), now); refused {
			r := &human.Refusal{Limit: c.Limit}
			if until > 0 {
				r.Until = time.UnixMilli(until).UTC()
			}
			return r
		}
	}
	return nil
}

// at returns the account without what is over.
func (a Account) at(now time.Time) Account {
	if a.Until > 0 && now.UnixMilli() >= a.Until {
		return Account{}
	}
	return a
}

// refuses reports whether the claim is one too many, and until when; zero if time
// alone does not help.
func (c Claim) refuses(a Account, now time.Time) (until int64, refused bool) {
	switch c.Kind {
	case Rate:
		return c.refusesRate(a, now)
	case Daily:
		return nextDay(now).UnixMilli(), a.Sum+c.Amount > c.Most
	case Risk:
		return 0, a.Sum+c.Amount > c.Most
	case Conversion:
		return a.Until, a.Stopped
	case Barred:
		return 0, a.Sum > 0
	}
	return 0, true // a claim of a newer program
}

// refusesRate says when enough of what was counted is over.
func (c Claim) refusesRate(a Account, now time.Time) (until int64, refused bool) {
	recent := c.recent(a, now)
	over := int64(len(recent)) + c.Amount - c.Most
	switch {
	case over <= 0:
		return 0, false
	case over > int64(len(recent)):
		return 0, true
	}
	return recent[over-1] + time.Duration(c.Window).Milliseconds(), true
}

// recent returns when something was counted within the time that ends now.
func (c Claim) recent(a Account, now time.Time) []int64 {
	since := now.Add(-time.Duration(c.Window)).UnixMilli()
	first, _ := slices.BinarySearch(a.Times, since+1)
	return a.Times[first:]
}

func nextDay(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
}

// take counts claims that were not refused.
func (b *Book) take(claims []Claim, now time.Time) {
	if b.Accounts == nil {
		b.Accounts = map[string]Account{}
	}
	for _, c := range claims {
		if c.Kind == Barred {
			continue
		}
		b.Accounts[c.account()] = c.counted(b.Accounts[c.account()].at(now), now)
	}
}

// counted returns the account with the claim.
func (c Claim) counted(a Account, now time.Time) Account {
	a.Kind = c.Kind
	window := time.Duration(c.Window)
	switch c.Kind {
	case Rate:
		a.Times = slices.Clone(c.recent(a, now))
		for range c.Amount {
			a.Times = append(a.Times, now.UnixMilli())
		}
		a.Until = now.Add(window).UnixMilli()
		return a
	case Daily:
		a.Until = nextDay(now).UnixMilli()
	case Conversion:
		return c.converted(a, now)
	}
	a.Sum += c.Amount
	return a
}

// converted returns the account with one more message to a country. When as many
// were sent as are looked at and enough of them led to a verification, the next
// are looked at.
func (c Claim) converted(a Account, now time.Time) Account {
	if a.Sum >= c.Most {
		a = Account{Kind: c.Kind}
	}
	if a.Sum == 0 {
		a.Until = now.Add(time.Duration(c.Window)).UnixMilli()
	}
	a.Sum += c.Amount
	a.Enough = (c.Percent*c.Most + 99) / 100
	a.Stopped = a.Sum >= c.Most && a.Good < a.Enough
	return a
}

// hear takes note of how a verification ended.
func (b *Book) hear(r human.Report) {
	for _, name := range slices.Sorted(maps.Keys(b.Accounts)) {
		a := b.Accounts[name]
		if _, key, _ := strings.Cut(name, "/"); key != r.Key {
			continue
		}
		switch {
		case a.Kind == Conversion && r.Verified:
			a.Good++
			a.Stopped = a.Stopped && a.Good < a.Enough
		case a.Kind == Risk && r.Verified:
			a.Sum = 0
		case a.Kind == Risk:
			a.Sum = max(0, a.Sum-int64(r.Allowed-r.Wrong))
		}
		b.Accounts[name] = a
	}
}

// unlock forgets what is counted by a key, but not a wish for no messages.
func (b *Book) unlock(key string) {
	maps.DeleteFunc(b.Accounts, func(name string, a Account) bool {
		_, k, _ := strings.Cut(name, "/")
		return k == key && a.Kind != Barred
	})
}

// subscribe takes note of whether messages are wanted.
func (b *Book) subscribe(s Subscription) {
	name := Claim{Limit: OptedOut, Key: s.Key}.account()
	delete(b.Accounts, name)
	if s.Wanted {
		return
	}
	if b.Accounts == nil {
		b.Accounts = map[string]Account{}
	}
	b.Accounts[name] = Account{Kind: Barred, Sum: 1}
}

// forget removes what is over.
func (b *Book) forget(now time.Time) {
	maps.DeleteFunc(b.Accounts, func(_ string, a Account) bool {
		a = a.at(now)
		return a.Sum == 0 && len(a.Times) == 0
	})
}
