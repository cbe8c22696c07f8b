// Package infra holds the templates that Holdfast is deployed with: the same system in Bicep and in Terraform. The parts
// that follow the table of settings are written by go generate; a test of the deploy command holds the twins to each
// other and to the table.
package infra

import (
	"embed"

	"github.com/seed21523604/holdfast/functions/settings"
)

//go:generate go run ./internal/generate

// Bicep is the folder bicep: main.bicep, its modules and its parameter file.
//
//go:embed bicep
var Bicep embed.FS

// Terraform is the folder terraform: one root module.
//
//go:embed terraform
var Terraform embed.FS

const collector = "the template has no OpenTelemetry collector; who has one names it in moreSettings"

// Further are the settings of the secrets that the app can do without. The templates have a parameter for each, and one
// with the names of those that there are.
var Further = []string{
	settings.TwilioApiKeySecret, settings.TwilioAuthTokenNext, settings.WebhookSecret,
	settings.SlackWebhookUrl, settings.TeamsWebhookUrl, settings.MailPassword,
}

// NotSet are the settings that the templates don't ask for, with the reason.
var NotSet = map[string]string{
	settings.Address:                              "the Functions host says where to listen",
	settings.DataFolder:                           "the state is in the storage account",
	settings.AzureWebJobsStorage:                  "the account takes no keys",
	settings.AzureWebJobsStorage__accountName:     "the template knows its account",
	settings.AzureWebJobsStorage__blobServiceUri:  "the account's name leads there",
	settings.AzureWebJobsStorage__queueServiceUri: "the account's name leads there",
	settings.AzureWebJobsStorage__tableServiceUri: "the account's name leads there",
	settings.AzureWebJobsStorage__credential:      "the template knows its identity",
	settings.AzureWebJobsStorage__clientId:        "the template knows its identity",
	settings.TaskHubOwner:                         "App Service says which app and slot it is",
	settings.WakeQueue:                            "the template knows the hub's queue",
	settings.TwilioApiUrl:                         "another address is for tests",
	settings.TwilioVerifyUrl:                      "another address is for tests",
	settings.OTEL_EXPORTER_OTLP_ENDPOINT:          collector,
	settings.OTEL_EXPORTER_OTLP_PROTOCOL:          collector,
	settings.OTEL_EXPORTER_OTLP_HEADERS:           collector,
	settings.OTEL_TRACES_EXPORTER:                 collector,
	settings.OTEL_METRICS_EXPORTER:                collector,
	settings.OTEL_TRACES_SAMPLER:                  collector,
	settings.OTEL_TRACES_SAMPLER_ARG:              collector,
	settings.OTEL_SERVICE_NAME:                    collector,
	settings.OTEL_RESOURCE_ATTRIBUTES:             collector,
	settings.OTEL_SDK_DISABLED:                    collector,
}
