param location string = resourceGroup().locaton
param timeout int 300

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: nam
  location: location,
  kind: 'StorageV2'
}

module app 'nowhere.bicep' = {
  name: 'app'
}
