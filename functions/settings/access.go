package settings

import "fmt"

// accessSettings say who may act on instances. On a developer's machine, and without any of them, whoever reaches the app
// may.
func accessSettings() []Setting {
	const guid = `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`
	return []Setting{
		{Name: OperatorKey, Kind: KindSecret, Secret: true, Pattern: `^[!-~]{20,200}$`, Example: "the output of: openssl rand -hex 32",
			Meaning: "what operators send in the header x-functions-key; empty: no key opens anything"},
		{Name: EntraTenantId, Kind: KindText, Pattern: guid, Example: "00000000-1111-2222-3333-444444444444",
			Meaning: "the Entra tenant whose bearer tokens operators may send; empty, with the next: none"},
		{Name: EntraAudience, Kind: KindText, Pattern: `^[!-~]{1,200}$`, Example: "api://shop",
			Meaning: "the application that those tokens must be made out for"},
		{Name: EntraOperatorRole, Kind: KindText, Default: "Holdfast.Operator", Pattern: `^[!-~]{1,120}$`, Example: "Holdfast.Operator",
			Meaning: "the app role that those tokens must carry"},
		{Name: EntraAuthority, Kind: KindURL, Default: "https://login.microsoftonline.com", Example: "https://login.microsoftonline.com",
			Meaning: "where Entra is; another address is for other clouds and for tests"},
		{Name: LinkKey, Kind: KindSecret, Secret: true, Min: "32", Example: "the output of: openssl rand -base64 32",
			Meaning: "key under which links are made, base64; another one makes those to the management API void; empty: one derived from VerificationKey"},
		{Name: LinkLifetime, Kind: KindDuration, Default: "168h", Min: "5m", Max: "9600h", Example: "168h",
			Meaning: "how long the links that a start hands out are good"},
	}
}

// wholeTenant reports a tenant without an audience, or one without the other: a token that anybody in the tenant can get
// for another application must open nothing.
func wholeTenant(given map[string]bool) error {
	if given[EntraTenantId] == given[EntraAudience] {
		return nil
	}
	return fmt.Errorf("of %s and %s only one is set: set both to take bearer tokens, or neither", EntraTenantId, EntraAudience)
}
