package tablestore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store"
)

func TestHandsSurvive(t *testing.T) {
	for name, hands := range map[string][]store.Hand{
		"none": nil, "no task": {{Receipt: "r"}}, "two": {{Receipt: "r", Tasks: []int32{0, -1, 1 << 30}}, {Receipt: "s", Tasks: []int32{7, 8, 9, 11}}},
	} {
		r := record{Instance: store.Instance{ID: "a", Hands: hands, Wake: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)}}
		e, err := r.sentinel("hub")
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeRecord(e)
		if err != nil || fmt.Sprintf("%#v", got.Hands) != fmt.Sprintf("%#v", hands) || !got.Wake.Equal(r.Wake) {
			t.Errorf("%s: %#v, %v", name, got.Hands, err)
		}
		if year := e.text("Wake")[:4]; year != "1601" {
			t.Errorf("Edm.DateTime of the year %s", year)
		}
	}
}

func TestTasksAreWrittenAsRuns(t *testing.T) {
	for want, numbers := range map[string][]int32{
		"": nil, "7": {7}, "0:10": {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "0:3,1,10:2": {0, 1, 2, 4, 15, 16}, "-2:3": {-2, -1, 0}, "5,-1,-2": {5, 5, 4},
		"2147483647,-4294967296": {1<<31 - 1, -1 << 31},
	} {
		if got, err := tasks(numbers).MarshalText(); string(got) != want || err != nil {
			t.Errorf("%v became %s, %v; want %s", numbers, got, err, want)
		}
	}
	for _, text := range []string{"a", "1:", ":1", "2:0", "1:-1", "1,", ",", "0:2147483647", "2147483648", "2147483647:2", "1:2:3"} {
		var read tasks
		if err := read.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, read)
		}
	}
}

// Ten thousand calls fit into a column whichever of them are done.
func TestTenThousandTasksFitIntoARow(t *testing.T) {
	all := make([]int32, 10_000)
	for i := range all {
		all[i] = int32(i)
	}
	for name, left := range map[string]func(int32) bool{
		"all":          func(int32) bool { return true },
		"every second": func(n int32) bool { return n%2 == 0 },
		"two of three": func(n int32) bool { return n%3 > 0 },
		"at random":    func(int32) bool { return rand.N(2) == 0 },
	} {
		in := store.Instance{ID: "a", Hands: []store.Hand{{Receipt: "r", Tasks: slices.DeleteFunc(slices.Clone(all), func(n int32) bool { return !left(n) })}}}
		r := record{Instance: in, etag: "tag"}
		e, err := r.sentinel("hub")
		if err != nil {
			t.Fatal(err)
		}
		text, err := e.encode()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %d bytes, the version %d", name, len(text), len(r.version()))
		if len(r.version()) > 500 {
			t.Errorf("%s: a version of %d bytes", name, len(r.version()))
		}
	}
}

func FuzzTasks(f *testing.F) {
	f.Add("0:9999,10002")
	f.Fuzz(func(t *testing.T, text string) {
		var numbers, again tasks
		if len(text) > 100 || numbers.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := numbers.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalText(written); err != nil || !slices.Equal(again, numbers) {
			t.Errorf("%q became %q, %v", text, written, err)
		}
	})
}
