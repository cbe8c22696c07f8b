package hosttest_test

import (
	"os"
	"testing"

	"github.com/seed21523604/holdfast/functions/hosttest"
)

// The files of the app beside this package are such as the host takes.
func TestTheAppsFilesAreTaken(t *testing.T) {
	o := app(t, nil)
	o.Root = ".."
	o.Settings = map[string]string{"WakeQueue": "hub-wake", "SweepSchedule": "0 * * * * *"}
	o.Command = []string{os.Args[0]}
	h := hosttest.New(t, o)
	if answer, body := asked(t, h, "GET", "/api/health", "", false); answer.StatusCode != 418 {
		t.Error(answer.StatusCode, body)
	}
	if answer, body := asked(t, h, "POST", "/api/Authenticate", "", false); answer.StatusCode != 401 {
		t.Error(answer.StatusCode, body)
	}
}
