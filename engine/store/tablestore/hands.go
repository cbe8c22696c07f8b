package tablestore

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed21523604/holdfast/engine/store"
)

// hand is a store.Hand as a column holds it: a call of 10,000 activities is a few
// characters long, and stays so while they end in the order they began.
type hand struct {
	Receipt string `json:"receipt"`
	Tasks   tasks  `json:"tasks"`
	Sends   tasks  `json:"sends,omitempty"`
}

// tasks are numbers of calls, or of what is to be sent. As a text they are runs: how many numbers are left
// out since the run before and, behind a colon, how many follow one another, if
// it is not one. So 0:3,1,10:2 stands for 0, 1, 2, 4, 15 and 16. Whichever of
// 20,000 calls are waited for, it fits into a column.
type tasks []int32

// MarshalText writes the runs.
func (t tasks) MarshalText() ([]byte, error) {
	var b []byte
	for next := int64(0); len(t) > 0; {
		n := 1
		for n < len(t) && int64(t[n]) == int64(t[n-1])+1 {
			n++
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(t[0])-next, 10)
		if n > 1 {
			b = append(b, ':')
			b = strconv.AppendInt(b, int64(n), 10)
		}
		next = int64(t[n-1]) + 1
		t = t[n:]
	}
	return b, nil
}

// maxTasks is how many tasks a text may stand for, so that a damaged one does not
// fill the memory.
const maxTasks = 1 << 24

// UnmarshalText reads what MarshalText wrote.
func (t *tasks) UnmarshalText(text []byte) error {
	*t = nil
	if len(text) == 0 {
		return nil
	}
	next := int64(0)
	for run := range strings.SplitSeq(string(text), ",") {
		skipped, count, found := strings.Cut(run, ":")
		if !found {
			count = "1"
		}
		gap, errGap := strconv.ParseInt(skipped, 10, 34)
		n, errCount := strconv.ParseInt(count, 10, 32)
		first := next + gap
		if errGap != nil || errCount != nil || n < 1 || n > maxTasks-int64(len(*t)) || first < math.MinInt32 || first+n-1 > math.MaxInt32 {
			return fmt.Errorf("read the numbers of calls: %q is no run of them", run)
		}
		for number := first; number < first+n; number++ {
			*t = append(*t, int32(number))
		}
		next = first + n
	}
	return nil
}

// setHands writes the column for work in hand.
func (e entity) setHands(hands []store.Hand) error {
	if hands == nil {
		return nil
	}
	written := make([]hand, len(hands))
	for i, h := range hands {
		written[i] = hand{h.Receipt, h.Tasks, h.Sends}
	}
	return e.setJSON("Hands", written)
}

// hands reads what setHands wrote.
func (e entity) hands() ([]store.Hand, error) {
	var written []hand
	if err := e.json("Hands", &written); err != nil || written == nil {
		return nil, err
	}
	hands := make([]store.Hand, len(written))
	for i, h := range written {
		hands[i] = store.Hand{Receipt: h.Receipt, Tasks: h.Tasks, Sends: h.Sends}
	}
	return hands, nil
}

// taskTries is a store.TaskTries as a column holds it.
type taskTries struct {
	Times int   `json:"times"`
	Tasks tasks `json:"tasks"`
}

// setTaskTries writes the column for calls that were begun in vain.
func (e entity) setTaskTries(tries []store.TaskTries) error {
	if len(tries) == 0 {
		return nil
	}
	written := make([]taskTries, len(tries))
	for i, t := range tries {
		written[i] = taskTries{t.Times, t.Tasks}
	}
	return e.setJSON(taskTriesColumn, written)
}

// taskTries reads what setTaskTries wrote.
func (e entity) taskTries() ([]store.TaskTries, error) {
	var written []taskTries
	if err := e.json(taskTriesColumn, &written); err != nil || written == nil {
		return nil, err
	}
	tries := make([]store.TaskTries, len(written))
	for i, t := range written {
		tries[i] = store.TaskTries{Times: t.Times, Tasks: t.Tasks}
	}
	return tries, nil
}
