package sim

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bug is one deliberate mistake: a piece of the real code that is replaced when
// the simulation is built, by an overlay, so that nothing of it stands in the code.
type bug struct {
	name, file, code, instead string
}

var bugs = []bug{
	{
		"doorbells are deleted before the turn is written", "store/tablestore/commit.go",
		"\terr := c.write(ctx)\n",
		"\tfor _, bell := range c.answered {\n\t\t_ = c.s.silence(ctx, bell)\n\t}\n\terr := c.write(ctx)\n",
	},
	{
		"the row's etag is ignored", "store/tablestore/commit.go",
		"b.replace(row, c.base.ETag)", "b.put(row)",
	},
	{
		"the inbox is consumed outside the transaction", "store/tablestore/commit.go",
		"\t\tb.remove(encodeKey(c.turn.Instance.ID), c.consumed[c.going], \"\")\n",
		"\t\t_ = c.s.removeRows(ctx, []entity{newEntity(encodeKey(c.turn.Instance.ID), c.consumed[c.going])})\n",
	},
	{
		"a message does not change the row", "store/tablestore/instances.go",
		"\t\t\tb.merge(count, at.ETag)\n", "",
	},
	{
		"nothing rings for work in hand", "dispatch/turn.go",
		"\tturn.Instance.Hands, turn.Hold = w.hands(s, p, turn)\n", "\tturn.Instance.Hands, _ = w.hands(s, p, turn)\n",
	},
	{
		"nothing rings for a timer", "store/tablestore/commit.go",
		"\tcase in.Wake.IsZero() || in.Status.IsTerminal():\n", "\tcase true:\n",
	},
	{
		"timers fire a minute early", "turn.go",
		"\t\tif t.at.After(now) || x.settled[id] {\n", "\t\tif t.at.After(now.Add(time.Minute)) || x.settled[id] {\n",
	},
	{
		"activities begin before the turn is written", "dispatch/turn.go",
		"\t\terr = w.commit(s, p, inbox, decision)\n", "\t\tw.run(s, p)\n\t\terr = w.commit(s, p, inbox, decision)\n",
	},
	{
		"what runs at most once is run again", "dispatch/activities.go",
		"\t\tif w.registry.RunsAtMostOnce(p.taken[number].Name) {\n", "\t\tif false {\n",
	},
	{
		"a result is recorded although there is one", "turn.go",
		"\t\treturn x.waitsFor(m)\n", "\t\treturn true\n",
	},
	{
		"a due row is deleted before its message is put", "store/tablestore/due.go",
		"\t\tm, err := s.put(ctx, ring{Instance: e.text(\"InstanceId\"), Turn: e.text(\"Turn\")}, at.Sub(now))\n",
		"\t\t_ = s.removeDue(ctx, e.partition(), e.row())\n\t\tm, err := s.put(ctx, ring{Instance: e.text(\"InstanceId\"), Turn: e.text(\"Turn\")}, at.Sub(now))\n",
	},
	{
		"a message is accepted, and its doorbell is taken away", "store/tablestore/instances.go",
		"\t\t\tbell.Turn = \"\" // it is written\n\t\t\treturn s.reveal(ctx, bell)\n", "\t\t\treturn s.remove(ctx, bell)\n",
	},
	{
		"of two rewindings one is dropped", "dispatch/rewind.go",
		"w.registry.Rewind(s.id, past, rewindings, ", "w.registry.Rewind(s.id, past, rewindings[:1], ",
	},
	{
		"children are begun before the turn is written", "dispatch/turn.go",
		"\t\terr = w.commit(s, p, inbox, decision)\n", "\t\t_ = w.sendNow(s, p.sends)\n\t\terr = w.commit(s, p, inbox, decision)\n",
	},
	{
		"what is sent again is a message of its own", "dispatch/sends.go",
		"\tmessage := send.Message\n", "\tmessage := send.Message\n\tmessage.Message += newToken()\n",
	},
	{
		"the next turn forgets what is to be sent", "dispatch/activities.go",
		"len(hand.Tasks)+len(hand.Sends) == 0:", "len(hand.Tasks) == 0:",
	},
	{
		"a doorbell goes before it is written down that all was sent", "dispatch/turn.go",
		"|| len(hand.Sends) > 0)", "|| len(w.unsent(s, hand)) > 0)",
	},
	{
		"nobody is told that the id of a child is taken", "dispatch/sends.go",
		"send.Refused != nil && (errors.Is(err, store.ErrExists)", "false && (errors.Is(err, store.ErrExists)",
	},
	{
		"events are not kept for the next execution", "continue.go",
		"\t\tif !x.drop {\n", "\t\tif !x.drop && len(x.kept) > 1 {\n",
	},
	{
		"a termination does not go on to the children", "send.go",
		"\tif end.Status != history.Terminated || !s.recurse {\n", "\tif end.Status != history.Failed || !s.recurse {\n",
	},
}

// seedsForABug is with how many seeds a planted bug must be found.
const seedsForABug = 3000

var table = flag.Bool("table", false, "print how each planted bug is found, as the table in docs/simulation.md")

func TestEveryPlantedBugIsFound(t *testing.T) {
	if *table {
		fmt.Println("| bug | promise broken | what is seen first | seeds |\n|---|---|---|---|")
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			program := filepath.Join(t.TempDir(), "sim.test")
			build := exec.Command("go", "test", "-c", "-overlay", b.overlay(t), "-o", program, ".")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			command := exec.Command(program, "-test.run", "^TestEverySeedKeepsEveryPromise$", "-seeds", fmt.Sprint(seedsForABug), "-first")
			out, err := command.CombinedOutput()
			if err == nil {
				t.Errorf("%d seeds keep every promise", seedsForABug)
				return
			}
			found, _, _ := strings.Cut(string(out), "\n")
			t.Log(found)
			if *table {
				fmt.Println(b.row(t, found))
			}
		})
	}
}

var foundText = regexp.MustCompile(`^seed (\d+) of \d+: promise (\d+)(?:, \S+)?: (.*)`)

// maxSeen is how much of what was seen the table shows.
const maxSeen = 90

// row tells of a bug that was found, as a row of the table.
func (b bug) row(t *testing.T, found string) string {
	m := foundText.FindStringSubmatch(found)
	if m == nil {
		t.Fatalf("it is found by %q", found)
	}
	seen := m[3]
	if len(seen) > maxSeen {
		seen = seen[:maxSeen] + " …"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", b.name, m[2], seen, m[1])
}

// overlay returns a file that tells the compiler to take the code with the bug.
func (b bug) overlay(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join("..", b.file))
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(code), b.code); n != 1 {
		t.Fatalf("%s has the code to be replaced %d times", b.file, n)
	}
	folder := t.TempDir()
	planted := filepath.Join(folder, "planted.go")
	if err := os.WriteFile(planted, []byte(strings.Replace(string(code), b.code, b.instead, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {file: planted}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}
