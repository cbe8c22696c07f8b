locals {
  suffix = substr(sha256(data.azurerm_client_config.current.subscription_id), 0, 8)
  name   = lower("mail${var.stage}${local.suffix}")
  tags   = merge({ stage = var.stage }, var.stage == "prod" ? { owner = "mail" } : {})
}

data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "main" {
  name     = "rg-${local.name}"
  location = var.location
  tags     = local.tags
}

resource "azurerm_storage_account" "main" {
  name                     = local.name
  resource_group_name      = azurerm_resource_group.main.name
  location                 = var.location
  account_tier             = "Standard"
  account_replication_type = "LRS"

  network_rules {
    default_action = "Deny"
  }

  dynamic "static_website" {
    for_each = var.stage == "prod" ? ["index.html"] : []
    content {
      index_document = static_website.value
    }
  }

  lifecycle {
    ignore_changes = [tags, static_website[0].error_404_document]
  }
}

resource "azurerm_storage_queue" "main" {
  for_each           = var.queues
  name               = each.key
  storage_account_id = azurerm_storage_account.main.id
  metadata           = { days = each.value.days }
}

resource "azurerm_key_vault_secret" "mail" {
  count            = var.stage == "prod" ? 1 : 0
  provider         = azurerm.other
  name             = "mail-key"
  key_vault_id     = "/subscriptions/x"
  value_wo         = var.mail_key
  value_wo_version = 1
  depends_on       = [azurerm_storage_account.main]
}

ephemeral "random_password" "seed" {
  length = 32
}

module "app" {
  source   = "./app"
  location = var.location
  settings = {
    for name, value in { Timeout = "${var.timeout_seconds}s", Key = "@Microsoft.KeyVault(SecretUri=${one(azurerm_key_vault_secret.mail[*].versionless_id)})" } :
    name => value if value != ""
  }
  providers = { azurerm = azurerm.other }
}

module "monitor" {
  count   = 2
  source  = "Azure/avm-res-insights-component/azurerm"
  version = "0.1.0"
  name    = "monitor${count.index}"
}
