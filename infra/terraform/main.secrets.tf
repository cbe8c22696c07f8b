# The vault. Each secret goes in here once and nowhere else; the app is told only where it is, and may read just the
# secrets that it needs. The secrets themselves are in main.settings.tf.

resource "azurerm_key_vault" "main" {
  name                          = "${var.name}-${substr(local.suffix, 0, 8)}"
  resource_group_name           = data.azurerm_resource_group.main.name
  location                      = local.location
  tenant_id                     = data.azurerm_client_config.current.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = var.soft_delete_days
  public_network_access_enabled = !var.private_network
  tags                          = var.tags

  network_acls {
    default_action = var.private_network ? "Deny" : "Allow"
    bypass         = "AzureServices"
  }
}

locals {
  # Who may read the secrets. On Flex Consumption azurerm 5.2 can't say that references to the vault are followed as the
  # identity above, so they are followed as the app's own.
  readers = merge(
    { identity = azurerm_user_assigned_identity.main.principal_id },
    local.is_flex ? { site = azurerm_function_app_flex_consumption.main[0].identity[0].principal_id } : {},
  )
}

# deploy:accept twins-differ because Terraform writes a secret into the vault itself and not through Resource Manager, and needs a right for that
resource "azurerm_role_assignment" "secrets_officer" {
  scope                = azurerm_key_vault.main.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = data.azurerm_client_config.current.object_id
}

resource "azurerm_monitor_diagnostic_setting" "vault" {
  name                       = "workspace"
  target_resource_id         = azurerm_key_vault.main.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  enabled_log {
    category = "AuditEvent"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}
