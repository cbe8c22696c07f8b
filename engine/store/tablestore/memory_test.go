package tablestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// inMemoryOptions returns options for a hub in an account in memory of its own.
func inMemoryOptions(_ testing.TB, now func() time.Time) Options {
	a := azuretest.New(azuretest.Options{Now: now})
	o := Options{ConnectionString: a.ConnectionString(), Hub: "memory", Now: now}
	o.Client.Transport = a
	return o
}

// inMemory returns a hub in an account in memory.
func inMemory(t testing.TB, now func() time.Time) storetest.Hub {
	o := inMemoryOptions(t, now)
	o.MaxInbox = maxInbox
	return storetest.Hub{
		Store:     open(t, o),
		Crash:     func() store.Store { return open(t, o) },
		Precision: time.Second,
		MaxInbox:  maxInbox,
		Projected: true,
	}
}

func TestTableStoreKeepsThePromisesInMemory(t *testing.T) {
	storetest.Run(t, inMemory)
}

// account is a storage account as a test of its answers uses it.
type account struct {
	table *aztables.Client
	queue *azqueue.QueueClient

	etags    []string // of earlier answers, the same place in both accounts
	messages []message
}

func newAccount(t *testing.T, o Options) *account {
	s := open(t, o)
	return &account{table: s.history, queue: s.queue}
}

// The account in memory stands for Azure in tests; what it answers must be what
// Azurite answers, where that is known to be right.
func TestTheAccountInMemoryAnswersAsAzuriteDoes(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	memory := azuretest.New(azuretest.Options{Now: clock})
	o := Options{ConnectionString: memory.ConnectionString(), Hub: "memory", Now: clock}
	o.Client.Transport = memory
	o.Client.Retry = policy.RetryOptions{MaxRetries: -1}
	real := newOptions(t, clock)
	real.Client.Retry = o.Client.Retry
	one, two := newAccount(t, real), newAccount(t, o)
	const seed, steps = 1, 600
	random := rand.New(rand.NewPCG(seed, 0))
	seen := map[string]int{}
	for step := range steps {
		now = now.Add(time.Duration(random.IntN(4)) * time.Second)
		what, try := nextTry(random)
		want, got := try(t.Context(), one), try(t.Context(), two)
		seen[what+" "+strings.SplitN(want, "\n", 2)[0]]++
		if got != want {
			t.Fatalf("seed %d, step %d: %s\n  Azurite: %s\nin memory: %s", seed, step, what, want, got)
		}
	}
	for what, n := range seen {
		t.Logf("%4d %s", n, what)
	}
}

// try makes a request and says in a comparable way what came of it.
type try func(context.Context, *account) string

// nextTry chooses what to do next. All chance is in the choice.
func nextTry(random *rand.Rand) (string, try) {
	partition, row := fmt.Sprint("p", random.IntN(2)), fmt.Sprint("r-", random.IntN(5))
	etag, which := random.IntN(1000), random.IntN(1000)
	choice := random.IntN(16)
	switch {
	case choice < 2:
		return "transaction", tryBatch(random, partition)
	case choice < 4:
		return "query", tryQuery(random, partition, row)
	case choice < 5:
		return "get", func(ctx context.Context, a *account) string {
			answer, err := a.table.GetEntity(ctx, partition, row, nil)
			a.remember(string(answer.ETag), err)
			return outcome(err, plain(answer.Value))
		}
	case choice < 6:
		e := someEntity(random, partition, row)
		return "insert", func(ctx context.Context, a *account) string {
			answer, err := a.table.AddEntity(ctx, e, nil)
			a.remember(string(answer.ETag), err)
			return outcome(err, plain(answer.Value))
		}
	case choice < 7:
		e, mode := someEntity(random, partition, row), []aztables.UpdateMode{aztables.UpdateModeMerge, aztables.UpdateModeReplace}[random.IntN(2)]
		return "update " + string(mode), func(ctx context.Context, a *account) string {
			match := a.etag(etag)
			answer, err := a.table.UpdateEntity(ctx, e, &aztables.UpdateEntityOptions{IfMatch: &match, UpdateMode: mode})
			a.remember(string(answer.ETag), err)
			return outcome(err, "")
		}
	case choice < 8:
		return "delete", func(ctx context.Context, a *account) string {
			match := a.etag(etag)
			_, err := a.table.DeleteEntity(ctx, partition, row, &aztables.DeleteEntityOptions{IfMatch: &match})
			return outcome(err, "")
		}
	case choice < 10:
		text, hidden := fmt.Sprintf("<%d & so on>", random.Int()), int32(random.IntN(4))
		return "put a message", func(ctx context.Context, a *account) string {
			answer, err := a.queue.EnqueueMessage(ctx, text, &azqueue.EnqueueMessageOptions{VisibilityTimeout: &hidden})
			if err == nil {
				a.messages = append(a.messages, message{id: *answer.Messages[0].MessageID, receipt: *answer.Messages[0].PopReceipt})
			}
			return outcome(err, fmt.Sprint(len(answer.Messages)))
		}
	case choice < 12:
		most, hidden := int32(maxReceived), int32(1+random.IntN(5))
		return "receive messages", func(ctx context.Context, a *account) string {
			answer, err := a.queue.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{NumberOfMessages: &most, VisibilityTimeout: &hidden})
			slices.SortFunc(answer.Messages, func(x, y *azqueue.DequeuedMessage) int { return strings.Compare(*x.MessageText, *y.MessageText) })
			text := ""
			for _, m := range answer.Messages {
				a.messages = append(a.messages, message{id: *m.MessageID, receipt: *m.PopReceipt})
				text += fmt.Sprintf("%s %d %v %v;", *m.MessageText, *m.DequeueCount, *m.InsertionTime, *m.TimeNextVisible)
			}
			return outcome(err, text)
		}
	case choice < 13:
		text, hidden := fmt.Sprint("changed ", random.Int()), int32(random.IntN(4))
		return "change a message", func(ctx context.Context, a *account) string {
			m := a.message(which)
			answer, err := a.queue.UpdateMessage(ctx, m.id, m.receipt, text, &azqueue.UpdateMessageOptions{VisibilityTimeout: &hidden})
			if err == nil {
				a.messages = append(a.messages, message{id: m.id, receipt: *answer.PopReceipt})
			}
			return outcome(err, "")
		}
	default: // as often as one is put
		return "delete a message", func(ctx context.Context, a *account) string {
			m := a.message(which)
			_, err := a.queue.DeleteMessage(ctx, m.id, m.receipt, nil)
			return outcome(err, "")
		}
	}
}

// tryBatch makes a transaction, which may be refused in every way.
func tryBatch(random *rand.Rand, partition string) try {
	kinds := []aztables.TransactionType{aztables.TransactionTypeAdd, aztables.TransactionTypeInsertReplace, aztables.TransactionTypeUpdateReplace,
		aztables.TransactionTypeUpdateMerge, aztables.TransactionTypeInsertMerge, aztables.TransactionTypeDelete}
	type part struct {
		kind  aztables.TransactionType
		text  []byte
		match int
	}
	var parts []part
	for i := range 1 + random.IntN(3) {
		p := part{kinds[random.IntN(len(kinds))], someEntity(random, partition, fmt.Sprint("r-", 2*i+random.IntN(2))), -1}
		if guarded := p.kind == aztables.TransactionTypeUpdateReplace || p.kind == aztables.TransactionTypeUpdateMerge; guarded || p.kind == aztables.TransactionTypeDelete && random.IntN(2) == 0 {
			p.match = random.IntN(1000)
		}
		parts = append(parts, p)
	}
	return func(ctx context.Context, a *account) string {
		b := &batch{}
		for _, p := range parts {
			action := aztables.TransactionAction{ActionType: p.kind, Entity: p.text}
			if p.match >= 0 {
				match := a.etag(p.match)
				action.IfMatch = &match
			}
			b.actions = append(b.actions, action)
		}
		etag, err := b.submit(ctx, a.table)
		a.remember(etag, err)
		return outcome(err, fmt.Sprint(etag != ""))
	}
}

func tryQuery(random *rand.Rand, partition, row string) try {
	f := where("PartitionKey", "eq", partition)
	switch random.IntN(5) {
	case 0:
		f = where("PartitionKey", "le", partition)
	case 1:
		f = f.and(where("RowKey", []string{"ge", "gt", "lt", "ne"}[random.IntN(4)], row))
	case 2:
		f = f.and(where("Text", "ne", fmt.Sprint(random.IntN(3))))
	case 3:
		f = anyOf(where("Text", "eq", "0"), where("Text", "eq", "1")).and(f)
	case 4:
		f = f.and(anyOf(where("RowKey", "eq", row), where("RowKey", "gt", row).and(where("Text", "eq", "1"))))
	}
	columns := []string{"", "PartitionKey,RowKey,Timestamp", "Text,Number"}[random.IntN(3)]
	top := int32(1 + random.IntN(4))
	return func(ctx context.Context, a *account) string {
		text := string(f)
		o := &aztables.ListEntitiesOptions{Filter: &text, Top: &top}
		if columns != "" {
			o.Select = &columns
		}
		list := ""
		for pager := a.table.NewListEntitiesPager(o); pager.More(); {
			page, err := pager.NextPage(ctx)
			if err != nil {
				return outcome(err, list)
			}
			list += fmt.Sprintln(len(page.Entities))
			for _, e := range page.Entities {
				list += plain(e) + "\n"
			}
		}
		return outcome(nil, list)
	}
}

// someEntity returns an entity with columns of every kind that the store uses.
func someEntity(random *rand.Rand, partition, row string) []byte {
	e := newEntity(partition, row)
	if random.IntN(2) == 0 {
		e.setText("Text", fmt.Sprint(random.IntN(3)))
	}
	if random.IntN(2) == 0 {
		e.setInt64("Long", 1<<40+random.Int64N(9))
	}
	if random.IntN(2) == 0 {
		e.setInt32("Number", random.Int32N(9))
	}
	if random.IntN(2) == 0 {
		e.setTime("At", time.Date(2026, 1, 1+random.IntN(9), 0, 0, 0, 123456789, time.UTC))
	}
	if random.IntN(2) == 0 {
		e["Yes"] = true
	}
	text, _ := e.encode() // far from any limit
	return text
}

// remember keeps an etag, an empty one too, so that both accounts have the same
// number.
func (a *account) remember(etag string, err error) {
	if err == nil {
		a.etags = append(a.etags, etag)
	}
}

// etag returns one of an earlier answer, most often of a recent one, or any.
func (a *account) etag(n int) azcore.ETag {
	if n%4 == 0 || len(a.etags) == 0 {
		return azcore.ETagAny
	}
	if etag := a.etags[len(a.etags)-1-n%min(len(a.etags), 8)]; etag != "" {
		return azcore.ETag(etag)
	}
	return azcore.ETag(neverTag)
}

func (a *account) message(n int) message {
	if len(a.messages) == 0 {
		return message{id: "00000000-0000-4000-8000-000000000000", receipt: "none"}
	}
	return a.messages[len(a.messages)-1-n%min(len(a.messages), 6)]
}

// outcome is an error's status and code, or what was answered.
func outcome(err error, answer string) string {
	var refused *batchError
	if errors.As(err, &refused) {
		return fmt.Sprintf("operation %d: %d %s", refused.index, refused.status, refused.code)
	}
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return fmt.Sprintf("%d %s", response.StatusCode, response.ErrorCode)
	}
	if err != nil {
		return err.Error()
	}
	return "ok\n" + answer
}

// plain is an entity without what no two accounts have in common.
func plain(text []byte) string {
	var e map[string]any
	if json.Unmarshal(text, &e) != nil {
		return string(text)
	}
	for _, name := range []string{"odata.etag", "odata.metadata", "Timestamp"} {
		if _, ok := e[name]; ok {
			e[name] = "some"
		}
	}
	sorted, _ := json.Marshal(e)
	return string(sorted)
}
