package check

import (
	"regexp"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// sink returns the rule that a secret breaks in a part of a resource, or "" where a secret belongs.
func sink(language template.Language, r *template.Resource, path []string) string {
	if language == template.Terraform {
		return terraformSink(r, path)
	}
	return bicepSink(r, path)
}

// place is a part of resources of some types. Items of lists are left out of the path, and "*" is any number of names.
type place struct {
	types, path *regexp.Regexp
	rule        string // "" where a secret belongs
}

func placeOf(types, path, rule string) place {
	return place{regexp.MustCompile(`(?i)^(` + types + `)$`), regexp.MustCompile(`(?i)^(` + path + `)$`), rule}
}

// bicepPlaces are the parts of Azure's resources that are known for what they do with a value, the first that fits first.
var bicepPlaces = []place{
	placeOf(`.*`, `name`, "secret-in-name"),
	placeOf(`.*`, `tags(\..*)?`, "secret-in-tag"),
	placeOf(`Microsoft\.KeyVault/vaults/secrets`, `properties\.value`, ""),
	placeOf(`Microsoft\.KeyVault/vaults`, `properties\.secrets\..*`, ""),
	placeOf(`Microsoft\.Web/(sites|staticSites)(/slots)?`, `properties\.siteConfig\.(appSettings|connectionStrings)(\..*)?`, "secret-in-setting"),
	placeOf(`Microsoft\.Web/(sites|staticSites)(/slots)?/config`, `properties(\..*)?`, "secret-in-setting"),
	placeOf(`Microsoft\.App/(containerApps|jobs)`, `properties\.template\.(containers|initContainers)\.env\.value`, "secret-in-setting"),
	placeOf(`Microsoft\.App/.*`, `.*\.secrets\.value`, ""),
	placeOf(`Microsoft\.ContainerInstance/containerGroups`, `.*\.environmentVariables\.value`, "secret-in-setting"),
	placeOf(`Microsoft\.AppConfiguration/configurationStores/keyValues`, `properties\.value`, "secret-in-setting"),
	placeOf(`Microsoft\.Compute/virtualMachines/extensions`, `properties\.settings(\..*)?`, "secret-in-command"),
	placeOf(`Microsoft\.Compute/virtualMachines/runCommands`, `properties\.(source|parameters)\..*`, "secret-in-command"),
	placeOf(`Microsoft\.Compute/virtualMachineScaleSets`, `.*\.extensions\.properties\.settings(\..*)?`, "secret-in-command"),
	placeOf(`Microsoft\.Compute/.*`, `.*\.(customData|userData)|properties\.userData`, "secret-in-command"),
	placeOf(`Microsoft\.Resources/deploymentScripts`, `properties\.(arguments|scriptContent|environmentVariables\.value)`, "secret-in-command"),
	placeOf(`Microsoft\.Resources/deployments`, `properties\.parameters\..*`, ""),
}

func bicepSink(r *template.Resource, path []string) string {
	if r.Existing && path[0] != "name" {
		return ""
	}
	if r.Type == "Microsoft.Resources/deployments" && len(path) > 1 && path[1] == "template" {
		if isInner(r) {
			return ""
		}
		return "secret-in-nested-deployment"
	}
	if rule, known := placed(bicepPlaces, r, path); known {
		return rule
	}
	if isForSecrets(path) {
		return ""
	}
	return "secret-in-property"
}

// isInner reports whether a nested deployment evaluates its expressions itself.
func isInner(r *template.Resource) bool {
	properties, _ := r.Body.Get("properties").(*template.Object)
	options, _ := properties.Get("expressionEvaluationOptions").(*template.Object)
	scope, _ := options.Get("scope").(*template.Literal)
	if scope == nil {
		return false
	}
	text, _ := scope.Value.(string)
	return strings.EqualFold(text, "inner")
}

// terraformPlaces are the parts of Terraform's resources that show a value to others. All other parts keep it in state.
var terraformPlaces = []place{
	placeOf(`.*`, `lifecycle(\..*)?|depends_on|provisioner\..*\.(when|on_failure)`, ""),
	placeOf(`.*`, `name|display_name`, "secret-in-name"),
	placeOf(`.*`, `tags(\..*)?`, "secret-in-tag"),
	placeOf(`.*_(app|slot|site)(_.*)?`, `app_settings(\..*)?`, "secret-in-setting"),
	placeOf(`azurerm_container_(app|app_job)`, `template\.(container|init_container)\.env\.value`, "secret-in-setting"),
	placeOf(`azurerm_container_group`, `(container|init_container)\.environment_variables(\..*)?`, "secret-in-setting"),
	placeOf(`azurerm_app_configuration_key`, `value`, "secret-in-setting"),
	placeOf(`.*`, `provisioner\.local-exec\.command|provisioner\.remote-exec\..*`, "secret-in-command"),
	placeOf(`.*`, `provisioner\.local-exec\.environment(\..*)?|connection(\..*)?|provisioner\..*\.connection(\..*)?`, ""),
	placeOf(`azurerm_virtual_machine_(scale_set_)?extension`, `settings`, "secret-in-command"),
	placeOf(`azurerm_.*virtual_machine.*`, `custom_data|user_data`, "secret-in-command"),
}

func terraformSink(r *template.Resource, path []string) string {
	if rule, known := placed(terraformPlaces, r, path); known {
		return rule
	}
	return "secret-in-state"
}

func placed(places []place, r *template.Resource, path []string) (rule string, known bool) {
	joined := strings.Join(withoutItems(path), ".")
	for _, p := range places {
		if p.types.MatchString(r.Type) && p.path.MatchString(joined) {
			return p.rule, true
		}
	}
	return "", false
}

func withoutItems(path []string) []string {
	var names []string
	for _, name := range path {
		if name != "[]" {
			names = append(names, name)
		}
	}
	return names
}

// forSecrets are the names of properties that hold a secret by their nature, and of those around them.
var (
	forSecrets    = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|credential|passphrase|privatekey|sharedkey|accountkey|accesskey|apikey|adminkey|masterkey|authorizationkey|serviceaccountkey|storagekey|sastoken|sasuri|sasurl|connectionstring|connectionstring(primary|secondary)key|instrumentationkey|certificate|certificatevalue|pfx|keydata|psk)s?$|^(key|sas|pat|data|keyvalue|presharedkey|authkey|primarykey|secondarykey)$`)
	aroundSecrets = regexp.MustCompile(`(?i)^(secrets?|securevalue|(configuration)?protectedsettings|protectedparameters|secureparameters|credentials?|typeproperties)$`)
)

// isForSecrets reports whether a property is made for a secret.
func isForSecrets(path []string) bool {
	names := withoutItems(path)
	last := names[len(names)-1]
	if last == "value" && len(names) > 1 {
		last = names[len(names)-2]
	}
	if forSecrets.MatchString(last) {
		return true
	}
	for _, name := range names {
		if aroundSecrets.MatchString(name) {
			return true
		}
	}
	return false
}
