package check

import (
	"regexp"
	"slices"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/parity"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// Settings is what an app knows of its settings.
type Settings struct {
	Names []string          // every setting that the app has
	Unset map[string]string // those that a template need not set, with the reason
}

// hostSetting is what App Service, the Functions host and Azure's libraries call their own settings.
var hostSetting = regexp.MustCompile(`^(AzureWebJobs|AzureFunctionsJobHost__|AzureFunctionsWebHost__|FUNCTIONS_|WEBSITES?_|APPLICATIONINSIGHTS_|APPINSIGHTS_|AZURE_|SCM_|ENABLE_|WEBSITE|OTEL_)`)

// CheckSettings holds the app settings of a template to what the app knows. A template that sets none of the app's own
// is not for this app, and there is nothing to find.
func CheckSettings(t *template.Template, s Settings) []*Finding {
	set := parity.Settings(t)
	if !slices.ContainsFunc(s.Names, func(name string) bool { return set[name].At.File != nil && !hostSetting.MatchString(name) }) {
		return nil
	}
	c := &checker{seen: map[string]bool{}}
	var at source.Span // where other settings are
	for name, where := range set {
		switch {
		case slices.Contains(s.Names, name):
			at = later(at, where.At)
		case !hostSetting.MatchString(name):
			c.add("setting-unknown", where.At, "the app has no setting %s", name)
		}
	}
	for _, name := range s.Names {
		if set[name].At.File == nil && s.Unset[name] == "" {
			c.add("setting-missing", at, "%s is not set", name)
		}
	}
	return Sort(c.found)
}

// later returns that of two places which comes last, so that the result doesn't depend on their order.
func later(a, b source.Span) source.Span {
	if a.File == nil || b.File.Name > a.File.Name || b.File.Name == a.File.Name && b.Start > a.Start {
		return b
	}
	return a
}
