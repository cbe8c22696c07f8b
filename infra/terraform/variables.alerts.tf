variable "alert_emails" {
  description = "The e-mail addresses that alerts and warnings about cost go to. Without one there are neither."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alert_emails) <= 10
    error_message = "At most 10 addresses are wanted."
  }
}

variable "failure_threshold" {
  description = "How many failed invocations within a quarter of an hour are an alert."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.failure_threshold >= 1 && var.failure_threshold <= 1000 && floor(var.failure_threshold) == var.failure_threshold
    error_message = "A whole number from 1 to 1000 is wanted."
  }
}
