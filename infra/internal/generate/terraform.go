package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed21523604/holdfast/infra"
)

// terraformVariables returns variables.settings.tf.
func terraformVariables(all []parameter) string {
	text := "# " + made + "\n\n" + terraformFurther()
	for _, p := range all {
		text += "\n" + terraformVariable(p)
	}
	return text
}

// terraformFurther returns the variable with the names of the further secrets that there are. Terraform can't see that from
// the secrets, as they are ephemeral.
func terraformFurther() string {
	var names []string
	for _, name := range infra.Further {
		names = append(names, terraformText(name))
	}
	condition := fmt.Sprintf("alltrue([for name in var.%s : contains([%s], name)])", separated(furtherName, "_"), strings.Join(names, ", "))
	return fmt.Sprintf("variable %q {\n  description = %s\n  type        = list(string)\n  default     = []\n  nullable    = false\n%s}\n",
		separated(furtherName, "_"), terraformText(furtherMeaning), validation(condition, "Each is one of "+strings.Join(infra.Further, ", ")+"."))
}

// terraformNamed returns whether a further secret is there, as an expression.
func terraformNamed(p parameter) string {
	return fmt.Sprintf("contains(var.%s, %s)", separated(furtherName, "_"), terraformText(p.setting))
}

func terraformVariable(p parameter) string {
	lines := []string{"description = " + terraformText(p.description), "type        = " + terraformType(p)}
	if p.secret {
		lines = append(lines, "sensitive   = true", "ephemeral   = true")
	}
	switch {
	case p.number:
		lines = append(lines, "default     = "+p.fallback)
	case !p.required:
		lines = append(lines, "default     = "+terraformText(p.fallback))
	}
	lines = append(lines, "nullable    = false")
	return "variable \"" + separated(p.name, "_") + "\" {\n  " + strings.Join(lines, "\n  ") + "\n" + terraformValidations(p) + "}\n"
}

func terraformType(p parameter) string {
	if p.number {
		return "number"
	}
	return "string"
}

// terraformValidations returns what a value is held to, each with what to say when it isn't met.
func terraformValidations(p parameter) string {
	name := "var." + separated(p.name, "_")
	switch {
	case p.number:
		condition := fmt.Sprintf("%[1]s >= %[2]s && %[1]s <= %[3]s && floor(%[1]s) == %[1]s", name, p.min, p.max)
		return validation(condition, fmt.Sprintf("A whole number from %s to %s is wanted.", p.min, p.max))
	case len(p.allowed) > 0:
		var values []string
		for _, v := range p.allowed {
			values = append(values, terraformText(v))
		}
		return validation(fmt.Sprintf("contains([%s], %s)", strings.Join(values, ", "), name), "One of "+strings.Join(p.allowed, ", ")+" is wanted.")
	}
	return terraformLengths(p, name) + terraformPattern(p, name) + terraformBoth(p, name)
}

// terraformBoth holds a further secret to be named and given, or neither.
func terraformBoth(p parameter, name string) string {
	if !p.isFurther() {
		return ""
	}
	list := separated(furtherName, "_")
	return validation(fmt.Sprintf("(%s != \"\") == %s", name, terraformNamed(p)), fmt.Sprintf("Of %s and its name %s in %s only one is there.", separated(p.name, "_"), p.setting, list))
}

func terraformLengths(p parameter, name string) string {
	var conditions []string
	wanted := "characters"
	if p.least > 0 && (p.required || p.fallback != "") {
		conditions = append(conditions, fmt.Sprintf("length(%s) >= %d", name, p.least))
		wanted = fmt.Sprintf("At least %d", p.least)
	}
	if p.most > 0 {
		conditions = append(conditions, fmt.Sprintf("length(%s) <= %d", name, p.most))
		wanted = strings.TrimPrefix(fmt.Sprintf("%s and at most %d", wanted, p.most), "characters and ")
	}
	if conditions == nil {
		return ""
	}
	return validation(strings.Join(conditions, " && "), strings.ToUpper(wanted[:1])+wanted[1:]+" characters are wanted.")
}

func terraformPattern(p parameter, name string) string {
	if p.pattern == "" {
		return ""
	}
	condition := fmt.Sprintf("can(regex(%s, %s))", terraformText(p.pattern), name)
	if !p.required && p.fallback == "" {
		condition = fmt.Sprintf("%s == \"\" || %s", name, condition)
	}
	return validation(condition, "It has to match "+strings.NewReplacer("${", "$${", "%{", "%%{").Replace(p.pattern)+".")
}

func validation(condition, message string) string {
	return fmt.Sprintf("\n  validation {\n    condition     = %s\n    error_message = %s\n  }\n", condition, terraformText(message))
}

// terraformSettings returns main.settings.tf: the map of settings, the secrets, and the rights to read them.
func terraformSettings(all []parameter) string {
	widest := 0
	for _, p := range all {
		widest = max(widest, len(p.setting))
	}
	var b strings.Builder
	b.WriteString("# " + made + "\n\nlocals {\n  settings = {\n")
	for _, p := range all {
		fmt.Fprintf(&b, "    %-*s = %s\n", widest, p.setting, terraformSetting(p))
	}
	b.WriteString("  }\n}\n")
	for _, p := range secretsOf(all) {
		b.WriteString(terraformSecret(p))
	}
	return b.String()
}

// terraformSecret returns a secret, which may not be there, and the rights to read it.
func terraformSecret(p parameter) string {
	count, index, readers := "", "", "local.readers"
	if p.isFurther() {
		count = fmt.Sprintf("  count = %s ? 1 : 0\n\n", terraformNamed(p))
		index, readers = "[0]", terraformNamed(p)+" ? local.readers : {}"
	}
	return fmt.Sprintf(`
resource "azurerm_key_vault_secret" %[1]q {
%[3]s  name             = %[2]q
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.%[1]s
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "%[1]s_reader" {
  for_each = %[5]s

  scope                = azurerm_key_vault_secret.%[1]s%[4]s.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}
`, separated(p.name, "_"), separated(p.name, "-"), count, index, readers)
}

func terraformSetting(p parameter) string {
	name := "var." + separated(p.name, "_")
	switch {
	case p.isFurther():
		return fmt.Sprintf("%s ? \"@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.%s[0].versionless_id})\" : \"\"", terraformNamed(p), separated(p.name, "_"))
	case p.secret:
		return fmt.Sprintf("\"@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.%s.versionless_id})\"", separated(p.name, "_"))
	case p.unit != "":
		return fmt.Sprintf("\"${%s}%s\"", name, p.unit)
	case p.number:
		return "tostring(" + name + ")"
	}
	return name
}

func terraformText(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}
