package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/pack"
	"github.com/seed21523604/holdfast/functions/hosttest"
)

// packed runs the command and returns what it says.
func packed(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	var out bytes.Buffer
	err = exec(t.Context(), append([]string{"package"}, args...), strings.NewReader(""), &out, &out)
	return out.String(), err
}

// The app itself is packed, nothing is wrong with its package, and it runs. It is built in another folder the second time.
func TestTheAppIsPackedTheSameInEveryFolder(t *testing.T) {
	folder := t.TempDir()
	first, second := filepath.Join(folder, "one.zip"), filepath.Join(folder, "two.zip")
	if said, err := packed(t, "-o", first, "-version", "v0"); err != nil || !strings.Contains(said, "version v0 for linux/amd64") {
		t.Fatal(said, err)
	}
	runs(t, first)
	t.Chdir(sourcesIn(t, t.TempDir()))
	if said, err := packed(t, "-o", second, "-version", "v0"); err != nil {
		t.Fatal(said, err)
	}
	one, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(second)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the packages have %d and %d bytes, and differ; %v", len(one), len(two), err)
	}
	if said, err := packed(t, "-check", first, "-version", "v0"); err != nil {
		t.Error(said, err)
	}
	said, err := packed(t, "-check", first, "-arch", "arm64", "-version", "v0.0.0-another")
	if found := (*foundError)(nil); !errors.As(err, &found) || !strings.Contains(said, "processor") || !strings.Contains(said, "version v0.0.0-another") {
		t.Errorf("%s %v", said, err)
	}
}

// runs starts a package as the Functions host would, from its folder alone, and asks the app how it is.
func runs(t *testing.T, archive string) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Log("the package is not run, as it is for linux/amd64 and this is not")
		return
	}
	root := t.TempDir()
	unzip(t, archive, root)
	h := hosttest.New(t, hosttest.Options{
		Root: root, Manual: true, Environment: []string{"PATH=" + os.Getenv("PATH")},
		Settings: map[string]string{"WakeQueue": "hub-wake", "SweepSchedule": "0 * * * * *", "DataFolder": t.TempDir(), "OperatorKey": strings.Repeat("k", 20)},
	})
	if done, err := h.Fire(t.Context(), "Sweep", false); err != nil || done.Err != nil { // it waits until the app is there
		t.Errorf("%+v, %v", done, err)
	}
	answer, err := http.Get(h.URL() + "/api/health/ready")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), `"version":"v0"`) {
		t.Errorf("%d %s, %v", answer.StatusCode, body, err)
	}
}

// unzip unpacks an archive with the modes that it has.
func unzip(t *testing.T, archive, to string) {
	t.Helper()
	z, err := zip.OpenReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		path := filepath.Join(to, filepath.FromSlash(f.Name))
		text, err := fs.ReadFile(z, f.Name)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, f.Mode()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sourcesIn copies what the app is built from into a folder.
func sourcesIn(t *testing.T, folder string) string {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum", "LICENSE"} {
		text, err := os.ReadFile(filepath.Join("..", "..", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"engine", "functions"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join("..", "..", name))); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestAPackageThatIsNotAskedForRightIsNotMade(t *testing.T) {
	for _, args := range [][]string{{}, {"-o"}, {"-o", "x.zip", "more"}, {"-o", "x.zip", "-arch", "mips"}, {"-check", "nowhere.zip"}} {
		_, err := packed(t, args...)
		if usage := (*usageError)(nil); !errors.As(err, &usage) {
			t.Errorf("%q: %v", args, err)
		}
	}
	t.Chdir(t.TempDir())
	if _, err := packed(t, "-o", "x.zip"); !errors.Is(err, pack.ErrNoModule) {
		t.Errorf("outside of the sources: %v", err)
	}
	if _, err := pack.Commit(t.Context(), "."); err == nil {
		t.Error("sources without git have a version")
	}
}

// azd takes the folder that its hook has this command fill.
func TestAzdTakesTheFolderThatIsFilledForIt(t *testing.T) {
	text, err := os.ReadFile("../../azure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"language: custom", "dist: dist/app", "run: go run ./cmd/deploy package -folder dist/app", "resourceName: ${functionAppName}"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("azure.yaml does not say %q", line)
		}
	}
	for path, line := range map[string]string{"../../infra/bicep/main.bicep": "output functionAppName string", "../../.gitignore": "/dist/", "../../.dockerignore": "local.settings.json"} {
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), line) {
			t.Errorf("%s does not say %q, %v", path, line, err)
		}
	}
}
