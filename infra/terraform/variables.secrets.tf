variable "soft_delete_days" {
  description = "How long a deleted vault or secret can be brought back, in days. It can't be changed later."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 90 && floor(var.soft_delete_days) == var.soft_delete_days
    error_message = "A whole number from 7 to 90 is wanted."
  }
}

# deploy:accept twins-differ because Terraform keeps no secrets and has to be told when one has another value
variable "secrets_version" {
  description = "A number to raise whenever a secret gets another value. Terraform keeps no secrets, so it can't see the difference itself."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.secrets_version >= 1 && floor(var.secrets_version) == var.secrets_version
    error_message = "A whole number from 1 on is wanted."
  }
}
