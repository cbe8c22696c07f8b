metadata name = 'Mail'
metadata description = 'Sends mail, and keeps what it sent.'

targetScope = 'resourceGroup'

import { credentials, prefix } from 'types.bicep'
import * as names from 'types.bicep'

@description('Where everything is made.')
param location string = resourceGroup().location

@description('How long a message may wait, in seconds.')
@minValue(30)
@maxValue(600)
param timeoutSeconds int = 300

@allowed([
  'dev'
  'prod'
])
param stage string

@secure()
@description('The key of the mail service.')
@minLength(32)
param mailKey string

@secure()
param oldKey string = 'not to be shown'

param login credentials?
param queues names.queue[] = [
  { name: 'in', days: 7 }
]

var suffix = uniqueString(resourceGroup().id)
var storageName = toLower('${prefix}${names.short(stage)}${suffix}')
var tags = {
  stage: stage
  ...(stage == 'prod' ? { owner: 'mail' } : {})
}
var named = toObject(queues, q => q.name, q => q.days)

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: storageName
  location: location
  tags: tags
  sku: { name: 'Standard_LRS' }
  kind: 'StorageV2'

  resource queueService 'queueServices' = {
    name: 'default'

    @batchSize(1)
    resource queue 'queues@2025-06-01' = [for (q, i) in queues: if (q.days > 0) {
      name: '${i}-${q.name}'
      properties: {
        metadata: { days: string(q.days) }
      }
    }]
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: 'kv-${suffix}'
}

@description('Where the app finds the key.')
resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (stage == 'prod') {
  parent: vault
  name: 'mail-key'
  properties: {
    value: mailKey
  }
  dependsOn: [
    storage
  ]
}

module app 'app.bicep' = {
  name: 'app'
  params: {
    location: location
    settings: {
      Timeout: '${timeoutSeconds}s'
      Key: '@Microsoft.KeyVault(SecretUri=${vault.properties.vaultUri}secrets/${secret.name})'
    }
    user: login.?user ?? 'nobody'
  }
}

module monitor 'br/public:avm/res/insights/component:0.6.0' = [for i in range(0, 2): {
  params: {
    name: 'monitor${i}'
  }
}]

output url string = app.outputs.url
output queueIds array = [for i in range(0, length(queues)): storage::queueService::queue[i].id]
@secure()
output connection string = storage.listKeys().keys[0].value
