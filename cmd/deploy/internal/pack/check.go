package pack

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Wanted says what a package is to be.
type Wanted struct {
	// Arch is the processor it is for.
	Arch string
	// Version is what the program calls itself; any if it is empty.
	Version string
	// Functions are the names of those that must be there.
	Functions []string
}

// Defect is something that is wrong with a package.
type Defect struct {
	// File is the file's name in the archive; empty if it is about the whole.
	File string
	// Problem says what is wrong and what to do, as a sentence without its end.
	Problem string
}

// String returns the defect as a line.
func (d Defect) String() string {
	if d.File == "" {
		return d.Problem
	}
	return d.File + ": " + d.Problem
}

// maxFile is the largest file that is looked into, in bytes.
const maxFile = 512 << 20

// checker looks at one package.
type checker struct {
	wanted  Wanted
	entries map[string]*zip.File
	data    map[string][]byte
	program string // the name that host.json has for it
	found   []Defect
}

// Check returns what is wrong with a package; an error if it cannot be read at all.
func Check(r io.ReaderAt, size int64, wanted Wanted) ([]Defect, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("read the package: %w", err)
	}
	c := &checker{wanted: wanted, entries: map[string]*zip.File{}, data: map[string][]byte{}}
	for _, entry := range archive.File {
		if err := c.take(entry); err != nil {
			return nil, err
		}
	}
	c.checkHost()
	c.checkProgram()
	c.checkFunctions()
	for _, name := range c.names() {
		c.checkMode(name)
		c.checkPlace(name)
		c.checkSecrets(name)
	}
	return c.found, nil
}

func (c *checker) add(file, format string, args ...any) {
	c.found = append(c.found, Defect{file, fmt.Sprintf(format, args...)})
}

// names returns the names of the files in their order.
func (c *checker) names() []string {
	names := make([]string, 0, len(c.entries))
	for name := range c.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// take reads one entry, if its name is that of a file.
func (c *checker) take(entry *zip.File) error {
	name := entry.Name
	switch {
	case strings.Contains(name, `\`):
		c.add(name, "the name has a backslash, which is a part of a file's name on Linux; use forward slashes")
		return nil
	case !fs.ValidPath(strings.TrimSuffix(name, "/")):
		c.add(name, "the name leads out of the package")
		return nil
	case strings.HasSuffix(name, "/"):
		return nil
	case c.entries[name] != nil:
		c.add(name, "it is there twice")
		return nil
	case entry.UncompressedSize64 > maxFile:
		c.add(name, "it is larger than %d MiB", maxFile>>20)
		return nil
	}
	data, err := readAll(entry)
	if err != nil {
		return fmt.Errorf("read %s in the package: %w", name, err)
	}
	c.entries[name], c.data[name] = entry, data
	return nil
}

func readAll(entry *zip.File) ([]byte, error) {
	r, err := entry.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, maxFile))
}

// checkHost looks at host.json, and where it is.
func (c *checker) checkHost() {
	text, ok := c.data[hostFile]
	if !ok {
		for _, name := range c.names() {
			if path.Base(name) == hostFile {
				c.add(name, "the files are in a folder; host.json and the folders of the functions must be at the root of the package")
				return
			}
		}
		c.add("", "there is no host.json, so the host takes it for no app")
		return
	}
	var of hostJSON
	if err := json.Unmarshal(text, &of); err != nil {
		c.add(hostFile, "it cannot be read: %v", err)
		return
	}
	if of.Version != "2.0" {
		c.add(hostFile, "the version is %q, and the host takes 2.0 only", of.Version)
	}
	if of.ExtensionBundle.ID == "" {
		c.add(hostFile, "there is no extensionBundle, without which the host knows no queueTrigger")
	}
	var err error
	if c.program, err = executable(text); err != nil {
		c.add(hostFile, "%v", err)
	}
}

// machines are the processors as ELF knows them.
var machines = map[string]elf.Machine{AMD64: elf.EM_X86_64, ARM64: elf.EM_AARCH64}

// checkProgram looks at the program.
func (c *checker) checkProgram() {
	if c.program == "" {
		return
	}
	data, ok := c.data[c.program]
	if !ok {
		c.add(hostFile, "it names the program %s, which is not there", c.program)
		return
	}
	if mode := c.entries[c.program].Mode(); mode.Perm()&0o111 != 0o111 {
		c.add(c.program, "its mode is %v, and it must be one that may be run, such as 0755", mode)
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		c.add(c.program, "it is no program for Linux (%v); build it with GOOS=linux", err)
		return
	}
	defer file.Close()
	if file.Machine != machines[c.wanted.Arch] {
		c.add(c.program, "it is for the processor %v, and not for %s", file.Machine, c.wanted.Arch)
	}
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		c.add(c.program, "it needs libraries that the platform may not have; build it with CGO_ENABLED=0")
	}
	if c.wanted.Version != "" && !bytes.Contains(data, []byte(c.wanted.Version)) {
		c.add(c.program, "the version %s is not in it", c.wanted.Version)
	}
}

const functionFile = "/function.json"

// checkFunctions holds the files function.json to the program, which has a copy of each in it.
func (c *checker) checkFunctions() {
	program := c.data[c.program]
	for _, name := range c.names() {
		if strings.Count(name, "/") != 1 || !strings.HasSuffix(name, functionFile) {
			continue
		}
		if program != nil && !bytes.Contains(program, c.data[name]) {
			c.add(name, "the program does not know it: the function is not one of its own, or the file was changed after the program was built")
		}
	}
	for _, function := range c.wanted.Functions {
		if c.entries[function+functionFile] == nil {
			c.add("", "the function %s is missing", function)
		}
	}
}

// unix is the number of the system in the archive whose modes the platform believes.
const unix = 3

// checkMode looks at what the archive says of a file besides its data.
func (c *checker) checkMode(name string) {
	entry := c.entries[name]
	mode := entry.Mode()
	switch {
	case entry.CreatorVersion>>8 != unix:
		c.add(name, "the archive does not say that its modes are those of Unix, so the platform does not heed them")
	case !mode.IsRegular():
		c.add(name, "it is no plain file (%v)", mode)
	case mode.Perm()&0o444 != 0o444:
		c.add(name, "its mode is %v, and the platform must be able to read it", mode)
	case name != c.program && mode.Perm()&0o111 != 0:
		c.add(name, "its mode is %v, though nobody is to run it", mode)
	case mode.Perm()&0o022 != 0:
		c.add(name, "its mode is %v, so others may change it", mode)
	}
}

// checkPlace finds what does not belong into a package.
func (c *checker) checkPlace(name string) {
	base := path.Base(name)
	switch {
	case name == hostFile, name == licenseFile, name == c.program:
	case base == hostFile: // it was spoken of
	case strings.HasPrefix(base, "local.settings"):
		c.add(name, "these are the settings of somebody's own machine, with their secrets; leave the file out")
	case strings.Count(name, "/") == 1 && strings.HasSuffix(name, functionFile):
	default:
		c.add(name, "it is none of the app's files; leave it out")
	}
}

// secrets are forms that the secrets of such an app have.
var secrets = []struct {
	what string
	form *regexp.Regexp
}{
	{"the key of a storage account", regexp.MustCompile(`(?i)AccountKey=[A-Za-z0-9+/]{20,}`)},
	{"a shared access signature", regexp.MustCompile(`(?i)[?&;]sig=[A-Za-z0-9%+/]{20,}|SharedAccessSignature=`)},
	{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`)},
	{"the id of a Twilio account or key", regexp.MustCompile(`\b(AC|SK)[0-9a-fA-F]{32}\b`)},
	{"a bearer token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.`)},
	{"the value of a secret", regexp.MustCompile(`(?i)"[a-z_]*(password|secret|authtoken|verificationkey|operatorkey|linkkey|instrumentationkey)"\s*:\s*"[^"%@]{8,}"`)},
	{"a connection string with a key", regexp.MustCompile(`(?i)InstrumentationKey=[0-9a-f-]{36}`)},
}

// checkSecrets looks for secrets in a text. It says which kind there is and not which.
func (c *checker) checkSecrets(name string) {
	if name == c.program {
		return
	}
	for _, secret := range secrets {
		if secret.form.Match(c.data[name]) {
			c.add(name, "it seems to hold %s; a package is kept in many places, so secrets belong into the vault", secret.what)
		}
	}
}
