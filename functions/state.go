package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

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

// openState opens the store in which the app keeps everything, and says in a few
// words where that is.
func openState(ctx context.Context, values settings.Values, logger *slog.Logger) (s store.Store, where string, err error) {
	if inAccount(values) {
		return openHub(ctx, values, logger)
	}
	folder := values.Text(settings.DataFolder)
	s, err = filestore.Open(filepath.Join(folder, "store"), filestore.Options{Logger: logger})
	if err != nil {
		return nil, "", fmt.Errorf("%w; stop the other process, or choose another folder with -data FOLDER", err)
	}
	return s, folder, nil
}

// openHub opens the hub in the storage account that the settings name.
func openHub(ctx context.Context, values settings.Values, logger *slog.Logger) (store.Store, string, error) {
	o, err := hubOptions(values)
	if err != nil {
		return nil, "", err
	}
	o.Logger = logger
	s, err := tablestore.Open(ctx, o)
	if err != nil {
		return nil, "", err
	}
	return s, fmt.Sprintf("hub %s in %s", o.Hub, accountOf(values)), nil
}

// hubOptions says which hub to open and how to get at it.
func hubOptions(values settings.Values) (o tablestore.Options, err error) {
	o = tablestore.Options{
		Hub:              values.Text(settings.TaskHubName),
		ConnectionString: values.Secret(settings.AzureWebJobsStorage).Reveal(),
		TableURL:         endpoint(values, settings.AzureWebJobsStorage__tableServiceUri, "table"),
		QueueURL:         endpoint(values, settings.AzureWebJobsStorage__queueServiceUri, "queue"),
		Lease:            values.Duration(settings.DoorbellLease),
		Horizon:          values.Duration(settings.TimerHorizon),
		PollCeiling:      values.Duration(settings.MaxQueuePollingInterval),
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
