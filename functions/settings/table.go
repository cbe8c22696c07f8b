package settings

// The names of the settings. Each constant is spelt as its value is, so that one search finds a setting in code,
// templates and documentation alike; that is also why some hold the two underscores with which Azure Functions joins
// the name of a connection to that of its property, and others are as OpenTelemetry has them.
const (
	Address       = "Address"
	DataFolder    = "DataFolder"
	PublicBaseUrl = "PublicBaseUrl"
	LogLevel      = "LogLevel"

	AzureWebJobsStorage                  = "AzureWebJobsStorage"
	AzureWebJobsStorage__accountName     = "AzureWebJobsStorage__accountName"
	AzureWebJobsStorage__blobServiceUri  = "AzureWebJobsStorage__blobServiceUri"
	AzureWebJobsStorage__queueServiceUri = "AzureWebJobsStorage__queueServiceUri"
	AzureWebJobsStorage__tableServiceUri = "AzureWebJobsStorage__tableServiceUri"
	AzureWebJobsStorage__credential      = "AzureWebJobsStorage__credential"
	AzureWebJobsStorage__clientId        = "AzureWebJobsStorage__clientId"

	TaskHubName             = "TaskHubName"
	TaskHubOwner            = "TaskHubOwner"
	MaxQueuePollingInterval = "MaxQueuePollingInterval"
	DoorbellLease           = "DoorbellLease"
	TimerHorizon            = "TimerHorizon"
	WakeQueue               = "WakeQueue"
	SweepSchedule           = "SweepSchedule"

	OperatorKey       = "OperatorKey"
	EntraTenantId     = "EntraTenantId"
	EntraAudience     = "EntraAudience"
	EntraOperatorRole = "EntraOperatorRole"
	EntraAuthority    = "EntraAuthority"
	LinkKey           = "LinkKey"
	LinkLifetime      = "LinkLifetime"

	SmsVerifyTimeout     = "SmsVerifyTimeout"
	SmsVerifyTries       = "SmsVerifyTries"
	SmsVerifyDigits      = "SmsVerifyDigits"
	SmsVerifySends       = "SmsVerifySends"
	SmsVerifyResendDelay = "SmsVerifyResendDelay"
	TwilioAccountSid     = "TwilioAccountSid"
	TwilioAuthToken      = "TwilioAuthToken"
	TwilioPhoneNumber    = "TwilioPhoneNumber"
	TwilioApiUrl         = "TwilioApiUrl"
	TwilioTimeout        = "TwilioTimeout"
	VerificationKey      = "VerificationKey"

	ExpenseManagers       = "ExpenseManagers"
	ExpenseFinance        = "ExpenseFinance"
	ExpenseEscalateTo     = "ExpenseEscalateTo"
	ExpenseManagerTimeout = "ExpenseManagerTimeout"
	ExpenseFinanceTimeout = "ExpenseFinanceTimeout"
	ExpenseEscalateAfter  = "ExpenseEscalateAfter"
	ExpenseRemindAfter    = "ExpenseRemindAfter"
	ExpenseCodeFrom       = "ExpenseCodeFrom"
	ReleaseApprovers      = "ReleaseApprovers"
	ReleaseNeed           = "ReleaseNeed"
	ReleaseVeto           = "ReleaseVeto"
	ReleaseTimeout        = "ReleaseTimeout"
	ReleaseRemindAfter    = "ReleaseRemindAfter"
	ClaimReviewFrom       = "ClaimReviewFrom"
	ClaimReviewTimeout    = "ClaimReviewTimeout"
	ApproverPhones        = "ApproverPhones"

	MaxActivities      = "MaxActivities"
	MaxCachedInstances = "MaxCachedInstances"
	MaxBodyBytes       = "MaxBodyBytes"
	MaxUnmatchedEvents = "MaxUnmatchedEvents"
	MaxInstanceEvents  = "MaxInstanceEvents"
	MaxInstanceBytes   = "MaxInstanceBytes"
	MaxInboxMessages   = "MaxInboxMessages"
	MaxHistoryEvents   = "MaxHistoryEvents"
	MaxHistoryBytes    = "MaxHistoryBytes"
	MaxTries           = "MaxTries"
	MaxTurnTime        = "MaxTurnTime"
	KeepCompleted      = "KeepCompleted"
	KeepFailed         = "KeepFailed"
	KeepTerminated     = "KeepTerminated"
	StopGrace          = "StopGrace"

	OTEL_EXPORTER_OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
	OTEL_EXPORTER_OTLP_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
	OTEL_EXPORTER_OTLP_HEADERS  = "OTEL_EXPORTER_OTLP_HEADERS"
	OTEL_TRACES_EXPORTER        = "OTEL_TRACES_EXPORTER"
	OTEL_METRICS_EXPORTER       = "OTEL_METRICS_EXPORTER"
	OTEL_TRACES_SAMPLER         = "OTEL_TRACES_SAMPLER"
	OTEL_TRACES_SAMPLER_ARG     = "OTEL_TRACES_SAMPLER_ARG"
	OTEL_SERVICE_NAME           = "OTEL_SERVICE_NAME"
	OTEL_RESOURCE_ATTRIBUTES    = "OTEL_RESOURCE_ATTRIBUTES"
	OTEL_SDK_DISABLED           = "OTEL_SDK_DISABLED"
)

// Table returns every setting in the order in which people should meet them. The slice is the caller's own.
func Table() []Setting {
	table := runSettings()
	table = append(table, storageSettings()...)
	table = append(table, hubSettings()...)
	table = append(table, accessSettings()...)
	table = append(table, verifySettings()...)
	table = append(table, twilioSettings()...)
	table = append(table, approvalSettings()...)
	table = append(table, phoneSettings()...)
	table = append(table, messageLimits()...)
	table = append(table, noticeSettings()...)
	table = append(table, limitSettings()...)
	return append(table, telemetrySettings()...)
}

func runSettings() []Setting {
	return []Setting{
		{Name: Address, Kind: KindAddress, Default: "127.0.0.1:7071", Example: "127.0.0.1:7071",
			Meaning: "where the app listens: host and port; port 0 takes any free one"},
		{Name: DataFolder, Kind: KindFolder, Default: ".holdfast", Example: ".holdfast",
			Meaning: "the folder that keeps everything when no storage account is named"},
		{Name: PublicBaseUrl, Kind: KindURL, Example: "https://verify.example.com",
			Meaning: "what the links handed out begin with; empty: the address listened on, on App Service the site's"},
		{Name: LogLevel, Kind: KindText, Default: "info", OneOf: []string{"debug", "info", "warn", "error"}, Example: "info",
			Meaning: "the least level that is logged"},
	}
}

func storageSettings() []Setting {
	const service, account = `^https://`, `^[a-z0-9]{3,24}$`
	return []Setting{
		{Name: AzureWebJobsStorage, Kind: KindSecret, Secret: true, Pattern: `(?i)^(.*;)?(AccountKey=[^;]+|UseDevelopmentStorage=true)(;.*)?$`,
			Example: "UseDevelopmentStorage=true, which is Azurite, or a connection string with AccountKey",
			Meaning: "connection string of the storage account that keeps everything; empty, with the names below: the data folder does"},
		{Name: AzureWebJobsStorage__accountName, Kind: KindText, Pattern: account, Example: "shopstorage",
			Meaning: "the storage account, to be reached with the app's identity and without a key"},
		{Name: AzureWebJobsStorage__blobServiceUri, Kind: KindURL, Pattern: service, Example: "https://shopstorage.blob.core.windows.net",
			Meaning: "the account's blob service, in a cloud or network where the account's name does not lead to it"},
		{Name: AzureWebJobsStorage__queueServiceUri, Kind: KindURL, Pattern: service, Example: "https://shopstorage.queue.core.windows.net",
			Meaning: "the account's queue service"},
		{Name: AzureWebJobsStorage__tableServiceUri, Kind: KindURL, Pattern: service, Example: "https://shopstorage.table.core.windows.net",
			Meaning: "the account's table service"},
		{Name: AzureWebJobsStorage__credential, Kind: KindText, OneOf: []string{"managedidentity"}, Example: "managedidentity",
			Meaning: "the identity to use; empty: what is found, such as that of az login"},
		{Name: AzureWebJobsStorage__clientId, Kind: KindText, Pattern: `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, Example: "00000000-1111-2222-3333-444444444444",
			Meaning: "client id of a user-assigned identity; empty: the app's own"},
	}
}

func hubSettings() []Setting {
	return []Setting{
		{Name: TaskHubName, Kind: KindText, Default: "TestHubName", Pattern: `^[A-Za-z][A-Za-z0-9]{2,44}$`, Example: "ShopHub",
			Meaning: "what the names of the tables, the queue and the container begin with; on App Service made from the site's name"},
		{Name: TaskHubOwner, Kind: KindText, Default: "local", Pattern: `^[!-~]{1,200}$`, Example: "shop",
			Meaning: "the app that a hub belongs to, the same for all that share it; on App Service the site and its slot"},
		{Name: MaxQueuePollingInterval, Kind: KindDuration, Default: "30s", Min: "1s", Max: "10m", Example: "30s",
			Meaning: "how far apart looks at a quiet queue are at most"},
		{Name: DoorbellLease, Kind: KindDuration, Default: "1m", Min: "5s", Max: "10m", Example: "1m",
			Meaning: "how long a worker need not be heard of before others take over, in whole seconds"},
		{Name: TimerHorizon, Kind: KindDuration, Default: "10m", Min: "2m", Max: "24h", Example: "10m",
			Meaning: "how far ahead a timer waits in the queue; later ones wait in a table"},
		{Name: WakeQueue, Kind: KindText, Pattern: `^[a-z0-9]{3,45}-wake$`, Example: "shophub-wake",
			Meaning: "the queue by which the Functions host is told to wake the app: the hub's name in small letters and -wake; empty without a host"},
		{Name: SweepSchedule, Kind: KindText, Default: "0 * * * * *", Pattern: `^[0-9*/,-]{1,40}( [0-9A-Za-z*/,-]{1,40}){5}$`, Example: "0 * * * * *",
			Meaning: "when the Functions host wakes the app for timers that come due: second, minute, hour, day, month, weekday"},
	}
}

func verifySettings() []Setting {
	return []Setting{
		{Name: SmsVerifyTimeout, Kind: KindDuration, Default: "5m", Min: "30s", Max: "10m", Example: "5m",
			Meaning: "how long a person has to answer with the code"},
		{Name: SmsVerifyTries, Kind: KindInteger, Default: "5", Min: "1", Max: "10", Example: "5",
			Meaning: "how many codes a person may try"},
		{Name: SmsVerifyDigits, Kind: KindInteger, Default: "6", Min: "4", Max: "10", Example: "6",
			Meaning: "how many digits a code has"},
		{Name: SmsVerifySends, Kind: KindInteger, Default: "3", Min: "1", Max: "5", Example: "3",
			Meaning: "how many codes are sent at most, when one does not get through or another is asked for"},
		{Name: SmsVerifyResendDelay, Kind: KindDuration, Default: "10s", Min: "1s", Max: "2m", Example: "10s",
			Meaning: "pause before another code is sent or may be asked for; it doubles each time"},
	}
}

func twilioSettings() []Setting {
	return []Setting{
		{Name: TwilioAccountSid, Kind: KindText, Pattern: `^AC[0-9a-fA-F]{32}$`, Example: "AC followed by 32 hexadecimal digits",
			Meaning: "the Twilio account that sends; empty, with the two below: messages go to the simulated phone"},
		{Name: TwilioAuthToken, Kind: KindSecret, Secret: true, Pattern: `^[0-9a-zA-Z]+$`, Example: "the 32 letters and digits shown in Twilio's console",
			Meaning: "the auth token of that account"},
		{Name: TwilioPhoneNumber, Kind: KindText, Pattern: `^\+[1-9][0-9]{6,14}$`, Example: "+15005550006",
			Meaning: "the number messages are sent from, in E.164 form"},
		{Name: TwilioApiUrl, Kind: KindURL, Default: "https://api.twilio.com", Example: "https://api.twilio.com",
			Meaning: "where Twilio's API is; another address is for tests"},
		{Name: TwilioTimeout, Kind: KindDuration, Default: "10s", Min: "1s", Max: "30s", Example: "10s",
			Meaning: "how long one call to Twilio may take"},
		{Name: VerificationKey, Kind: KindSecret, Secret: true, Min: "32", Example: "the output of: openssl rand -base64 32",
			Meaning: "key of the hash that stands for a code, base64; empty: made on the first run and kept in the data folder, unless a storage account is used"},
	}
}

func limitSettings() []Setting {
	return []Setting{
		{Name: MaxActivities, Kind: KindInteger, Default: "64", Min: "1", Max: "1000", Example: "64",
			Meaning: "how many activities run at once"},
		{Name: MaxCachedInstances, Kind: KindInteger, Default: "1000", Min: "0", Max: "100000", Example: "1000",
			Meaning: "how many instances are kept ready in memory"},
		{Name: MaxBodyBytes, Kind: KindInteger, Default: "65536", Min: "1024", Max: "1048576", Example: "65536",
			Meaning: "the largest request body that is read, in bytes"},
		{Name: MaxUnmatchedEvents, Kind: KindInteger, Default: "20", Min: "1", Max: "10000", Example: "20",
			Meaning: "how many events an instance keeps under names that it has never waited for"},
		{Name: MaxInstanceEvents, Kind: KindInteger, Default: "1000", Min: "10", Max: "100000", Example: "1000",
			Meaning: "how many events one run of an instance takes in all"},
		{Name: MaxInstanceBytes, Kind: KindInteger, Default: "8388608", Min: "65536", Max: "1073741824", Example: "8388608",
			Meaning: "how large those events are together at most, in bytes"},
		{Name: MaxInboxMessages, Kind: KindInteger, Default: "1000", Min: "100", Max: "100000", Example: "1000",
			Meaning: "how many messages may wait for an instance before it is sent no more events"},
		{Name: MaxHistoryEvents, Kind: KindInteger, Default: "50000", Min: "1000", Max: "1000000", Example: "50000",
			Meaning: "how many events the history of one run may have; one that would have more fails"},
		{Name: MaxHistoryBytes, Kind: KindInteger, Default: "67108864", Min: "1048576", Max: "1073741824", Example: "67108864",
			Meaning: "how large that history may be, in bytes"},
		{Name: MaxTries, Kind: KindInteger, Default: "5", Min: "2", Max: "20", Example: "5",
			Meaning: "how often a turn or an activity may take its process down before its instance is parked"},
		{Name: MaxTurnTime, Kind: KindDuration, Default: "1m", Min: "5s", Max: "1h", Example: "1m",
			Meaning: "how long an orchestration's code may run without a wait before its instance is parked"},
		{Name: KeepCompleted, Kind: KindDuration, Default: "0s", Min: "0s", Max: "87600h", Example: "720h",
			Meaning: "how long instances that completed are kept; 0s is for ever"},
		{Name: KeepFailed, Kind: KindDuration, Default: "0s", Min: "0s", Max: "87600h", Example: "2160h",
			Meaning: "how long instances that failed are kept; 0s is for ever"},
		{Name: KeepTerminated, Kind: KindDuration, Default: "0s", Min: "0s", Max: "87600h", Example: "720h",
			Meaning: "how long instances that were terminated are kept; 0s is for ever"},
		{Name: StopGrace, Kind: KindDuration, Default: "10s", Min: "0s", Max: "5m", Example: "10s",
			Meaning: "how long a stop waits for work in hand"},
	}
}

// telemetrySettings are those of OpenTelemetry's standard that most people set.
func telemetrySettings() []Setting {
	return []Setting{
		{Name: OTEL_EXPORTER_OTLP_ENDPOINT, Kind: KindURL, Example: "http://127.0.0.1:4318",
			Meaning: "the OpenTelemetry collector that traces and metrics go to; empty: there are none"},
		{Name: OTEL_EXPORTER_OTLP_PROTOCOL, Kind: KindText, Default: "http/protobuf", OneOf: []string{"http/protobuf"}, Example: "http/protobuf",
			Meaning: "how they go there"},
		{Name: OTEL_EXPORTER_OTLP_HEADERS, Kind: KindSecret, Secret: true, Pattern: `^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$`, Example: "api-key=KEY, as the collector's owner says",
			Meaning: "headers that let the app in there; empty: none"},
		{Name: OTEL_TRACES_EXPORTER, Kind: KindText, Default: "otlp", OneOf: []string{"otlp", "none"}, Example: "otlp",
			Meaning: "whether traces go there"},
		{Name: OTEL_METRICS_EXPORTER, Kind: KindText, Default: "otlp", OneOf: []string{"otlp", "none"}, Example: "otlp",
			Meaning: "whether metrics go there"},
		{Name: OTEL_TRACES_SAMPLER, Kind: KindText, Default: "parentbased_always_on", Example: "parentbased_traceidratio",
			OneOf:   []string{"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off", "traceidratio"},
			Meaning: "which traces are recorded"},
		{Name: OTEL_TRACES_SAMPLER_ARG, Kind: KindText, Pattern: `^(0|1|0?\.[0-9]{1,9}|1\.0{1,9})$`, Example: "0.1",
			Meaning: "the share of traces that is recorded, if the sampler takes a ratio; empty: all"},
		{Name: OTEL_SERVICE_NAME, Kind: KindText, Default: "holdfast", Pattern: `^.{1,255}$`, Example: "holdfast",
			Meaning: "what the app is called in traces and metrics"},
		{Name: OTEL_RESOURCE_ATTRIBUTES, Kind: KindText, Pattern: `^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$`, Example: "deployment.environment.name=test",
			Meaning: "what else is said of the app there: name=value, with commas between"},
		{Name: OTEL_SDK_DISABLED, Kind: KindText, Default: "false", OneOf: []string{"true", "false"}, Example: "false",
			Meaning: "whether to send nothing, whatever the others say"},
	}
}
