package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/engine/client"
	"github.com/seed21523604/holdfast/engine/httpapi"
)

// body is what somebody sends, and whether it is to be taken.
type body struct {
	text string
	good bool
}

// bodies are texts that are hard on readers of JSON, that readers read
// differently, or that are none.
func bodies() (all []body) {
	add := func(good bool, texts ...string) {
		for _, text := range texts {
			all = append(all, body{text, good})
		}
	}
	for _, depth := range []int{1, 2, 30, 31, 32, 33, 34, 100, 1000, 5000, 10_000} {
		for _, n := range nested(depth) {
			add(depth <= 32, n)
		}
	}
	for _, number := range []string{
		"0", "-0", "1", "-1", "042117", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993", "18446744073709551616",
		"0.1", "0.30000000000000004", "1e5", "1E+5", "1e-400", "1e400", "-1e400", "123456789012345678901234567890.123456789",
	} {
		good := number[0] != '0' || len(number) == 1 || number[1] == '.'
		add(good, number, "["+number+"]", `{"n":`+number+`}`, " "+number+" ", "\t"+number+"\r\n", `[1,`+number+`,{"a":`+number+`}]`, `{"a":[`+number+`]}`)
	}
	for _, none := range []string{
		"NaN", "Infinity", "-Infinity", "+1", ".5", "1.", "01", "-01", "0x10", "1_000", "1e", "1e+", "--1", "٣", "True", "TRUE", "nul", "undefined", "'a'", "a",
		`"a`, `a"`, `"\x41"`, `"\u12"`, `"\`, "\"\n\"", "\"\t\"", "\"\x00\"", "\"\x1f\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
		"[1,]", "[,1]", "[1 2]", "[1", "1]", "{", "}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{1:1}`, `{"a":1}}`,
		"1 2", "null null", `{} {}`, "/* */ 1", "1 // one", "# 1", "<a/>", "a=1", "---\na: 1", "\ufeff1", "\ufeff{}", "1\ufeff", "\u00a01", "\x00", "\x001", "1\x00",
		"\xff\xfe1\x00", "\xfe\xff\x001", "\u2028", "&quot;a&quot;",
	} {
		add(false, none, "["+none+"]", `{"a":`+none+`}`, `[{},`+none+`]`)
	}
	for _, text := range []string{
		`""`, `" "`, `"\u0000"`, `"\ud800"`, `"\udfff\ud800"`, `"\ud83d\ude00"`, `"\u0061"`, `"\/"`, `"</script>"`, `"\u003c"`, "\"\u2028\"", "\"\u202e\"", "\"\U0010ffff\"", "\"\x7f\"",
		`"{\"a\":1}"`, `"042117"`, "true", "false", "null", "[]", "{}", `[[],{}]`, `{"":0}`, `{"a":1,"A":2}`, `{"a":{"a":1},"b":{"a":1}}`, `[{"a":1},{"a":2}]`, `{"__proto__":1,"$type":"x"}`,
		`{"\ud83d\ude00":1}`,
	} {
		add(true, text, "["+text+"]", `{"x":`+text+`}`, "\n"+text+" ", `[{},`+text+`]`)
	}
	for _, name := range []string{"a", "", "yes", "日本", `\"`, `\\`, "$", "__proto__"} {
		for _, twice := range []string{`{"%[1]s":1,"%[1]s":1}`, `{"%[1]s":1,"b":2,"%[1]s":3}`, `[{"%[1]s":{"%[1]s":1,"%[1]s":2}}]`, `{"x":{"%[1]s":[],"%[1]s":{}}}`} {
			add(false, fmt.Sprintf(twice, name))
		}
	}
	add(false, `{"a":1,"\u0061":2}`, `{"\ud83d\ude00":1,"😀":2}`, `{"\/":1,"/":2}`)
	return all
}

// nested returns texts that are so deep.
func nested(depth int) []string {
	list := strings.Repeat("[", depth) + strings.Repeat("]", depth)
	object := strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
	mixed := ""
	for n := range depth {
		mixed += []string{"[", `{"a":`}[n%2]
	}
	mixed += "1"
	for n := depth - 1; n >= 0; n-- {
		mixed += []string{"]", "}"}[n%2]
	}
	return []string{list, object, mixed, `{"a":` + strings.Repeat("[", depth-1) + "1" + strings.Repeat("]", depth-1) + "}"}
}

// value reads a JSON text, with all digits of its numbers.
func value(t *testing.T, text []byte) (v any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		t.Errorf("%.60q: %v", text, err)
	}
	return v
}

// What is sent is taken as it is, to the last digit, or refused. It makes no
// difference on which way it comes in.
func TestABodyIsTakenAsItIsOrRefused(t *testing.T) {
	h := newHubIn(t, inCloud, client.Options{}, func(o *httpapi.Options) { o.MaxBody = 0 })
	all := bodies()
	if len(all) < 600 {
		t.Errorf("%d bodies", len(all))
	}
	for n, b := range all {
		started, sent, asked := fmt.Sprint("started", n), fmt.Sprint("sent", n), fmt.Sprint("asked", n)
		h.bring("Running", sent)
		h.bring("Running", asked)
		answers := map[string]int{
			started: h.ask("POST", "/orchestrators/Echo/"+started, b.text).Code,
			sent:    h.ask("POST", "/instances/"+sent+"/raiseEvent/Approval", b.text).Code,
			asked:   h.reply(asked, "", b.text).Code,
		}
		for id, code := range answers {
			if code < 300 != b.good || code >= 500 {
				t.Errorf("%s: %.60q: %d", id, b.text, code)
			}
			in, err := h.client.Get(t.Context(), id)
			if !b.good {
				if err == nil && in.Output != nil {
					t.Errorf("%s: %.60q was refused and came out as %.60q", id, b.text, in.Output)
				}
				continue
			}
			if err != nil || !reflect.DeepEqual(value(t, in.Output), value(t, []byte(b.text))) {
				t.Errorf("%s: %.60q came out as %.60q, %v", id, b.text, in.Output, err)
			}
		}
	}
	t.Logf("%d bodies in three ways", len(all))
}
