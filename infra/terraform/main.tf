data "azurerm_client_config" "current" {}

data "azurerm_resource_group" "main" {
  name = var.resource_group_name
}

locals {
  location = coalesce(var.location, data.azurerm_resource_group.main.location)
  suffix   = substr(sha256("${data.azurerm_resource_group.main.id}${var.name}"), 0, 13)
  hub      = lower(var.task_hub_name)
  is_flex  = var.plan == "FC1"
}
