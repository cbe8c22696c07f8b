# The function app: a Go program as custom handler, with its settings. Terraform has two resources for it, of which there
# is one: for Flex Consumption, and for the other plans.

locals {
  host_settings = {
    AzureWebJobsStorage__accountName                             = azurerm_storage_account.main.name
    AzureWebJobsStorage__credential                              = "managedidentity"
    AzureWebJobsStorage__clientId                                = azurerm_user_assigned_identity.main.client_id
    AZURE_CLIENT_ID                                              = azurerm_user_assigned_identity.main.client_id
    APPLICATIONINSIGHTS_CONNECTION_STRING                        = azurerm_application_insights.main.connection_string
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING                    = "ClientId=${azurerm_user_assigned_identity.main.client_id};Authorization=AAD"
    AzureWebJobsDisableHomepage                                  = "true"
    WakeQueue                                                    = azurerm_storage_queue.wake.name
    AzureFunctionsJobHost__functionTimeout                       = format("%02d:%02d:00", floor(var.function_timeout_minutes / 60), var.function_timeout_minutes % 60)
    AzureFunctionsJobHost__customHandler__initializationTimeout  = format("00:%02d:%02d", floor(var.start_timeout_seconds / 60), var.start_timeout_seconds % 60)
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout = format("00:%02d:%02d", floor(var.retry_delay_seconds / 60), var.retry_delay_seconds % 60)
    AzureFunctionsJobHost__extensions__queues__maxDequeueCount   = tostring(var.maximum_dequeues)
  }
}

resource "azurerm_service_plan" "main" {
  name                         = "${var.name}-${local.suffix}"
  resource_group_name          = data.azurerm_resource_group.main.name
  location                     = local.location
  os_type                      = "Linux"
  sku_name                     = var.plan
  maximum_elastic_worker_count = startswith(var.plan, "EP") ? var.maximum_instances : null
  tags                         = var.tags
}

resource "azurerm_function_app_flex_consumption" "main" {
  count = local.is_flex ? 1 : 0

  name                                           = "${var.name}-${local.suffix}"
  resource_group_name                            = data.azurerm_resource_group.main.name
  location                                       = local.location
  service_plan_id                                = azurerm_service_plan.main.id
  storage_container_type                         = "blobContainer"
  storage_container_endpoint                     = "${azurerm_storage_account.main.primary_blob_endpoint}${azurerm_storage_container.packages.name}"
  storage_authentication_type                    = "UserAssignedIdentity"
  storage_user_assigned_identity_id              = azurerm_user_assigned_identity.main.id
  runtime_name                                   = "custom"
  runtime_version                                = "1.0"
  instance_memory_in_mb                          = var.instance_memory
  maximum_instance_count                         = var.maximum_instances
  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false
  virtual_network_subnet_id                      = one(azurerm_subnet.app[*].id)
  tags                                           = var.tags

  # deploy:accept twins-differ because azurerm writes a connection string without a key, which the host would take for the account
  app_settings = merge(var.more_settings, local.host_settings, { AzureWebJobsStorage = "" }, local.settings)

  dynamic "always_ready" {
    for_each = var.always_ready == 0 ? [] : [var.always_ready]
    content {
      name           = "http"
      instance_count = always_ready.value
    }
  }

  identity {
    type         = "SystemAssigned, UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.main.id]
  }

  site_config {
    minimum_tls_version     = "1.2"
    scm_minimum_tls_version = "1.2"
    http2_enabled           = true
    vnet_route_all_enabled  = var.private_network
  }

  depends_on = [
    azurerm_role_assignment.blob_owner, azurerm_role_assignment.queue_contributor, azurerm_role_assignment.table_contributor,
    azurerm_private_endpoint.main,
  ]
}

resource "azurerm_linux_function_app" "main" {
  count = local.is_flex ? 0 : 1

  name                                           = "${var.name}-${local.suffix}"
  resource_group_name                            = data.azurerm_resource_group.main.name
  location                                       = local.location
  service_plan_id                                = azurerm_service_plan.main.id
  storage_account_name                           = azurerm_storage_account.main.name
  storage_uses_managed_identity                  = true
  content_share_force_disabled                   = true
  functions_extension_version                    = "~4"
  builtin_logging_enabled                        = false
  https_only                                     = true
  key_vault_reference_identity_id                = azurerm_user_assigned_identity.main.id
  ftp_publish_basic_authentication_enabled       = false
  webdeploy_publish_basic_authentication_enabled = false
  virtual_network_subnet_id                      = one(azurerm_subnet.app[*].id)
  tags                                           = var.tags

  app_settings = merge(var.more_settings, local.host_settings, { WEBSITE_RUN_FROM_PACKAGE = "1" }, local.settings)

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.main.id]
  }

  site_config {
    always_on               = startswith(var.plan, "EP") ? null : true
    minimum_tls_version     = "1.2"
    scm_minimum_tls_version = "1.2"
    ftps_state              = "Disabled"
    http2_enabled           = true
    vnet_route_all_enabled  = var.private_network

    application_stack {
      use_custom_runtime = true
    }
  }

  depends_on = [
    azurerm_role_assignment.blob_owner, azurerm_role_assignment.queue_contributor, azurerm_role_assignment.table_contributor,
    azurerm_private_endpoint.main,
  ]
}

locals {
  # What others need of the app, one by one: the whole resource holds credentials for publishing.
  site = {
    id       = one(concat(azurerm_function_app_flex_consumption.main[*].id, azurerm_linux_function_app.main[*].id))
    name     = one(concat(azurerm_function_app_flex_consumption.main[*].name, azurerm_linux_function_app.main[*].name))
    hostname = one(concat(azurerm_function_app_flex_consumption.main[*].default_hostname, azurerm_linux_function_app.main[*].default_hostname))
  }
}

resource "azurerm_monitor_diagnostic_setting" "function" {
  name                       = "workspace"
  target_resource_id         = local.site.id
  log_analytics_workspace_id = azurerm_log_analytics_workspace.main.id

  enabled_log {
    category = "FunctionAppLogs"
  }

  enabled_metric {
    category = "AllMetrics"
  }
}
