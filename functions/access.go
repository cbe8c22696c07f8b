package main

import (
	"github.com/seed21523604/holdfast/engine/httpapi"
	"github.com/seed21523604/holdfast/functions/internal/entra"
	"github.com/seed21523604/holdfast/functions/settings"
)

// isOpen reports whether whoever reaches the app may act on instances: on a
// developer's machine, when nothing is set that says who may.
func isOpen(values settings.Values, local bool) bool {
	return local && values.Secret(settings.OperatorKey) == "" && values.Secret(settings.LinkKey) == "" && values.Text(settings.EntraTenantId) == ""
}

// doorkeeper returns what decides who may act on instances; nil if anyone may.
func doorkeeper(values settings.Values, linkKey []byte, local bool) (*httpapi.Doorkeeper, error) {
	if isOpen(values, local) {
		return nil, nil
	}
	o := httpapi.DoorkeeperOptions{Lifetime: values.Duration(settings.LinkLifetime)}
	if key := values.Secret(settings.OperatorKey); key != "" {
		o.OperatorKeys = []string{key.Reveal()}
	}
	if tokens := entraTokens(values); tokens != nil {
		o.Bearer = tokens.Check
	}
	return httpapi.NewDoorkeeper(linkKey, o)
}

// entraTokens returns what knows whose a bearer token is; nil if no tenant is set.
func entraTokens(values settings.Values) *entra.Tokens {
	tenant := values.Text(settings.EntraTenantId)
	if tenant == "" {
		return nil
	}
	return entra.New(entra.Options{
		Authority: values.Text(settings.EntraAuthority),
		Tenant:    tenant,
		Audience:  values.Text(settings.EntraAudience),
		Role:      values.Text(settings.EntraOperatorRole),
	})
}

// who says in a sentence who may act on instances.
func (a *app) who() string {
	if a.open {
		return "Nobody is asked who they are: whoever reaches this address may do everything. Set OperatorKey to have the app ask."
	}
	return "Instances are acted on by the links that are handed out, and by operators."
}
