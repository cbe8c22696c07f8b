package main

import (
	"fmt"
	"strings"

	"github.com/seed21523604/holdfast/infra"
)

// bicepParameters returns the parameters of main.bicep, and the map of settings.
func bicepParameters(all []parameter) string {
	var b strings.Builder
	b.WriteString("\n" + bicepFurther(" = []"))
	for _, p := range all {
		b.WriteString("\n" + bicepParameter(p))
	}
	b.WriteString("\nvar settings = {\n")
	for _, p := range all {
		fmt.Fprintf(&b, "  %s: %s\n", p.setting, bicepSetting(p))
	}
	b.WriteString("}\n\n")
	return b.String()
}

// bicepFurther returns the parameter with the names of the further secrets that there are.
func bicepFurther(fallback string) string {
	var names []string
	for _, name := range infra.Further {
		names = append(names, bicepText(name))
	}
	return fmt.Sprintf("@description(%s)\nparam %s (%s)[]%s\n", bicepText(furtherMeaning), furtherName, strings.Join(names, " | "), fallback)
}

// bicepIf returns the condition under which there is a parameter's secret, or nothing when there always is.
func bicepIf(p parameter) string {
	if !p.isFurther() {
		return ""
	}
	return fmt.Sprintf("contains(%s, %s)", furtherName, bicepText(p.setting))
}

func bicepParameter(p parameter) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@description(%s)\n", bicepText(p.description))
	if p.secret {
		b.WriteString("@secure()\n")
	}
	if len(p.allowed) > 0 {
		b.WriteString("@allowed([\n")
		for _, value := range p.allowed {
			fmt.Fprintf(&b, "  %s\n", bicepText(value))
		}
		b.WriteString("])\n")
	}
	if p.number {
		fmt.Fprintf(&b, "@minValue(%s)\n@maxValue(%s)\n", p.min, p.max)
	}
	b.WriteString(bicepLengths(p))
	switch {
	case p.number:
		fmt.Fprintf(&b, "param %s int = %s\n", p.name, p.fallback)
	case p.required:
		fmt.Fprintf(&b, "param %s string\n", p.name)
	default:
		fmt.Fprintf(&b, "param %s string = %s\n", p.name, bicepText(p.fallback))
	}
	return b.String()
}

// bicepLengths bounds a text. One that may stay empty has no least length.
func bicepLengths(p parameter) string {
	text := ""
	if p.least > 0 && (p.required || p.fallback != "") {
		text += fmt.Sprintf("@minLength(%d)\n", p.least)
	}
	if p.most > 0 {
		text += fmt.Sprintf("@maxLength(%d)\n", p.most)
	}
	return text
}

func bicepSetting(p parameter) string {
	switch {
	case p.secret:
		return "secrets.outputs." + p.name + "Reference"
	case p.number:
		return "'${" + p.name + "}" + p.unit + "'"
	}
	return p.name
}

// bicepSecretArguments hands the secrets on to the module of the vault.
func bicepSecretArguments(all []parameter) string {
	text := fmt.Sprintf("%[1]s: %[1]s\n", furtherName)
	for _, p := range secretsOf(all) {
		text += fmt.Sprintf("%s: %s\n", p.name, p.name)
	}
	return text
}

func bicepSecretParameters(all []parameter) string {
	text := "\n" + bicepFurther("")
	for _, p := range secretsOf(all) {
		text += "\n" + bicepParameter(p)
	}
	return text
}

// bicepSecrets returns a resource for each secret that there is, and the right to read it.
func bicepSecrets(all []parameter) string {
	text := ""
	for _, p := range secretsOf(all) {
		condition := bicepIf(p)
		if condition != "" {
			condition = "if (" + condition + ") "
		}
		text += fmt.Sprintf(`
resource %[1]sSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = %[3]s{
  parent: vault
  name: '%[2]s'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: %[1]s
  }
}

resource %[1]sReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = %[3]s{
  scope: %[1]sSecret
  name: guid(%[1]sSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
`, p.name, separated(p.name, "-"), condition)
	}
	return text + "\n"
}

// bicepSecretOutputs returns where each secret is, as an app setting says it; nowhere if there is none.
func bicepSecretOutputs(all []parameter) string {
	text := ""
	for _, p := range secretsOf(all) {
		reference := fmt.Sprintf("'@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${%sSecret.name})'", p.name)
		if condition := bicepIf(p); condition != "" {
			reference = condition + " ? " + reference + " : ''"
		}
		if strings.Contains(strings.ToLower(p.name), "password") {
			text += "#disable-next-line outputs-should-not-contain-secrets // called so by its name: it says where the password is\n"
		}
		text += fmt.Sprintf("output %sReference string = %s\n", p.name, reference)
	}
	return text
}

// bicepValues reads the parameters from the environment.
func bicepValues(all []parameter) string {
	text := fmt.Sprintf("\nparam %s = json(readEnvironmentVariable(%s, '[]'))\n", furtherName, bicepVariable(furtherName))
	for _, p := range all {
		variable := bicepVariable(p.name)
		value := fmt.Sprintf("readEnvironmentVariable(%s, %s)", variable, bicepText(p.fallback))
		if p.required {
			value = fmt.Sprintf("readEnvironmentVariable(%s)", variable)
		}
		if p.number {
			value = "int(" + value + ")"
		}
		text += fmt.Sprintf("param %s = %s\n", p.name, value)
	}
	return text
}

// bicepVariable returns the environment variable of a parameter.
func bicepVariable(name string) string {
	return bicepText("HOLDFAST_" + strings.ToUpper(separated(name, "_")))
}

func secretsOf(all []parameter) []parameter {
	var secrets []parameter
	for _, p := range all {
		if p.secret {
			secrets = append(secrets, p)
		}
	}
	return secrets
}

func bicepText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "${", `\${`).Replace(text) + "'"
}
