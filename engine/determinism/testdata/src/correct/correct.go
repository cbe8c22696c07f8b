// Package correct has orchestrations that do nothing wrong, one in each
// function.
package correct

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"helpers"
	"log/slog"
	"maps"
	"math"
	"math/big"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/seed21523604/holdfast/engine"
)

const (
	ask    engine.Activity[string, string] = "Ask"
	count  engine.Activity[string, int]    = "Count"
	reply  engine.Event[string]            = "Reply"
	number engine.Event[int]               = "Number"
)

var (
	pattern = regexp.MustCompile("^[a-z]+$")
	errNo   = errors.New("no")
	limits  = map[string]int{"a": 1}
)

func chain(ctx *engine.Context, in string) (string, error) {
	a, err := engine.CallActivity(ctx, ask, in).Await()
	if err != nil {
		return "", err
	}
	return engine.CallActivity(ctx, ask, a).Await()
}

func fanOut(ctx *engine.Context, in []string) ([]string, error) {
	var tasks []*engine.Task[string]
	for _, s := range in {
		tasks = append(tasks, engine.CallActivity(ctx, ask, s))
	}
	return engine.WhenAll(ctx, tasks...).Await()
}

func race(ctx *engine.Context, in string) (string, error) {
	answer := engine.WaitForExternalEvent(ctx, reply)
	deadline := ctx.CreateTimer(ctx.Now().Add(time.Hour))
	switch engine.Select(ctx, answer, deadline) {
	case answer:
		deadline.Cancel()
		return answer.Await()
	default:
		return "late", nil
	}
}

func now(ctx *engine.Context, start time.Time) (time.Duration, error) {
	return ctx.Now().Sub(start), nil
}

func guid(ctx *engine.Context, _ any) (string, error) { return ctx.NewGUID(), nil }

func logs(ctx *engine.Context, in string) (string, error) {
	ctx.Logger().Info("started", "in", in)
	ctx.Logger().With("n", 1).Warn("again", slog.String("in", in))
	return in, nil
}

func dates(ctx *engine.Context, in string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, in)
	return at.UTC().Truncate(time.Hour).AddDate(0, 0, 1), err
}

func fixedDate(ctx *engine.Context, _ any) (time.Time, error) {
	return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), nil
}

func zone(ctx *engine.Context, at time.Time) (string, error) {
	return at.In(time.FixedZone("CET", 3600)).Format(time.Kitchen), nil
}

func seeded(ctx *engine.Context, seed int64) (int, error) {
	return rand.New(rand.NewSource(seed)).Intn(6), nil
}

func parseID(ctx *engine.Context, in string) (string, error) {
	id, err := uuid.Parse(in)
	return id.String(), err
}

func derivedID(ctx *engine.Context, in string) (string, error) {
	return uuid.NewSHA1(uuid.UUID{}, []byte(in)).String(), nil
}

func sortedLoop(ctx *engine.Context, m map[string]int) (string, error) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, err := engine.CallActivity(ctx, ask, k).Await(); err != nil {
			return "", err
		}
	}
	return "", nil
}

func sortedAfterwards(ctx *engine.Context, m map[string]int) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys, nil
}

func sortedByValue(ctx *engine.Context, m map[string]int) ([]string, error) {
	keys := make([]string, 0, len(m))
	for k, n := range m {
		if n > 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(m[a], m[b]), cmp.Compare(a, b)) })
	return keys, nil
}

func sortSlice(ctx *engine.Context, m map[string]int) ([]string, error) {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys, nil
}

func collected(ctx *engine.Context, m map[string]int) ([]string, error) {
	keys := slices.Collect(maps.Keys(m))
	slices.Sort(keys)
	return keys, nil
}

func sum(ctx *engine.Context, m map[string]int) (int, error) {
	total := 0
	for _, n := range m {
		total += n
	}
	return total, nil
}

func counted(ctx *engine.Context, m map[string]bool) (int, error) {
	n := 0
	for _, yes := range m {
		if yes {
			n++
		}
	}
	return n, nil
}

func size(ctx *engine.Context, m map[string]bool) (int, error) {
	n := 0
	for range m {
		n++
	}
	return n + len(m), nil
}

func anyOf(ctx *engine.Context, m map[string]bool) (bool, error) {
	found := false
	for _, yes := range m {
		if yes {
			found = true
		}
	}
	return found, nil
}

func most(ctx *engine.Context, m map[string]int) (int, error) {
	best := 0
	for _, n := range m {
		if n > best {
			best = n
		}
	}
	for _, n := range m {
		best = max(best, n)
	}
	return best, nil
}

func copied(ctx *engine.Context, m map[string]int) (map[string]int, error) {
	doubled := map[string]int{}
	for k, n := range m {
		twice := 2 * n
		doubled[k] = twice
	}
	return doubled, nil
}

func removed(ctx *engine.Context, m map[string]int) (map[string]int, error) {
	left := maps.Clone(m)
	for k, n := range m {
		if n == 0 {
			delete(left, k)
			continue
		}
	}
	return left, nil
}

func nested(ctx *engine.Context, m map[string][]int) (int, error) {
	total := 0
	for _, list := range m {
		for _, n := range list {
			total += n
		}
	}
	return total, nil
}

func inserted(ctx *engine.Context, m map[string]int) (map[string]int, error) {
	other := maps.Collect(maps.All(m))
	maps.Insert(other, maps.All(m))
	return other, nil
}

func mapLookup(ctx *engine.Context, in string) (int, error) { return limits[in], nil }

func formatted(ctx *engine.Context, m map[string]int) (string, error) { return fmt.Sprint(m), nil }

func marshaled(ctx *engine.Context, m map[string]int) (string, error) {
	text, err := json.Marshal(m)
	return string(text), err
}

func loops(ctx *engine.Context, n int) (int, error) {
	total := 0
	for i := range n {
		total += i
	}
	for i := 0; i < n; i++ {
		total -= i
	}
	for total > 100 {
		total /= 2
	}
	return total, nil
}

func strs(ctx *engine.Context, in string) (string, error) {
	var b strings.Builder
	for _, r := range in {
		b.WriteRune(r)
	}
	fmt.Fprintf(&b, "%d", utf8.RuneCountInString(in))
	return strings.ToUpper(b.String()) + strconv.Itoa(len(in)), nil
}

func matched(ctx *engine.Context, in string) (bool, error) { return pattern.MatchString(in), nil }

func hashed(ctx *engine.Context, in string) (string, error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(in))
	sum := sha256.Sum256([]byte(in))
	return hex.EncodeToString(h.Sum(sum[:0])) + base64.StdEncoding.EncodeToString(sum[:]), nil
}

func arithmetic(ctx *engine.Context, x float64) (float64, error) {
	n := new(big.Int).Exp(big.NewInt(2), big.NewInt(10), nil)
	return math.Sqrt(x) + float64(n.Int64()), nil
}

func urls(ctx *engine.Context, in string) (string, error) {
	u, err := url.Parse(in)
	if err != nil {
		return "", err
	}
	return path.Join(u.Path, filepath.Base(in)) + http.StatusText(404), nil
}

func headers(ctx *engine.Context, _ any) (http.Header, error) {
	h := http.Header{}
	h.Set("Accept", "text/plain")
	return h, nil
}

func templates(ctx *engine.Context, in string) (string, error) {
	var b bytes.Buffer
	err := template.Must(template.New("x").Parse("{{.}}")).Execute(&b, in)
	return b.String(), err
}

func fileErrors(ctx *engine.Context, in string) (bool, error) {
	_, err := engine.CallActivity(ctx, ask, in).Await()
	return errors.Is(err, os.ErrNotExist) || os.IsNotExist(err), nil
}

func sentinel(ctx *engine.Context, in string) (string, error) {
	if in == "" {
		return "", errNo
	}
	return in, nil
}

func helped(ctx *engine.Context, m map[string]int) (string, error) {
	return helpers.Upper(strings.Join(helpers.SortedKeys(m), ",")), nil
}

func excused(ctx *engine.Context, _ any) (string, error) {
	return helpers.Build() + helpers.Excused(), nil
}

func allowedHere(ctx *engine.Context, _ any) (string, error) {
	return os.Getenv("REGION"), nil //determinism:allow the region of an app never changes
}

func allowedAbove(ctx *engine.Context, m map[string]int) (string, error) {
	//determinism:allow the map has one key at most
	for k := range m {
		return k, nil
	}
	return "", nil
}

func allowedHelper(ctx *engine.Context, _ any) (string, error) {
	return helpers.Stamp(), nil //determinism:allow it is for the log only
}

func literal(ctx *engine.Context, n int) (int, error) {
	total := 0
	add := func(i int) { total += i }
	for i := range n {
		add(i)
	}
	return total, nil
}

func deferred(ctx *engine.Context, _ any) (string, error) {
	deadline := ctx.CreateTimer(ctx.Now().Add(time.Minute))
	defer deadline.Cancel()
	return engine.WaitForExternalEvent(ctx, reply).Await()
}

func panics(ctx *engine.Context, in string) (string, error) {
	if in == "" {
		panic("there must be an input")
	}
	return in, nil
}

func structs(ctx *engine.Context, in string) (string, error) {
	var s struct {
		name string
		seen map[string]bool
	}
	s.name, s.seen = in, map[string]bool{}
	s.seen[in] = true
	p := &s
	p.name += "!"
	return p.name, nil
}

func pointers(ctx *engine.Context, in *int) (int, error) {
	*in++
	return *in, nil
}

func slicesOfOwn(ctx *engine.Context, in []int) ([]int, error) {
	in[0] = 1
	slices.Sort(in)
	slices.Reverse(in)
	return append(in, 2), nil
}

func retries(ctx *engine.Context, in string) (string, error) {
	policy := engine.RetryPolicy{MaxAttempts: 3, Handle: func(err error) bool { return !errors.Is(err, errNo) }}
	return engine.CallActivity(ctx, ask, in, policy).Await()
}

func saga(ctx *engine.Context, in string) (result string, err error) {
	var undo []func() error
	defer func() {
		if err != nil {
			slices.Reverse(undo)
		}
	}()
	undo = append(undo, func() error { _, err := engine.CallActivity(ctx, ask, "undo").Await(); return err })
	for _, step := range undo {
		if err := step(); err != nil {
			return "", err
		}
	}
	return in, nil
}

func monitor(ctx *engine.Context, in string) (string, error) {
	for until := ctx.Now().Add(time.Hour); ctx.Now().Before(until); {
		n, err := engine.CallActivity(ctx, count, in).Await()
		if err != nil || n > 0 {
			return strconv.Itoa(n), err
		}
		if _, err := ctx.CreateTimer(ctx.Now().Add(time.Minute)).Await(); err != nil {
			return "", err
		}
	}
	return "", nil
}

func eternal(ctx *engine.Context, total int) (int, error) {
	n, err := engine.WaitForExternalEvent(ctx, number).Await()
	if err != nil {
		return 0, err
	}
	return total + n, ctx.ContinueAsNew(total + n)
}

func status(ctx *engine.Context, in string) (string, error) {
	return in, ctx.SetCustomStatus(map[string]string{"waitingFor": in})
}

func replaying(ctx *engine.Context, in string) (bool, error) { return ctx.IsReplaying(), nil }

func readsGlobals(ctx *engine.Context, in string) (int, error) {
	n, ok := limits[in]
	if !ok {
		n = len(limits)
	}
	return n, nil
}

func shadowed(ctx *engine.Context, in string) (map[string]int, error) {
	limits := map[string]int{}
	limits[in] = 1
	return limits, nil
}

func generic[T any](ctx *engine.Context, in T) (T, error) { return in, nil }

func usesGeneric(ctx *engine.Context, in string) (string, error) { return generic(ctx, in) }

func withHelper(ctx *engine.Context, in string) (string, error) { return part(ctx, in) }

func part(ctx *engine.Context, in string) (string, error) {
	return engine.CallActivity(ctx, ask, in).Await()
}

type approval struct{ who string }

func (a approval) run(ctx *engine.Context, _ any) (string, error) {
	return engine.CallActivity(ctx, ask, a.who).Await()
}

// A walk is made anew for each instance, and its method is called, not registered.
type walk struct{ steps int }

func (w *walk) run(ctx *engine.Context, _ any) (string, error) {
	w.steps++
	return strconv.Itoa(w.steps), nil
}

func walked(ctx *engine.Context, in string) (string, error) { return (&walk{}).run(ctx, nil) }

func method(ctx *engine.Context, in string) (string, error) { return approval{in}.run(ctx, nil) }

func labels(ctx *engine.Context, in [][]int) (int, error) {
outer:
	for _, row := range in {
		for _, n := range row {
			if n == 0 {
				continue outer
			}
			if n < 0 {
				break outer
			}
		}
	}
	return len(in), nil
}

func iterators(ctx *engine.Context, in []int) ([]int, error) {
	return slices.Sorted(slices.Values(in)), nil
}

func switches(ctx *engine.Context, in any) (string, error) {
	switch v := in.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	}
	return "", nil
}

func closures(ctx *engine.Context, in []string) ([]string, error) {
	upper := func(s string) string { return strings.ToUpper(s) }
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = upper(s)
	}
	return out, nil
}

func branches(ctx *engine.Context, in []string) (int, error) {
	done := 0
	var tasks []*engine.Task[string]
	for _, s := range in {
		tasks = append(tasks, engine.Go(ctx, func(ctx *engine.Context) (string, error) {
			answer, err := engine.CallActivity(ctx, ask, s).Await()
			done++
			return answer, err
		}))
	}
	_, err := engine.WhenAll(ctx, tasks...).Await()
	return done, err
}

func durations(ctx *engine.Context, in string) (time.Duration, error) {
	d, err := time.ParseDuration(in)
	return d.Round(time.Second), err
}

func attributes(ctx *engine.Context, in string) (string, error) {
	ctx.Logger().LogAttrs(nil, slog.LevelInfo, "x", slog.Int("n", 1))
	return in, nil
}

// Activities and what only they use may do anything.
func register(r *engine.Registry) {
	n := 0
	engine.AddActivity(r, ask, func(ctx context.Context, in string) (string, error) {
		n++
		go func() {}()
		for k := range limits {
			return k + time.Now().String() + helpers.Stamp(), nil
		}
		return in, nil
	})
	engine.AddOrchestrator(r, "Chain", chain)
	engine.AddOrchestrator(r, "Approval", approval{"Ann"}.run)
	engine.AddOrchestrator(r, "Literal", func(ctx *engine.Context, in string) (string, error) {
		own := 0
		own++
		return in + strconv.Itoa(own), nil
	})
}
