# Made of the table in functions/settings by go generate ./infra; change the table and not this.

variable "further_secrets" {
  description = "Which of the secrets there are that the app can do without, by the names of their settings."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.further_secrets : contains(["TwilioApiKeySecret", "TwilioAuthTokenNext", "WebhookSecret", "SlackWebhookUrl", "TeamsWebhookUrl", "MailPassword"], name)])
    error_message = "Each is one of TwilioApiKeySecret, TwilioAuthTokenNext, WebhookSecret, SlackWebhookUrl, TeamsWebhookUrl, MailPassword."
  }
}

variable "public_base_url" {
  description = "What the links handed out begin with; empty: the address listened on, on App Service the site's."
  type        = string
  default     = ""
  nullable    = false
}

variable "log_level" {
  description = "The least level that is logged."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.log_level)
    error_message = "One of debug, info, warn, error is wanted."
  }
}

variable "task_hub_name" {
  description = "What the names of the tables, the queue and the container begin with; on App Service made from the site's name."
  type        = string
  default     = "Holdfast"
  nullable    = false

  validation {
    condition     = length(var.task_hub_name) >= 3 && length(var.task_hub_name) <= 45
    error_message = "At least 3 and at most 45 characters are wanted."
  }

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9]{2,44}$", var.task_hub_name))
    error_message = "It has to match ^[A-Za-z][A-Za-z0-9]{2,44}$."
  }
}

variable "max_queue_polling_interval_seconds" {
  description = "How far apart looks at a quiet queue are at most, in seconds."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.max_queue_polling_interval_seconds >= 1 && var.max_queue_polling_interval_seconds <= 600 && floor(var.max_queue_polling_interval_seconds) == var.max_queue_polling_interval_seconds
    error_message = "A whole number from 1 to 600 is wanted."
  }
}

variable "doorbell_lease_seconds" {
  description = "How long a worker need not be heard of before others take over, in whole seconds."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.doorbell_lease_seconds >= 5 && var.doorbell_lease_seconds <= 600 && floor(var.doorbell_lease_seconds) == var.doorbell_lease_seconds
    error_message = "A whole number from 5 to 600 is wanted."
  }
}

variable "timer_horizon_seconds" {
  description = "How far ahead a timer waits in the queue, in seconds; later ones wait in a table."
  type        = number
  default     = 600
  nullable    = false

  validation {
    condition     = var.timer_horizon_seconds >= 120 && var.timer_horizon_seconds <= 86400 && floor(var.timer_horizon_seconds) == var.timer_horizon_seconds
    error_message = "A whole number from 120 to 86400 is wanted."
  }
}

variable "sweep_schedule" {
  description = "When the Functions host wakes the app for timers that come due: second, minute, hour, day, month, weekday."
  type        = string
  default     = "0 * * * * *"
  nullable    = false

  validation {
    condition     = length(var.sweep_schedule) >= 11 && length(var.sweep_schedule) <= 245
    error_message = "At least 11 and at most 245 characters are wanted."
  }

  validation {
    condition     = can(regex("^[0-9*/,-]{1,40}( [0-9A-Za-z*/,-]{1,40}){5}$", var.sweep_schedule))
    error_message = "It has to match ^[0-9*/,-]{1,40}( [0-9A-Za-z*/,-]{1,40}){5}$."
  }
}

variable "operator_key" {
  description = "What operators send in the header x-functions-key."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = false

  validation {
    condition     = length(var.operator_key) >= 20 && length(var.operator_key) <= 200
    error_message = "At least 20 and at most 200 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-~]{20,200}$", var.operator_key))
    error_message = "It has to match ^[!-~]{20,200}$."
  }
}

variable "entra_tenant_id" {
  description = "The Entra tenant whose bearer tokens operators may send; empty, with the next: none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.entra_tenant_id) <= 36
    error_message = "At most 36 characters are wanted."
  }

  validation {
    condition     = var.entra_tenant_id == "" || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.entra_tenant_id))
    error_message = "It has to match ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$."
  }
}

variable "entra_audience" {
  description = "The application that those tokens must be made out for."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.entra_audience) <= 200
    error_message = "At most 200 characters are wanted."
  }

  validation {
    condition     = var.entra_audience == "" || can(regex("^[!-~]{1,200}$", var.entra_audience))
    error_message = "It has to match ^[!-~]{1,200}$."
  }
}

variable "entra_operator_role" {
  description = "The app role that those tokens must carry."
  type        = string
  default     = "Holdfast.Operator"
  nullable    = false

  validation {
    condition     = length(var.entra_operator_role) >= 1 && length(var.entra_operator_role) <= 120
    error_message = "At least 1 and at most 120 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-~]{1,120}$", var.entra_operator_role))
    error_message = "It has to match ^[!-~]{1,120}$."
  }
}

variable "entra_authority" {
  description = "Where Entra is; another address is for other clouds and for tests."
  type        = string
  default     = "https://login.microsoftonline.com"
  nullable    = false
}

variable "link_key" {
  description = "Key under which links are made, base64; another one makes those to the management API void."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = false

  validation {
    condition     = length(var.link_key) >= 43
    error_message = "At least 43 characters are wanted."
  }
}

variable "link_lifetime_seconds" {
  description = "How long the links that a start hands out are good, in seconds."
  type        = number
  default     = 604800
  nullable    = false

  validation {
    condition     = var.link_lifetime_seconds >= 300 && var.link_lifetime_seconds <= 34560000 && floor(var.link_lifetime_seconds) == var.link_lifetime_seconds
    error_message = "A whole number from 300 to 34560000 is wanted."
  }
}

variable "sms_verify_timeout_seconds" {
  description = "How long a person has to answer with the code, in seconds."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.sms_verify_timeout_seconds >= 30 && var.sms_verify_timeout_seconds <= 600 && floor(var.sms_verify_timeout_seconds) == var.sms_verify_timeout_seconds
    error_message = "A whole number from 30 to 600 is wanted."
  }
}

variable "sms_verify_tries" {
  description = "How many codes a person may try."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.sms_verify_tries >= 1 && var.sms_verify_tries <= 10 && floor(var.sms_verify_tries) == var.sms_verify_tries
    error_message = "A whole number from 1 to 10 is wanted."
  }
}

variable "sms_verify_digits" {
  description = "How many digits a code has."
  type        = number
  default     = 6
  nullable    = false

  validation {
    condition     = var.sms_verify_digits >= 4 && var.sms_verify_digits <= 10 && floor(var.sms_verify_digits) == var.sms_verify_digits
    error_message = "A whole number from 4 to 10 is wanted."
  }
}

variable "sms_verify_sends" {
  description = "How many codes are sent at most, when one does not get through or another is asked for."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.sms_verify_sends >= 1 && var.sms_verify_sends <= 5 && floor(var.sms_verify_sends) == var.sms_verify_sends
    error_message = "A whole number from 1 to 5 is wanted."
  }
}

variable "sms_verify_resend_delay_seconds" {
  description = "Pause before another code is sent or may be asked for, in seconds; it doubles each time."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.sms_verify_resend_delay_seconds >= 1 && var.sms_verify_resend_delay_seconds <= 120 && floor(var.sms_verify_resend_delay_seconds) == var.sms_verify_resend_delay_seconds
    error_message = "A whole number from 1 to 120 is wanted."
  }
}

variable "twilio_account_sid" {
  description = "The Twilio account that sends."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.twilio_account_sid) >= 34 && length(var.twilio_account_sid) <= 34
    error_message = "At least 34 and at most 34 characters are wanted."
  }

  validation {
    condition     = can(regex("^AC[0-9a-fA-F]{32}$", var.twilio_account_sid))
    error_message = "It has to match ^AC[0-9a-fA-F]{32}$."
  }
}

variable "twilio_auth_token" {
  description = "The auth token of that account."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = false

  validation {
    condition     = length(var.twilio_auth_token) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[0-9a-zA-Z]+$", var.twilio_auth_token))
    error_message = "It has to match ^[0-9a-zA-Z]+$."
  }
}

variable "twilio_phone_number" {
  description = "The number messages are sent from, in E.164 form."
  type        = string
  nullable    = false

  validation {
    condition     = length(var.twilio_phone_number) >= 8 && length(var.twilio_phone_number) <= 16
    error_message = "At least 8 and at most 16 characters are wanted."
  }

  validation {
    condition     = can(regex("^\\+[1-9][0-9]{6,14}$", var.twilio_phone_number))
    error_message = "It has to match ^\\+[1-9][0-9]{6,14}$."
  }
}

variable "twilio_timeout_seconds" {
  description = "How long one call to Twilio may take, in seconds."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.twilio_timeout_seconds >= 1 && var.twilio_timeout_seconds <= 30 && floor(var.twilio_timeout_seconds) == var.twilio_timeout_seconds
    error_message = "A whole number from 1 to 30 is wanted."
  }
}

variable "verification_key" {
  description = "Key of the hash that stands for a code, base64."
  type        = string
  sensitive   = true
  ephemeral   = true
  nullable    = false

  validation {
    condition     = length(var.verification_key) >= 43
    error_message = "At least 43 characters are wanted."
  }
}

variable "expense_managers" {
  description = "Who approves an expense first, any one of them: ids such as e-mail addresses, with commas between."
  type        = string
  default     = "boss@example.org"
  nullable    = false

  validation {
    condition     = length(var.expense_managers) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$", var.expense_managers))
    error_message = "It has to match ^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$."
  }
}

variable "expense_finance" {
  description = "Who approves it then, any one of them."
  type        = string
  default     = "finance@example.org"
  nullable    = false

  validation {
    condition     = length(var.expense_finance) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$", var.expense_finance))
    error_message = "It has to match ^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$."
  }
}

variable "expense_escalate_to" {
  description = "Who decides on an expense if the others have not answered."
  type        = string
  default     = "cfo@example.org"
  nullable    = false

  validation {
    condition     = length(var.expense_escalate_to) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$", var.expense_escalate_to))
    error_message = "It has to match ^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$."
  }
}

variable "expense_manager_timeout_seconds" {
  description = "How long the first of them have in all, in seconds; then the expense expires."
  type        = number
  default     = 172800
  nullable    = false

  validation {
    condition     = var.expense_manager_timeout_seconds >= 60 && var.expense_manager_timeout_seconds <= 31536000 && floor(var.expense_manager_timeout_seconds) == var.expense_manager_timeout_seconds
    error_message = "A whole number from 60 to 31536000 is wanted."
  }
}

variable "expense_finance_timeout_seconds" {
  description = "How long the second have in all, in seconds."
  type        = number
  default     = 259200
  nullable    = false

  validation {
    condition     = var.expense_finance_timeout_seconds >= 60 && var.expense_finance_timeout_seconds <= 31536000 && floor(var.expense_finance_timeout_seconds) == var.expense_finance_timeout_seconds
    error_message = "A whole number from 60 to 31536000 is wanted."
  }
}

variable "expense_escalate_after_seconds" {
  description = "How long it is before somebody above is asked as well, in each step, in seconds."
  type        = number
  default     = 86400
  nullable    = false

  validation {
    condition     = var.expense_escalate_after_seconds >= 60 && var.expense_escalate_after_seconds <= 31536000 && floor(var.expense_escalate_after_seconds) == var.expense_escalate_after_seconds
    error_message = "A whole number from 60 to 31536000 is wanted."
  }
}

variable "expense_remind_after_seconds" {
  description = "How long it is before those are reminded who have not answered, in seconds."
  type        = number
  default     = 14400
  nullable    = false

  validation {
    condition     = var.expense_remind_after_seconds >= 1200 && var.expense_remind_after_seconds <= 31536000 && floor(var.expense_remind_after_seconds) == var.expense_remind_after_seconds
    error_message = "A whole number from 1200 to 31536000 is wanted."
  }
}

variable "expense_code_from" {
  description = "The amount from which an approval takes a code from the approver's phone too; 0 is never."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.expense_code_from >= 0 && var.expense_code_from <= 1000000000 && floor(var.expense_code_from) == var.expense_code_from
    error_message = "A whole number from 0 to 1000000000 is wanted."
  }
}

variable "release_approvers" {
  description = "Who lets a release through."
  type        = string
  default     = "ann@example.org,bob@example.org,carol@example.org"
  nullable    = false

  validation {
    condition     = length(var.release_approvers) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$", var.release_approvers))
    error_message = "It has to match ^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$."
  }
}

variable "release_need" {
  description = "How many of them it takes."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.release_need >= 1 && var.release_need <= 20 && floor(var.release_need) == var.release_need
    error_message = "A whole number from 1 to 20 is wanted."
  }
}

variable "release_veto" {
  description = "Who can stop a release alone."
  type        = string
  default     = "security@example.org"
  nullable    = false

  validation {
    condition     = length(var.release_veto) >= 1
    error_message = "At least 1 characters are wanted."
  }

  validation {
    condition     = can(regex("^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$", var.release_veto))
    error_message = "It has to match ^[!-+\\--~]{1,254}(,[!-+\\--~]{1,254})*$."
  }
}

variable "release_timeout_seconds" {
  description = "How long a release waits for them, in seconds; then it expires."
  type        = number
  default     = 86400
  nullable    = false

  validation {
    condition     = var.release_timeout_seconds >= 60 && var.release_timeout_seconds <= 31536000 && floor(var.release_timeout_seconds) == var.release_timeout_seconds
    error_message = "A whole number from 60 to 31536000 is wanted."
  }
}

variable "release_remind_after_seconds" {
  description = "How long it is before those are reminded who have not answered, in seconds."
  type        = number
  default     = 14400
  nullable    = false

  validation {
    condition     = var.release_remind_after_seconds >= 1200 && var.release_remind_after_seconds <= 31536000 && floor(var.release_remind_after_seconds) == var.release_remind_after_seconds
    error_message = "A whole number from 1200 to 31536000 is wanted."
  }
}

variable "claim_review_from" {
  description = "The amount from which somebody reviews a claim."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.claim_review_from >= 0 && var.claim_review_from <= 1000000000 && floor(var.claim_review_from) == var.claim_review_from
    error_message = "A whole number from 0 to 1000000000 is wanted."
  }
}

variable "claim_review_timeout_seconds" {
  description = "How long a claim waits for a reviewer, in seconds."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.claim_review_timeout_seconds >= 5 && var.claim_review_timeout_seconds <= 31536000 && floor(var.claim_review_timeout_seconds) == var.claim_review_timeout_seconds
    error_message = "A whole number from 5 to 31536000 is wanted."
  }
}

variable "approver_phones" {
  description = "The phones of those who approve, by id, for their codes and messages; empty: none are known."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.approver_phones == "" || can(regex("^([^=,\\s]{1,254}=\\+[1-9][0-9]{7,14})(,[^=,\\s]{1,254}=\\+[1-9][0-9]{7,14})*$", var.approver_phones))
    error_message = "It has to match ^([^=,\\s]{1,254}=\\+[1-9][0-9]{7,14})(,[^=,\\s]{1,254}=\\+[1-9][0-9]{7,14})*$."
  }
}

variable "twilio_api_key_sid" {
  description = "An API key of the Twilio account for sending; empty, with the next: the auth token is used for that too."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.twilio_api_key_sid) <= 34
    error_message = "At most 34 characters are wanted."
  }

  validation {
    condition     = var.twilio_api_key_sid == "" || can(regex("^SK[0-9a-fA-F]{32}$", var.twilio_api_key_sid))
    error_message = "It has to match ^SK[0-9a-fA-F]{32}$."
  }
}

variable "twilio_api_key_secret" {
  description = "The secret of that API key."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = var.twilio_api_key_secret == "" || can(regex("^[0-9a-zA-Z]+$", var.twilio_api_key_secret))
    error_message = "It has to match ^[0-9a-zA-Z]+$."
  }

  validation {
    condition     = (var.twilio_api_key_secret != "") == contains(var.further_secrets, "TwilioApiKeySecret")
    error_message = "Of twilio_api_key_secret and its name TwilioApiKeySecret in further_secrets only one is there."
  }
}

variable "twilio_auth_token_next" {
  description = "The auth token that comes after the present one, whose signatures are taken too; empty: none."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = var.twilio_auth_token_next == "" || can(regex("^[0-9a-zA-Z]+$", var.twilio_auth_token_next))
    error_message = "It has to match ^[0-9a-zA-Z]+$."
  }

  validation {
    condition     = (var.twilio_auth_token_next != "") == contains(var.further_secrets, "TwilioAuthTokenNext")
    error_message = "Of twilio_auth_token_next and its name TwilioAuthTokenNext in further_secrets only one is there."
  }
}

variable "twilio_verify_service_sid" {
  description = "A Verify service of the account, which makes, sends and compares the codes; empty: the app does."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.twilio_verify_service_sid) <= 34
    error_message = "At most 34 characters are wanted."
  }

  validation {
    condition     = var.twilio_verify_service_sid == "" || can(regex("^VA[0-9a-fA-F]{32}$", var.twilio_verify_service_sid))
    error_message = "It has to match ^VA[0-9a-fA-F]{32}$."
  }
}

variable "twilio_error_classes" {
  description = "What error codes of Twilio mean, where the app's own table is not right."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.twilio_error_classes == "" || can(regex("^[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured)(,[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured))*$", var.twilio_error_classes))
    error_message = "It has to match ^[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured)(,[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured))*$."
  }
}

variable "sms_countries" {
  description = "The countries whose numbers are sent messages, by their ISO codes, or * for all; empty: none."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.sms_countries == "" || can(regex("^(\\*|[A-Z]{2}(,[A-Z]{2})*)$", var.sms_countries))
    error_message = "It has to match ^(\\*|[A-Z]{2}(,[A-Z]{2})*)$."
  }
}

variable "sms_phone_hourly" {
  description = "How many verifications of one phone may begin within an hour."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.sms_phone_hourly >= 1 && var.sms_phone_hourly <= 100 && floor(var.sms_phone_hourly) == var.sms_phone_hourly
    error_message = "A whole number from 1 to 100 is wanted."
  }
}

variable "sms_prefix_hourly" {
  description = "How many messages go to numbers that differ in the last four digits only within an hour; 0 is no limit."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sms_prefix_hourly >= 0 && var.sms_prefix_hourly <= 1000 && floor(var.sms_prefix_hourly) == var.sms_prefix_hourly
    error_message = "A whole number from 0 to 1000 is wanted."
  }
}

variable "sms_caller_hourly" {
  description = "How many messages one address may ask for within an hour; 0 is no limit."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sms_caller_hourly >= 0 && var.sms_caller_hourly <= 1000 && floor(var.sms_caller_hourly) == var.sms_caller_hourly
    error_message = "A whole number from 0 to 1000 is wanted."
  }
}

variable "sms_person_hourly" {
  description = "How many messages about requests and ends one phone gets within an hour; 0 is no limit."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.sms_person_hourly >= 0 && var.sms_person_hourly <= 1000 && floor(var.sms_person_hourly) == var.sms_person_hourly
    error_message = "A whole number from 0 to 1000 is wanted."
  }
}

variable "sms_request_hourly" {
  description = "How many of them are about the same; 0 is no limit."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = var.sms_request_hourly >= 0 && var.sms_request_hourly <= 100 && floor(var.sms_request_hourly) == var.sms_request_hourly
    error_message = "A whole number from 0 to 100 is wanted."
  }
}

variable "sms_phone_failures" {
  description = "How many wrong codes there may be for one phone until somebody unlocks it."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.sms_phone_failures >= 10 && var.sms_phone_failures <= 1000 && floor(var.sms_phone_failures) == var.sms_phone_failures
    error_message = "A whole number from 10 to 1000 is wanted."
  }
}

variable "sms_daily" {
  description = "How many messages are sent on a day, UTC; 0 is no limit."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.sms_daily >= 0 && var.sms_daily <= 1000000 && floor(var.sms_daily) == var.sms_daily
    error_message = "A whole number from 0 to 1000000 is wanted."
  }
}

variable "sms_daily_budget" {
  description = "What the messages of a day may cost, in thousandths of the currency that the account is charged in; 0 is no limit."
  type        = number
  default     = 100000
  nullable    = false

  validation {
    condition     = var.sms_daily_budget >= 0 && var.sms_daily_budget <= 1000000000 && floor(var.sms_daily_budget) == var.sms_daily_budget
    error_message = "A whole number from 0 to 1000000000 is wanted."
  }
}

variable "sms_price" {
  description = "What a segment of a message costs, in the same thousandths."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.sms_price >= 0 && var.sms_price <= 10000 && floor(var.sms_price) == var.sms_price
    error_message = "A whole number from 0 to 10000 is wanted."
  }
}

variable "sms_prices" {
  description = "What it costs to some countries."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.sms_prices == "" || can(regex("^[A-Z]{2}=[0-9]{1,5}(,[A-Z]{2}=[0-9]{1,5})*$", var.sms_prices))
    error_message = "It has to match ^[A-Z]{2}=[0-9]{1,5}(,[A-Z]{2}=[0-9]{1,5})*$."
  }
}

variable "sms_breaker_sends" {
  description = "After how many messages to a country it is looked at how many phones they verified; 0 is never."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.sms_breaker_sends >= 0 && var.sms_breaker_sends <= 10000 && floor(var.sms_breaker_sends) == var.sms_breaker_sends
    error_message = "A whole number from 0 to 10000 is wanted."
  }
}

variable "sms_breaker_percent" {
  description = "How many percent must have, or the country is sent nothing for a while."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.sms_breaker_percent >= 1 && var.sms_breaker_percent <= 100 && floor(var.sms_breaker_percent) == var.sms_breaker_percent
    error_message = "A whole number from 1 to 100 is wanted."
  }
}

variable "sms_breaker_pause_seconds" {
  description = "How long that is, counted from the first of those messages, in seconds."
  type        = number
  default     = 86400
  nullable    = false

  validation {
    condition     = var.sms_breaker_pause_seconds >= 60 && var.sms_breaker_pause_seconds <= 2592000 && floor(var.sms_breaker_pause_seconds) == var.sms_breaker_pause_seconds
    error_message = "A whole number from 60 to 2592000 is wanted."
  }
}

variable "completion_notices" {
  description = "Who is told how instances end that an HTTP trigger started: webhook, slack, teams, mail=ADDRESS, sms=NUMBER, queue=NAME; empty: nobody."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.completion_notices == "" || can(regex("^(webhook|slack|teams|mail=[^,=@\\s]+@[^,=@\\s]+|sms=\\+[1-9][0-9]{6,14}|queue=[a-z0-9-]{3,63})(,(webhook|slack|teams|mail=[^,=@\\s]+@[^,=@\\s]+|sms=\\+[1-9][0-9]{6,14}|queue=[a-z0-9-]{3,63}))*$", var.completion_notices))
    error_message = "It has to match ^(webhook|slack|teams|mail=[^,=@\\s]+@[^,=@\\s]+|sms=\\+[1-9][0-9]{6,14}|queue=[a-z0-9-]{3,63})(,(webhook|slack|teams|mail=[^,=@\\s]+@[^,=@\\s]+|sms=\\+[1-9][0-9]{6,14}|queue=[a-z0-9-]{3,63}))*$."
  }
}

variable "webhook_url" {
  description = "Where signed webhooks are posted."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.webhook_url == "" || can(regex("^https://|^http://(127\\.0\\.0\\.1|localhost)[:/]", var.webhook_url))
    error_message = "It has to match ^https://|^http://(127\\.0\\.0\\.1|localhost)[:/]."
  }
}

variable "webhook_secret" {
  description = "The secret under which they are signed, as Standard Webhooks says."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.webhook_secret) <= 106
    error_message = "At most 106 characters are wanted."
  }

  validation {
    condition     = var.webhook_secret == "" || can(regex("^whsec_[A-Za-z0-9+/=]{32,100}$", var.webhook_secret))
    error_message = "It has to match ^whsec_[A-Za-z0-9+/=]{32,100}$."
  }

  validation {
    condition     = (var.webhook_secret != "") == contains(var.further_secrets, "WebhookSecret")
    error_message = "Of webhook_secret and its name WebhookSecret in further_secrets only one is there."
  }
}

variable "slack_webhook_url" {
  description = "The incoming webhook of a Slack channel."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = var.slack_webhook_url == "" || can(regex("^https?://[!-~]+$", var.slack_webhook_url))
    error_message = "It has to match ^https?://[!-~]+$."
  }

  validation {
    condition     = (var.slack_webhook_url != "") == contains(var.further_secrets, "SlackWebhookUrl")
    error_message = "Of slack_webhook_url and its name SlackWebhookUrl in further_secrets only one is there."
  }
}

variable "teams_webhook_url" {
  description = "The incoming webhook of a Teams channel."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = var.teams_webhook_url == "" || can(regex("^https?://[!-~]+$", var.teams_webhook_url))
    error_message = "It has to match ^https?://[!-~]+$."
  }

  validation {
    condition     = (var.teams_webhook_url != "") == contains(var.further_secrets, "TeamsWebhookUrl")
    error_message = "Of teams_webhook_url and its name TeamsWebhookUrl in further_secrets only one is there."
  }
}

variable "mail_server" {
  description = "The SMTP server that e-mail is sent through: host and port."
  type        = string
  default     = ""
  nullable    = false
}

variable "mail_security" {
  description = "How the connection to it is encrypted; none is for a server on this machine."
  type        = string
  default     = "starttls"
  nullable    = false

  validation {
    condition     = contains(["starttls", "tls", "none"], var.mail_security)
    error_message = "One of starttls, tls, none is wanted."
  }
}

variable "mail_user" {
  description = "The user that it lets in; empty: it lets everybody in."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.mail_user) <= 200
    error_message = "At most 200 characters are wanted."
  }

  validation {
    condition     = var.mail_user == "" || can(regex("^[!-~]{1,200}$", var.mail_user))
    error_message = "It has to match ^[!-~]{1,200}$."
  }
}

variable "mail_password" {
  description = "The password of that user."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = ""
  nullable    = false

  validation {
    condition     = length(var.mail_password) <= 200
    error_message = "At most 200 characters are wanted."
  }

  validation {
    condition     = var.mail_password == "" || can(regex("^[ -~]{1,200}$", var.mail_password))
    error_message = "It has to match ^[ -~]{1,200}$."
  }

  validation {
    condition     = (var.mail_password != "") == contains(var.further_secrets, "MailPassword")
    error_message = "Of mail_password and its name MailPassword in further_secrets only one is there."
  }
}

variable "mail_from" {
  description = "Whom e-mail is from."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.mail_from == "" || can(regex("^([^<>\\r\\n]+ <[^<>@\\s]+@[^<>@\\s]+>|[^<>@\\s]+@[^<>@\\s]+)$", var.mail_from))
    error_message = "It has to match ^([^<>\\r\\n]+ <[^<>@\\s]+@[^<>@\\s]+>|[^<>@\\s]+@[^<>@\\s]+)$."
  }
}

variable "mail_person_hourly" {
  description = "How many e-mails about requests are sent to one address within an hour; 0: as many as there are."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.mail_person_hourly >= 0 && var.mail_person_hourly <= 10000 && floor(var.mail_person_hourly) == var.mail_person_hourly
    error_message = "A whole number from 0 to 10000 is wanted."
  }
}

variable "max_activities" {
  description = "How many activities run at once."
  type        = number
  default     = 64
  nullable    = false

  validation {
    condition     = var.max_activities >= 1 && var.max_activities <= 1000 && floor(var.max_activities) == var.max_activities
    error_message = "A whole number from 1 to 1000 is wanted."
  }
}

variable "max_cached_instances" {
  description = "How many instances are kept ready in memory."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_cached_instances >= 0 && var.max_cached_instances <= 100000 && floor(var.max_cached_instances) == var.max_cached_instances
    error_message = "A whole number from 0 to 100000 is wanted."
  }
}

variable "max_body_bytes" {
  description = "The largest request body that is read, in bytes."
  type        = number
  default     = 65536
  nullable    = false

  validation {
    condition     = var.max_body_bytes >= 1024 && var.max_body_bytes <= 1048576 && floor(var.max_body_bytes) == var.max_body_bytes
    error_message = "A whole number from 1024 to 1048576 is wanted."
  }
}

variable "max_unmatched_events" {
  description = "How many events an instance keeps under names that it has never waited for."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.max_unmatched_events >= 1 && var.max_unmatched_events <= 10000 && floor(var.max_unmatched_events) == var.max_unmatched_events
    error_message = "A whole number from 1 to 10000 is wanted."
  }
}

variable "max_instance_events" {
  description = "How many events one run of an instance takes in all."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_instance_events >= 10 && var.max_instance_events <= 100000 && floor(var.max_instance_events) == var.max_instance_events
    error_message = "A whole number from 10 to 100000 is wanted."
  }
}

variable "max_instance_bytes" {
  description = "How large those events are together at most, in bytes."
  type        = number
  default     = 8388608
  nullable    = false

  validation {
    condition     = var.max_instance_bytes >= 65536 && var.max_instance_bytes <= 1073741824 && floor(var.max_instance_bytes) == var.max_instance_bytes
    error_message = "A whole number from 65536 to 1073741824 is wanted."
  }
}

variable "max_inbox_messages" {
  description = "How many messages may wait for an instance before it is sent no more events."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_inbox_messages >= 100 && var.max_inbox_messages <= 100000 && floor(var.max_inbox_messages) == var.max_inbox_messages
    error_message = "A whole number from 100 to 100000 is wanted."
  }
}

variable "max_history_events" {
  description = "How many events the history of one run may have; one that would have more fails."
  type        = number
  default     = 50000
  nullable    = false

  validation {
    condition     = var.max_history_events >= 1000 && var.max_history_events <= 1000000 && floor(var.max_history_events) == var.max_history_events
    error_message = "A whole number from 1000 to 1000000 is wanted."
  }
}

variable "max_history_bytes" {
  description = "How large that history may be, in bytes."
  type        = number
  default     = 67108864
  nullable    = false

  validation {
    condition     = var.max_history_bytes >= 1048576 && var.max_history_bytes <= 1073741824 && floor(var.max_history_bytes) == var.max_history_bytes
    error_message = "A whole number from 1048576 to 1073741824 is wanted."
  }
}

variable "max_tries" {
  description = "How often a turn or an activity may take its process down before its instance is parked."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.max_tries >= 2 && var.max_tries <= 20 && floor(var.max_tries) == var.max_tries
    error_message = "A whole number from 2 to 20 is wanted."
  }
}

variable "max_turn_time_seconds" {
  description = "How long an orchestration's code may run without a wait before its instance is parked, in seconds."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.max_turn_time_seconds >= 5 && var.max_turn_time_seconds <= 3600 && floor(var.max_turn_time_seconds) == var.max_turn_time_seconds
    error_message = "A whole number from 5 to 3600 is wanted."
  }
}

variable "keep_completed_seconds" {
  description = "How long instances that completed are kept, in seconds; 0s is for ever."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.keep_completed_seconds >= 0 && var.keep_completed_seconds <= 315360000 && floor(var.keep_completed_seconds) == var.keep_completed_seconds
    error_message = "A whole number from 0 to 315360000 is wanted."
  }
}

variable "keep_failed_seconds" {
  description = "How long instances that failed are kept, in seconds; 0s is for ever."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.keep_failed_seconds >= 0 && var.keep_failed_seconds <= 315360000 && floor(var.keep_failed_seconds) == var.keep_failed_seconds
    error_message = "A whole number from 0 to 315360000 is wanted."
  }
}

variable "keep_terminated_seconds" {
  description = "How long instances that were terminated are kept, in seconds; 0s is for ever."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.keep_terminated_seconds >= 0 && var.keep_terminated_seconds <= 315360000 && floor(var.keep_terminated_seconds) == var.keep_terminated_seconds
    error_message = "A whole number from 0 to 315360000 is wanted."
  }
}

variable "stop_grace_seconds" {
  description = "How long a stop waits for work in hand, in seconds."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.stop_grace_seconds >= 0 && var.stop_grace_seconds <= 300 && floor(var.stop_grace_seconds) == var.stop_grace_seconds
    error_message = "A whole number from 0 to 300 is wanted."
  }
}
