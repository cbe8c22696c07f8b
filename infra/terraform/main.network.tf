# A virtual network with private endpoints for the storage account and the vault.

locals {
  endpoints = var.private_network ? {
    blob  = { target = azurerm_storage_account.main.id, zone = "privatelink.blob.core.windows.net" }
    queue = { target = azurerm_storage_account.main.id, zone = "privatelink.queue.core.windows.net" }
    table = { target = azurerm_storage_account.main.id, zone = "privatelink.table.core.windows.net" }
    vault = { target = azurerm_key_vault.main.id, zone = "privatelink.vaultcore.azure.net" }
  } : {}
}

resource "azurerm_virtual_network" "main" {
  count = var.private_network ? 1 : 0

  name                = "${var.name}-${local.suffix}"
  resource_group_name = data.azurerm_resource_group.main.name
  location            = local.location
  address_space       = [var.address_prefix]
  tags                = var.tags
}

resource "azurerm_subnet" "app" {
  count = var.private_network ? 1 : 0

  name                 = "app"
  resource_group_name  = data.azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main[0].name
  address_prefixes     = [cidrsubnet(var.address_prefix, 2, 0)]

  delegation {
    name = "app"
    service_delegation {
      name = local.is_flex ? "Microsoft.App/environments" : "Microsoft.Web/serverFarms"
    }
  }
}

resource "azurerm_subnet" "endpoints" {
  count = var.private_network ? 1 : 0

  name                              = "endpoints"
  resource_group_name               = data.azurerm_resource_group.main.name
  virtual_network_name              = azurerm_virtual_network.main[0].name
  address_prefixes                  = [cidrsubnet(var.address_prefix, 2, 1)]
  private_endpoint_network_policies = "Disabled"
}

resource "azurerm_private_dns_zone" "main" {
  for_each = local.endpoints

  name                = each.value.zone
  resource_group_name = data.azurerm_resource_group.main.name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "main" {
  for_each = local.endpoints

  name                 = "${var.name}-${local.suffix}"
  private_dns_zone_id  = azurerm_private_dns_zone.main[each.key].id
  virtual_network_id   = azurerm_virtual_network.main[0].id
  registration_enabled = false
  tags                 = var.tags
}

resource "azurerm_private_endpoint" "main" {
  for_each = local.endpoints

  name                = "${var.name}-${local.suffix}-${each.key}"
  resource_group_name = data.azurerm_resource_group.main.name
  location            = local.location
  subnet_id           = azurerm_subnet.endpoints[0].id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value.target
    subresource_names              = [each.key]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.main[each.key].id]
  }
}
