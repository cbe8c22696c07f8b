metadata description = 'What people are told about: an app that could not be woken, and invocations that failed.'

param name string
param location string
param tags object
param emails string[]
param workspaceId string
param poisonQueue string

@minValue(1)
@maxValue(1000)
param failureThreshold int

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'holdfast'
    enabled: true
    emailReceivers: [for (address, i) in emails: {
      name: 'email${i}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

resource poisoned 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${name}-poisoned'
  location: location
  tags: tags
  properties: {
    displayName: 'The app could not be woken'
    description: 'The app failed whenever the host woke it, and the host put the message into ${poisonQueue}. Nothing is lost, but what came due rests until it succeeds.'
    enabled: true
    severity: 1
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'AppTraces | where Message has "${poisonQueue}"'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

resource failures 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${name}-failures'
  location: location
  tags: tags
  properties: {
    displayName: 'Invocations fail'
    description: 'At least ${failureThreshold} invocations failed within a quarter of an hour.'
    enabled: true
    severity: 2
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'AppRequests | where Success == false'
          timeAggregation: 'Count'
          operator: 'GreaterThanOrEqual'
          threshold: failureThreshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}
