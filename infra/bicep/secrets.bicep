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

// </resources>

output id string = vault.id
output name string = vault.name

// <outputs>
// Made of the table in functions/settings by go generate ./infra; change the table and not this.
output operatorKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${operatorKeySecret.name})'
output linkKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${linkKeySecret.name})'
output twilioAuthTokenReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${twilioAuthTokenSecret.name})'
output verificationKeyReference string = '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${verificationKeySecret.name})'
// </outputs>
