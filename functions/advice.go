package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/functions/internal/hub"
	"github.com/seed21523604/holdfast/functions/settings"
)

// advised adds to an error what whoever reads it can do about it.
func advised(err error, values settings.Values) error {
	if advice := adviceOn(err, values); advice != "" {
		return fmt.Errorf("%w\n\n%s", err, advice)
	}
	return err
}

func adviceOn(err error, values settings.Values) string {
	name, owner := settings.TaskHubName, settings.TaskHubOwner
	switch {
	case errors.Is(err, store.ErrInUse):
		return "Stop the process that uses the folder, or choose another folder with -data FOLDER."
	case errors.Is(err, store.ErrNoHub):
		return fmt.Sprintf("Nothing is kept yet in %s; a hub is made when the app starts for the first time.", whereState(values))
	case errors.Is(err, tablestore.ErrOwned):
		return fmt.Sprintf("Two apps on one hub would take each other's work. Give this one a hub of its own: set %s.\n"+
			"If it is meant that both work on this hub, name its owner here as well: set %s.", name, owner)
	case errors.Is(err, hub.ErrForeign):
		return fmt.Sprintf("To delete it all the same, say -force; or name its owner, if that is who you are: set %s.", owner)
	case errors.Is(err, hub.ErrUnfinished):
		return "To delete it all the same, say -force."
	case !inAccount(values):
		return ""
	}
	return adviceOnAzure(err, values)
}

// adviceOnAzure explains why a storage account could not be used.
func adviceOnAzure(err error, values settings.Values) string {
	var answer *azcore.ResponseError
	var identity *azidentity.AuthenticationFailedError
	var name *net.DNSError
	account := accountOf(values)
	switch {
	case errors.As(err, &identity), strings.Contains(err.Error(), "DefaultAzureCredential"):
		return fmt.Sprintf("No token could be had for %s. On your own machine, run az login; on Azure, give the app an identity\nand set %s to managedidentity, and %s if the identity is user-assigned.",
			account, settings.AzureWebJobsStorage__credential, settings.AzureWebJobsStorage__clientId)
	case errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden && values.Secret(settings.AzureWebJobsStorage) == "":
		return fmt.Sprintf("The identity may not use %s. It needs the roles Storage Table Data Contributor, Storage Queue Data Contributor\nand Storage Blob Data Contributor there; a role that was just given takes some minutes to hold. The account's\nfirewall may also keep this machine out.", account)
	case errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden:
		return fmt.Sprintf("The key in %s is not that of %s, or the account does not take keys.", settings.AzureWebJobsStorage, account)
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Sprintf("There is no %s, or its name cannot be looked up here. In another cloud than Azure's public one, set the services' addresses: %s and the two like it.", account, settings.AzureWebJobsStorage__tableServiceUri)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens there. If it should be Azurite, start it: .ci/azurite/node_modules/.bin/azurite --skipApiVersionCheck"
	}
	return ""
}
