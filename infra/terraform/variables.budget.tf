variable "monthly_budget" {
  description = "What everything may cost a month, in the currency of the subscription. 0: no budget."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.monthly_budget >= 0 && var.monthly_budget <= 1000000 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "A whole number from 0 to 1000000 is wanted."
  }
}

variable "budget_start" {
  description = "The first day of the month from which the budget counts, such as 2026-01-01. It has to be this month when the budget is made."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.budget_start) <= 10
    error_message = "At most 10 characters are wanted."
  }

  validation {
    condition     = var.budget_start == "" || can(regex("^20[0-9]{2}-(0[1-9]|1[0-2])-01$", var.budget_start))
    error_message = "The first day of a month is wanted, such as 2026-01-01."
  }
}
