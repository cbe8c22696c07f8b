# Where logs, metrics and traces go. Neither part takes a key; the app sends as its identity.

resource "azurerm_log_analytics_workspace" "main" {
  name                         = "${var.name}-${local.suffix}"
  resource_group_name          = data.azurerm_resource_group.main.name
  location                     = local.location
  sku                          = "PerGB2018"
  retention_in_days            = var.log_retention_days
  local_authentication_enabled = false
  tags                         = var.tags
}

resource "azurerm_application_insights" "main" {
  name                         = "${var.name}-${local.suffix}"
  resource_group_name          = data.azurerm_resource_group.main.name
  location                     = local.location
  application_type             = "web"
  workspace_id                 = azurerm_log_analytics_workspace.main.id
  local_authentication_enabled = false
  tags                         = var.tags
}

resource "azurerm_role_assignment" "publisher" {
  scope                = azurerm_application_insights.main.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.main.principal_id
  principal_type       = "ServicePrincipal"
}
