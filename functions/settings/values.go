package settings

import (
	"fmt"
	"time"
)

// Source says where a value came from.
type Source string

// The sources of a value, the weakest first.
const (
	FromDefault Source = "default"
	FromSite    Source = "site" // made from the names that App Service gives to site and slot
	FromEnv     Source = "env"
	FromFlag    Source = "flag"
)

// Values holds one good value for each setting of the table. [Load] makes it. The getters panic when the name is not
// in the table or its kind is another, since that is a mistake in the program and not in anybody's settings. It is safe
// to copy and to read concurrently.
type Values struct {
	// Behind a pointer, so that printing a struct that holds Values shows an address and no secret.
	of *map[string]value
}

// value is the effective value of one setting.
type value struct {
	setting  Setting
	text     string // as it will be used; the secret itself for a secret
	duration time.Duration
	integer  int
	from     Source
}

// Duration returns the value of a setting of kind duration.
func (v Values) Duration(name string) time.Duration { return v.get(name, KindDuration).duration }

// Int returns the value of a setting of kind integer.
func (v Values) Int(name string) int { return v.get(name, KindInteger).integer }

// Text returns the value of a setting of kind text, address, folder or url.
func (v Values) Text(name string) string {
	return v.get(name, KindText, KindAddress, KindFolder, KindURL).text
}

// Secret returns the value of a setting of kind secret, which is empty when none was given.
func (v Values) Secret(name string) Secret { return Secret(v.get(name, KindSecret).text) }

// Source returns where the value of any setting came from.
func (v Values) Source(name string) Source { return v.get(name).from }

// get finds a value; no kinds means any kind.
func (v Values) get(name string, kinds ...Kind) value {
	if v.of == nil {
		panic("settings: Values that Load did not make")
	}
	got, ok := (*v.of)[name]
	if !ok {
		panic(fmt.Sprintf("settings: no setting is named %q", name))
	}
	for _, k := range kinds {
		if got.setting.Kind == k {
			return got
		}
	}
	if len(kinds) > 0 {
		panic(fmt.Sprintf("settings: %s is of kind %s and was read as %s", name, got.setting.Kind, kinds[0]))
	}
	return got
}
