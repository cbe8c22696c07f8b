variable "mail_key" {
  type      = string
  sensitive = true
}

resource "azurerm_key_vault_secret" "mail" {
  name         = "mail"
  key_vault_id = "/subscriptions/x"
  value        = var.mail_key
}
