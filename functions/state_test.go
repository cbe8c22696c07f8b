package main

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
)

const keyed = "AzureWebJobsStorage=DefaultEndpointsProtocol=https;AccountName=shopstorage;AccountKey=aHVudGVyMg=="

func TestTheSettingsSayWhereTheStateIs(t *testing.T) {
	for _, tt := range []struct {
		env                          []string
		tables, queues, blobs, words string
	}{
		{[]string{"AzureWebJobsStorage=UseDevelopmentStorage=true"}, "", "", "", "Azurite"},
		{[]string{keyed}, "", "", "", "storage account shopstorage"},
		{[]string{"AzureWebJobsStorage__accountName=shopstorage"},
			"https://shopstorage.table.core.windows.net", "https://shopstorage.queue.core.windows.net", "https://shopstorage.blob.core.windows.net", "storage account shopstorage"},
		{[]string{"AzureWebJobsStorage__tableServiceUri=https://t.example/", "AzureWebJobsStorage__queueServiceUri=https://q.example", "AzureWebJobsStorage__blobServiceUri=https://b.example"},
			"https://t.example", "https://q.example", "https://b.example", "the storage account at https://t.example"},
		{[]string{"AzureWebJobsStorage__accountName=shopstorage", "AzureWebJobsStorage__tableServiceUri=https://t.example"},
			"https://t.example", "https://shopstorage.queue.core.windows.net", "https://shopstorage.blob.core.windows.net", "storage account shopstorage"},
	} {
		values := loadEnv(t, append(tt.env, "TaskHubOwner=shop")...)
		o, err := hubOptions(values)
		if err != nil {
			t.Fatal(err)
		}
		if o.TableURL != tt.tables || o.QueueURL != tt.queues || o.BlobURL != tt.blobs || accountOf(values) != tt.words || !inAccount(values) {
			t.Errorf("%q: tables at %q, queues at %q, blobs at %q, in %q", tt.env, o.TableURL, o.QueueURL, o.BlobURL, accountOf(values))
		}
		if (o.Credential == nil) != (o.ConnectionString != "") {
			t.Errorf("%q: a key and an identity, or neither", tt.env)
		}
	}
	if inAccount(loadEnv(t)) {
		t.Error("nothing is set and the state is in a storage account")
	}
}

func TestAStorageAccountWantsAKeyThatAllProcessesShare(t *testing.T) {
	values := loadEnv(t, keyed, "TaskHubOwner=shop", "DataFolder="+t.TempDir())
	_, err := newApp(t.Context(), values, options{Logger: slog.New(slog.DiscardHandler), Address: "127.0.0.1:1"})
	if !errors.Is(err, errNoKey) {
		t.Error(err)
	}
}

func loadEnv(t *testing.T, env ...string) settings.Values {
	t.Helper()
	values, _, err := settings.Load(nil, environment(env))
	if err != nil {
		t.Fatal(err)
	}
	return values
}
