variable "plan" {
  description = "The plan that the app runs on. FC1 is Flex Consumption, which costs nothing while nothing happens; EP1 to EP3 are Premium and P0v3 to P2v3 Dedicated, which are always on."
  type        = string
  default     = "FC1"
  nullable    = false

  validation {
    condition     = contains(["FC1", "EP1", "EP2", "EP3", "P0v3", "P1v3", "P2v3"], var.plan)
    error_message = "One of FC1, EP1, EP2, EP3, P0v3, P1v3, P2v3 is wanted."
  }
}

variable "instance_memory" {
  description = "How much memory an instance has on Flex Consumption, in MB."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([512, 2048, 4096], var.instance_memory)
    error_message = "One of 512, 2048, 4096 is wanted."
  }
}

variable "maximum_instances" {
  description = "How many instances there are at most."
  type        = number
  default     = 40
  nullable    = false

  validation {
    condition     = var.maximum_instances >= 1 && var.maximum_instances <= 1000 && floor(var.maximum_instances) == var.maximum_instances
    error_message = "A whole number from 1 to 1000 is wanted."
  }
}

variable "always_ready" {
  description = "How many instances answer HTTP requests even while nothing happens, on Flex Consumption."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.always_ready >= 0 && var.always_ready <= 20 && floor(var.always_ready) == var.always_ready
    error_message = "A whole number from 0 to 20 is wanted."
  }
}

variable "function_timeout_minutes" {
  description = "How long the host lets one invocation run before it kills the app, in minutes."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.function_timeout_minutes >= 1 && var.function_timeout_minutes <= 60 && floor(var.function_timeout_minutes) == var.function_timeout_minutes
    error_message = "A whole number from 1 to 60 is wanted."
  }
}

variable "start_timeout_seconds" {
  description = "How long the host waits for the app to answer after its start, in seconds."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.start_timeout_seconds >= 10 && var.start_timeout_seconds <= 120 && floor(var.start_timeout_seconds) == var.start_timeout_seconds
    error_message = "A whole number from 10 to 120 is wanted."
  }
}

variable "retry_delay_seconds" {
  description = "How long the host waits before it hands out a queue message again whose invocation failed, in seconds."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.retry_delay_seconds >= 0 && var.retry_delay_seconds <= 600 && floor(var.retry_delay_seconds) == var.retry_delay_seconds
    error_message = "A whole number from 0 to 600 is wanted."
  }
}

variable "maximum_dequeues" {
  description = "How often the host hands out a queue message before it puts it among the poisoned ones."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.maximum_dequeues >= 1 && var.maximum_dequeues <= 20 && floor(var.maximum_dequeues) == var.maximum_dequeues
    error_message = "A whole number from 1 to 20 is wanted."
  }
}

variable "more_settings" {
  description = "Further settings of the app, by name, such as MailServer. A secret belongs into a vault; what stands here says where it is, as @Microsoft.KeyVault(SecretUri=...)."
  type        = map(string)
  default     = {}
  nullable    = false
}
