@secure()
param mailKey string

param waitTimeout int = 5

var connection = 'Endpoint=mail;Key=${mailKey}'

module app 'app.bicep' = {
  name: 'app'
  params: {
    connection: connection
  }
}

var adminPassword = 'hunter2!hunter2'

// deploy:accept secret-in-output because this is a test of what acceptance looks like
output key string = mailKey
