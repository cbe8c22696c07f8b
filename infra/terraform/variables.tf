# deploy:accept twins-differ because a Bicep template is deployed to a resource group and need not be told
variable "resource_group_name" {
  description = "The resource group that everything is made in. It has to be there."
  type        = string
  nullable    = false
}

variable "name" {
  description = "What the names of all resources begin with: letters and digits, small."
  type        = string
  default     = "holdfast"
  nullable    = false

  validation {
    condition     = length(var.name) >= 3 && length(var.name) <= 11
    error_message = "At least 3 and at most 11 characters are wanted."
  }

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*$", var.name))
    error_message = "Small letters and digits are wanted, a letter first."
  }
}

variable "location" {
  description = "The region that everything is made in: that of the resource group, if nothing is said."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags that every resource carries."
  type        = map(string)
  default     = {}
  nullable    = false
}
