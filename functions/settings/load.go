package settings

import (
	"errors"
	"fmt"
	"strings"
)

// Load reads the settings from command-line arguments (without the program's name) and from the environment, which is
// usually os.LookupEnv. An environment variable that is set but empty counts as not set; an empty flag clears a setting
// that may be empty.
//
// rest is what follows the first argument that is no flag, or "--".
//
// The error joins everything that is wrong, each with the setting, its value unless secret, where it came from and what
// a good value looks like. With -h or -help it is a help text instead, for which errors.Is(err, flag.ErrHelp) holds.
func Load(args []string, env func(string) (string, bool)) (Values, []string, error) {
	table := Table()
	flags, rest, problems := readFlags(table, args)
	if flags == nil {
		return Values{}, nil, helpError{helpText(table)}
	}
	of := make(map[string]value, len(table))
	given := make(map[string]bool, len(table))
	for _, s := range table {
		raw, from := pick(s, flags, env)
		given[s.Name] = raw != ""
		got, err := s.read(raw, from)
		if err != nil {
			problems = append(problems, err)
		}
		of[s.Name] = got
	}
	problems = append(problems, wholeAccount(given), wholeKey(given), wholeNotices(given), wholeStorage(given), wholeHub(given, of, env), wholeTenant(given))
	if err := errors.Join(problems...); err != nil {
		return Values{}, nil, err
	}
	return Values{&of}, rest, nil
}

// pick chooses the text of a setting: flag, then environment, then what follows from where the app runs, then default.
func pick(s Setting, flags map[string]string, env func(string) (string, bool)) (string, Source) {
	if raw, ok := flags[s.Name]; ok {
		return raw, FromFlag
	}
	if raw, ok := env(s.Name); ok && raw != "" {
		return raw, FromEnv
	}
	if raw := fromSite(s.Name, siteOf(env)); raw != "" {
		return raw, FromSite
	}
	return s.Default, FromDefault
}

// wholeAccount reports a Twilio account of which only a part was given: sending would fail, and quietly using the
// simulated phone instead would surprise whoever set the rest.
func wholeAccount(given map[string]bool) error {
	var have, missing []string
	for _, name := range []string{TwilioAccountSid, TwilioAuthToken, TwilioPhoneNumber} {
		if given[name] {
			have = append(have, name)
		} else {
			missing = append(missing, name)
		}
	}
	if len(have) == 0 || len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s is set but %s is not: set all three to send through Twilio, or none to use the simulated phone",
		strings.Join(have, " and "), strings.Join(missing, " and "))
}
