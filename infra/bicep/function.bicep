metadata description = 'The function app: a Go program as custom handler, with its settings.'

param name string
param location string
param tags object
param plan string
param instanceMemory int
param maximumInstances int
param alwaysReady int
param functionTimeoutMinutes int
param startTimeoutSeconds int
param retryDelaySeconds int
param maximumDequeues int

@description('The identity that the app works as.')
param identityId string
param clientId string
param storageAccountName string
param wakeQueue string
param packageContainer string

@description('The subnet that the app reaches the data through, or nothing.')
param subnetId string
param insightsConnection string
param workspaceId string

@description('The settings that come from functions/settings. Those that are secret hold where the secret is.')
param settings object

@description('What else the app is told. It changes nothing that this template says.')
param moreSettings object

var isFlex = plan == 'FC1'

var hostSettings = {
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  AZURE_CLIENT_ID: clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  AzureWebJobsDisableHomepage: 'true'
  WakeQueue: wakeQueue
  AzureFunctionsJobHost__functionTimeout: '${padLeft(functionTimeoutMinutes / 60, 2, '0')}:${padLeft(functionTimeoutMinutes % 60, 2, '0')}:00'
  AzureFunctionsJobHost__customHandler__initializationTimeout: '00:${padLeft(startTimeoutSeconds / 60, 2, '0')}:${padLeft(startTimeoutSeconds % 60, 2, '0')}'
  AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:${padLeft(retryDelaySeconds / 60, 2, '0')}:${padLeft(retryDelaySeconds % 60, 2, '0')}'
  AzureFunctionsJobHost__extensions__queues__maxDequeueCount: string(maximumDequeues)
}

// What Flex Consumption is told in functionAppConfig, and does not take as settings.
var classicSettings = isFlex ? {} : {
  // deploy:accept twins-differ because azurerm has an argument for it
  FUNCTIONS_EXTENSION_VERSION: '~4'
  // deploy:accept twins-differ because azurerm has an argument for it
  FUNCTIONS_WORKER_RUNTIME: 'custom'
  WEBSITE_RUN_FROM_PACKAGE: '1'
}

resource farm 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: isFlex ? 'functionapp' : startsWith(plan, 'EP') ? 'elastic' : 'linux'
  sku: {
    name: plan
    tier: isFlex ? 'FlexConsumption' : null
  }
  properties: {
    reserved: true
    maximumElasticWorkerCount: startsWith(plan, 'EP') ? maximumInstances : null
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: farm.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: {
      allTraffic: !empty(subnetId)
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      alwaysOn: isFlex || startsWith(plan, 'EP') ? null : true
    }
    functionAppConfig: isFlex ? {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainer
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemory
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady == 0 ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReady
          }
        ]
      }
      runtime: {
        name: 'custom'
        version: '1.0'
      }
    } : null
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(moreSettings, hostSettings, classicSettings, settings)
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
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

output name string = site.name
output url string = 'https://${site.properties.defaultHostName}'
