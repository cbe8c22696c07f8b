package parity

import (
	"maps"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// types says what the resources of the azurerm provider are in Resource Manager. Several may be one type there.
var types = map[string]string{
	"azurerm_application_insights":                   "Microsoft.Insights/components",
	"azurerm_consumption_budget_resource_group":      "Microsoft.Consumption/budgets",
	"azurerm_container_app":                          "Microsoft.App/containerApps",
	"azurerm_container_app_environment":              "Microsoft.App/managedEnvironments",
	"azurerm_container_registry":                     "Microsoft.ContainerRegistry/registries",
	"azurerm_cosmosdb_account":                       "Microsoft.DocumentDB/databaseAccounts",
	"azurerm_eventhub_namespace":                     "Microsoft.EventHub/namespaces",
	"azurerm_function_app_flex_consumption":          "Microsoft.Web/sites",
	"azurerm_key_vault":                              "Microsoft.KeyVault/vaults",
	"azurerm_key_vault_key":                          "Microsoft.KeyVault/vaults/keys",
	"azurerm_key_vault_secret":                       "Microsoft.KeyVault/vaults/secrets",
	"azurerm_kubernetes_cluster":                     "Microsoft.ContainerService/managedClusters",
	"azurerm_linux_function_app":                     "Microsoft.Web/sites",
	"azurerm_linux_web_app":                          "Microsoft.Web/sites",
	"azurerm_log_analytics_workspace":                "Microsoft.OperationalInsights/workspaces",
	"azurerm_management_lock":                        "Microsoft.Authorization/locks",
	"azurerm_monitor_action_group":                   "Microsoft.Insights/actionGroups",
	"azurerm_monitor_diagnostic_setting":             "Microsoft.Insights/diagnosticSettings",
	"azurerm_monitor_metric_alert":                   "Microsoft.Insights/metricAlerts",
	"azurerm_monitor_scheduled_query_rules_alert_v2": "Microsoft.Insights/scheduledQueryRules",
	"azurerm_mssql_database":                         "Microsoft.Sql/servers/databases",
	"azurerm_mssql_server":                           "Microsoft.Sql/servers",
	"azurerm_network_security_group":                 "Microsoft.Network/networkSecurityGroups",
	"azurerm_postgresql_flexible_server":             "Microsoft.DBforPostgreSQL/flexibleServers",
	"azurerm_private_dns_zone":                       "Microsoft.Network/privateDnsZones",
	"azurerm_private_dns_zone_virtual_network_link":  "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
	"azurerm_private_endpoint":                       "Microsoft.Network/privateEndpoints",
	"azurerm_public_ip":                              "Microsoft.Network/publicIPAddresses",
	"azurerm_redis_cache":                            "Microsoft.Cache/redis",
	"azurerm_resource_group":                         "Microsoft.Resources/resourceGroups",
	"azurerm_role_assignment":                        roleAssignments,
	"azurerm_service_plan":                           "Microsoft.Web/serverfarms",
	"azurerm_servicebus_namespace":                   "Microsoft.ServiceBus/namespaces",
	"azurerm_servicebus_queue":                       "Microsoft.ServiceBus/namespaces/queues",
	"azurerm_storage_account":                        "Microsoft.Storage/storageAccounts",
	"azurerm_storage_container":                      "Microsoft.Storage/storageAccounts/blobServices/containers",
	"azurerm_storage_queue":                          "Microsoft.Storage/storageAccounts/queueServices/queues",
	"azurerm_storage_share":                          "Microsoft.Storage/storageAccounts/fileServices/shares",
	"azurerm_storage_table":                          "Microsoft.Storage/storageAccounts/tableServices/tables",
	"azurerm_subnet":                                 "Microsoft.Network/virtualNetworks/subnets",
	"azurerm_user_assigned_identity":                 "Microsoft.ManagedIdentity/userAssignedIdentities",
	"azurerm_virtual_network":                        "Microsoft.Network/virtualNetworks",
}

// parts are types that azurerm makes together with others, by what it has for them.
var parts = map[string]string{
	"Microsoft.Storage/storageAccounts/blobServices":          "azurerm_storage_account",
	"Microsoft.Storage/storageAccounts/queueServices":         "azurerm_storage_account",
	"Microsoft.Storage/storageAccounts/tableServices":         "azurerm_storage_account",
	"Microsoft.Storage/storageAccounts/fileServices":          "azurerm_storage_account",
	"Microsoft.Web/sites/config":                              "the app",
	"Microsoft.Web/sites/basicPublishingCredentialsPolicies":  "the app",
	"Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "azurerm_private_endpoint",
	"Microsoft.KeyVault/vaults/accessPolicies":                "azurerm_key_vault",
}

// resources compares what is made, type by type. A type counts once for each place that makes it, whether in a loop or
// under a condition; of places under conditions that exclude each other one counts.
func (c *comparison) resources(a, b *template.Template) {
	sides := []map[string]made{madeBy(a), madeBy(b)}
	names := slices.Sorted(maps.Keys(sides[0]))
	for _, name := range slices.Sorted(maps.Keys(sides[1])) {
		if _, both := sides[0][name]; !both {
			names = append(names, name)
		}
	}
	for _, name := range names {
		x, y := sides[0][name], sides[1][name]
		if x.count != y.count {
			at := x.at
			if y.count > x.count {
				at = y.at
			}
			c.add(at, "resource "+name, "%s makes %d of them, and %s %d", a.Path, x.count, b.Path, y.count)
		}
	}
}

// roleAssignments are compared as roles.
const roleAssignments = "Microsoft.Authorization/roleAssignments"

// made is how many resources of a type a template makes, and where the last of them is.
type made struct {
	count int
	at    source.Span
}

func madeBy(root *template.Template) map[string]made {
	out := map[string]made{}
	var conditions []*template.Resource
	for _, t := range template.All(root) {
		for _, r := range t.Resources {
			name := armType(r)
			if r.Existing || parts[name] != "" || name == roleAssignments || slices.ContainsFunc(conditions, func(o *template.Resource) bool { return excludes(o, r) }) {
				continue
			}
			conditions = append(conditions, r)
			out[name] = made{out[name].count + 1, r.At}
		}
		for _, s := range subnets(t) {
			out["Microsoft.Network/virtualNetworks/subnets"] = made{out["Microsoft.Network/virtualNetworks/subnets"].count + 1, s}
		}
	}
	return out
}

// armType is a resource's type in Resource Manager, or the provider's own when it isn't known.
func armType(r *template.Resource) string {
	if name := types[r.Type]; name != "" {
		return name
	}
	return r.Type
}

// excludes reports whether of two resources that are one type there is always one: the condition of the one is the
// opposite of the other's.
func excludes(a, b *template.Resource) bool {
	if a.Condition == nil || b.Condition == nil || armType(a) != armType(b) {
		return false
	}
	return opposite(a.Condition, b.Condition) || opposite(b.Condition, a.Condition)
}

func opposite(a, b template.Expr) bool {
	not, ok := a.(*template.Operation)
	return ok && not.Op == "!" && template.Format(not.Args[0], 1000) == template.Format(b, 1000)
}

// subnets returns those that stand inside a Bicep network.
func subnets(t *template.Template) []source.Span {
	var found []source.Span
	for _, r := range t.Resources {
		if r.Existing || r.Type != "Microsoft.Network/virtualNetworks" {
			continue
		}
		properties, _ := r.Body.Get("properties").(*template.Object)
		list, _ := properties.Get("subnets").(*template.List)
		if list == nil {
			continue
		}
		for _, s := range list.Items {
			found = append(found, s.Place())
		}
	}
	return found
}

// roles compares which roles are given, and on what.
func (c *comparison) roles(a, b *template.Template) {
	pairs(rolesOf(a), rolesOf(b), func(r role) string { return r.name + " on " + r.on }, func(role, role) {}, func(r role, from int) {
		c.add(r.at, "role "+r.name+" on "+r.on, "%s doesn't give it", []*template.Template{b, a}[from].Path)
	})
}

// role is a role that is given on a kind of resource.
type role struct {
	name, on string
	at       source.Span
}

func rolesOf(root *template.Template) []role {
	var found []role
	for _, t := range template.All(root) {
		for _, r := range t.Resources {
			if armType(r) != roleAssignments || r.Existing {
				continue
			}
			name, on := roleName(r), scopeOf(r)
			if !slices.ContainsFunc(found, func(o role) bool { return o.name == name && o.on == on }) {
				found = append(found, role{name, on, r.At})
			}
		}
	}
	return found
}

// roleName returns the name of a role, or its id when the name isn't known.
func roleName(r *template.Resource) string {
	if name, ok := template.StringOf(template.Resolve(orMissing(r.Body.Get("role_definition_name")))); ok {
		return name
	}
	properties, _ := r.Body.Get("properties").(*template.Object)
	id := "a role"
	for _, e := range []template.Expr{properties.Get("roleDefinitionId"), r.Body.Get("role_definition_id")} {
		template.Walk(e, func(e template.Expr) bool {
			if text, ok := template.StringOf(template.Resolve(e)); ok && strings.Count(text, "-") == 4 {
				id = text[strings.LastIndex(text, "/")+1:]
			}
			return true
		})
	}
	if name := roleNames[strings.ToLower(id)]; name != "" {
		return name
	}
	return id
}

func orMissing(e template.Expr) template.Expr {
	if e == nil {
		return &template.Missing{}
	}
	return e
}

// scopeOf returns the type of what a role is given on: the deployment's own scope, if nothing else is said.
func scopeOf(r *template.Resource) string {
	scope := r.Scope
	if scope == nil {
		scope = r.Body.Get("scope")
	}
	for ref := range template.References(scope) {
		if on, ok := ref.To.(*template.Resource); ok {
			return armType(on)
		}
	}
	return "the deployment"
}

// roleNames are the built-in roles that templates of this kind give, by id.
var roleNames = map[string]string{
	"b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
	"acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
	"b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
	"ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
	"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
	"974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
	"8a0f0c08-91a1-4084-bc3d-661d67233fed": "Storage Queue Data Message Processor",
	"c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
	"19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
	"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
	"76199698-9eea-4c19-bc75-cec21354c6b6": "Storage Table Data Reader",
	"4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
	"b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
	"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
	"de139f84-1756-47ae-9be6-808fbbe84772": "Website Contributor",
}
