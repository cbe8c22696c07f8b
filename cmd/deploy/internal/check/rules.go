package check

import "fmt"

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // somebody can read a secret
	Warning Severity = "warning" // it makes that likely, or it is careless
)

// Rule is something that is looked for. Its id does not change.
type Rule struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Why      string   `json:"why"`
	Fix      string   `json:"fix"`
	// Like are the ids under which other tools look for something alike.
	Like []string `json:"like,omitempty"`
}

// Rules returns all rules in the order of their subjects. The slice is the caller's own.
func Rules() []*Rule { return append([]*Rule(nil), rules...) }

// RuleOf returns the rule of an id. There has to be one.
func RuleOf(id string) *Rule {
	for _, r := range rules {
		if r.ID == id {
			return r
		}
	}
	panic(fmt.Sprintf("there is no rule %s", id))
}

var rules = []*Rule{
	{ID: "secret-in-output", Severity: Error, Title: "a secret leaves through an output",
		Why:  "Outputs are kept in the history of deployments and in state, and whoever may read those reads them.",
		Fix:  "Leave the output away and give out where the secret is: the name or URI of the vault's secret.",
		Like: []string{"outputs-should-not-contain-secrets", "Outputs-Must-Not-Contain-Secrets", "Azure.Deployment.OutputSecretValue"}},
	{ID: "secret-in-name", Severity: Error, Title: "a secret is in a name",
		Why: "Names are in ids, URLs, logs and bills.",
		Fix: "Make the name of something that anybody may know."},
	{ID: "secret-in-tag", Severity: Error, Title: "a secret is in a tag",
		Why: "Everybody who may see a resource sees its tags, and so do bills and exports.",
		Fix: "Leave it out of the tags."},
	{ID: "secret-in-setting", Severity: Error, Title: "a secret is a plain setting",
		Why:  "Settings are shown to everybody who may manage the app, and are in templates that are exported.",
		Fix:  "Put the secret into a vault and a reference into the setting: @Microsoft.KeyVault(SecretUri=…), or secretRef.",
		Like: []string{"Azure.AppConfig.SecretLeak"}},
	{ID: "secret-in-command", Severity: Error, Title: "a secret is part of a command or script",
		Why:  "Commands are kept with the machine, in its logs and in lists of processes.",
		Fix:  "Use protectedSettings or secureValue, or let the script read the secret from a vault.",
		Like: []string{"protect-commandtoexecute-secrets", "CommandToExecute-Must-Use-ProtectedSettings-For-Secrets"}},
	{ID: "secret-in-property", Severity: Warning, Title: "a secret is in a property that is not made for one",
		Why:  "A property that doesn't hold a secret by its nature is shown like any other.",
		Fix:  "Put the secret into a vault and give out a reference, or use the property that is meant for secrets.",
		Like: []string{"use-secure-value-for-secure-inputs"}},
	{ID: "secret-in-state", Severity: Warning, Title: "Terraform writes a secret down",
		Why: "State and plan hold arguments, attributes and outputs in clear text; sensitive only keeps them off the screen.",
		Fix: "Use an ephemeral variable with a write-only argument such as value_wo, or an ephemeral resource."},
	{ID: "secret-to-open-parameter", Severity: Error, Title: "a secret is given to a parameter that is not secure",
		Why:  "The values of parameters that are not secure are kept in the history of the module's deployment.",
		Fix:  "Mark the parameter with @secure().",
		Like: []string{"Azure.Deployment.SecretLeak", "Azure.Deployment.SecureParameter"}},
	{ID: "secret-in-nested-deployment", Severity: Error, Title: "a secret is written into a nested template",
		Why:  "With outer scope the values are put into the text of the nested template, which is kept.",
		Fix:  "Use a module, or inner scope and a parameter of type securestring.",
		Like: []string{"secure-params-in-nested-deploy", "Secure-Params-In-Nested-Deployments", "Azure.Deployment.OuterSecret"}},
	{ID: "secret-unmasked", Severity: Warning, Title: "the mark of a secret is taken off",
		Why: "After nonsensitive() Terraform shows the value in plans and logs.",
		Fix: "Leave nonsensitive() away."},
	{ID: "secret-has-default", Severity: Error, Title: "a secret has a default",
		Why:  "The default is in the repository and in the template, for everybody to read, and somebody will use it.",
		Fix:  "Leave the default away.",
		Like: []string{"secure-parameter-default", "Secure-String-Parameters-Cannot-Have-Default", "CKV_AZURE_131"}},
	{ID: "secret-not-marked", Severity: Warning, Title: "what looks like a secret is not marked as one",
		Why:  "A parameter that isn't secure is shown and kept in clear text.",
		Fix:  "Mark it with @secure(), or in Terraform with sensitive and ephemeral.",
		Like: []string{"secure-secrets-in-params", "Password-params-must-be-secure"}},
	{ID: "secret-in-file", Severity: Error, Title: "a secret is in a file of parameters",
		Why:  "A file of parameters is in the repository.",
		Fix:  "Read it from the environment, readEnvironmentVariable() or TF_VAR_…, or from a vault with getSecret().",
		Like: []string{"secure-params-in-parameters-file"}},
	{ID: "secret-in-text", Severity: Error, Title: "a secret is written out",
		Why:  "What is in a template is in the repository, its history and every copy of it.",
		Fix:  "Make it a secure parameter, put it into a vault, and replace the secret: it is known now.",
		Like: []string{"CKV_SECRET_3", "CKV_SECRET_6", "CKV_SECRET_18", "Azure.Deployment.SecureValue"}},
	{ID: "admin-name-fixed", Severity: Warning, Title: "the name of an administrator is written out",
		Why:  "A name that is the same everywhere is half of a login.",
		Fix:  "Make it a parameter.",
		Like: []string{"adminusername-should-not-be-literal", "adminUsername-Should-Not-Be-A-Literal", "Azure.Deployment.AdminUsername"}},
	{ID: "key-allowed", Severity: Warning, Title: "a service hands out keys",
		Why:  "A key opens everything for everybody who has it, and nobody can tell who used it.",
		Fix:  "Turn keys off, and give a role to an identity.",
		Like: []string{"CKV2_AZURE_40", "Azure.Storage.LocalAuth", "Azure.AppInsights.LocalAuth"}},
	{ID: "vault-unprotected", Severity: Warning, Title: "a vault is not protected as it could be",
		Why:  "Without purge protection a secret can be lost for good, and access policies open all secrets at once.",
		Fix:  "Turn purge protection and RBAC authorization on.",
		Like: []string{"CKV_AZURE_110", "CKV_AZURE_42", "AZU-0016", "Azure.KeyVault.PurgeProtect", "Azure.KeyVault.RBAC"}},
	{ID: "transport-open", Severity: Warning, Title: "a secret may travel in clear text",
		Why:  "Without HTTPS, or with an old TLS, whoever is on the way can read along.",
		Fix:  "Allow HTTPS only, with TLS 1.2 or later.",
		Like: []string{"CKV_AZURE_3", "CKV_AZURE_44", "CKV_AZURE_70", "AZU-0004", "Azure.AppService.UseHTTPS", "Azure.Storage.MinTLS"}},
	{ID: "timeout-fixed", Severity: Warning, Title: "a time-out is written out",
		Why: "Nobody can change it for one deployment, in an emergency least of all.",
		Fix: "Make it a parameter with bounds and a description."},
	{ID: "timeout-unbounded", Severity: Warning, Title: "a time-out has no bounds",
		Why:  "A slip of the finger makes it zero or a year.",
		Fix:  "Give it @minValue and @maxValue, or in Terraform a validation.",
		Like: []string{"Min-And-Max-Value-Are-Numbers"}},
	{ID: "twins-differ", Severity: Error, Title: "two templates that should say the same don't",
		Why: "What is tested with the one isn't what is deployed with the other.",
		Fix: "Change the one that is wrong."},
	{ID: "setting-unknown", Severity: Error, Title: "a template sets what the app doesn't know",
		Why: "The setting does nothing, and the one that was meant has its default.",
		Fix: "Correct the name, or add the setting to functions/settings."},
	{ID: "setting-missing", Severity: Error, Title: "a template doesn't set what the app needs to be told",
		Why: "The setting can't be changed by a deployment.",
		Fix: "Run go generate ./infra."},
	{ID: "setting-unread", Severity: Warning, Title: "the app doesn't read one of its settings",
		Why: "Who sets it believes that it does something.",
		Fix: "Read it, or take it out of functions/settings."},
	{ID: "function-setting-unknown", Severity: Error, Title: "a function.json names a setting that the app doesn't know",
		Why: "The host can't put a value in its place, and doesn't start the function.",
		Fix: "Correct the name, or add the setting to functions/settings."},
	{ID: "acceptance-without-reason", Severity: Warning, Title: "a finding is accepted without a reason",
		Why: "Who reads it later can't tell whether the reason still holds.",
		Fix: "Write: deploy:accept RULE because REASON."},
	{ID: "acceptance-unused", Severity: Warning, Title: "a finding is accepted that isn't there",
		Why: "It would hide the next one.",
		Fix: "Remove the comment."},
}
