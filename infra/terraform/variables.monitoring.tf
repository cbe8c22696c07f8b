variable "log_retention_days" {
  description = "How long logs and metrics are kept, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "A whole number from 30 to 730 is wanted."
  }
}
