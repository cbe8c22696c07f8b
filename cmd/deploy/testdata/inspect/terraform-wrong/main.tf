variable "timeout" {
  type = strng
}

resource "azurerm_storage_account" "main" {
  name = var.nam
  tags = { a = }
}

module "app" {
  source = "./nowhere"
}
