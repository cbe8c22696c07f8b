variable "location" {
  type = string
}

variable "settings" {
  type = map(string)
}

resource "azurerm_function_app_flex_consumption" "main" {
  name         = "app"
  location     = var.location
  app_settings = var.settings

  provisioner "local-exec" {
    command = "echo ${self.name}"
  }
}

output "url" {
  value = "https://${azurerm_function_app_flex_consumption.main.default_hostname}"
}
