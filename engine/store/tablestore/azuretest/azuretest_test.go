package azuretest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuretest"
)

// clients returns a table and a queue in a new account.
func clients(t *testing.T, o azuretest.Options) (*azuretest.Account, *aztables.Client, *azqueue.QueueClient) {
	t.Helper()
	a := azuretest.New(o)
	options := policy.ClientOptions{Transport: a, Retry: policy.RetryOptions{MaxRetries: -1}}
	tables, err := aztables.NewServiceClientFromConnectionString(a.ConnectionString(), &aztables.ClientOptions{ClientOptions: options})
	must(t, err)
	queue, err := azqueue.NewQueueClientFromConnectionString(a.ConnectionString(), "bells", &azqueue.ClientOptions{ClientOptions: options})
	must(t, err)
	table := tables.NewClient("Rows")
	_, err = table.CreateTable(t.Context(), nil)
	must(t, err)
	_, err = queue.Create(t.Context(), nil)
	must(t, err)
	return a, table, queue
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// entity is a row with the given columns.
func entity(partition, row string, columns map[string]any) []byte {
	e := map[string]any{"PartitionKey": partition, "RowKey": row}
	maps.Copy(e, columns)
	text, _ := json.Marshal(e)
	return text
}

func code(err error) string {
	var response *azcore.ResponseError
	if errors.As(err, &response) {
		return response.ErrorCode
	}
	return fmt.Sprint(err)
}

func TestWhatAzureRefusesIsRefused(t *testing.T) {
	many := map[string]any{}
	for i := range 253 {
		many[fmt.Sprint("c", i)] = 1
	}
	large := map[string]any{}
	for i := range 17 {
		large[fmt.Sprint("c", i)] = strings.Repeat("x", 32<<10)
	}
	for name, test := range map[string]struct {
		entity []byte
		want   string
	}{
		"a text over 64 KiB":        {entity("p", "r", map[string]any{"a": strings.Repeat("x", 32<<10+1)}), "PropertyValueTooLarge"},
		"an entity over 1 MiB":      {entity("p", "r", large), "EntityTooLarge"},
		"too many columns":          {entity("p", "r", many), "TooManyProperties"},
		"a column's name too long":  {entity("p", "r", map[string]any{strings.Repeat("n", 256): 1}), "PropertyNameTooLong"},
		"a key over 1 KiB":          {entity(strings.Repeat("p", 513), "r", nil), "KeyValueTooLarge"},
		"a slash in a key":          {entity("p", "a/b", nil), "OutOfRangeInput"},
		"a control character there": {entity("p\x01", "r", nil), "OutOfRangeInput"},
		"no key":                    {[]byte(`{"PartitionKey":"p"}`), "entity must have a PartitionKey and RowKey"},
		"a time before 1601":        {entity("p", "r", map[string]any{"a": "1600-12-31T00:00:00Z", "a@odata.type": "Edm.DateTime"}), "InvalidInput"},
		"a number that is none":     {entity("p", "r", map[string]any{"a": "x", "a@odata.type": "Edm.Int64"}), "InvalidInput"},
		"a list":                    {entity("p", "r", map[string]any{"a": []int{1}}), "InvalidInput"},
	} {
		t.Run(name, func(t *testing.T) {
			a, table, _ := clients(t, azuretest.Options{})
			if _, err := table.AddEntity(t.Context(), test.entity, nil); code(err) != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
			if rows := a.Rows("Rows"); len(rows) != 0 {
				t.Errorf("%v was written", rows)
			}
		})
	}
}

func TestATransactionIsWholeAndOfOnePartition(t *testing.T) {
	add := func(partition, row string, columns map[string]any) aztables.TransactionAction {
		return aztables.TransactionAction{ActionType: aztables.TransactionTypeAdd, Entity: entity(partition, row, columns)}
	}
	var many, large []aztables.TransactionAction
	for i := range 101 {
		many = append(many, add("p", fmt.Sprint(i), nil))
	}
	text := strings.Repeat("x", 32<<10)
	for i := range 10 {
		columns := map[string]any{}
		for c := range 15 {
			columns[fmt.Sprint(c)] = text
		}
		large = append(large, add("p", fmt.Sprint(i), columns))
	}
	for name, actions := range map[string][]aztables.TransactionAction{
		"two partitions":       {add("p", "1", nil), add("q", "2", nil)},
		"one row twice":        {add("p", "1", nil), add("p", "1", nil)},
		"the last one refused": {add("p", "1", nil), {ActionType: aztables.TransactionTypeDelete, Entity: entity("p", "2", nil)}},
		"101 operations":       many,
		"over 4 MiB":           large,
	} {
		t.Run(name, func(t *testing.T) {
			a, table, _ := clients(t, azuretest.Options{})
			_, err := table.SubmitTransaction(t.Context(), actions, nil)
			if err == nil || len(a.Rows("Rows")) != 0 {
				t.Errorf("%v, and %d rows were written", err, len(a.Rows("Rows")))
			}
		})
	}
	a, table, _ := clients(t, azuretest.Options{})
	if _, err := table.SubmitTransaction(t.Context(), many[:100], nil); err != nil || len(a.Rows("rows")) != 100 {
		t.Errorf("%v, and %d rows were written", err, len(a.Rows("rows")))
	}
}

func TestEveryRowIsFoundWhereverPagesEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	_, table, _ := clients(t, azuretest.Options{Choose: func(_ azuretest.Freedom, n int) int { return random.IntN(n) }})
	want := []string{"0", "1", "2", "3", "4"}
	for _, row := range want {
		_, err := table.AddEntity(t.Context(), entity("p", row, nil), nil)
		must(t, err)
	}
	empty := 0
	for range 100 {
		var found []string
		for pager := table.NewListEntitiesPager(nil); pager.More(); {
			page, err := pager.NextPage(t.Context())
			must(t, err)
			for _, e := range page.Entities {
				var row struct{ RowKey string }
				must(t, json.Unmarshal(e, &row))
				found = append(found, row.RowKey)
			}
			if len(page.Entities) == 0 {
				empty++
			}
		}
		if !slices.Equal(found, want) {
			t.Fatalf("found %v", found)
		}
	}
	if empty == 0 {
		t.Error("no page was empty")
	}
}

func TestAMessageIsHiddenAndItsReceiptGoesStale(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	a, _, queue := clients(t, azuretest.Options{Now: func() time.Time { return now }})
	hidden := int32(10)
	put, err := queue.EnqueueMessage(t.Context(), "a < b", &azqueue.EnqueueMessageOptions{VisibilityTimeout: &hidden})
	must(t, err)
	receive := func() []*azqueue.DequeuedMessage {
		answer, err := queue.DequeueMessage(t.Context(), &azqueue.DequeueMessageOptions{VisibilityTimeout: &hidden})
		must(t, err)
		return answer.Messages
	}
	now = now.Add(10*time.Second - 1)
	if early := receive(); len(early) != 0 {
		t.Errorf("%v was received early", early)
	}
	now = now.Add(1)
	got := receive()
	if len(got) != 1 || *got[0].MessageText != "a < b" {
		t.Fatalf("received %v", got)
	}
	if again := receive(); len(again) != 0 {
		t.Errorf("%v was received twice", again)
	}
	m := put.Messages[0]
	if _, err := queue.DeleteMessage(t.Context(), *m.MessageID, *m.PopReceipt, nil); code(err) != "PopReceiptMismatch" {
		t.Error(err)
	}
	_, err = queue.DeleteMessage(t.Context(), *m.MessageID, *got[0].PopReceipt, nil)
	must(t, err)
	if left := a.Messages("bells"); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestAMessageHasLimits(t *testing.T) {
	_, _, queue := clients(t, azuretest.Options{})
	if _, err := queue.EnqueueMessage(t.Context(), strings.Repeat("x", 64<<10+1), nil); code(err) != "RequestBodyTooLarge" {
		t.Error(err)
	}
	long := int32(7*24*60*60 + 1)
	forever := int32(-1)
	if _, err := queue.EnqueueMessage(t.Context(), "x", &azqueue.EnqueueMessageOptions{VisibilityTimeout: &long, TimeToLive: &forever}); code(err) != "OutOfRangeQueryParameterValue" {
		t.Error(err)
	}
	many := int32(33)
	if _, err := queue.DequeueMessages(t.Context(), &azqueue.DequeueMessagesOptions{NumberOfMessages: &many}); code(err) != "OutOfRangeQueryParameterValue" {
		t.Error(err)
	}
}

func TestTheUnknownIsNotPretended(t *testing.T) {
	_, table, queue := clients(t, azuretest.Options{})
	strange := "Number gt 5"
	if _, err := table.NewListEntitiesPager(&aztables.ListEntitiesOptions{Filter: &strange}).NextPage(t.Context()); code(err) != "NotImplemented" {
		t.Error(err)
	}
	if _, err := queue.PeekMessage(t.Context(), nil); code(err) != "NotImplemented" {
		t.Error(err)
	}
}
