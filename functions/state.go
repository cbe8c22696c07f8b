package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/filestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/functions/settings"
)

// inAccount reports whether the state is kept in a storage account and not in a
// folder.
func inAccount(values settings.Values) bool {
	return values.Secret(settings.AzureWebJobsStorage) != "" || endpoint(values, settings.AzureWebJobsStorage__tableServiceUri, "table") != ""
}

// stateOptions say how the state is opened.
type stateOptions struct {
	Logger     *slog.Logger
	Deployment string
	Existing   bool // only if it is there
	// Rouse is told when doorbells of a hub in a storage account ring; nil.
	Rouse func(ctx context.Context, at time.Time)
}

// openState opens the store in which the app keeps everything.
func openState(ctx context.Context, values settings.Values, o stateOptions) (store.Keeper, error) {
	if inAccount(values) {
		return openHub(ctx, values, o)
	}
	s, err := filestore.Open(storeFolder(values), filestore.Options{
		MaxInbox: values.Int(settings.MaxInboxMessages), Logger: o.Logger, Existing: o.Existing,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// storeFolder is the folder of the file store.
func storeFolder(values settings.Values) string {
	return filepath.Join(values.Text(settings.DataFolder), "store")
}

// whereState says in words where the state is kept.
func whereState(values settings.Values) string {
	if inAccount(values) {
		return fmt.Sprintf("hub %s in %s", values.Text(settings.TaskHubName), accountOf(values))
	}
	return "the folder " + values.Text(settings.DataFolder)
}

// openHub opens the hub in the storage account that the settings name.
func openHub(ctx context.Context, values settings.Values, o stateOptions) (store.Keeper, error) {
	table, err := hubOptions(values)
	if err != nil {
		return nil, err
	}
	table.Logger, table.Existing, table.Owner, table.Rouse = o.Logger, o.Existing, hubOwner(values, o.Deployment), o.Rouse
	s, err := tablestore.Open(ctx, table)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// hubOwner is the app as the owner of a hub. Whoever names the owner means that
// name wherever it is used; otherwise two sites of one name are two apps.
func hubOwner(values settings.Values, deployment string) store.Owner {
	owner := store.Owner{App: values.Text(settings.TaskHubOwner)}
	if values.Source(settings.TaskHubOwner) == settings.FromSite {
		owner.Deployment = deployment
	}
	return owner
}

// deploymentOf says where App Service runs the app: in which subscription and
// resource group. It is empty elsewhere.
func deploymentOf(env func(string) (string, bool)) string {
	owner, _ := env("WEBSITE_OWNER_NAME") // subscription+webspace
	subscription, _, _ := strings.Cut(owner, "+")
	group, _ := env("WEBSITE_RESOURCE_GROUP")
	return strings.Trim(subscription+"/"+group, "/")
}

// hubOptions says which hub to open and how to get at it.
func hubOptions(values settings.Values) (o tablestore.Options, err error) {
	o = tablestore.Options{
		Hub:              values.Text(settings.TaskHubName),
		ConnectionString: values.Secret(settings.AzureWebJobsStorage).Reveal(),
		TableURL:         endpoint(values, settings.AzureWebJobsStorage__tableServiceUri, "table"),
		QueueURL:         endpoint(values, settings.AzureWebJobsStorage__queueServiceUri, "queue"),
		BlobURL:          endpoint(values, settings.AzureWebJobsStorage__blobServiceUri, "blob"),
		Lease:            values.Duration(settings.DoorbellLease),
		Horizon:          values.Duration(settings.TimerHorizon),
		PollCeiling:      values.Duration(settings.MaxQueuePollingInterval),
		MaxInbox:         values.Int(settings.MaxInboxMessages),
	}
	if o.ConnectionString == "" {
		o.Credential, err = credential(values)
	}
	return o, err
}

// endpoint returns where a service of the storage account is, or "".
func endpoint(values settings.Values, setting, service string) string {
	account := values.Text(settings.AzureWebJobsStorage__accountName)
	if url := values.Text(setting); url != "" || account == "" {
		return url
	}
	return "https://" + account + "." + service + ".core.windows.net"
}

// accountOf says in words for people which storage account the settings name.
func accountOf(values settings.Values) string {
	for part := range strings.SplitSeq(values.Secret(settings.AzureWebJobsStorage).Reveal(), ";") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); {
		case strings.EqualFold(name, "UseDevelopmentStorage"):
			return "Azurite"
		case strings.EqualFold(name, "AccountName"):
			return "storage account " + value
		}
	}
	if account := values.Text(settings.AzureWebJobsStorage__accountName); account != "" {
		return "storage account " + account
	}
	return "the storage account at " + values.Text(settings.AzureWebJobsStorage__tableServiceUri)
}

// credential returns the identity that the settings name: a managed one, or
// whatever is found, which on a developer's machine is who logged in.
func credential(values settings.Values) (azcore.TokenCredential, error) {
	if values.Text(settings.AzureWebJobsStorage__credential) == "" {
		found, err := azidentity.NewDefaultAzureCredential(nil)
		if err != nil {
			return nil, fmt.Errorf("find an identity for the storage account: %w", err)
		}
		return found, nil
	}
	var o azidentity.ManagedIdentityCredentialOptions
	if id := values.Text(settings.AzureWebJobsStorage__clientId); id != "" {
		o.ID = azidentity.ClientID(id)
	}
	managed, err := azidentity.NewManagedIdentityCredential(&o)
	if err != nil {
		return nil, fmt.Errorf("use the managed identity for the storage account: %w", err)
	}
	return managed, nil
}
