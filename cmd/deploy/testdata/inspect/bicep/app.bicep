param location string
param settings object
param user string = 'nobody'

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'app-${user}'
  location: location
  properties: {
    siteConfig: {
      appSettings: map(items(settings), s => { name: s.key, value: s.value })
    }
  }
}

output url string = 'https://${site.properties.defaultHostName}'
