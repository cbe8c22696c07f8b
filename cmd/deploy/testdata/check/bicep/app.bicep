param connection string

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: 'app'
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    Mail: connection
  }
}
