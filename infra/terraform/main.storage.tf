# The storage account that keeps the state of everything that waits, and the packages. It takes no keys.

resource "azurerm_storage_account" "main" {
  name                             = "${var.name}${local.suffix}"
  resource_group_name              = data.azurerm_resource_group.main.name
  location                         = local.location
  account_kind                     = "StorageV2"
  account_tier                     = split("_", var.storage_redundancy)[0]
  account_replication_type         = split("_", var.storage_redundancy)[1]
  access_tier                      = "Hot"
  shared_access_key_enabled        = false
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  default_to_oauth_authentication  = true
  min_tls_version                  = "TLS1_2"
  https_traffic_only_enabled       = true
  public_network_access_enabled    = !var.private_network
  tags                             = var.tags

  network_rules {
    default_action = var.private_network ? "Deny" : "Allow"
    bypass         = ["AzureServices"]
  }

  blob_properties {
    delete_retention_policy {
      days = 7
    }
    container_delete_retention_policy {
      days = 7
    }
  }
}

resource "azurerm_storage_container" "packages" {
  name               = "packages"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_container" "large" {
  name               = "${local.hub}-largemessages"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_queue" "doorbells" {
  name               = "${local.hub}-doorbells"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_queue" "wake" {
  name               = "${local.hub}-wake"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_queue" "poison" {
  name               = "${local.hub}-wake-poison"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_table" "history" {
  name               = "${var.task_hub_name}History"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_table" "instances" {
  name               = "${var.task_hub_name}Instances"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_storage_table" "due" {
  name               = "${var.task_hub_name}Due"
  storage_account_id = azurerm_storage_account.main.id
}

resource "azurerm_role_assignment" "blob_owner" {
  scope                = azurerm_storage_account.main.id
  role_definition_name = "Storage Blob Data Owner"
  principal_id         = azurerm_user_assigned_identity.main.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "queue_contributor" {
  scope                = azurerm_storage_account.main.id
  role_definition_name = "Storage Queue Data Contributor"
  principal_id         = azurerm_user_assigned_identity.main.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "table_contributor" {
  scope                = azurerm_storage_account.main.id
  role_definition_name = "Storage Table Data Contributor"
  principal_id         = azurerm_user_assigned_identity.main.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_monitor_diagnostic_setting" "blobs" {
  name                       = "workspace"
  target_resource_id         = "${azurerm_storage_account.main.id}/blobServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  enabled_log {
    category = "StorageDelete"
  }

  enabled_metric {
    category = "Transaction"
  }
}

resource "azurerm_monitor_diagnostic_setting" "queues" {
  name                       = "workspace"
  target_resource_id         = "${azurerm_storage_account.main.id}/queueServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  enabled_metric {
    category = "Transaction"
  }
}

resource "azurerm_monitor_diagnostic_setting" "tables" {
  name                       = "workspace"
  target_resource_id         = "${azurerm_storage_account.main.id}/tableServices/default"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  enabled_metric {
    category = "Transaction"
  }
}
