mock_provider "azurerm" {
  mock_resource "azurerm_log_analytics_workspace" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w"
    }
  }
  mock_resource "azurerm_application_insights" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/components/i"
    }
  }
  mock_resource "azurerm_storage_account" {
    defaults = {
      id                    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
      primary_blob_endpoint = "https://st.blob.core.windows.net/"
    }
  }
  mock_resource "azurerm_key_vault" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
    }
  }
  mock_resource "azurerm_service_plan" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Web/serverFarms/p"
    }
  }
  mock_resource "azurerm_function_app_flex_consumption" {
    defaults = {
      id               = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Web/sites/s"
      default_hostname = "s.azurewebsites.net"
    }
  }
  mock_resource "azurerm_linux_function_app" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Web/sites/s"
    }
  }
  mock_resource "azurerm_virtual_network" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
    }
  }
  mock_resource "azurerm_subnet" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
    }
  }
  mock_resource "azurerm_private_dns_zone" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/z"
    }
  }
  mock_resource "azurerm_private_endpoint" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/e"
    }
  }
  mock_resource "azurerm_monitor_action_group" {
    defaults = {
      id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/a"
    }
  }
  mock_resource "azurerm_user_assigned_identity" {
    defaults = {
      id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
      client_id    = "00000000-0000-0000-0000-00000000000a"
      principal_id = "00000000-0000-0000-0000-00000000000b"
    }
  }
  mock_resource "azurerm_key_vault_secret" {
    defaults = {
      id                      = "https://kv.vault.azure.net/secrets/s/0123456789abcdef0123456789abcdef"
      versionless_id          = "https://kv.vault.azure.net/secrets/s"
      resource_versionless_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/secrets/s"
    }
  }
  mock_data "azurerm_resource_group" {
    defaults = { id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg", location = "westeurope" }
  }
  mock_data "azurerm_client_config" {
    defaults = { tenant_id = "00000000-0000-0000-0000-000000000001", object_id = "00000000-0000-0000-0000-000000000002" }
  }
}
variables {
  resource_group_name = "rg"
  twilio_account_sid  = "AC0123456789abcdef0123456789abcdef"
  twilio_phone_number = "+15005550006"
  twilio_auth_token   = "canarytwiliotoken0000000000000000"
  verification_key    = "Y2FuYXJ5LXZlcmlmaWNhdGlvbi1rZXktMDAwMDAwMDA="
  operator_key        = "Y2FuYXJ5LW9wZXJhdG9yLWtleS0wMDAwMDAwMDAwMDA="
  link_key            = "Y2FuYXJ5LWxpbmsta2V5LTAwMDAwMDAwMDAwMDAwMDA="
}
run "flex" {
  command = plan
  variables {
    more_settings = { OTEL_SERVICE_NAME = "shop", LogLevel = "none" }
  }
  assert {
    condition     = length(azurerm_function_app_flex_consumption.main) == 1 && length(azurerm_linux_function_app.main) == 0
    error_message = "On FC1 there is the app for Flex Consumption, and only that."
  }
  assert {
    condition     = azurerm_storage_account.main.shared_access_key_enabled == false
    error_message = "The storage account takes keys."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.main[0].app_settings["OTEL_SERVICE_NAME"] == "shop"
    error_message = "A further setting does not reach the app."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.main[0].app_settings["LogLevel"] == "info"
    error_message = "A further setting changes what the template says."
  }
}
run "dedicated_private_alerts_budget" {
  command = plan
  variables {
    plan            = "P0v3"
    private_network = true
    alert_emails    = ["a@example.com"]
    monthly_budget  = 10
    budget_start    = "2026-01-01"
  }
  assert {
    condition     = length(azurerm_linux_function_app.main) == 1 && length(azurerm_private_endpoint.main) == 4 && length(azurerm_consumption_budget_resource_group.main) == 1
    error_message = "On a dedicated plan there is the other app, with four private endpoints and a budget."
  }
}
run "premium" {
  command = plan
  variables {
    plan         = "EP1"
    always_ready = 1
  }
}
run "bad_timeout" {
  command = plan
  variables {
    sms_verify_timeout_seconds = 5
  }
  expect_failures = [var.sms_verify_timeout_seconds]
}
run "bad_plan" {
  command = plan
  variables {
    plan = "Y1"
  }
  expect_failures = [var.plan]
}
run "unnamed_secret" {
  command = plan
  variables {
    mail_password = "canarymailpassword"
  }
  expect_failures = [var.mail_password]
}
run "named_and_not_given" {
  command = plan
  variables {
    further_secrets = ["MailPassword"]
  }
  expect_failures = [var.mail_password]
}
run "bad_name_of_a_secret" {
  command = plan
  variables {
    further_secrets = ["Mailpassword"]
  }
  expect_failures = [var.further_secrets]
}
# Nothing is made by a mock provider. What Azure would answer stands above, so this sees what is known only then.
run "settings_and_roles" {
  assert {
    condition     = azurerm_function_app_flex_consumption.main[0].app_settings["SmsVerifyTimeout"] == "300s" && azurerm_function_app_flex_consumption.main[0].app_settings["AzureFunctionsJobHost__functionTimeout"] == "00:10:00"
    error_message = "A time-out does not reach the app."
  }
  assert {
    condition     = alltrue([for name in ["OperatorKey", "LinkKey", "TwilioAuthToken", "VerificationKey"] : azurerm_function_app_flex_consumption.main[0].app_settings[name] == "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/s)"])
    error_message = "A secret is not a reference to the vault."
  }
  assert {
    condition = alltrue([
      for role in [azurerm_role_assignment.blob_owner, azurerm_role_assignment.queue_contributor, azurerm_role_assignment.table_contributor] :
      role.scope == azurerm_storage_account.main.id && role.principal_id == azurerm_user_assigned_identity.main.principal_id
    ])
    error_message = "The app's identity may not use the storage account."
  }
  assert {
    condition = alltrue(flatten([
      for readers in [azurerm_role_assignment.operator_key_reader, azurerm_role_assignment.link_key_reader, azurerm_role_assignment.twilio_auth_token_reader, azurerm_role_assignment.verification_key_reader] :
      [for role in values(readers) : role.role_definition_name == "Key Vault Secrets User" && endswith(role.scope, "/vaults/kv/secrets/s")]
    ]))
    error_message = "A right to read goes further than one secret."
  }
  assert {
    condition     = length(azurerm_role_assignment.twilio_auth_token_reader) == 2
    error_message = "On Flex Consumption both of the app's identities read the secrets."
  }
}
run "further_secrets" {
  variables {
    further_secrets       = ["TwilioApiKeySecret", "MailPassword"]
    twilio_api_key_sid    = "SK0123456789abcdef0123456789abcdef"
    twilio_api_key_secret = "canaryapikeysecret"
    mail_server           = "mail.example.com:587"
    mail_user             = "holdfast"
    mail_password         = "canarymailpassword"
    mail_from             = "holdfast@example.com"
  }
  assert {
    condition     = alltrue([for name in ["TwilioApiKeySecret", "MailPassword"] : azurerm_function_app_flex_consumption.main[0].app_settings[name] == "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/s)"])
    error_message = "A secret that the app can do without is not a reference to the vault."
  }
  assert {
    condition     = length(azurerm_key_vault_secret.mail_password) == 1 && length(azurerm_role_assignment.mail_password_reader) == 2 && endswith(azurerm_role_assignment.mail_password_reader["site"].scope, "/vaults/kv/secrets/s")
    error_message = "It is not in the vault, or the app may not read it, or may read more."
  }
  assert {
    condition     = length(azurerm_key_vault_secret.webhook_secret) == 0 && length(azurerm_role_assignment.webhook_secret_reader) == 0 && azurerm_function_app_flex_consumption.main[0].app_settings["WebhookSecret"] == ""
    error_message = "A secret is there that nobody gave."
  }
}
