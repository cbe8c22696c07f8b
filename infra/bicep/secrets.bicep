metadata description = 'The vault. Each secret goes in here once and nowhere else; the app is told only where it is, and may read just the secrets that it needs.'

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object

@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('Whether the vault is closed to all but private endpoints.')
param isPrivate bool

@description('The identity that may read the secrets.')
param principalId string
param workspaceId string

// <parameters>
// Made of the table in functions/settings by go generate ./infra; change the table and not this.

@description('Which of the secrets there are that the app can do without, by the names of their settings.')
param furtherSecrets ('TwilioApiKeySecret' | 'TwilioAuthTokenNext' | 'WebhookSecret' | 'SlackWebhookUrl' | 'TeamsWebhookUrl' | 'MailPassword')[]

@description('What operators send in the header x-functions-key.')
@secure()
@minLength(20)
@maxLength(200)
param operatorKey string

@description('Key under which links are made, base64; another one makes those to the management API void.')
@secure()
@minLength(43)
param linkKey string

@description('The auth token of that account.')
@secure()
@minLength(1)
param twilioAuthToken string

@description('Key of the hash that stands for a code, base64.')
@secure()
@minLength(43)
param verificationKey string

@description('The secret of that API key.')
@secure()
param twilioApiKeySecret string = ''

@description('The auth token that comes after the present one, whose signatures are taken too; empty: none.')
@secure()
param twilioAuthTokenNext string = ''

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

@description('The password of that user.')
@secure()
@maxLength(200)
param mailPassword string = ''
// </parameters>

var roles = {
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: softDeleteDays
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

// <resources>
// Made of the table in functions/settings by go generate ./infra; change the table and not this.

resource operatorKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'operator-key'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: operatorKey
  }
}

resource operatorKeyReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: operatorKeySecret
  name: guid(operatorKeySecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource linkKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'link-key'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: linkKey
  }
}

resource linkKeyReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: linkKeySecret
  name: guid(linkKeySecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource twilioAuthTokenSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'twilio-auth-token'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: twilioAuthToken
  }
}

resource twilioAuthTokenReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: twilioAuthTokenSecret
  name: guid(twilioAuthTokenSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource verificationKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'verification-key'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: verificationKey
  }
}

resource verificationKeyReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: verificationKeySecret
  name: guid(verificationKeySecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource twilioApiKeySecretSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'TwilioApiKeySecret')) {
  parent: vault
  name: 'twilio-api-key-secret'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: twilioApiKeySecret
  }
}

resource twilioApiKeySecretReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'TwilioApiKeySecret')) {
  scope: twilioApiKeySecretSecret
  name: guid(twilioApiKeySecretSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource twilioAuthTokenNextSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'TwilioAuthTokenNext')) {
  parent: vault
  name: 'twilio-auth-token-next'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: twilioAuthTokenNext
  }
}

resource twilioAuthTokenNextReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'TwilioAuthTokenNext')) {
  scope: twilioAuthTokenNextSecret
  name: guid(twilioAuthTokenNextSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource webhookSecretSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'WebhookSecret')) {
  parent: vault
  name: 'webhook-secret'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: webhookSecret
  }
}

resource webhookSecretReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'WebhookSecret')) {
  scope: webhookSecretSecret
  name: guid(webhookSecretSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource slackWebhookUrlSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'SlackWebhookUrl')) {
  parent: vault
  name: 'slack-webhook-url'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: slackWebhookUrl
  }
}

resource slackWebhookUrlReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'SlackWebhookUrl')) {
  scope: slackWebhookUrlSecret
  name: guid(slackWebhookUrlSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource teamsWebhookUrlSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'TeamsWebhookUrl')) {
  parent: vault
  name: 'teams-webhook-url'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: teamsWebhookUrl
  }
}

resource teamsWebhookUrlReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'TeamsWebhookUrl')) {
  scope: teamsWebhookUrlSecret
  name: guid(teamsWebhookUrlSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource mailPasswordSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(furtherSecrets, 'MailPassword')) {
  parent: vault
  name: 'mail-password'
  tags: tags
  properties: {
    contentType: 'text/plain'
    value: mailPassword
  }
}

resource mailPasswordReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (contains(furtherSecrets, 'MailPassword')) {
  scope: mailPasswordSecret
  name: guid(mailPasswordSecret.id, principalId, roles.keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// </resources>

output id string = vault.id
output name string = vault.name

// <outputs>
// Made of the table in functions/settings by go generate ./infra; change the table and not this.
output operatorKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${operatorKeySecret.name})'
output linkKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${linkKeySecret.name})'
output twilioAuthTokenReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${twilioAuthTokenSecret.name})'
output verificationKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${verificationKeySecret.name})'
output twilioApiKeySecretReference string = contains(furtherSecrets, 'TwilioApiKeySecret') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${twilioApiKeySecretSecret.name})' : ''
output twilioAuthTokenNextReference string = contains(furtherSecrets, 'TwilioAuthTokenNext') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${twilioAuthTokenNextSecret.name})' : ''
output webhookSecretReference string = contains(furtherSecrets, 'WebhookSecret') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${webhookSecretSecret.name})' : ''
output slackWebhookUrlReference string = contains(furtherSecrets, 'SlackWebhookUrl') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${slackWebhookUrlSecret.name})' : ''
output teamsWebhookUrlReference string = contains(furtherSecrets, 'TeamsWebhookUrl') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${teamsWebhookUrlSecret.name})' : ''
#disable-next-line outputs-should-not-contain-secrets // called so by its name: it says where the password is
output mailPasswordReference string = contains(furtherSecrets, 'MailPassword') ? '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${mailPasswordSecret.name})' : ''
// </outputs>
