# A budget, which stops nothing and tells people in time.
resource "azurerm_consumption_budget_resource_group" "main" {
  count = var.monthly_budget > 0 && length(var.alert_emails) > 0 ? 1 : 0

  name              = "${var.name}-${local.suffix}"
  resource_group_id = data.azurerm_resource_group.main.id
  amount            = var.monthly_budget
  time_grain        = "Monthly"

  time_period {
    start_date = "${var.budget_start}T00:00:00Z"
  }

  notification {
    operator       = "GreaterThanOrEqualTo"
    threshold      = 80
    threshold_type = "Actual"
    contact_emails = var.alert_emails
  }

  notification {
    operator       = "GreaterThanOrEqualTo"
    threshold      = 100
    threshold_type = "Forecasted"
    contact_emails = var.alert_emails
  }
}
