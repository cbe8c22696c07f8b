// Command generate writes those parts of the templates that follow the table of settings. It is run by
//
//	go generate ./infra
//
// In a Bicep file it replaces what stands between two comments such as "// <settings>" and "// </settings>"; in
// Terraform it writes whole files.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	for name, text := range files() {
		if err := write(name, text); err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}

// made stands above everything that is generated.
const made = "Made of the table in functions/settings by go generate ./infra; change the table and not this."

// file is what to write into a file: between comments by the word in them, or the whole file under "".
type file map[string]string

// files returns what to write, by path.
func files() map[string]file {
	all := parameters()
	return map[string]file{
		"bicep/main.bicep":                {"settings": bicepParameters(all), "secrets": bicepSecretArguments(all)},
		"bicep/main.bicepparam":           {"settings": bicepValues(all)},
		"bicep/secrets.bicep":             {"parameters": bicepSecretParameters(all), "resources": bicepSecrets(all), "outputs": bicepSecretOutputs(all)},
		"terraform/variables.settings.tf": {"": terraformVariables(all)},
		"terraform/main.settings.tf":      {"": terraformSettings(all)},
	}
}

func write(name string, parts file) error {
	path := filepath.FromSlash(name)
	old, err := os.ReadFile(path)
	if err != nil && parts[""] == "" {
		return err
	}
	text, err := rewritten(string(old), parts)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// rewritten returns a file with its parts in place.
func rewritten(text string, parts file) (string, error) {
	if whole := parts[""]; whole != "" {
		return whole, nil
	}
	for word, part := range parts {
		before, rest, found := strings.Cut(text, "// <"+word+">\n")
		_, after, closed := strings.Cut(rest, "// </"+word+">")
		if !found || !closed {
			return "", fmt.Errorf("there are no comments <%s> and </%s>", word, word)
		}
		indent := before[strings.LastIndexByte(before, '\n')+1:]
		text = before + "// <" + word + ">\n" + indented("// "+made+"\n"+part, indent) + indent + "// </" + word + ">" + after
	}
	return text, nil
}

// indented puts blanks before every line that isn't empty.
func indented(text, indent string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.String()
}
