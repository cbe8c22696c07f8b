package host

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestTheHostsEncodingIsUndone(t *testing.T) {
	for name, test := range map[string]struct{ raw, want string }{
		"an object":               {`{"a":1}`, `{"a":1}`},
		"a text":                  {`"\"HelloWorld\""`, `"HelloWorld"`},
		"a number":                {`"4"`, `4`},
		"a truth":                 {`"true"`, `true`},
		"nothing":                 {`"null"`, `null`},
		"an array":                {`"[{\"a\":1},2]"`, `[{"a":1},2]`},
		"a GUID":                  {`"\"8d2b4f2e-0000-4000-8000-000000000000\""`, `"8d2b4f2e-0000-4000-8000-000000000000"`},
		"an object as a text":     {`"{\"a\":1}"`, `{"a":1}`},
		"space around it":         {`" {\"a\":1} "`, `{"a":1}`},
		"a text encoded once":     {`"HelloWorld"`, `"HelloWorld"`},
		"a text in quotes":        {`"\"\\\"quoted\\\"\""`, `"\"quoted\""`},
		"the text of a number":    {`"\"4\""`, `"4"`},
		"a text that is base64":   {`"\"dGVzdA==\""`, `"dGVzdA=="`},
		"a word that is base64":   {`"test"`, `"test"`},
		"an empty text":           {`"\"\""`, `""`},
		"an empty text, once":     {`""`, `""`},
		"a number, plain":         {`4`, `4`},
		"null, plain":             {`null`, `null`},
		"an array, plain":         {`[1]`, `[1]`},
		"two values are no value": {`"1 2"`, `"1 2"`},
	} {
		if got := Decode(json.RawMessage(test.raw)); string(got) != test.want {
			t.Errorf("%s: %s became %s, want %s", name, test.raw, got, test.want)
		}
	}
}

func TestAnInvocationIsRead(t *testing.T) {
	in, err := parse([]byte(`{"Data":{"message":{"holdfast":{"instance":"a"}}},"Metadata":{"DequeueCount":"4","Id":"\"x\"","sys":{"MethodName":"Wake"}},"More":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := in.Data("message"); err != nil || string(data) != `{"holdfast":{"instance":"a"}}` {
		t.Errorf("%s, %v", data, err)
	}
	if _, err := in.Data("other"); !errors.Is(err, ErrEnvelope) || !strings.Contains(err.Error(), "other") {
		t.Error(err)
	}
	for name, want := range map[string]string{"DequeueCount": "4", "Id": `"x"`, "sys": `{"MethodName":"Wake"}`} {
		if value, ok := in.System(name); !ok || string(value) != want {
			t.Errorf("%s: %s, %t", name, value, ok)
		}
	}
	if value, ok := in.System("PopReceipt"); ok {
		t.Errorf("PopReceipt: %s", value)
	}
}

// The host writes the properties of a message over what it has to say itself.
func TestWhatAMessageOverwritesIsNotTakenForTheHosts(t *testing.T) {
	for _, message := range []string{`{"DequeueCount":99}`, `{"dequeuecount":99}`, `"{\"DequeueCount\":99}"`} {
		in, err := parse([]byte(`{"Data":{"message":` + message + `},"Metadata":{"DequeueCount":"99","Id":"\"x\""}}`))
		if err != nil {
			t.Fatal(err)
		}
		if value, ok := in.System("DequeueCount"); ok {
			t.Errorf("%s: %s is told as the host's", message, value)
		}
		if _, ok := in.System("Id"); !ok {
			t.Errorf("%s: what was not overwritten is not told", message)
		}
	}
}

func TestWhatIsNoInvocationIsRefused(t *testing.T) {
	for _, body := range []string{``, `null`, `1`, `[]`, `"x"`, `{}`, `{"Data":null}`, `{"Data":[]}`, `{"Data":{}`, `{"Data":{}} x`, `{"Data":{},"Metadata":3}`} {
		if in, err := parse([]byte(body)); !errors.Is(err, ErrEnvelope) {
			t.Errorf("%s: %+v, %v", body, in, err)
		}
	}
}

func TestWhatAnInvocationLogsIsBounded(t *testing.T) {
	in := &Invocation{}
	in.Log("%s", strings.Repeat("é", maxLogText))
	for range 2 * maxLogs {
		in.Log("line")
	}
	lines := in.lines()
	if len(lines) != maxLogs+1 || lines[maxLogs] != "101 lines more are left out" || len(lines[0]) > maxLogText+3 {
		t.Errorf("%d lines, the first of %d bytes, the last is %q", len(lines), len(lines[0]), lines[len(lines)-1])
	}
	if len((&Invocation{}).lines()) != 0 {
		t.Error("lines that nobody logged")
	}
}

// Whatever comes as an envelope, reading it does not panic, and what is read is JSON.
func FuzzInvocation(f *testing.F) {
	for _, seed := range []string{
		`{"Data":{"message":"\"hello\""},"Metadata":{"DequeueCount":"1"}}`, `{"Data":{"message":{"a":[1,2]}},"Metadata":{"a":"[1,2]"}}`,
		`{"Data":{"m":"\"\\\"\""}}`, `{"data":{"m":null},"METADATA":null}`, `{"Data":{"m":"\ud800"}}`, `{"Data":{"m":"{\"Id\":1}"},"Metadata":{"Id":"1"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parse(body)
		if err != nil {
			if !errors.Is(err, ErrEnvelope) {
				t.Fatal(err)
			}
			return
		}
		for name := range in.data {
			if data, err := in.Data(name); err != nil || !json.Valid(data) {
				t.Fatalf("%q: %q, %v", name, data, err)
			}
		}
		for name := range in.metadata {
			if value, ok := in.System(name); ok && !json.Valid(value) {
				t.Fatalf("%q: %q", name, value)
			}
		}
	})
}

// What the host encodes by its rules comes out as it went in.
func FuzzEncoding(f *testing.F) {
	for _, seed := range []string{"hello", "", "4", "null", `"quoted"`, "dGVzdA==", "{", `{"a":1}`, "a\nb", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(string(want))
		if err != nil {
			t.Fatal(err)
		}
		if got := Decode(raw); string(got) != string(want) {
			t.Fatalf("%q became %s", text, got)
		}
	})
}
