output "function_app_name" {
  description = "The name of the function app, which a package is published to."
  value       = local.site.name
}

output "url" {
  description = "Where the app answers."
  value       = "https://${local.site.hostname}"
}

output "storage_account_name" {
  description = "The name of the storage account."
  value       = azurerm_storage_account.main.name
}

output "vault_name" {
  description = "The name of the vault."
  value       = azurerm_key_vault.main.name
}

output "client_id" {
  description = "The client id of the identity that the app works as."
  value       = azurerm_user_assigned_identity.main.client_id
}

output "workspace_name" {
  description = "The name of the workspace that the logs are in."
  value       = azurerm_log_analytics_workspace.main.name
}
