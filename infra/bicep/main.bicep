metadata name = 'Holdfast'
metadata description = 'Holdfast on Azure Functions: the app, the storage account that keeps its state, and a vault for its secrets.'

targetScope = 'resourceGroup'

// What the app is and where.

@description('What the names of all resources begin with: letters and digits, small.')
@minLength(3)
@maxLength(11)
param name string = 'holdfast'

@description('The region that everything is made in: that of the resource group, if nothing is said.')
param location string = resourceGroup().location

@description('Tags that every resource carries.')
param tags object = {}

@description('The plan that the app runs on. FC1 is Flex Consumption, which costs nothing while nothing happens; EP1 to EP3 are Premium and P0v3 to P2v3 Dedicated, which are always on.')
@allowed([
  'FC1'
  'EP1'
  'EP2'
  'EP3'
  'P0v3'
  'P1v3'
  'P2v3'
])
param plan string = 'FC1'

@description('How much memory an instance has on Flex Consumption, in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemory int = 2048

@description('How many instances there are at most.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@description('How many instances answer HTTP requests even while nothing happens, on Flex Consumption.')
@minValue(0)
@maxValue(20)
param alwaysReady int = 0

// What the Functions host waits for.

@description('How long the host lets one invocation run before it kills the app, in minutes.')
@minValue(1)
@maxValue(60)
param functionTimeoutMinutes int = 10

@description('How long the host waits for the app to answer after its start, in seconds.')
@minValue(10)
@maxValue(120)
param startTimeoutSeconds int = 60

@description('How long the host waits before it hands out a queue message again whose invocation failed, in seconds.')
@minValue(0)
@maxValue(600)
param retryDelaySeconds int = 5

@description('How often the host hands out a queue message before it puts it among the poisoned ones.')
@minValue(1)
@maxValue(20)
param maximumDequeues int = 5

// What is kept, and how long.

@description('How the storage account copies its data: within one data centre (Standard_LRS) or over three (Standard_ZRS).')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
])
param storageRedundancy string = 'Standard_LRS'

@description('How long logs and metrics are kept, in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('How long a deleted vault or secret can be brought back, in days. It can\'t be changed later.')
@minValue(7)
@maxValue(90)
param softDeleteDays int = 90

// Who is told, and what it may cost.

@description('The e-mail addresses that alerts and warnings about cost go to. Without one there are neither.')
@maxLength(10)
param alertEmails string[] = []

@description('How many failed invocations within a quarter of an hour are an alert.')
@minValue(1)
@maxValue(1000)
param failureThreshold int = 5

@description('What everything may cost a month, in the currency of the subscription. 0: no budget.')
@minValue(0)
@maxValue(1000000)
param monthlyBudget int = 0

@description('The first day of the month from which the budget counts, such as 2026-01-01. It has to be this month when the budget is made.')
@maxLength(10)
param budgetStart string = ''

// Whether others can reach the data.

@description('Whether the storage account and the vault are reached from a virtual network only. The app itself answers everybody, as Twilio calls it.')
param privateNetwork bool = false

@description('The addresses of the virtual network: a range of 256.')
@minLength(9)
@maxLength(18)
param addressPrefix string = '10.40.0.0/24'

// What the app is told.

@description('Further settings of the app, by name, such as MailServer. A secret belongs into a vault; what stands here says where it is, as @Microsoft.KeyVault(SecretUri=...).')
param moreSettings object = {}

// <settings>
// Made of the table in functions/settings by go generate ./infra; change the table and not this.

@description('Which of the secrets there are that the app can do without, by the names of their settings.')
param furtherSecrets ('TwilioApiKeySecret' | 'TwilioAuthTokenNext' | 'WebhookSecret' | 'SlackWebhookUrl' | 'TeamsWebhookUrl' | 'MailPassword')[] = []

@description('What the links handed out begin with; empty: the address listened on, on App Service the site\'s.')
param publicBaseUrl string = ''

@description('The least level that is logged.')
@allowed([
  'debug'
  'info'
  'warn'
  'error'
])
param logLevel string = 'info'

@description('What the names of the tables, the queue and the container begin with; on App Service made from the site\'s name.')
@minLength(3)
@maxLength(45)
param taskHubName string = 'Holdfast'

@description('How far apart looks at a quiet queue are at most, in seconds.')
@minValue(1)
@maxValue(600)
param maxQueuePollingIntervalSeconds int = 30

@description('How long a worker need not be heard of before others take over, in whole seconds.')
@minValue(5)
@maxValue(600)
param doorbellLeaseSeconds int = 60

@description('How far ahead a timer waits in the queue, in seconds; later ones wait in a table.')
@minValue(120)
@maxValue(86400)
param timerHorizonSeconds int = 600

@description('When the Functions host wakes the app for timers that come due: second, minute, hour, day, month, weekday.')
@minLength(11)
@maxLength(245)
param sweepSchedule string = '0 * * * * *'

@description('What operators send in the header x-functions-key.')
@secure()
@minLength(20)
@maxLength(200)
param operatorKey string

@description('The Entra tenant whose bearer tokens operators may send; empty, with the next: none.')
@maxLength(36)
param entraTenantId string = ''

@description('The application that those tokens must be made out for.')
@maxLength(200)
param entraAudience string = ''

@description('The app role that those tokens must carry.')
@minLength(1)
@maxLength(120)
param entraOperatorRole string = 'Holdfast.Operator'

@description('Where Entra is; another address is for other clouds and for tests.')
param entraAuthority string = 'https://login.microsoftonline.com'

@description('Key under which links are made, base64; another one makes those to the management API void.')
@secure()
@minLength(43)
param linkKey string

@description('How long the links that a start hands out are good, in seconds.')
@minValue(300)
@maxValue(34560000)
param linkLifetimeSeconds int = 604800

@description('How long a person has to answer with the code, in seconds.')
@minValue(30)
@maxValue(600)
param smsVerifyTimeoutSeconds int = 300

@description('How many codes a person may try.')
@minValue(1)
@maxValue(10)
param smsVerifyTries int = 5

@description('How many digits a code has.')
@minValue(4)
@maxValue(10)
param smsVerifyDigits int = 6

@description('How many codes are sent at most, when one does not get through or another is asked for.')
@minValue(1)
@maxValue(5)
param smsVerifySends int = 3

@description('Pause before another code is sent or may be asked for, in seconds; it doubles each time.')
@minValue(1)
@maxValue(120)
param smsVerifyResendDelaySeconds int = 10

@description('The Twilio account that sends.')
@minLength(34)
@maxLength(34)
param twilioAccountSid string

@description('The auth token of that account.')
@secure()
@minLength(1)
param twilioAuthToken string

@description('The number messages are sent from, in E.164 form.')
@minLength(8)
@maxLength(16)
param twilioPhoneNumber string

@description('How long one call to Twilio may take, in seconds.')
@minValue(1)
@maxValue(30)
param twilioTimeoutSeconds int = 10

@description('Key of the hash that stands for a code, base64.')
@secure()
@minLength(43)
param verificationKey string

@description('Who approves an expense first, any one of them: ids such as e-mail addresses, with commas between.')
@minLength(1)
param expenseManagers string = 'boss@example.org'

@description('Who approves it then, any one of them.')
@minLength(1)
param expenseFinance string = 'finance@example.org'

@description('Who decides on an expense if the others have not answered.')
@minLength(1)
param expenseEscalateTo string = 'cfo@example.org'

@description('How long the first of them have in all, in seconds; then the expense expires.')
@minValue(60)
@maxValue(31536000)
param expenseManagerTimeoutSeconds int = 172800

@description('How long the second have in all, in seconds.')
@minValue(60)
@maxValue(31536000)
param expenseFinanceTimeoutSeconds int = 259200

@description('How long it is before somebody above is asked as well, in each step, in seconds.')
@minValue(60)
@maxValue(31536000)
param expenseEscalateAfterSeconds int = 86400

@description('How long it is before those are reminded who have not answered, in seconds.')
@minValue(1200)
@maxValue(31536000)
param expenseRemindAfterSeconds int = 14400

@description('The amount from which an approval takes a code from the approver\'s phone too; 0 is never.')
@minValue(0)
@maxValue(1000000000)
param expenseCodeFrom int = 0

@description('Who lets a release through.')
@minLength(1)
param releaseApprovers string = 'ann@example.org,bob@example.org,carol@example.org'

@description('How many of them it takes.')
@minValue(1)
@maxValue(20)
param releaseNeed int = 2

@description('Who can stop a release alone.')
@minLength(1)
param releaseVeto string = 'security@example.org'

@description('How long a release waits for them, in seconds; then it expires.')
@minValue(60)
@maxValue(31536000)
param releaseTimeoutSeconds int = 86400

@description('How long it is before those are reminded who have not answered, in seconds.')
@minValue(1200)
@maxValue(31536000)
param releaseRemindAfterSeconds int = 14400

@description('The amount from which somebody reviews a claim.')
@minValue(0)
@maxValue(1000000000)
param claimReviewFrom int = 1000

@description('How long a claim waits for a reviewer, in seconds.')
@minValue(5)
@maxValue(31536000)
param claimReviewTimeoutSeconds int = 30

@description('The phones of those who approve, by id, for their codes and messages; empty: none are known.')
param approverPhones string = ''

@description('An API key of the Twilio account for sending; empty, with the next: the auth token is used for that too.')
@maxLength(34)
param twilioApiKeySid string = ''

@description('The secret of that API key.')
@secure()
param twilioApiKeySecret string = ''

@description('The auth token that comes after the present one, whose signatures are taken too; empty: none.')
@secure()
param twilioAuthTokenNext string = ''

@description('A Verify service of the account, which makes, sends and compares the codes; empty: the app does.')
@maxLength(34)
param twilioVerifyServiceSid string = ''

@description('What error codes of Twilio mean, where the app\'s own table is not right.')
param twilioErrorClasses string = ''

@description('The countries whose numbers are sent messages, by their ISO codes, or * for all; empty: none.')
param smsCountries string = ''

@description('How many verifications of one phone may begin within an hour.')
@minValue(1)
@maxValue(100)
param smsPhoneHourly int = 5

@description('How many messages go to numbers that differ in the last four digits only within an hour; 0 is no limit.')
@minValue(0)
@maxValue(1000)
param smsPrefixHourly int = 20

@description('How many messages one address may ask for within an hour; 0 is no limit.')
@minValue(0)
@maxValue(1000)
param smsCallerHourly int = 20

@description('How many messages about requests and ends one phone gets within an hour; 0 is no limit.')
@minValue(0)
@maxValue(1000)
param smsPersonHourly int = 20

@description('How many of them are about the same; 0 is no limit.')
@minValue(0)
@maxValue(100)
param smsRequestHourly int = 3

@description('How many wrong codes there may be for one phone until somebody unlocks it.')
@minValue(10)
@maxValue(1000)
param smsPhoneFailures int = 100

@description('How many messages are sent on a day, UTC; 0 is no limit.')
@minValue(0)
@maxValue(1000000)
param smsDaily int = 1000

@description('What the messages of a day may cost, in thousandths of the currency that the account is charged in; 0 is no limit.')
@minValue(0)
@maxValue(1000000000)
param smsDailyBudget int = 100000

@description('What a segment of a message costs, in the same thousandths.')
@minValue(0)
@maxValue(10000)
param smsPrice int = 100

@description('What it costs to some countries.')
param smsPrices string = ''

@description('After how many messages to a country it is looked at how many phones they verified; 0 is never.')
@minValue(0)
@maxValue(10000)
param smsBreakerSends int = 50

@description('How many percent must have, or the country is sent nothing for a while.')
@minValue(1)
@maxValue(100)
param smsBreakerPercent int = 10

@description('How long that is, counted from the first of those messages, in seconds.')
@minValue(60)
@maxValue(2592000)
param smsBreakerPauseSeconds int = 86400

@description('Who is told how instances end that an HTTP trigger started: webhook, slack, teams, mail=ADDRESS, sms=NUMBER, queue=NAME; empty: nobody.')
param completionNotices string = ''

@description('Where signed webhooks are posted.')
param webhookUrl string = ''

@description('The secret under which they are signed, as Standard Webhooks says.')
@secure()
@maxLength(106)
param webhookSecret string = ''

@description('The incoming webhook of a Slack channel.')
@secure()
param slackWebhookUrl string = ''

@description('The incoming webhook of a Teams channel.')
@secure()
param teamsWebhookUrl string = ''

@description('The SMTP server that e-mail is sent through: host and port.')
param mailServer string = ''

@description('How the connection to it is encrypted; none is for a server on this machine.')
@allowed([
  'starttls'
  'tls'
  'none'
])
param mailSecurity string = 'starttls'

@description('The user that it lets in; empty: it lets everybody in.')
@maxLength(200)
param mailUser string = ''

@description('The password of that user.')
@secure()
@maxLength(200)
param mailPassword string = ''

@description('Whom e-mail is from.')
param mailFrom string = ''

@description('How many e-mails about requests are sent to one address within an hour; 0: as many as there are.')
@minValue(0)
@maxValue(10000)
param mailPersonHourly int = 60

@description('How many activities run at once.')
@minValue(1)
@maxValue(1000)
param maxActivities int = 64

@description('How many instances are kept ready in memory.')
@minValue(0)
@maxValue(100000)
param maxCachedInstances int = 1000

@description('The largest request body that is read, in bytes.')
@minValue(1024)
@maxValue(1048576)
param maxBodyBytes int = 65536

@description('How many events an instance keeps under names that it has never waited for.')
@minValue(1)
@maxValue(10000)
param maxUnmatchedEvents int = 20

@description('How many events one run of an instance takes in all.')
@minValue(10)
@maxValue(100000)
param maxInstanceEvents int = 1000

@description('How large those events are together at most, in bytes.')
@minValue(65536)
@maxValue(1073741824)
param maxInstanceBytes int = 8388608

@description('How many messages may wait for an instance before it is sent no more events.')
@minValue(100)
@maxValue(100000)
param maxInboxMessages int = 1000

@description('How many events the history of one run may have; one that would have more fails.')
@minValue(1000)
@maxValue(1000000)
param maxHistoryEvents int = 50000

@description('How large that history may be, in bytes.')
@minValue(1048576)
@maxValue(1073741824)
param maxHistoryBytes int = 67108864

@description('How often a turn or an activity may take its process down before its instance is parked.')
@minValue(2)
@maxValue(20)
param maxTries int = 5

@description('How long an orchestration\'s code may run without a wait before its instance is parked, in seconds.')
@minValue(5)
@maxValue(3600)
param maxTurnTimeSeconds int = 60

@description('How long instances that completed are kept, in seconds; 0s is for ever.')
@minValue(0)
@maxValue(315360000)
param keepCompletedSeconds int = 0

@description('How long instances that failed are kept, in seconds; 0s is for ever.')
@minValue(0)
@maxValue(315360000)
param keepFailedSeconds int = 0

@description('How long instances that were terminated are kept, in seconds; 0s is for ever.')
@minValue(0)
@maxValue(315360000)
param keepTerminatedSeconds int = 0

@description('How long a stop waits for work in hand, in seconds.')
@minValue(0)
@maxValue(300)
param stopGraceSeconds int = 10

var settings = {
  PublicBaseUrl: publicBaseUrl
  LogLevel: logLevel
  TaskHubName: taskHubName
  MaxQueuePollingInterval: '${maxQueuePollingIntervalSeconds}s'
  DoorbellLease: '${doorbellLeaseSeconds}s'
  TimerHorizon: '${timerHorizonSeconds}s'
  SweepSchedule: sweepSchedule
  OperatorKey: secrets.outputs.operatorKeyReference
  EntraTenantId: entraTenantId
  EntraAudience: entraAudience
  EntraOperatorRole: entraOperatorRole
  EntraAuthority: entraAuthority
  LinkKey: secrets.outputs.linkKeyReference
  LinkLifetime: '${linkLifetimeSeconds}s'
  SmsVerifyTimeout: '${smsVerifyTimeoutSeconds}s'
  SmsVerifyTries: '${smsVerifyTries}'
  SmsVerifyDigits: '${smsVerifyDigits}'
  SmsVerifySends: '${smsVerifySends}'
  SmsVerifyResendDelay: '${smsVerifyResendDelaySeconds}s'
  TwilioAccountSid: twilioAccountSid
  TwilioAuthToken: secrets.outputs.twilioAuthTokenReference
  TwilioPhoneNumber: twilioPhoneNumber
  TwilioTimeout: '${twilioTimeoutSeconds}s'
  VerificationKey: secrets.outputs.verificationKeyReference
  ExpenseManagers: expenseManagers
  ExpenseFinance: expenseFinance
  ExpenseEscalateTo: expenseEscalateTo
  ExpenseManagerTimeout: '${expenseManagerTimeoutSeconds}s'
  ExpenseFinanceTimeout: '${expenseFinanceTimeoutSeconds}s'
  ExpenseEscalateAfter: '${expenseEscalateAfterSeconds}s'
  ExpenseRemindAfter: '${expenseRemindAfterSeconds}s'
  ExpenseCodeFrom: '${expenseCodeFrom}'
  ReleaseApprovers: releaseApprovers
  ReleaseNeed: '${releaseNeed}'
  ReleaseVeto: releaseVeto
  ReleaseTimeout: '${releaseTimeoutSeconds}s'
  ReleaseRemindAfter: '${releaseRemindAfterSeconds}s'
  ClaimReviewFrom: '${claimReviewFrom}'
  ClaimReviewTimeout: '${claimReviewTimeoutSeconds}s'
  ApproverPhones: approverPhones
  TwilioApiKeySid: twilioApiKeySid
  TwilioApiKeySecret: secrets.outputs.twilioApiKeySecretReference
  TwilioAuthTokenNext: secrets.outputs.twilioAuthTokenNextReference
  TwilioVerifyServiceSid: twilioVerifyServiceSid
  TwilioErrorClasses: twilioErrorClasses
  SmsCountries: smsCountries
  SmsPhoneHourly: '${smsPhoneHourly}'
  SmsPrefixHourly: '${smsPrefixHourly}'
  SmsCallerHourly: '${smsCallerHourly}'
  SmsPersonHourly: '${smsPersonHourly}'
  SmsRequestHourly: '${smsRequestHourly}'
  SmsPhoneFailures: '${smsPhoneFailures}'
  SmsDaily: '${smsDaily}'
  SmsDailyBudget: '${smsDailyBudget}'
  SmsPrice: '${smsPrice}'
  SmsPrices: smsPrices
  SmsBreakerSends: '${smsBreakerSends}'
  SmsBreakerPercent: '${smsBreakerPercent}'
  SmsBreakerPause: '${smsBreakerPauseSeconds}s'
  CompletionNotices: completionNotices
  WebhookUrl: webhookUrl
  WebhookSecret: secrets.outputs.webhookSecretReference
  SlackWebhookUrl: secrets.outputs.slackWebhookUrlReference
  TeamsWebhookUrl: secrets.outputs.teamsWebhookUrlReference
  MailServer: mailServer
  MailSecurity: mailSecurity
  MailUser: mailUser
  MailPassword: secrets.outputs.mailPasswordReference
  MailFrom: mailFrom
  MailPersonHourly: '${mailPersonHourly}'
  MaxActivities: '${maxActivities}'
  MaxCachedInstances: '${maxCachedInstances}'
  MaxBodyBytes: '${maxBodyBytes}'
  MaxUnmatchedEvents: '${maxUnmatchedEvents}'
  MaxInstanceEvents: '${maxInstanceEvents}'
  MaxInstanceBytes: '${maxInstanceBytes}'
  MaxInboxMessages: '${maxInboxMessages}'
  MaxHistoryEvents: '${maxHistoryEvents}'
  MaxHistoryBytes: '${maxHistoryBytes}'
  MaxTries: '${maxTries}'
  MaxTurnTime: '${maxTurnTimeSeconds}s'
  KeepCompleted: '${keepCompletedSeconds}s'
  KeepFailed: '${keepFailedSeconds}s'
  KeepTerminated: '${keepTerminatedSeconds}s'
  StopGrace: '${stopGraceSeconds}s'
}

// </settings>

var suffix = uniqueString(resourceGroup().id, name)
var hub = toLower(taskHubName)

module identity 'identity.bicep' = {
  name: '${name}-identity'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  name: '${name}-monitoring'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    logRetentionDays: logRetentionDays
    principalId: identity.outputs.principalId
  }
}

module network 'network.bicep' = if (privateNetwork) {
  name: '${name}-network'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    delegation: plan == 'FC1' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
    storageAccountId: storage.outputs.id
    vaultId: secrets.outputs.id
  }
}

module storage 'storage.bicep' = {
  name: '${name}-storage'
  params: {
    name: '${name}${suffix}'
    location: location
    tags: tags
    redundancy: storageRedundancy
    hub: taskHubName
    isPrivate: privateNetwork
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module secrets 'secrets.bicep' = {
  name: '${name}-secrets'
  params: {
    name: '${name}-${take(suffix, 8)}'
    location: location
    tags: tags
    softDeleteDays: softDeleteDays
    isPrivate: privateNetwork
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    // <secrets>
    // Made of the table in functions/settings by go generate ./infra; change the table and not this.
    furtherSecrets: furtherSecrets
    operatorKey: operatorKey
    linkKey: linkKey
    twilioAuthToken: twilioAuthToken
    verificationKey: verificationKey
    twilioApiKeySecret: twilioApiKeySecret
    twilioAuthTokenNext: twilioAuthTokenNext
    webhookSecret: webhookSecret
    slackWebhookUrl: slackWebhookUrl
    teamsWebhookUrl: teamsWebhookUrl
    mailPassword: mailPassword
    // </secrets>
  }
}

module function 'function.bicep' = {
  name: '${name}-function'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    plan: plan
    instanceMemory: instanceMemory
    maximumInstances: maximumInstances
    alwaysReady: alwaysReady
    functionTimeoutMinutes: functionTimeoutMinutes
    startTimeoutSeconds: startTimeoutSeconds
    retryDelaySeconds: retryDelaySeconds
    maximumDequeues: maximumDequeues
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    wakeQueue: '${hub}-wake'
    packageContainer: storage.outputs.packageContainer
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    insightsConnection: monitoring.outputs.insightsConnection
    workspaceId: monitoring.outputs.workspaceId
    settings: settings
    moreSettings: moreSettings
  }
}

module alerts 'alerts.bicep' = if (!empty(alertEmails)) {
  name: '${name}-alerts'
  params: {
    name: '${name}-${suffix}'
    location: location
    tags: tags
    emails: alertEmails
    workspaceId: monitoring.outputs.workspaceId
    poisonQueue: '${hub}-wake-poison'
    failureThreshold: failureThreshold
  }
}

module budget 'budget.bicep' = if (monthlyBudget > 0 && !empty(alertEmails)) {
  name: '${name}-budget'
  params: {
    name: '${name}-${suffix}'
    amount: monthlyBudget
    start: budgetStart
    emails: alertEmails
  }
}

@description('The name of the function app, which a package is published to.')
output functionAppName string = function.outputs.name

@description('Where the app answers.')
output url string = function.outputs.url

@description('The name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('The name of the vault.')
output vaultName string = secrets.outputs.name

@description('The client id of the identity that the app works as.')
output clientId string = identity.outputs.clientId

@description('The name of the workspace that the logs are in.')
output workspaceName string = monitoring.outputs.workspaceName
