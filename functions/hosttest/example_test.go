package hosttest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed21523604/holdfast/functions/hosttest"
)

// A project of your own needs three things: a folder with host.json and the functions' folders, a program, and a test. The program is the
// test binary itself here, as a variable in its environment makes it the handler (see TestMain of this package); yours can be built by
// the test with go build, or named in host.json.
func Example() {
	root, err := os.MkdirTemp("", "app")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(root)
	for name, text := range map[string]string{"host.json": hostJSON, "Show/function.json": showJSON, "Tick/function.json": tickJSON} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}

	ctx := context.Background()
	h, err := hosttest.Start(ctx, hosttest.Options{
		Root:        root,
		Command:     []string{os.Args[0]},
		Environment: append(os.Environ(), handlerVariable+"=1"),
		Settings:    map[string]string{"Schedule": "0 0 3 * * *"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close()

	answer, err := http.Post(h.URL()+"/api/show/x?a=1", "text/plain", strings.NewReader("hello"))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, string(body), answer.Header.Get("X-Path"))

	done, err := h.Fire(ctx, "Tick", true) // not at three in the morning
	fmt.Println(done.Function, done.Status, done.Err, err)

	h.KillHandler() // and the host starts it again
	for again := done; ; {
		if again, err = h.Fire(ctx, "Tick", false); err == nil && again.Err == nil {
			fmt.Println("it works again")
			break
		}
	}
	// Output:
	// 418 hello /api/show/x?a=1
	// Tick 200 <nil> <nil>
	// it works again
}
