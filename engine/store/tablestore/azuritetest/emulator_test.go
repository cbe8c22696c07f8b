package azuritetest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// forChild makes the test binary start an emulator and wait for its own end.
const forChild = "START_AN_EMULATOR"

func TestMain(m *testing.M) {
	if os.Getenv(forChild) == "" {
		os.Exit(m.Run())
	}
	e, err := azuritetest.Start(azuritetest.Options{})
	fmt.Println(e.ConnectionString(), err)
	select {}
}

func newTable(t *testing.T, e *azuritetest.Emulator, name string, policies ...policy.Policy) *aztables.Client {
	t.Helper()
	o := &aztables.ClientOptions{}
	o.PerCallPolicies = policies
	service, err := aztables.NewServiceClientFromConnectionString(e.ConnectionString(), o)
	if err != nil {
		t.Fatal(err)
	}
	return service.NewClient(name)
}

func TestWhatIsOnDiskIsThereForTheNextEmulator(t *testing.T) {
	azuritetest.Shared(t) // skips the test if something is missing
	o := azuritetest.Options{Folder: t.TempDir()}
	for run := range 2 {
		e, err := azuritetest.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		table := newTable(t, e, "Things")
		if run == 0 {
			if _, err := table.CreateTable(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := table.AddEntity(t.Context(), []byte(`{"PartitionKey":"a","RowKey":"b"}`), nil); err != nil {
				t.Fatal(err)
			}
		} else if _, err := table.GetEntity(t.Context(), "a", "b", nil); err != nil {
			t.Error(err)
		}
		if err := e.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEmulatorEndsWithTheProcessThatStartedIt(t *testing.T) {
	azuritetest.Shared(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), forChild+"=1")
	output, write, err := os.Pipe() // the emulator has the other end too
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	child.Stdout, child.Stderr = write, write
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	lines := bufio.NewReader(output)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "TableEndpoint=http://127.0.0.1:") {
		t.Fatalf("the child said %q, %v", line, err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("it said %q, %v", rest, err)
	}
}

func TestAFrozenClockIsTheCallers(t *testing.T) {
	e := azuritetest.Frozen(t)
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	table := newTable(t, e, azuritetest.NewHub(), e.Clock(func() time.Time { return now }))
	if _, err := table.CreateTable(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		now = now.Add(time.Hour)
		row := fmt.Appendf(nil, `{"PartitionKey":"a","RowKey":"%d"}`, i)
		answer, err := table.AddEntity(t.Context(), row, nil)
		if want := url.QueryEscape(now.Format("2006-01-02T15:04:05")); err != nil || !strings.Contains(string(answer.ETag), want) {
			t.Errorf("written at %s, want %s, %v", answer.ETag, want, err)
		}
	}
}
