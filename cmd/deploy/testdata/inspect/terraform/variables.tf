variable "location" {
  description = "Where everything is made."
  type        = string
  default     = "westeurope"
}

variable "timeout_seconds" {
  description = "How long a message may wait, in seconds."
  type        = number
  default     = 300

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 600 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "The time-out is a whole number of seconds from 30 to 600."
  }
}

variable "stage" {
  type = string

  validation {
    condition     = contains(["dev", "prod"], var.stage)
    error_message = "The stage is dev or prod."
  }
}

variable "mail_key" {
  description = "The key of the mail service."
  type        = string
  sensitive   = true
  ephemeral   = true

  validation {
    condition     = length(var.mail_key) >= 32
    error_message = "The key has at least 32 characters."
  }
}

variable "old_key" {
  type      = string
  sensitive = true
  default   = "not to be shown"
}

variable "queues" {
  type = map(object({
    days = optional(number, 7)
    tags = optional(map(string), {})
  }))
  default = { in = {} }
}
