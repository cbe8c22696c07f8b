variable "private_network" {
  description = "Whether the storage account and the vault are reached from a virtual network only. The app itself answers everybody, as Twilio calls it."
  type        = bool
  default     = false
  nullable    = false
}

variable "address_prefix" {
  description = "The addresses of the virtual network: a range of 256."
  type        = string
  default     = "10.40.0.0/24"
  nullable    = false

  validation {
    condition     = length(var.address_prefix) >= 9 && length(var.address_prefix) <= 18
    error_message = "At least 9 and at most 18 characters are wanted."
  }

  validation {
    condition     = can(cidrhost(var.address_prefix, 255))
    error_message = "A range of at least 256 addresses is wanted, such as 10.40.0.0/24."
  }
}
