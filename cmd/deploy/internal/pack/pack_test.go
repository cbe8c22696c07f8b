package pack_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/pack"
)

// The sources of a small app, which builds in a moment.
var sources = map[string]string{
	"go.mod":                   "module example.com/app\n\ngo 1.26.0\n",
	"LICENSE":                  "Do what you like.\n",
	"app/host.json":            `{"version":"2.0","extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle"},"customHandler":{"description":{"defaultExecutablePath":"handler"}}}`,
	"app/Wake/function.json":   `{"bindings":[{"type":"queueTrigger","name":"message"}]}`,
	"app/Health/function.json": `{"bindings":[{"type":"httpTrigger","name":"req"}]}`,
	"app/main.go": `package main

import (
	"embed"
	"os"
)

//go:embed */function.json
var files embed.FS

var version = "unversioned"

func main() {
	text, _ := files.ReadFile("Wake/function.json")
	os.Stdout.Write(append(text, version...))
}
`,
}

// app writes the sources into a folder and returns what packs them.
func app(t *testing.T) pack.Source {
	t.Helper()
	module := t.TempDir()
	for name, text := range sources {
		path := filepath.Join(module, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pack.Source{Module: module, App: "app", Arch: pack.AMD64, Version: "v1.2.3-4-gabcdef"}
}

func collect(t *testing.T, s pack.Source) []pack.File {
	t.Helper()
	files, err := pack.Collect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func archive(t *testing.T, files []pack.File) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := pack.Write(&out, files); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var wanted = pack.Wanted{Arch: pack.AMD64, Version: "v1.2.3-4-gabcdef", Functions: []string{"Health", "Wake"}}

func check(t *testing.T, text []byte, w pack.Wanted) []pack.Defect {
	t.Helper()
	defects, err := pack.Check(bytes.NewReader(text), int64(len(text)), w)
	if err != nil {
		t.Fatal(err)
	}
	return defects
}

// Two packages of the same sources, made in different folders at different times, are the same to the last byte.
func TestPackagesOfTheSameSourcesAreTheSame(t *testing.T) {
	one, two := app(t), app(t)
	first := archive(t, collect(t, one))
	later := filepath.Join(two.Module, "app", "main.go")
	if err := os.Chmod(later, 0o640); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOFLAGS", "-v")
	t.Setenv("TZ", "Pacific/Auckland")
	second := collect(t, two)
	for i, j := 0, len(second)-1; i < j; i, j = i+1, j-1 { // in another order
		second[i], second[j] = second[j], second[i]
	}
	if !bytes.Equal(first, archive(t, second)) {
		t.Error("they differ")
	}
	two.Version = "v1.2.4"
	if bytes.Equal(first, archive(t, collect(t, two))) {
		t.Error("another version makes no difference, so this shows nothing")
	}
}

func TestAPackageIsInOrderForBothProcessors(t *testing.T) {
	for _, arch := range []string{pack.AMD64, pack.ARM64} {
		s, w := app(t), wanted
		s.Arch, w.Arch = arch, arch
		text := archive(t, collect(t, s))
		if defects := check(t, text, w); len(defects) > 0 {
			t.Errorf("%s: %v", arch, defects)
		}
		z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		modes := map[string]fs.FileMode{"handler": 0o755, "host.json": 0o644, "LICENSE": 0o644, "Wake/function.json": 0o644, "Health/function.json": 0o644}
		for _, f := range z.File {
			if f.Mode() != modes[f.Name] {
				t.Errorf("%s has the mode %v", f.Name, f.Mode())
			}
			delete(modes, f.Name)
		}
		if len(modes) > 0 {
			t.Errorf("%v are missing", modes)
		}
	}
}

func TestTheUnpackedPackageRuns(t *testing.T) {
	s := app(t)
	folder := filepath.Join(t.TempDir(), "out")
	for range 2 { // over itself
		if err := pack.Unpack(folder, collect(t, s)); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(folder, "handler")
	info, err := os.Stat(program)
	if err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Fatal(info, err)
	}
	if runtime.GOOS == "linux" && runtime.GOARCH == s.Arch {
		said, err := exec.CommandContext(t.Context(), program).CombinedOutput()
		if err != nil || string(said) != sources["app/Wake/function.json"]+s.Version {
			t.Errorf("%s, %v", said, err)
		}
	}
	if err := pack.Unpack(s.Module, nil); err == nil {
		t.Error("a folder with something else in it was replaced")
	}
}

// interpreted returns a program that asks for a dynamic linker.
func interpreted(t *testing.T, program []byte) []byte {
	t.Helper()
	changed := bytes.Clone(program)
	// The type of the first program header: PT_INTERP is 3.
	offset := int(changed[32])
	changed[offset] = 3
	return changed
}

func TestEveryPlantedDefectIsFound(t *testing.T) {
	good := collect(t, app(t))
	other := app(t)
	other.Arch = pack.ARM64
	var foreign []byte
	for _, f := range collect(t, other) {
		if f.Name == "handler" {
			foreign = f.Data
		}
	}
	for name, plant := range map[string]struct {
		change func(files map[string]*pack.File)
		says   string
	}{
		"the program is missing":         {func(f map[string]*pack.File) { delete(f, "handler") }, "which is not there"},
		"the program may not be run":     {func(f map[string]*pack.File) { f["handler"].Mode = 0o644 }, "may be run"},
		"a program of Windows":           {func(f map[string]*pack.File) { f["handler"].Data = []byte("MZ\x90\x00") }, "no program for Linux"},
		"another processor":              {func(f map[string]*pack.File) { f["handler"].Data = foreign }, "processor"},
		"a program that needs libraries": {func(f map[string]*pack.File) { f["handler"].Data = interpreted(t, f["handler"].Data) }, "CGO_ENABLED=0"},
		"another version": {func(f map[string]*pack.File) {
			f["handler"].Data = bytes.ReplaceAll(f["handler"].Data, []byte(wanted.Version), []byte(strings.Repeat("x", len(wanted.Version))))
		}, "version"},
		"everything in a folder": {func(f map[string]*pack.File) {
			for _, file := range f {
				file.Name = "holdfast/" + file.Name
			}
		}, "at the root"},
		"no host.json":             {func(f map[string]*pack.File) { delete(f, "host.json") }, "no host.json"},
		"a host.json that is none": {func(f map[string]*pack.File) { f["host.json"].Data = []byte("{") }, "cannot be read"},
		"no extension bundle": {func(f map[string]*pack.File) {
			f["host.json"].Data = bytes.Replace(f["host.json"].Data, []byte("extensionBundle"), []byte("other"), 1)
		}, "extensionBundle"},
		"a function more": {func(f map[string]*pack.File) {
			f["Attic"] = &pack.File{Name: "Attic/function.json", Mode: 0o644, Data: []byte(`{"bindings":[]}`)}
		}, "does not know it"},
		"a function that was changed": {func(f map[string]*pack.File) {
			f["Health/function.json"].Data = bytes.Replace(f["Health/function.json"].Data, []byte("req"), []byte("res"), 1)
		}, "does not know it"},
		"a function less": {func(f map[string]*pack.File) { delete(f, "Wake/function.json") }, "Wake is missing"},
		"local settings": {func(f map[string]*pack.File) {
			f["local"] = &pack.File{Name: "local.settings.json", Mode: 0o644, Data: []byte("{}")}
		}, "own machine"},
		"a secret": {func(f map[string]*pack.File) {
			f["host.json"].Data = bytes.Replace(f["host.json"].Data, []byte("{"), []byte(`{"note":"DefaultEndpointsProtocol=https;AccountKey=`+strings.Repeat("Zm9v", 20)+`==",`), 1)
		}, "key of a storage account"},
		"a secret setting": {func(f map[string]*pack.File) {
			f["host.json"].Data = bytes.Replace(f["host.json"].Data, []byte("{"), []byte(`{"TwilioAuthToken":"0123456789abcdef",`), 1)
		}, "value of a secret"},
		"a file of the sources":  {func(f map[string]*pack.File) { f["x"] = &pack.File{Name: "main.go", Mode: 0o644} }, "none of the app's files"},
		"a backslash":            {func(f map[string]*pack.File) { f["Wake/function.json"].Name = `Wake\function.json` }, "backslash"},
		"a way out":              {func(f map[string]*pack.File) { f["LICENSE"].Name = "../LICENSE" }, "leads out"},
		"a file twice":           {func(f map[string]*pack.File) { f["twice"] = &pack.File{Name: "LICENSE", Mode: 0o644} }, "twice"},
		"a link":                 {func(f map[string]*pack.File) { f["LICENSE"].Mode = fs.ModeSymlink | 0o644 }, "no plain file"},
		"a text that may be run": {func(f map[string]*pack.File) { f["host.json"].Mode = 0o755 }, "nobody is to run"},
		"a file that all change": {func(f map[string]*pack.File) { f["handler"].Mode = 0o777 }, "others may change"},
		"a file nobody may read": {func(f map[string]*pack.File) { f["LICENSE"].Mode = 0o200 }, "able to read"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]*pack.File{}
			for _, f := range good {
				copied := f
				files[f.Name] = &copied
			}
			plant.change(files)
			var all []pack.File
			for _, f := range files {
				all = append(all, *f)
			}
			found := false
			defects := check(t, archive(t, all), wanted)
			for _, d := range defects {
				found = found || strings.Contains(d.String(), plant.says)
			}
			if !found {
				t.Errorf("what was found is %v", defects)
			}
			for _, d := range defects {
				if strings.Contains(d.String(), "Zm9v") || strings.Contains(d.String(), "0123456789abcdef") {
					t.Errorf("it shows the secret: %v", d)
				}
			}
		})
	}
}

// A zip that was made on Windows says nothing of modes, whatever was meant.
func TestModesThatTheArchiveDoesNotHaveAreMissed(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range collect(t, app(t)) {
		entry, err := z.Create(f.Name)
		if err == nil {
			_, err = entry.Write(f.Data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, d := range check(t, out.Bytes(), wanted) {
		said += d.String() + "\n"
	}
	if !strings.Contains(said, "those of Unix") || !strings.Contains(said, "may be run") {
		t.Error(said)
	}
}

func TestWhatCannotBePackedIsRefused(t *testing.T) {
	for name, change := range map[string]func(*pack.Source){
		"another processor": func(s *pack.Source) { s.Arch = "mips" },
		"no version":        func(s *pack.Source) { s.Version = "" },
		"a flag as version": func(s *pack.Source) { s.Version = "1 -extld=/bin/sh" },
		"no such app":       func(s *pack.Source) { s.App = "other" },
		"a program that does not build": func(s *pack.Source) {
			if err := os.WriteFile(filepath.Join(s.Module, "app", "more.go"), []byte("package other"), 0o600); err != nil {
				panic(err)
			}
		},
	} {
		s := app(t)
		change(&s)
		if files, err := pack.Collect(t.Context(), s); err == nil {
			t.Errorf("%s: %d files", name, len(files))
		}
	}
	if _, err := pack.Check(strings.NewReader("hello"), 5, wanted); err == nil {
		t.Error("what is no archive was read")
	}
}

func TestUnpackingKeepsNothingOfThePackageBefore(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	if err := pack.Unpack(folder, []pack.File{{Name: "host.json", Mode: 0o644}, {Name: "Old/function.json", Mode: 0o644}}); err != nil {
		t.Fatal(err)
	}
	if err := pack.Unpack(folder, []pack.File{{Name: "host.json", Mode: 0o644}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "Old")); err == nil {
		t.Error("a function of the package before is still there")
	}
}
