# What people are told about: an app that could not be woken, and invocations that failed.

resource "azurerm_monitor_action_group" "people" {
  count = length(var.alert_emails) > 0 ? 1 : 0

  name                = "${var.name}-${local.suffix}"
  resource_group_name = data.azurerm_resource_group.main.name
  short_name          = "holdfast"
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.alert_emails
    content {
      name                    = "email${email_receiver.key}"
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "poisoned" {
  count = length(var.alert_emails) > 0 ? 1 : 0

  name                    = "${var.name}-${local.suffix}-poisoned"
  resource_group_name     = data.azurerm_resource_group.main.name
  location                = local.location
  display_name            = "The app could not be woken"
  description             = "The app failed whenever the host woke it, and the host put the message into ${local.hub}-wake-poison. Nothing is lost, but what came due rests until it succeeds."
  severity                = 1
  scopes                  = [azurerm_log_analytics_workspace.main.id]
  evaluation_frequency    = "PT5M"
  window_duration         = "PT15M"
  auto_mitigation_enabled = true
  tags                    = var.tags

  criteria {
    query                   = "AppTraces | where Message has \"${local.hub}-wake-poison\""
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = 0

    failing_periods {
      number_of_evaluation_periods             = 1
      minimum_failing_periods_to_trigger_alert = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.people[0].id]
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "failures" {
  count = length(var.alert_emails) > 0 ? 1 : 0

  name                    = "${var.name}-${local.suffix}-failures"
  resource_group_name     = data.azurerm_resource_group.main.name
  location                = local.location
  display_name            = "Invocations fail"
  description             = "At least ${var.failure_threshold} invocations failed within a quarter of an hour."
  severity                = 2
  scopes                  = [azurerm_log_analytics_workspace.main.id]
  evaluation_frequency    = "PT5M"
  window_duration         = "PT15M"
  auto_mitigation_enabled = true
  tags                    = var.tags

  criteria {
    query                   = "AppRequests | where Success == false"
    time_aggregation_method = "Count"
    operator                = "GreaterThanOrEqual"
    threshold               = var.failure_threshold

    failing_periods {
      number_of_evaluation_periods             = 1
      minimum_failing_periods_to_trigger_alert = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.people[0].id]
  }
}
