package settings

import (
	"fmt"
	"regexp"
	"strings"
)

// withIdentity are the settings that say how a storage account is reached without a key.
var withIdentity = []string{
	AzureWebJobsStorage__accountName, AzureWebJobsStorage__blobServiceUri, AzureWebJobsStorage__queueServiceUri, AzureWebJobsStorage__tableServiceUri,
	AzureWebJobsStorage__credential, AzureWebJobsStorage__clientId,
}

// wholeStorage reports a storage account that is named in two ways, or only in part.
func wholeStorage(given map[string]bool) error {
	var have, missing []string
	for _, name := range withIdentity {
		if given[name] {
			have = append(have, name)
		}
	}
	for _, name := range withIdentity[1:4] {
		if !given[name] {
			missing = append(missing, name)
		}
	}
	switch {
	case len(have) == 0:
		return nil
	case given[AzureWebJobsStorage]:
		return fmt.Errorf("%s and %s are both set: one reaches the storage account with a key and the other with an identity; empty one of them",
			AzureWebJobsStorage, have[0])
	case given[AzureWebJobsStorage__clientId] && !given[AzureWebJobsStorage__credential]:
		return fmt.Errorf("%s says which managed identity to use, and %s does not say to use one; set it to managedidentity",
			AzureWebJobsStorage__clientId, AzureWebJobsStorage__credential)
	case !given[AzureWebJobsStorage__accountName] && len(missing) > 0:
		return fmt.Errorf("%s is set, which does not say where the storage account is: set %s, or in another cloud than Azure's public one also %s",
			have[0], AzureWebJobsStorage__accountName, strings.Join(missing, " and "))
	}
	return nil
}

var developmentStorage = regexp.MustCompile(`(?i)(^|;)\s*(UseDevelopmentStorage=true|AccountName=devstoreaccount1)\s*(;|$)`)

// wholeHub reports a hub in a storage account that nobody can tell from that of another app.
func wholeHub(given map[string]bool, of map[string]value, env func(string) (string, bool)) error {
	emulated := developmentStorage.MatchString(of[AzureWebJobsStorage].text)
	where := siteOf(env)
	switch {
	case !given[AzureWebJobsStorage] && !given[AzureWebJobsStorage__accountName] && !given[AzureWebJobsStorage__tableServiceUri]:
		return nil
	case where.slot != "" && of[TaskHubName].from == FromDefault:
		return fmt.Errorf("%s is not set, and this is the slot %s of %s: give the slot a hub of its own, and mark the setting as one of the slot",
			TaskHubName, where.slot, where.name)
	case of[TaskHubOwner].from == FromDefault && !emulated:
		return fmt.Errorf("%s is not set, and the app does not run on App Service, which would name it: set it to the app's name,"+
			" the same for all its processes, so that no other app takes the hub for its own", TaskHubOwner)
	}
	return nil
}
