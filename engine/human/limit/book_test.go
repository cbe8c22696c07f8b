package limit

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/human"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// ask asks a book for a message, and counts it if it may be sent.
func (b *Book) ask(now time.Time, claims ...Claim) *human.Refusal {
	r := b.refusal(claims, now)
	if r == nil {
		b.take(claims, now)
	}
	return r
}

func hourly(most int64) Claim {
	return Claim{Kind: Rate, Limit: Phone, Key: "k", Amount: 1, Most: most, Window: human.Duration(time.Hour)}
}

func TestARateIsKeptInEveryHour(t *testing.T) {
	var b Book
	at := noon
	for n := range 3 {
		if r := b.ask(at, hourly(3)); r != nil {
			t.Fatalf("message %d: %v", n, r)
		}
		at = at.Add(10 * time.Minute)
	}
	for now := at; now.Before(noon.Add(time.Hour)); now = now.Add(time.Minute) {
		if r := b.ask(now, hourly(3)); r == nil || r.Limit != Phone || !r.Until.Equal(noon.Add(time.Hour)) {
			t.Fatalf("at %v: %v", now, r)
		}
	}
	if r := b.ask(noon.Add(time.Hour), hourly(3)); r != nil {
		t.Errorf("an hour after the first: %v", r)
	}
	if r := b.ask(noon.Add(time.Hour), hourly(3)); r == nil || !r.Until.Equal(noon.Add(70*time.Minute)) {
		t.Errorf("and one more: %v", r)
	}
}

// Whenever messages come, no hour has more than are allowed, and each that is
// refused would have been one too many.
func TestARateAgainstCountingByHand(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for most := int64(1); most <= 7; most++ {
		var b Book
		var sent []time.Time
		now := noon
		for range 3000 {
			now = now.Add(time.Duration(random.Int64N(int64(20 * time.Minute))).Round(time.Millisecond))
			recent := int64(0)
			for _, s := range sent {
				if s.After(now.Add(-time.Hour)) {
					recent++
				}
			}
			r := b.ask(now, hourly(most))
			if (r == nil) != (recent < most) {
				t.Fatalf("most %d: %d within the hour, and %v", most, recent, r)
			}
			if r == nil {
				sent = append(sent, now)
			}
		}
	}
}

func TestADayBeginsAtMidnightUTC(t *testing.T) {
	money := Claim{Kind: Daily, Limit: Money, Amount: 40, Most: 100}
	var b Book
	for n := range 2 {
		if r := b.ask(noon, money); r != nil {
			t.Fatalf("message %d: %v", n, r)
		}
	}
	midnight := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	if r := b.ask(midnight.Add(-1), money); r == nil || !r.Until.Equal(midnight) {
		t.Errorf("before midnight: %v", r)
	}
	if r := b.ask(midnight, money); r != nil {
		t.Errorf("at midnight: %v", r)
	}
}

// With five answers at risk in each, twenty verifications may be all wrong, and no
// other begins until somebody unlocks the phone or one had succeeded.
func TestAPhoneIsLockedBeforeTheHundredthWrongAnswer(t *testing.T) {
	risk := Claim{Kind: Risk, Limit: Failures, Key: "k", Amount: 5, Most: 100}
	var b Book
	for range 20 {
		if r := b.ask(noon, risk); r != nil {
			t.Fatal(r)
		}
		b.hear(human.Report{Key: "k", Wrong: 5, Allowed: 5})
	}
	far := noon.AddDate(10, 0, 0)
	b.forget(far)
	if r := b.ask(far, risk); r == nil || r.Limit != Failures || !r.Until.IsZero() {
		t.Errorf("ten years later: %v", r)
	}
	b.unlock("other")
	if r := b.ask(far, risk); r == nil {
		t.Error("another key unlocks it")
	}
	b.unlock("k")
	if r := b.ask(far, risk); r != nil {
		t.Errorf("unlocked: %v", r)
	}
}

// Of a verification that was not told to the end all tries count, as they may have
// been wrong.
func TestWhatIsNotReportedCountsAsWrong(t *testing.T) {
	risk := Claim{Kind: Risk, Limit: Failures, Key: "k", Amount: 5, Most: 12}
	var b Book
	b.ask(noon, risk)
	b.hear(human.Report{Key: "k", Wrong: 1, Allowed: 5}) // 1
	b.ask(noon, risk)                                    // 6
	if r := b.ask(noon, risk); r != nil {                // 11
		t.Error(r)
	}
	if r := b.ask(noon, risk); r == nil {
		t.Error("more wrong answers are possible than are allowed")
	}
	b.hear(human.Report{Key: "k", Verified: true, Allowed: 5})
	if r := b.ask(noon, risk); r != nil {
		t.Errorf("after a verification: %v", r)
	}
}

func breaker(most int64) Claim {
	return Claim{Kind: Conversion, Limit: Breaker, Key: "GB", Amount: 1, Most: most, Percent: 10, Window: human.Duration(24 * time.Hour)}
}

func TestTheBreakerTripsAtTheFiftiethMessage(t *testing.T) {
	for verified, trips := range map[int]bool{0: true, 4: true, 5: false, 50: false} {
		var b Book
		sent := 0
		for b.ask(noon, breaker(50)) == nil && sent < 60 {
			sent++
			if sent <= verified {
				b.hear(human.Report{Key: "GB", Verified: true})
			}
		}
		if trips && sent != 50 || !trips && sent != 60 {
			t.Errorf("%d verified: stopped after %d", verified, sent)
		}
	}
}

func TestTheBreakerClosesAgainWhenCodesAreTypedOrTheTimeIsOver(t *testing.T) {
	var b Book
	for range 50 {
		b.ask(noon, breaker(50))
	}
	for n := range 5 {
		if r := b.ask(noon, breaker(50)); r == nil || !r.Until.Equal(noon.Add(24*time.Hour)) {
			t.Fatalf("%d verified: %v", n, r)
		}
		b.hear(human.Report{Key: "GB", Verified: true})
	}
	if r := b.ask(noon, breaker(50)); r != nil {
		t.Errorf("5 of 50 verified: %v", r)
	}
	b = Book{}
	for range 50 {
		b.ask(noon, breaker(50))
	}
	if r := b.ask(noon.Add(24*time.Hour), breaker(50)); r != nil {
		t.Errorf("a day later: %v", r)
	}
}

func TestABookForgetsWhatIsOverAndNothingElse(t *testing.T) {
	var b Book
	b.ask(noon, hourly(3), breaker(5), Claim{Kind: Daily, Limit: Day, Amount: 1, Most: 9}, Claim{Kind: Risk, Limit: Failures, Key: "k", Amount: 5, Most: 100})
	b.subscribe(Subscription{Key: "x"})
	for after, want := range map[time.Duration]int{time.Hour - 1: 5, time.Hour: 4, 12 * time.Hour: 3, 24 * time.Hour: 2, 10000 * time.Hour: 2} {
		c := Book{Accounts: map[string]Account{}}
		for name, a := range b.Accounts {
			c.Accounts[name] = a
		}
		c.forget(noon.Add(after))
		if len(c.Accounts) != want {
			t.Errorf("after %v: %d accounts, want %d: %v", after, len(c.Accounts), want, c.Accounts)
		}
	}
	barred := Claim{Kind: Barred, Limit: OptedOut, Key: "x", Most: 1}
	b.unlock("x")
	if r := b.ask(noon, barred); r == nil || r.Limit != OptedOut {
		t.Errorf("opted out: %v", r)
	}
	b.subscribe(Subscription{Key: "x", Wanted: true})
	if r := b.ask(noon, barred); r != nil {
		t.Errorf("opted in again: %v", r)
	}
}

// Ten thousand times somebody is to be told of one of many requests: they get as many
// messages within an hour as are allowed, and of one request no more than three.
func TestNobodyIsWornOutByMessages(t *testing.T) {
	g := New(Options{PersonHourly: 12, RequestHourly: 3, PrefixHourly: 1000, Name: func(kind, value string) string { return kind + value }})
	var b Book
	about, total := map[string]int{}, 0
	for n := range 10_000 {
		request := fmt.Sprint("request", n%(2+n/100))
		r := b.ask(noon.Add(time.Duration(n)*300*time.Millisecond), g.phoneClaims(human.Sending{To: "+447700900123", About: request}, "boss")...)
		switch {
		case r == nil:
			about[request]++
			total++
		case r.Limit != Person && r.Limit != Request:
			t.Fatal(r)
		}
	}
	if total != 12 {
		t.Errorf("%d messages", total)
	}
	for request, n := range about {
		if n > 3 {
			t.Errorf("%d about %s", n, request)
		}
	}
}

func TestAClaimOfANewerProgramIsRefused(t *testing.T) {
	var b Book
	if b.ask(noon, Claim{Kind: "moon", Limit: "moon", Most: 1}) == nil {
		t.Error("it passes")
	}
}

// A hundred thousand starts, of a thousand prefixes, five thousand callers and forty
// countries: what is sent is never more than any limit allows, and is all that they
// allow together.
func TestAFloodIsHeldToEveryLimitExactly(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	callers, prefixes := map[string]*Book{}, map[string]*Book{}
	var all Book
	of := func(books map[string]*Book, name string) *Book {
		if books[name] == nil {
			books[name] = &Book{}
		}
		return books[name]
	}
	const cap = 3000
	sent, byPhone, byPrefix, byCaller, byCountry := 0, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for n := range 100_000 {
		prefix, caller, country := fmt.Sprint("p", random.IntN(1000)), fmt.Sprint("c", random.IntN(5000)), fmt.Sprint("l", random.IntN(40))
		phone := fmt.Sprint(prefix, random.IntN(10))
		now := noon.Add(time.Duration(n) * 10 * time.Millisecond) // 17 minutes in all
		rate := func(limit, key string, most int64) Claim {
			return Claim{Kind: Rate, Limit: limit, Key: key, Amount: 1, Most: most, Window: human.Duration(time.Hour)}
		}
		if of(callers, caller).ask(now, rate(Caller, "", 20)) != nil {
			continue
		}
		if of(prefixes, prefix).ask(now, rate(Phone, phone, 5), rate(Prefix, "", 20)) != nil {
			continue
		}
		claim := breaker(100)
		claim.Key = country
		if all.ask(now, claim, Claim{Kind: Daily, Limit: Day, Amount: 1, Most: cap}) != nil {
			continue
		}
		sent++
		byPhone[phone]++
		byPrefix[prefix]++
		byCaller[caller]++
		byCountry[country]++
		if random.IntN(5) == 0 && country != "l0" { // to one country nobody answers
			all.hear(human.Report{Key: country, Verified: true})
		}
	}
	for name, most := range map[string]struct {
		counts map[string]int
		most   int
	}{"phone": {byPhone, 5}, "prefix": {byPrefix, 20}, "caller": {byCaller, 20}} {
		for key, n := range most.counts {
			if n > most.most {
				t.Errorf("%s %s was sent %d", name, key, n)
			}
		}
	}
	if sent != cap || byCountry["l0"] > 100 || byCountry["l1"] <= 0 {
		t.Errorf("%d messages, %d to the country of which nobody answers", sent, byCountry["l0"])
	}
}
