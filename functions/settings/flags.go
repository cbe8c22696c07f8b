package settings

import (
	"fmt"
	"strings"
)

// readFlags takes the flags off the front of args, in the forms of package flag: -name value, -name=value, and the same
// with two dashes. It reads on after a mistake, so that one run shows them all; package flag stops at the first. The
// map, by setting, is nil when help was asked for.
func readFlags(table []Setting, args []string) (map[string]string, []string, []error) {
	flags := map[string]string{}
	var problems []error
	for len(args) > 0 && isFlag(args[0]) {
		if args[0] == "--" {
			return flags, args[1:], problems
		}
		name, raw, hasValue := strings.Cut(strings.TrimPrefix(args[0][1:], "-"), "=")
		args = args[1:]
		if name == "h" || name == "help" {
			return nil, nil, nil
		}
		if !hasValue && len(args) > 0 {
			raw, hasValue, args = args[0], true, args[1:]
		}
		s, err := flagged(table, name, hasValue)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		flags[s.Name] = raw
	}
	return flags, args, problems
}

// isFlag tells a flag from an argument; a single dash usually means standard input and is none.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// flagged finds the setting of a flag. Its errors do not repeat the flag's value, which may be a secret gone astray.
func flagged(table []Setting, name string, hasValue bool) (Setting, error) {
	for _, s := range table {
		switch {
		case s.Secret && name == kebab(s.Name):
			return s, fmt.Errorf("-%s is not a flag: secrets come by environment only; set the environment variable %s", name, s.Name)
		case s.Secret || name != s.Flag():
		case !hasValue:
			return s, fmt.Errorf("-%s has no value; it %s", name, s.wanted())
		default:
			return s, nil
		}
	}
	return Setting{}, fmt.Errorf("-%.40q is not a flag; -h lists them all", name)
}
