package check

import (
	"regexp"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// demand is something that a resource should be told.
type demand struct {
	rule     string
	types    *regexp.Regexp
	path     string // the property, names with dots between
	want     any    // the value that is right
	bad      []any  // or, when several are right, those that are wrong
	needed   bool   // whether it is wrong to say nothing
	sentence string // what is wrong, after the name of the resource
}

func need(rule, types, path string, want any, sentence string) demand {
	return demand{rule: rule, types: regexp.MustCompile(`(?i)^(` + types + `)$`), path: path, want: want, needed: true, sentence: sentence}
}

func mustNot(rule, types, path, sentence string, bad ...any) demand {
	return demand{rule: rule, types: regexp.MustCompile(`(?i)^(` + types + `)$`), path: path, bad: bad, sentence: sentence}
}

var demands = []demand{
	need("key-allowed", `Microsoft\.Storage/storageAccounts`, "properties.allowSharedKeyAccess", false, "takes keys"),
	need("key-allowed", `Microsoft\.Insights/components`, "properties.DisableLocalAuth", true, "takes telemetry with a key"),
	mustNot("key-allowed", `Microsoft\.ContainerRegistry/registries`, "properties.adminUserEnabled", "has an administrator with a password", true),
	mustNot("key-allowed", `Microsoft\.(ServiceBus|EventHub)/namespaces|Microsoft\.AppConfiguration/configurationStores|Microsoft\.CognitiveServices/accounts|Microsoft\.DocumentDB/databaseAccounts|Microsoft\.Search/searchServices`, "properties.disableLocalAuth", "takes keys", false),
	need("vault-unprotected", `Microsoft\.KeyVault/vaults`, "properties.enablePurgeProtection", true, "can be purged"),
	mustNot("vault-unprotected", `Microsoft\.KeyVault/vaults`, "properties.enableSoftDelete", "deletes for good", false),
	mustNot("vault-unprotected", `Microsoft\.KeyVault/vaults`, "properties.enableRbacAuthorization", "has access policies", false),
	need("transport-open", `Microsoft\.Web/sites`, "properties.httpsOnly", true, "answers without HTTPS"),
	mustNot("transport-open", `Microsoft\.Web/sites`, "properties.siteConfig.minTlsVersion", "takes an old TLS", "1.0", "1.1"),
	mustNot("transport-open", `Microsoft\.Web/sites`, "properties.siteConfig.ftpsState", "takes FTP", "AllAllowed"),
	mustNot("transport-open", `Microsoft\.Storage/storageAccounts`, "properties.supportsHttpsTrafficOnly", "answers without HTTPS", false),
	mustNot("transport-open", `Microsoft\.Storage/storageAccounts`, "properties.minimumTlsVersion", "takes an old TLS", "TLS1_0", "TLS1_1"),

	need("key-allowed", `azurerm_storage_account`, "shared_access_key_enabled", false, "takes keys"),
	need("key-allowed", `azurerm_application_insights`, "local_authentication_enabled", false, "takes telemetry with a key"),
	mustNot("key-allowed", `azurerm_container_registry`, "admin_enabled", "has an administrator with a password", true),
	mustNot("key-allowed", `azurerm_(servicebus_namespace|eventhub_namespace|app_configuration|cognitive_account|search_service)`, "local_auth_enabled", "takes keys", true),
	need("vault-unprotected", `azurerm_key_vault`, "purge_protection_enabled", true, "can be purged"),
	mustNot("vault-unprotected", `azurerm_key_vault`, "rbac_authorization_enabled", "has access policies", false),
	mustNot("vault-unprotected", `azurerm_key_vault`, "enable_rbac_authorization", "has access policies", false),
	need("transport-open", `azurerm_(linux|windows)_(function|web)_app|azurerm_function_app_flex_consumption`, "https_only", true, "answers without HTTPS"),
	mustNot("transport-open", `azurerm_(linux|windows)_(function|web)_app|azurerm_function_app_flex_consumption`, "site_config.minimum_tls_version", "takes an old TLS", "1.0", "1.1"),
	mustNot("transport-open", `azurerm_storage_account`, "https_traffic_only_enabled", "answers without HTTPS", false),
	mustNot("transport-open", `azurerm_storage_account`, "min_tls_version", "takes an old TLS", "TLS1_0", "TLS1_1"),
}

// resources checks what the resources of a template are told.
func (c *checker) resources(t *template.Template) {
	for _, r := range t.Resources {
		if r.Existing {
			c.readIntoState(t, r)
			continue
		}
		for _, d := range demands {
			if d.types.MatchString(r.Type) {
				c.demand(r, d)
			}
		}
		c.readIntoState(t, r)
		c.members(nil, r.Body, func(path []string, m *template.Member) { c.member(r, path, m) })
	}
}

// demand checks one thing. What is not known before deployment is taken for right.
func (c *checker) demand(r *template.Resource, d demand) {
	value, said := find(r.Body, strings.Split(d.path, "."))
	switch {
	case !said:
		if d.needed {
			c.add(d.rule, r.At, "%s %s, as nothing is said of %s", r.Name, d.sentence, d.path)
		}
		return
	case value == nil: // not known
		return
	}
	l, ok := template.Resolve(value).(*template.Literal)
	if !ok || l.Value == nil {
		return
	}
	wrong := d.needed && l.Value != d.want
	for _, bad := range d.bad {
		wrong = wrong || l.Value == bad
	}
	if wrong {
		c.add(d.rule, value.Place(), "%s %s: %s is %s", r.Name, d.sentence, d.path, template.FormatValue(l.Value))
	}
}

// find returns a property, nil when it is there and not known, and whether it is there.
func find(o *template.Object, path []string) (value template.Expr, said bool) {
	for i, name := range path {
		value = o.Get(name)
		if value == nil {
			return nil, spreads(o)
		}
		if i == len(path)-1 {
			return value, true
		}
		next, ok := template.Resolve(value).(*template.Object)
		if !ok {
			return nil, true
		}
		o = next
	}
	return nil, true
}

// spreads reports whether an object has members that are not written out.
func spreads(o *template.Object) bool {
	for _, m := range o.Members {
		if m.Name == "" {
			return true
		}
	}
	return false
}

// readIntoState finds what Terraform reads or makes that is a secret, and so keeps.
func (c *checker) readIntoState(t *template.Template, r *template.Resource) {
	if t.Language != template.Terraform || r.Ephemeral {
		return
	}
	switch {
	case r.Existing && r.Type == "azurerm_key_vault_secret":
		c.add("secret-in-state", r.At, "what %s reads from the vault gets into state", r.Name)
	case !r.Existing && r.Type == "random_password":
		c.add("secret-in-state", r.At, "the password that %s makes gets into state", r.Name)
	}
}

// members visits the members of a value and all below, with their paths.
func (c *checker) members(path []string, e template.Expr, visit func([]string, *template.Member)) {
	switch e := e.(type) {
	case *template.Object:
		for _, m := range e.Members {
			at := append(path[:len(path):len(path)], m.Name)
			visit(at, m)
			c.members(at, m.Value, visit)
		}
	case *template.List:
		for _, item := range e.Items {
			c.members(path, item, visit)
		}
	case *template.Loop:
		c.members(path, e.Body, visit)
	case *template.Choice:
		c.members(path, e.Then, visit)
		c.members(path, e.Else, visit)
	}
}

var adminName = regexp.MustCompile(`(?i)^(admin_?user_?name|administrator_?login)$`)

// member checks one property.
func (c *checker) member(r *template.Resource, path []string, m *template.Member) {
	text, isText := template.StringOf(m.Value)
	if adminName.MatchString(m.Name) && isText && text != "" {
		c.add("admin-name-fixed", m.Value.Place(), "the administrator of %s is written out", r.Name)
	}
	if isFixedTimeout(path, m) {
		c.add("timeout-fixed", m.Value.Place(), "the time-out %s of %s is written out", m.Name, r.Name)
	}
}

// isFixedTimeout reports whether a property is a time-out that is a number or a duration.
func isFixedTimeout(path []string, m *template.Member) bool {
	l, ok := m.Value.(*template.Literal)
	if !ok || !timeoutName.MatchString(m.Name) || path[0] == "timeouts" { // how long Terraform itself waits
		return false
	}
	switch v := l.Value.(type) {
	case int64, float64:
		return true
	case string:
		return duration.MatchString(v)
	}
	return false
}

var duration = regexp.MustCompile(`^(P(\d+[DW])?(T(\d+[HMS])+)?|(\d+\.)?\d{1,2}:\d{2}(:\d{2})?|(\d+(\.\d+)?(ms|s|m|h))+|\d+)$`)
