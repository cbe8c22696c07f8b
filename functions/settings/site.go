package settings

import (
	"strings"
	"unicode"
)

// site is the app as App Service, or Container Apps, names it; empty elsewhere. host is where it is reached, with a port
// if Azure Functions runs it on a developer's machine.
type site struct{ name, slot, host string }

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
	host, _ := env("WEBSITE_HOSTNAME")
	return site{name, slot, host}
}

// fromSite returns what a setting is on a site when nobody says, or "". A slot has no hub of its own by default: it would
// bear the name of the production slot's.
func fromSite(setting string, s site) string {
	switch {
	case setting == PublicBaseUrl && s.host != "":
		return baseOf(s.host)
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

// baseOf returns what addresses on the host begin with.
func baseOf(host string) string {
	if strings.Contains(host, ":") {
		return "http://" + host
	}
	return "https://" + host
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
