package settings

import (
	"strings"
	"unicode"
)

// site is the app as App Service, or Container Apps, names it; empty elsewhere.
type site struct{ name, slot string }

// siteOf reads the names that the platform gives in the environment. The slot of an app that has no others is none.
func siteOf(env func(string) (string, bool)) site {
	name, _ := env("WEBSITE_SITE_NAME")
	if name == "" {
		name, _ = env("CONTAINER_APP_NAME")
	}
	slot, _ := env("WEBSITE_SLOT_NAME")
	if strings.EqualFold(slot, "production") {
		slot = ""
	}
	return site{name, slot}
}

// fromSite returns what a setting is on a site when nobody says, or "". A slot has no hub of its own by default: it would
// bear the name of the production slot's.
func fromSite(setting string, s site) string {
	switch {
	case s.name == "":
		return ""
	case setting == TaskHubName && s.slot == "":
		return hubOf(s.name)
	case setting == TaskHubOwner && s.slot == "":
		return s.name
	case setting == TaskHubOwner:
		return s.name + "/" + s.slot
	}
	return ""
}

// hubOf makes a hub's name of a site's as Durable Functions does: letters and digits only, a letter first, 3 to 45 of them.
func hubOf(name string) string {
	hub := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, name)
	switch {
	case hub == "":
		return ""
	case unicode.IsDigit(rune(hub[0])):
		hub = "t" + hub
	}
	if len(hub) < 3 {
		hub += "Hub"
	}
	return hub[:min(len(hub), 45)]
}
