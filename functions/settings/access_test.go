package settings_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
)

func TestATenantAndAnAudienceBelongTogether(t *testing.T) {
	const tenant = "00000000-1111-2222-3333-444444444444"
	for _, env := range [][]string{{settings.EntraTenantId, tenant}, {settings.EntraAudience, "api://shop"}} {
		if _, _, err := settings.Load(nil, environment(env...)); err == nil || !strings.Contains(err.Error(), "set both") {
			t.Errorf("%v: %v", env, err)
		}
	}
	load(t, nil, settings.EntraTenantId, tenant, settings.EntraAudience, "api://shop")
}

func TestASiteIsReachedWhereThePlatformSays(t *testing.T) {
	for _, tt := range []struct {
		env  []string
		want string
		from settings.Source
	}{
		{nil, "", settings.FromDefault},
		{[]string{"WEBSITE_HOSTNAME", "shop.azurewebsites.net"}, "https://shop.azurewebsites.net", settings.FromSite},
		{[]string{"WEBSITE_HOSTNAME", "localhost:7071"}, "http://localhost:7071", settings.FromSite},
		{[]string{"WEBSITE_HOSTNAME", "shop.azurewebsites.net", settings.PublicBaseUrl, "https://shop.example"}, "https://shop.example", settings.FromEnv},
	} {
		v := load(t, nil, tt.env...)
		if got, from := v.Text(settings.PublicBaseUrl), v.Source(settings.PublicBaseUrl); got != tt.want || from != tt.from {
			t.Errorf("%v: %s from %s", tt.env, got, from)
		}
	}
}
