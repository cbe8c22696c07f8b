package approval_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/seed21523604/holdfast/engine/human/approval"
)

// everything is a policy that uses all there is.
func everything() approval.Policy {
	low, high := 0.0, 1e6
	return approval.Policy{
		Name: "Payments over 10,000",
		Stages: []approval.Stage{
			{
				Name:  "finance",
				Rules: []approval.Rule{{Of: []string{"group:finance"}, Need: 2}, {Of: []string{"boss@example.org"}}},
				Veto:  []string{"group:legal"}, Deadline: approval.BusinessDays(3), Silence: approval.RejectSilently,
				Remind:   &approval.Reminders{After: approval.BusinessTime(4 * time.Hour), Every: approval.BusinessDays(1), Most: 2},
				Escalate: []approval.Rung{{After: approval.BusinessDays(1), To: []string{"cfo@example.org"}}, {After: approval.BusinessDays(2), To: []string{"group:board"}, Power: approval.Fills}},
			},
			{
				Name: "release", Rules: []approval.Rule{{Of: []string{"ops@example.org", "dev@example.org"}, Need: approval.First}},
				Deadline: approval.Elapsed(90 * time.Minute), Silence: approval.ApproveSilently, Code: true,
				Calendar: &approval.Calendar{Zone: "UTC", Hours: []approval.Hours{{Days: []approval.Weekday{1}, Open: 0, Close: 1440}}},
			},
		},
		Groups: map[string][]string{"finance": {"ann@example.org", "bob@example.org", "carol@example.org"}, "legal": {"lea@example.org"}, "board": {"dora@example.org"}},
		People: map[string]approval.Contact{
			"ops@example.org": {Name: "Operations", Phone: "+447700900123"}, "dev": {Email: "dev@example.org"}, "dev@example.org": {Phone: "+447700900124"},
		},
		Calendar: &approval.Calendar{
			Zone:     "Europe/Zurich",
			Hours:    []approval.Hours{{Days: []approval.Weekday{1, 2, 3, 4, 5}, Open: 8 * 60, Close: 12 * 60}, {Days: []approval.Weekday{1, 2, 3, 4}, Open: 13 * 60, Close: 17*60 + 30}},
			Holidays: []approval.Date{{Year: 2026, Month: 12, Day: 24}, {Month: 12, Day: 25}},
		},
		Separation: approval.Separation{DistinctStages: true},
		Delegation: approval.Delegation{Depth: 1, To: []string{"group:finance"}},
		Recall:     approval.RecallUnheard,
		Comment:    approval.CommentOnReject,
		Form: []approval.Field{
			{Name: "amount", Label: "Amount approved", Type: approval.NumberField, Required: true, When: approval.Approve, Min: &low, Max: &high},
			{Name: "why", Type: approval.ChoiceField, When: approval.Reject, Choices: []string{"too expensive", "not needed"}},
			{Name: "note", Type: approval.TextField, MaxLength: 100},
		},
	}
}

func TestAPolicyIsTheSameInGoAndInJSON(t *testing.T) {
	want := everything()
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := approval.Parse(text)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwrote %s\nread  %+v\nwant  %+v", err, text, got, want)
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(approval.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("policy.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func fits(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// policies returns the policies in testdata by the names of their files.
func policies(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/policies/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		if all[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTheSchemaTakesWhatIsReadAndWritten(t *testing.T) {
	s := schema(t)
	text, err := json.Marshal(everything())
	if err != nil {
		t.Fatal(err)
	}
	if err := fits(t, s, text); err != nil {
		t.Error(err)
	}
	for file, text := range policies(t) {
		if err := fits(t, s, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := approval.Parse(text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// Every member of the schema is one of the types, and the other way round.
func TestTheSchemaHasTheMembersOfTheTypes(t *testing.T) {
	var document struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(approval.Schema, &document); err != nil {
		t.Fatal(err)
	}
	inner := func(object map[string]any, path ...string) map[string]any {
		for _, step := range path {
			object, _ = object[step].(map[string]any)
		}
		return object
	}
	stage := document.Defs["stage"].Properties
	for name, pair := range map[string]struct {
		of      reflect.Type
		members map[string]any
	}{
		"policy":     {reflect.TypeFor[approval.Policy](), document.Properties},
		"contact":    {reflect.TypeFor[approval.Contact](), inner(document.Properties, "people", "additionalProperties", "properties")},
		"stage":      {reflect.TypeFor[approval.Stage](), stage},
		"rule":       {reflect.TypeFor[approval.Rule](), document.Defs["rule"].Properties},
		"calendar":   {reflect.TypeFor[approval.Calendar](), document.Defs["calendar"].Properties},
		"field":      {reflect.TypeFor[approval.Field](), document.Defs["field"].Properties},
		"separation": {reflect.TypeFor[approval.Separation](), inner(document.Properties, "separation", "properties")},
		"delegation": {reflect.TypeFor[approval.Delegation](), inner(document.Properties, "delegation", "properties")},
		"remind":     {reflect.TypeFor[approval.Reminders](), inner(stage, "remind", "properties")},
		"rung":       {reflect.TypeFor[approval.Rung](), inner(stage, "escalate", "items", "properties")},
		"hours":      {reflect.TypeFor[approval.Hours](), inner(document.Defs["calendar"].Properties, "hours", "items", "properties")},
	} {
		left := len(pair.members)
		for i := range pair.of.NumField() {
			member, _, _ := strings.Cut(pair.of.Field(i).Tag.Get("json"), ",")
			if _, ok := pair.members[member]; !ok {
				t.Errorf("%s: the schema lacks %s", name, member)
			}
			left--
		}
		if left != 0 {
			t.Errorf("%s: the schema has %d members more than the type", name, left)
		}
	}
}

// base is a policy that a test changes by replacing a part of its text.
const base = `{"name":"P","stages":[{"name":"one","rules":[{"of":["ann","group:g"],"need":2}],"deadline":"4h"}],"groups":{"g":["bob","carol"]}}`

func TestWhatIsWrongWithAPolicyIsNamed(t *testing.T) {
	calendar := `"calendar":{"zone":"UTC","hours":[{"days":["mon"],"open":"09:00","close":"17:00"}]}`
	tests := map[string]struct {
		old, new string
		want     string
	}{
		"no name":             {`"name":"P"`, `"name":""`, "name is missing"},
		"an unknown member":   {`"name":"P"`, `"name":"P","stagse":[]`, "stagse is not known here"},
		"upper case":          {`"name":"P"`, `"Name":"P"`, "Name is not known here"},
		"a member twice":      {`"name":"P"`, `"name":"P","name":"Q"`, "name is there twice"},
		"null":                {`"P"`, `null`, "name is null"},
		"another type":        {`"P"`, `7`, "name is a number: write a string"},
		"more behind":         {`]}}`, `]}} {}`, "the policy goes on behind its end"},
		"no JSON":             {`]}}`, `]}`, "the policy is no JSON"},
		"no stages":           {`[{"name":"one","rules":[{"of":["ann","group:g"],"need":2}],"deadline":"4h"}]`, `[]`, "stages has 0 stages"},
		"a stage no object":   {`[{"name":"one"`, `["x",{"name":"one"`, "stages[0] is no object"},
		"rules no list":       {`[{"of":["ann","group:g"],"need":2}]`, `{}`, "stages[0].rules is no list"},
		"no rules":            {`[{"of":["ann","group:g"],"need":2}]`, `[]`, "stages[0].rules has 0 rules"},
		"nobody":              {`["ann","group:g"]`, `[]`, "stages[0].rules[0].of is empty"},
		"an unknown group":    {`group:g`, `group:h`, `stages[0].rules[0].of[1] names the group "h", which is not there`},
		"an empty group":      {`["bob","carol"]`, `[]`, "groups.g is empty"},
		"a group in a group":  {`"bob"`, `"group:g"`, "groups.g[0] is \"group:g\": a person is needed here"},
		"a person with space": {`"ann"`, `"ann b"`, `stages[0].rules[0].of[0] is "ann b"`},
		"an unseen character": {`"ann"`, `"an\u200bn"`, "stages[0].rules[0].of[0] is"},
		"too many needed":     {`"need":2`, `"need":4`, "stages[0].rules[0].need is 4, but 3 are asked"},
		"none needed":         {`"need":2`, `"need":0`, "stages[0].rules[0].need cannot be read"},
		"another word":        {`"need":2`, `"need":"most"`, "stages[0].rules[0].need cannot be read"},
		"no deadline":         {`,"deadline":"4h"`, ``, "stages[0].deadline is missing"},
		"no span":             {`"4h"`, `"soon"`, `stages[0].deadline cannot be read: "soon" is no span`},
		"a span of a number":  {`"4h"`, `4`, "stages[0].deadline is a number: write a string"},
		"too short":           {`"4h"`, `"30s"`, "stages[0].deadline is 30s"},
		"too long":            {`"4h"`, `"9000h"`, "stages[0].deadline is 9000h"},
		"negative":            {`"4h"`, `"-4h"`, "stages[0].deadline is -4h"},
		"no calendar":         {`"4h"`, `"4bh"`, "stages[0].deadline is 4bh, in business time, and there is no calendar"},
		"no zone":             {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"UTC"`, `"Mars/Olympus"`, 1), `calendar.zone is "Mars/Olympus"`},
		"the zone of here":    {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"UTC"`, `"Local"`, 1), `calendar.zone is "Local"`},
		"hours past midnight": {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"09:00"`, `"22:00"`, 1), "calendar.hours[0].close is not after open"},
		"a wrong time":        {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"09:00"`, `"9:00"`, 1), `calendar.hours[0].open cannot be read: "9:00" is no time of day`},
		"a wrong day":         {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"mon"`, `"monday"`, 1), `calendar.hours[0].days[0] cannot be read: "monday" is no day`},
		"a wrong date":        {`"name":"P"`, `"name":"P",` + strings.Replace(calendar, `"UTC"`, `"UTC","holidays":["02-30"]`, 1), `calendar.holidays[0] cannot be read: "02-30" is no date`},
		"another silence":     {`"deadline"`, `"silence":"ignore","deadline"`, `stages[0].silence is "ignore": write expire or reject or approve`},
		"reminders too often": {`"deadline"`, `"remind":{"after":"1h","every":"5m","most":3},"deadline"`, "stages[0].remind.every is 5m: remind people every 20m0s at the most"},
		"a reminder at once":  {`"deadline"`, `"remind":{"after":"5m","most":1},"deadline"`, "stages[0].remind.after is 5m: remind people every 20m0s at the most"},
		"reminders without":   {`"deadline"`, `"remind":{"after":"1h","most":3},"deadline"`, "stages[0].remind.every is missing"},
		"a rung to nobody":    {`"deadline"`, `"escalate":[{"after":"1h","to":[]}],"deadline"`, "stages[0].escalate[0].to is empty"},
		"another power":       {`"deadline"`, `"escalate":[{"after":"1h","to":["cfo"],"power":"all"}],"deadline"`, `stages[0].escalate[0].power is "all": write decide or fill`},
		"too deep":            {`"name":"P"`, `"name":"P","delegation":{"depth":4}`, "delegation.depth is 4: choose from 0 to 3"},
		"a name twice":        {`"stages":[`, `"stages":[{"name":"one","rules":[{"of":["x"]}],"deadline":"1h"},`, `stages[1].name is "one", as that of another stage is`},
		"no choices":          {`"name":"P"`, `"name":"P","form":[{"name":"f","type":"choice"}]`, "form[0].choices has fewer than two"},
		"another type of f":   {`"name":"P"`, `"name":"P","form":[{"name":"f","type":"colour"}]`, `form[0].type is "colour"`},
		"bounds of a text":    {`"name":"P"`, `"name":"P","form":[{"name":"f","type":"text","min":1}]`, "form[0] has min or max, which are for numbers"},
		"bounds that cross":   {`"name":"P"`, `"name":"P","form":[{"name":"f","type":"number","min":2,"max":1}]`, "form[0].min is 2, more than max, 1"},
		"a code, no phone":    {`"deadline"`, `"code":true,"deadline"`, "stages[0].code needs the phone of ann: add it to people"},
		"no phone number":     {`"name":"P"`, `"name":"P","people":{"ann":{"phone":"07700"}}`, `people.ann.phone is "07700"`},
		"no e-mail address":   {`"name":"P"`, `"name":"P","people":{"ann":{"email":"ann"}}`, `people.ann.email is "ann"`},
		"a person twice":      {`"name":"P"`, `"name":"P","people":{"ann":{"name":"A"},"Ann":{"name":"B"}}`, "people.ann is there twice"},
		"a field twice":       {`"name":"P"`, `"name":"P","form":[{"name":"f","type":"text"},{"name":"f","type":"date"}]`, `form[1].name is "f", as that of another field is`},
	}
	if _, err := approval.Parse([]byte(base)); err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(base, test.old, test.new, 1)
			_, err := approval.Parse([]byte(text))
			if !errors.Is(err, approval.ErrPolicy) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s\ngot  %v\nwant %s", text, err, test.want)
			}
		})
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	err := (&approval.Policy{Stages: []approval.Stage{{Name: "s", Rules: []approval.Rule{{}}}}, Recall: "later"}).Check()
	for _, want := range []string{"name is missing", "stages[0].rules[0].of is empty", "stages[0].deadline is missing", `recall is "later"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell: %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	text, _ := json.Marshal(everything())
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := approval.Parse(text)
		if err != nil {
			if !errors.Is(err, approval.ErrPolicy) {
				t.Errorf("%v", err)
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := approval.Parse(again); err != nil {
			t.Errorf("what was written cannot be read: %v\n%s", err, again)
		}
	})
}
