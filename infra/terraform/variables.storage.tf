variable "storage_redundancy" {
  description = "How the storage account copies its data: within one data centre (Standard_LRS) or over three (Standard_ZRS)."
  type        = string
  default     = "Standard_LRS"
  nullable    = false

  validation {
    condition     = contains(["Standard_LRS", "Standard_ZRS"], var.storage_redundancy)
    error_message = "One of Standard_LRS, Standard_ZRS is wanted."
  }
}
