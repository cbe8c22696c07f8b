# The identity that the app works as. It is apart from the app, so that it may have its rights before the app starts.
resource "azurerm_user_assigned_identity" "main" {
  name                = "${var.name}-${local.suffix}"
  resource_group_name = data.azurerm_resource_group.main.name
  location            = local.location
  tags                = var.tags
}
