# Made of the table in functions/settings by go generate ./infra; change the table and not this.

locals {
  settings = {
    PublicBaseUrl           = var.public_base_url
    LogLevel                = var.log_level
    TaskHubName             = var.task_hub_name
    MaxQueuePollingInterval = "${var.max_queue_polling_interval_seconds}s"
    DoorbellLease           = "${var.doorbell_lease_seconds}s"
    TimerHorizon            = "${var.timer_horizon_seconds}s"
    SweepSchedule           = var.sweep_schedule
    OperatorKey             = "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.operator_key.versionless_id})"
    EntraTenantId           = var.entra_tenant_id
    EntraAudience           = var.entra_audience
    EntraOperatorRole       = var.entra_operator_role
    EntraAuthority          = var.entra_authority
    LinkKey                 = "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.link_key.versionless_id})"
    LinkLifetime            = "${var.link_lifetime_seconds}s"
    SmsVerifyTimeout        = "${var.sms_verify_timeout_seconds}s"
    SmsVerifyTries          = tostring(var.sms_verify_tries)
    SmsVerifyDigits         = tostring(var.sms_verify_digits)
    SmsVerifySends          = tostring(var.sms_verify_sends)
    SmsVerifyResendDelay    = "${var.sms_verify_resend_delay_seconds}s"
    TwilioAccountSid        = var.twilio_account_sid
    TwilioAuthToken         = "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.twilio_auth_token.versionless_id})"
    TwilioPhoneNumber       = var.twilio_phone_number
    TwilioTimeout           = "${var.twilio_timeout_seconds}s"
    VerificationKey         = "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.verification_key.versionless_id})"
    ExpenseManagers         = var.expense_managers
    ExpenseFinance          = var.expense_finance
    ExpenseEscalateTo       = var.expense_escalate_to
    ExpenseManagerTimeout   = "${var.expense_manager_timeout_seconds}s"
    ExpenseFinanceTimeout   = "${var.expense_finance_timeout_seconds}s"
    ExpenseEscalateAfter    = "${var.expense_escalate_after_seconds}s"
    ExpenseRemindAfter      = "${var.expense_remind_after_seconds}s"
    ExpenseCodeFrom         = tostring(var.expense_code_from)
    ReleaseApprovers        = var.release_approvers
    ReleaseNeed             = tostring(var.release_need)
    ReleaseVeto             = var.release_veto
    ReleaseTimeout          = "${var.release_timeout_seconds}s"
    ReleaseRemindAfter      = "${var.release_remind_after_seconds}s"
    ClaimReviewFrom         = tostring(var.claim_review_from)
    ClaimReviewTimeout      = "${var.claim_review_timeout_seconds}s"
    ApproverPhones          = var.approver_phones
    TwilioApiKeySid         = var.twilio_api_key_sid
    TwilioApiKeySecret      = contains(var.further_secrets, "TwilioApiKeySecret") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.twilio_api_key_secret[0].versionless_id})" : ""
    TwilioAuthTokenNext     = contains(var.further_secrets, "TwilioAuthTokenNext") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.twilio_auth_token_next[0].versionless_id})" : ""
    TwilioVerifyServiceSid  = var.twilio_verify_service_sid
    TwilioErrorClasses      = var.twilio_error_classes
    SmsCountries            = var.sms_countries
    SmsPhoneHourly          = tostring(var.sms_phone_hourly)
    SmsPrefixHourly         = tostring(var.sms_prefix_hourly)
    SmsCallerHourly         = tostring(var.sms_caller_hourly)
    SmsPersonHourly         = tostring(var.sms_person_hourly)
    SmsRequestHourly        = tostring(var.sms_request_hourly)
    SmsPhoneFailures        = tostring(var.sms_phone_failures)
    SmsDaily                = tostring(var.sms_daily)
    SmsDailyBudget          = tostring(var.sms_daily_budget)
    SmsPrice                = tostring(var.sms_price)
    SmsPrices               = var.sms_prices
    SmsBreakerSends         = tostring(var.sms_breaker_sends)
    SmsBreakerPercent       = tostring(var.sms_breaker_percent)
    SmsBreakerPause         = "${var.sms_breaker_pause_seconds}s"
    CompletionNotices       = var.completion_notices
    WebhookUrl              = var.webhook_url
    WebhookSecret           = contains(var.further_secrets, "WebhookSecret") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.webhook_secret[0].versionless_id})" : ""
    SlackWebhookUrl         = contains(var.further_secrets, "SlackWebhookUrl") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.slack_webhook_url[0].versionless_id})" : ""
    TeamsWebhookUrl         = contains(var.further_secrets, "TeamsWebhookUrl") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.teams_webhook_url[0].versionless_id})" : ""
    MailServer              = var.mail_server
    MailSecurity            = var.mail_security
    MailUser                = var.mail_user
    MailPassword            = contains(var.further_secrets, "MailPassword") ? "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault_secret.mail_password[0].versionless_id})" : ""
    MailFrom                = var.mail_from
    MailPersonHourly        = tostring(var.mail_person_hourly)
    MaxActivities           = tostring(var.max_activities)
    MaxCachedInstances      = tostring(var.max_cached_instances)
    MaxBodyBytes            = tostring(var.max_body_bytes)
    MaxUnmatchedEvents      = tostring(var.max_unmatched_events)
    MaxInstanceEvents       = tostring(var.max_instance_events)
    MaxInstanceBytes        = tostring(var.max_instance_bytes)
    MaxInboxMessages        = tostring(var.max_inbox_messages)
    MaxHistoryEvents        = tostring(var.max_history_events)
    MaxHistoryBytes         = tostring(var.max_history_bytes)
    MaxTries                = tostring(var.max_tries)
    MaxTurnTime             = "${var.max_turn_time_seconds}s"
    KeepCompleted           = "${var.keep_completed_seconds}s"
    KeepFailed              = "${var.keep_failed_seconds}s"
    KeepTerminated          = "${var.keep_terminated_seconds}s"
    StopGrace               = "${var.stop_grace_seconds}s"
  }
}

resource "azurerm_key_vault_secret" "operator_key" {
  name             = "operator-key"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.operator_key
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "operator_key_reader" {
  for_each = local.readers

  scope                = azurerm_key_vault_secret.operator_key.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "link_key" {
  name             = "link-key"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.link_key
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "link_key_reader" {
  for_each = local.readers

  scope                = azurerm_key_vault_secret.link_key.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "twilio_auth_token" {
  name             = "twilio-auth-token"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.twilio_auth_token
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "twilio_auth_token_reader" {
  for_each = local.readers

  scope                = azurerm_key_vault_secret.twilio_auth_token.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "verification_key" {
  name             = "verification-key"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.verification_key
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "verification_key_reader" {
  for_each = local.readers

  scope                = azurerm_key_vault_secret.verification_key.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "twilio_api_key_secret" {
  count = contains(var.further_secrets, "TwilioApiKeySecret") ? 1 : 0

  name             = "twilio-api-key-secret"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.twilio_api_key_secret
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "twilio_api_key_secret_reader" {
  for_each = contains(var.further_secrets, "TwilioApiKeySecret") ? local.readers : {}

  scope                = azurerm_key_vault_secret.twilio_api_key_secret[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "twilio_auth_token_next" {
  count = contains(var.further_secrets, "TwilioAuthTokenNext") ? 1 : 0

  name             = "twilio-auth-token-next"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.twilio_auth_token_next
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "twilio_auth_token_next_reader" {
  for_each = contains(var.further_secrets, "TwilioAuthTokenNext") ? local.readers : {}

  scope                = azurerm_key_vault_secret.twilio_auth_token_next[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "webhook_secret" {
  count = contains(var.further_secrets, "WebhookSecret") ? 1 : 0

  name             = "webhook-secret"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.webhook_secret
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "webhook_secret_reader" {
  for_each = contains(var.further_secrets, "WebhookSecret") ? local.readers : {}

  scope                = azurerm_key_vault_secret.webhook_secret[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "slack_webhook_url" {
  count = contains(var.further_secrets, "SlackWebhookUrl") ? 1 : 0

  name             = "slack-webhook-url"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.slack_webhook_url
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "slack_webhook_url_reader" {
  for_each = contains(var.further_secrets, "SlackWebhookUrl") ? local.readers : {}

  scope                = azurerm_key_vault_secret.slack_webhook_url[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "teams_webhook_url" {
  count = contains(var.further_secrets, "TeamsWebhookUrl") ? 1 : 0

  name             = "teams-webhook-url"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.teams_webhook_url
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "teams_webhook_url_reader" {
  for_each = contains(var.further_secrets, "TeamsWebhookUrl") ? local.readers : {}

  scope                = azurerm_key_vault_secret.teams_webhook_url[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}

resource "azurerm_key_vault_secret" "mail_password" {
  count = contains(var.further_secrets, "MailPassword") ? 1 : 0

  name             = "mail-password"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "text/plain"
  value_wo         = var.mail_password
  value_wo_version = var.secrets_version
  tags             = var.tags

  depends_on = [azurerm_role_assignment.secrets_officer]
}

resource "azurerm_role_assignment" "mail_password_reader" {
  for_each = contains(var.further_secrets, "MailPassword") ? local.readers : {}

  scope                = azurerm_key_vault_secret.mail_password[0].resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = each.value
  principal_type       = "ServicePrincipal"
}
