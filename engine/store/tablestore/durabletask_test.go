package tablestore

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// The columns that DurableTask.AzureStorage 2.9.1 writes, read off its classes
// and not off this package: the name, whether it is left out at times (?), and
// its Edm type. A JSON type is a text with these members.
const (
	everyEvent = "EventId Int32, EventType String, ExecutionId String, IsPlayed Boolean, _Timestamp DateTime"

	failureJSON  = "JSON:ErrorType+ErrorMessage+IsNonRetriable"
	identityJSON = "JSON:InstanceId+ExecutionId"
	traceJSON    = "JSON:TraceParent+TraceState"

	instanceRow = "ExecutionId String, Name String, Version String, Input? String, Output? String, CustomStatus String, RuntimeStatus String, " +
		"CreatedTime DateTime, LastUpdatedTime DateTime, CompletedTime? DateTime, ScheduledStartTime? DateTime, Generation Int32, Tags? JSON, TaskHubName String"
	sentinelRow = "ExecutionId String, IsCheckpointComplete Boolean, CheckpointCompletedTimestamp DateTime"
)

// kindsOfEvent has an event of every kind that can be in a history, with the
// columns that DurableTask adds to those of every event.
var kindsOfEvent = []struct {
	columns string
	event   history.Event
}{
	{"Name String, Version String, Input? String, OrchestrationInstance " + identityJSON + ", ParentInstance? JSON:Name+OrchestrationInstance+TaskScheduleId+Version, Tags? JSON, Correlation? String, " +
		"ParentTraceContext? " + traceJSON + ", ScheduledStartTime? DateTime, Generation Int32, GenerateNewTrace Boolean",
		history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Message: "m", Name: "test", Execution: "e", Input: []byte(`1`),
			Parent: &history.Parent{Instance: "p", Execution: "f", Name: "parent", Task: 2}, Version: "1.2", Tags: map[string]string{"team": "red"}, FireAt: someTime.Add(time.Hour), Trace: someTrace}},
	{"OrchestrationStatus String, Result? String, FailureDetails? " + failureJSON,
		history.Event{Kind: history.ExecutionCompleted, ID: 9, Status: history.Failed, Failure: &history.Failure{Kind: "panic", Message: "boom"}}},
	{"Input? String",
		history.Event{Kind: history.ExecutionTerminated, ID: history.Outside, Message: "m", Reason: "enough"}},
	{"Name String, Version String, Input? String, ParentTraceContext? JSON, Tags? JSON",
		history.Event{Kind: history.TaskScheduled, Name: "work", Input: []byte(`1`)}},
	{"Name String, Version String, Input? String, ParentTraceContext? JSON, Tags? JSON",
		history.Event{Kind: history.TaskScheduled, ID: 1, Name: "work", Input: []byte(`1`), Attempt: 2}},
	{"TaskScheduledId Int32, Result String",
		history.Event{Kind: history.TaskCompleted, ID: history.Outside, Result: []byte(`2`)}},
	{"TaskScheduledId Int32, Reason String, Details String, FailureDetails " + failureJSON,
		history.Event{Kind: history.TaskFailed, ID: history.Outside, Failure: &history.Failure{Kind: "panic", Message: "boom", Stack: "here"}}},
	{"Name String, Version String, InstanceId String, Input? String, ClientSpanId? String, Tags? JSON",
		history.Event{Kind: history.SubOrchestrationInstanceCreated, ID: 2, Name: "child", InstanceID: "e:2", Input: []byte(`1`), Attempt: 2, Detached: true, Version: "1.2"}},
	{"TaskScheduledId Int32, Result String",
		history.Event{Kind: history.SubOrchestrationInstanceCompleted, ID: history.Outside, Message: "m", TaskID: 2, Result: []byte(`2`)}},
	{"TaskScheduledId Int32, Reason String, Details String, FailureDetails " + failureJSON,
		history.Event{Kind: history.SubOrchestrationInstanceFailed, ID: history.Outside, Message: "m", TaskID: 2, Failure: &history.Failure{Kind: "terminated", Message: "enough"}}},
	{"InstanceId String, Name String, Input? String",
		history.Event{Kind: history.EventSent, ID: 3, Name: "Answer", InstanceID: "other", Input: []byte(`3`)}},
	{"OrchestrationStatus String, Result? String, FailureDetails? " + failureJSON,
		history.Event{Kind: history.ContinueAsNew, ID: 4, Status: history.ContinuedAsNew, Result: []byte(`4`), Carried: &history.Carried{Events: []string{"m"}, Version: "1.3"}}},
	{"FireAt DateTime",
		history.Event{Kind: history.TimerCreated, ID: 1, FireAt: someTime.Add(time.Hour)}},
	{"TimerId Int32, FireAt DateTime",
		history.Event{Kind: history.TimerFired, ID: history.Outside, TaskID: 1, FireAt: someTime.Add(time.Hour)}},
	{"",
		history.Event{Kind: history.OrchestratorStarted, ID: history.Outside}},
	{"Name String, Input? String, ParentTraceContext? " + traceJSON,
		history.Event{Kind: history.EventRaised, ID: history.Outside, Message: "m", Name: "Answer", Input: []byte(`3`), InstanceID: "sender", Trace: someTrace}},
	{"Reason? String, ParentTraceContext? " + traceJSON,
		history.Event{Kind: history.ExecutionRewound, ID: 6, Message: "m", Reason: "try again", Trace: someTrace}},
	{"Data? String",
		history.Event{Kind: history.GenericEvent, ID: 5, Name: "ask twice"}},
	{"Reason? String",
		history.Event{Kind: history.ExecutionSuspended, ID: history.Outside, Message: "m", Reason: "lunch"}},
	{"Reason? String",
		history.Event{Kind: history.ExecutionResumed, ID: history.Outside, Message: "m", Reason: "lunch"}},
}

var someTrace = &history.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", State: "a=1"}

var someTime = time.Date(2026, 11, 23, 20, 47, 35, 123456789, time.UTC)

func TestEventsHaveTheColumnsOfDurableTask(t *testing.T) {
	s := newHub(t)
	var events []history.Event
	missing := maps.Clone(kinds)
	for _, kind := range kindsOfEvent {
		event := kind.event
		event.Time = someTime
		events = append(events, event)
		delete(missing, event.Kind.String())
	}
	for name, kind := range missing {
		if !strings.HasPrefix(name, "Kind(") {
			t.Errorf("kind %d, %s, is not in the table of what DurableTask writes; read there which columns it has", kind, name)
		}
	}
	turn := store.Turn{Instance: store.Instance{ID: "a", Execution: "e", Updated: someTime, Events: len(events), Turn: "t"}, Append: events}
	if _, err := s.Commit(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	rows := ask(t, s.history, "PartitionKey eq 'a'")
	if len(rows) != len(events)+1 {
		t.Fatalf("%d rows for %d events and the sentinel", len(rows), len(events))
	}
	for i, event := range events {
		if want := fmt.Sprintf("%016X", i); rows[i]["RowKey"] != want || rows[i]["EventType"] != event.Kind.String() {
			t.Errorf("row %v is %v, want %s %v", rows[i]["RowKey"], rows[i]["EventType"], want, event.Kind)
		}
		checkColumns(t, event.Kind.String(), rows[i], everyEvent+", "+kindsOfEvent[i].columns)
	}
	checkColumns(t, "the sentinel", rows[len(events)], sentinelRow)
}

// checkColumns compares a row, as it came with all its types, with the columns
// that it should have.
func checkColumns(t *testing.T, what string, row map[string]any, columns string) {
	t.Helper()
	foreign := map[string]bool{}
	for _, kind := range kindsOfEvent {
		for column := range strings.SplitSeq(kind.columns, ", ") {
			name, _, _ := strings.Cut(column, " ")
			foreign[strings.TrimSuffix(name, "?")] = true
		}
	}
	for column := range strings.SplitSeq(strings.Trim(columns, ", "), ", ") {
		name, edm, _ := strings.Cut(column, " ")
		name, optional := strings.CutSuffix(name, "?")
		delete(foreign, name)
		value, found := row[name]
		if !found && !optional {
			t.Errorf("%s has no column %s", what, name)
		}
		if found {
			checkType(t, what+"'s "+name, value, row[name+odataType], edm)
		}
	}
	for name := range foreign {
		if _, found := row[name]; found && row["EventType"] != nil {
			t.Errorf("%s has the column %s, which DurableTask has for other kinds of event", what, name)
		}
	}
}

func checkType(t *testing.T, what string, value, annotation any, edm string) {
	t.Helper()
	edm, members, _ := strings.Cut(edm, ":")
	text, isText := value.(string)
	ok := false
	switch edm {
	case "String":
		ok = isText && annotation == nil
	case "Boolean":
		_, ok = value.(bool)
	case "Int32":
		_, ok = value.(float64)
		ok = ok && annotation == nil
	case "DateTime":
		_, err := time.Parse(time.RFC3339Nano, text)
		ok = annotation == "Edm.DateTime" && err == nil
	case "JSON":
		var object map[string]any
		ok = json.Unmarshal([]byte(text), &object) == nil
		for member := range strings.SplitSeq(members, "+") {
			_, found := object[member]
			ok = ok && (found || members == "")
		}
	}
	if !ok {
		t.Errorf("%s is %v of type %v, want %s with %s", what, value, annotation, edm, members)
	}
}

// ask makes a query as another program would, and returns the rows with the
// types of their columns.
func ask(t *testing.T, table *aztables.Client, filter string) (rows []map[string]any) {
	t.Helper()
	full := aztables.MetadataFormatFull
	o := &aztables.ListEntitiesOptions{Format: &full}
	if filter != "" {
		o.Filter = &filter
	}
	for pager := table.NewListEntitiesPager(o); pager.More(); {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(filter, err)
		}
		for _, b := range page.Entities {
			var row map[string]any
			if err := json.Unmarshal(b, &row); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

func TestInstancesHaveTheColumnsOfDurableTask(t *testing.T) {
	d := newDesk(t, nil)
	d.start("verify", "waiting", 7)
	d.start("verify", "completed", 7)
	d.raise("completed")
	d.start("serial", "failed", "not a number")
	d.start("verify", "terminated", 7)
	d.must(d.client.Terminate(t.Context(), "terminated", "enough"))
	d.start("verify", "suspended", 7)
	d.must(d.client.Suspend(t.Context(), "suspended", "lunch"))
	d.must(d.store.Create(t.Context(), "pending", history.Event{Kind: history.ExecutionStarted, ID: history.Outside, Time: someTime, Message: "m", Name: "verify", Execution: "e", Input: []byte(`7`)}))
	d.start("serial", "again", 1)
	d.start("serial", "again", 1)

	want := map[string]struct{ status, output, custom, generation string }{
		"pending":    {"Pending", "<nil>", "null", "0"},
		"waiting":    {"Running", "<nil>", "null", "0"}, // as it was when the status changed
		"suspended":  {"Suspended", "<nil>", `"waiting"`, "0"},
		"completed":  {"Completed", "true", `"waiting"`, "0"},
		"terminated": {"Terminated", `"enough"`, `"waiting"`, "0"},
		"failed":     {"Failed", "error: read input", "null", "0"},
		"again":      {"Completed", "1", "null", "1"},
	}
	for _, row := range ask(t, d.store.instances, "") {
		id := fmt.Sprint(row["PartitionKey"])
		columns := instanceRow
		if status, _ := history.ParseStatus(want[id].status); status.IsTerminal() {
			columns = strings.NewReplacer("CompletedTime?", "CompletedTime", "Output?", "Output", "Input?", "Input").Replace(columns)
		}
		checkColumns(t, id, row, columns)
		if row["RowKey"] != "" || row["TaskHubName"] != d.o.Hub {
			t.Errorf("%s has the row key %q and the hub %q", id, row["RowKey"], row["TaskHubName"])
		}
		w := want[id]
		if got := fmt.Sprint(row["RuntimeStatus"]); got != w.status {
			t.Errorf("%s is %s, want %s", id, got, w.status)
		}
		if got := fmt.Sprint(row["Output"]); !strings.HasPrefix(got, w.output) {
			t.Errorf("%s has the output %s, want %s", id, got, w.output)
		}
		if got := fmt.Sprint(row["CustomStatus"]); got != w.custom {
			t.Errorf("%s has the custom status %s, want %s", id, got, w.custom)
		}
		if got := fmt.Sprint(row["Generation"]); got != w.generation {
			t.Errorf("%s has the generation %s, want %s", id, got, w.generation)
		}
		delete(want, id)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", slices.Collect(maps.Keys(want)))
	}
}

// What follows are the queries of Durable Functions Monitor 6.7.3, and of the
// client of DurableTask.AzureStorage inside it, letter for letter.

func TestAMonitorFindsTheHub(t *testing.T) {
	d := newDesk(t, nil)
	tables := map[string]bool{}
	service, _, _, err := connect(&d.o)
	d.must(err)
	for pager := service.NewListTablesPager(nil); pager.More(); {
		page, err := pager.NextPage(t.Context())
		d.must(err)
		for _, table := range page.Tables {
			tables[*table.Name] = true
		}
	}
	var found []string
	for name := range tables {
		if hub, ok := strings.CutSuffix(name, "Instances"); ok && tables[hub+"History"] {
			found = append(found, hub)
		}
	}
	if !slices.Contains(found, d.o.Hub) {
		t.Errorf("it finds %q, not %s", found, d.o.Hub)
	}
}

func TestAMonitorsListsAreRight(t *testing.T) {
	d := newDesk(t, nil)
	d.start("verify", "order-1", 7)
	d.start("verify", "order-2", 7)
	d.raise("order-2")
	d.start("serial", "other", "not a number")
	d.must(d.store.Send(t.Context(), "order-1", history.Event{Kind: history.EventRaised, ID: history.Outside, Message: "m", Name: "Other"}))
	now := d.clock()
	const dateTime = "2006-01-02T15:04:05.0000000Z"
	before, after := now.Add(-time.Hour).Format(dateTime), now.Add(time.Hour).Format(dateTime)
	for filter, want := range map[string]string{
		"": "order-1 order-2 other",
		"(CreatedTime ge datetime'" + before + "') and (CreatedTime le datetime'" + after + "')":                    "order-1 order-2 other",
		"CreatedTime ge datetime'" + after + "'":                                                                    "",
		"RuntimeStatus eq 'Running' or RuntimeStatus eq 'Pending'":                                                  "order-1",
		"(CreatedTime ge datetime'" + before + "') and (RuntimeStatus eq 'Completed' or RuntimeStatus eq 'Failed')": "order-2 other",
		"(PartitionKey ge 'order-') and (PartitionKey lt 'order.')":                                                 "order-1 order-2",
		"(TaskHubName eq '" + d.o.Hub + "') and (PartitionKey lt '@' or PartitionKey ge 'A')":                       "order-1 order-2 other",
		"PartitionKey eq 'order-2'":                       "order-2",
		"(PartitionKey ge '@') and (PartitionKey lt 'A')": "", // entities
		"RowKey eq ''": "order-1 order-2 other",
	} {
		var got []string
		for _, row := range ask(t, d.store.instances, filter) {
			got = append(got, fmt.Sprint(row["PartitionKey"]))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %s", filter, got, want)
		}
	}
}

// seen returns an instance's history as the monitor puts it together: an
// activity with its result, and kinds it does not know left out.
func (d *desk) seen(t *testing.T, id string) (lines []string) {
	t.Helper()
	instance := ask(t, d.store.instances, "PartitionKey eq '"+id+"' and RowKey eq ''")[0]
	partition := fmt.Sprintf("(PartitionKey eq '%s') and (ExecutionId eq '%s')", id, instance["ExecutionId"])
	ends := map[any]map[string]any{}
	for _, row := range ask(t, d.store.history, fmt.Sprintf("(%s) and (TaskScheduledId ge 0)", partition)) {
		ends[row["TaskScheduledId"]] = row
	}
	for _, row := range ask(t, d.store.history, partition) {
		shown := row
		switch row["EventType"] {
		case "TaskScheduled", "SubOrchestrationInstanceCreated":
			if end := ends[row["EventId"]]; end != nil {
				shown = end
			}
		case "ExecutionStarted", "ExecutionCompleted", "ExecutionFailed", "ExecutionTerminated", "ContinueAsNew", "TimerCreated", "TimerFired", "EventRaised", "EventSent":
		default:
			continue
		}
		details := shown["Details"]
		if details == nil {
			details = shown["FailureDetails"]
		}
		lines = append(lines, fmt.Sprint(shown["EventType"], " ", row["Name"], " ", shown["Result"], " ", details))
	}
	return lines
}

func TestAMonitorsHistoryIsRight(t *testing.T) {
	d := newDesk(t, nil)
	d.start("verify", "a", 7)
	for _, name := range []string{"Early", "Late"} {
		d.must(d.store.Send(t.Context(), "a", history.Event{Kind: history.EventRaised, ID: history.Outside, Time: d.clock(), Message: name, Name: name, Input: []byte(`1`)}))
	}
	waiting := []string{"ExecutionStarted verify <nil> <nil>", "TaskCompleted work 8 <nil>", "TimerCreated <nil> <nil> <nil>"}
	if got := d.seen(t, "a"); !slices.Equal(got, waiting) {
		t.Errorf("while messages wait in the inbox:\n%q, want\n%q", got, waiting)
	}
	d.work()
	d.raise("a")
	ended := append(waiting, "EventRaised Early <nil> <nil>", "EventRaised Late <nil> <nil>", "EventRaised Answer <nil> <nil>", "ExecutionCompleted <nil> true <nil>")
	if got := d.seen(t, "a"); !slices.Equal(got, ended) {
		t.Errorf("at the end:\n%q, want\n%q", got, ended)
	}
	d.start("verify", "a", 1)
	again := []string{"ExecutionStarted verify <nil> <nil>", "TaskCompleted work 2 <nil>", "TimerCreated <nil> <nil> <nil>"}
	if got := d.seen(t, "a"); !slices.Equal(got, again) {
		t.Errorf("after another start:\n%q, want\n%q", got, again)
	}
}

// The client reads on until it meets a row of another execution, and would take
// anything before that for history.
func TestAReaderOfHistoryStopsAtTheInbox(t *testing.T) {
	d := newDesk(t, nil)
	d.start("verify", "a", 7)
	d.must(d.store.Send(t.Context(), "a", history.Event{Kind: history.EventRaised, ID: history.Outside, Time: d.clock(), Message: "m", Name: "Early"}))
	rows := ask(t, d.store.history, "PartitionKey eq 'a'")
	execution, n := rows[0]["ExecutionId"], 0
	for _, row := range rows {
		if row["ExecutionId"] != execution {
			break
		}
		if row["EventType"] == nil {
			t.Fatalf("row %v has no EventType", row["RowKey"])
		}
		n++
	}
	in, err := d.store.Get(t.Context(), "a")
	d.must(err)
	if n != in.Events || rows[len(rows)-1]["RowKey"] != "sentinel" || rows[len(rows)-1]["ExecutionId"] != execution {
		t.Errorf("it reads %d events of %d", n, in.Events)
	}
}

// An id that ends with a number is taken for one of a child, and begins with the
// parent's execution; of any other the monitor looks for an event that names it,
// written at about the time when it was created.
func TestAMonitorFindsTheParent(t *testing.T) {
	d := newDesk(t, nil)
	d.start("parent", "a", 2)
	d.start("patient", "far", "1000h") // has a due row, which names it too
	now := d.clock()
	byTime := func(id string) (parents []string) {
		filter := fmt.Sprintf("((Timestamp gt datetime'%s') and (Timestamp lt datetime'%s')) and (InstanceId eq '%s')",
			now.Add(-5*time.Second).Format(time.RFC3339), now.Add(5*time.Second).Format(time.RFC3339), id)
		for _, row := range ask(t, d.store.history, filter) {
			parents = append(parents, fmt.Sprint(row["PartitionKey"]))
		}
		return parents
	}
	children := 0
	for _, row := range ask(t, d.store.instances, "Name eq 'child'") {
		id := fmt.Sprint(row["PartitionKey"])
		execution, _, found := strings.Cut(id, ":")
		parents := ask(t, d.store.instances, fmt.Sprintf("ExecutionId eq '%s'", execution))
		if !found || len(parents) != 1 || parents[0]["PartitionKey"] != "a" {
			t.Errorf("%s has the parents %v by its id", id, parents)
		}
		if parents := byTime(id); !slices.Equal(parents, []string{"a"}) {
			t.Errorf("%s has the parents %v by time", id, parents)
		}
		children++
	}
	if parents := byTime("far"); children != 2 || len(parents) != 0 {
		t.Errorf("%d children, and an instance without a parent has %v", children, parents)
	}
	want := []string{"ExecutionStarted parent <nil> <nil>", "SubOrchestrationInstanceCompleted child 1 <nil>", "SubOrchestrationInstanceCompleted child 2 <nil>", "ExecutionCompleted <nil> 3 <nil>"}
	if got := d.seen(t, "a"); !slices.Equal(got, want) {
		t.Errorf("the parent's history is\n%q, want\n%q", got, want)
	}
}
