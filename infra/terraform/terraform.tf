terraform {
  # 1.11 is the first that keeps ephemeral values and write-only arguments out of plan and state.
  required_version = ">= 1.11"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "5.2.0"
    }
  }
}

provider "azurerm" {
  # The storage account takes no keys.
  storage_use_azuread = true

  features {
    key_vault {
      # A vault with purge protection can't be purged.
      purge_soft_delete_on_destroy = false
    }
  }
}
