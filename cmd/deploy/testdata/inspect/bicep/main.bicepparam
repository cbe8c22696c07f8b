using 'main.bicep'

param stage = 'dev'
param mailKey = readEnvironmentVariable('MAIL_KEY')
param oldKey = 'not to be shown either'
param timeoutSeconds = int(readEnvironmentVariable('TIMEOUT', '60'))
