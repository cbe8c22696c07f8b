package settings_test

import (
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/settings"
)

const (
	goodKeyed    = "DefaultEndpointsProtocol=https;AccountName=shopstorage;AccountKey=aHVudGVyMg==;EndpointSuffix=core.windows.net"
	goodClientID = "00000000-1111-2222-3333-444444444444"
)

func TestAStorageAccountIsNamedInOneWay(t *testing.T) {
	table, queue, blob := "AzureWebJobsStorage__tableServiceUri", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__blobServiceUri"
	account, credential, client := "AzureWebJobsStorage__accountName", "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId"
	for _, tt := range []struct {
		name string
		env  []string
		want string // in the error; none if it is empty
	}{
		{"none", nil, ""},
		{"Azurite", []string{"AzureWebJobsStorage", "UseDevelopmentStorage=true"}, ""},
		{"a key", []string{"AzureWebJobsStorage", goodKeyed}, ""},
		{"no key", []string{"AzureWebJobsStorage", "AccountName=shopstorage"}, "right form"},
		{"a signature", []string{"AzureWebJobsStorage", "TableEndpoint=https://x;SharedAccessSignature=hunter2"}, "right form"},
		{"an account", []string{account, "shopstorage"}, ""},
		{"an account's bad name", []string{account, "shop-storage"}, "right form"},
		{"an identity", []string{account, "shopstorage", credential, "managedidentity"}, ""},
		{"another identity", []string{account, "shopstorage", credential, "ManagedIdentity"}, "managedidentity"},
		{"a user-assigned identity", []string{account, "shopstorage", credential, "managedidentity", client, goodClientID}, ""},
		{"no identity for a client", []string{account, "shopstorage", client, goodClientID}, credential + " does not"},
		{"a client that is none", []string{account, "shopstorage", credential, "managedidentity", client, "me"}, "right form"},
		{"a sovereign cloud", []string{table, "https://a.table.core.chinacloudapi.cn", queue, "https://a.queue.core.chinacloudapi.cn", blob, "https://a.blob.core.chinacloudapi.cn"}, ""},
		{"a part of one", []string{table, "https://a.table.core.chinacloudapi.cn"}, blob + " and " + queue},
		{"one service elsewhere", []string{account, "shopstorage", table, "https://elsewhere.example"}, ""},
		{"no encryption", []string{account, "shopstorage", table, "http://elsewhere.example"}, "right form"},
		{"an identity and no account", []string{credential, "managedidentity"}, account},
		{"a key and an account", []string{"AzureWebJobsStorage", goodKeyed, account, "shopstorage"}, "both set"},
		{"an empty key and an account", []string{"AzureWebJobsStorage", "", account, "shopstorage"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := settings.Load(nil, environment(append(tt.env, "TaskHubOwner", "shop")...))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("no %q in: %v", tt.want, err)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVyMg")) {
				t.Errorf("a secret is in: %v", err)
			}
		})
	}
}

func TestTheHubIsNamedAfterTheSite(t *testing.T) {
	for _, tt := range []struct {
		env        []string
		hub, owner string
		from       settings.Source
	}{
		{nil, "TestHubName", "local", settings.FromDefault},
		{[]string{"WEBSITE_SITE_NAME", "shop"}, "shop", "shop", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", "shop", "WEBSITE_SLOT_NAME", "Production"}, "shop", "shop", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", "my-shop-42"}, "myshop42", "my-shop-42", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", "4-seasons"}, "t4seasons", "4-seasons", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", "ab"}, "abHub", "ab", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", strings.Repeat("shop", 15)}, strings.Repeat("shop", 11) + "s", strings.Repeat("shop", 15), settings.FromSite},
		{[]string{"CONTAINER_APP_NAME", "shop"}, "shop", "shop", settings.FromSite},
		{[]string{"WEBSITE_SITE_NAME", "shop", "TaskHubName", "Mine", "TaskHubOwner", "me"}, "Mine", "me", settings.FromEnv},
	} {
		v := load(t, nil, tt.env...)
		hub, owner := v.Text(settings.TaskHubName), v.Text(settings.TaskHubOwner)
		if hub != tt.hub || owner != tt.owner || v.Source(settings.TaskHubName) != tt.from || v.Source(settings.TaskHubOwner) != tt.from {
			t.Errorf("%q: hub %s of %s from %s, want %s of %s", tt.env, hub, owner, v.Source(settings.TaskHubName), tt.hub, tt.owner)
		}
	}
}

func TestASlotHasAHubOfItsOwn(t *testing.T) {
	slot := []string{"WEBSITE_SITE_NAME", "shop", "WEBSITE_SLOT_NAME", "staging"}
	account := append(slot, settings.AzureWebJobsStorage__accountName, "shopstorage")
	_, _, err := settings.Load(nil, environment(account...))
	if err == nil || !strings.Contains(err.Error(), "TaskHubName is not set, and this is the slot staging of shop") {
		t.Error(err)
	}
	if v := load(t, nil, append(account, "TaskHubName", "ShopStaging")...); v.Text(settings.TaskHubOwner) != "shop/staging" {
		t.Errorf("it is of %s", v.Text(settings.TaskHubOwner))
	}
	load(t, nil, slot...) // in a folder of its own
}

func TestAHubInARealAccountHasAnOwner(t *testing.T) {
	for _, account := range [][]string{
		{settings.AzureWebJobsStorage, goodKeyed},
		{settings.AzureWebJobsStorage__accountName, "shopstorage"},
	} {
		_, _, err := settings.Load(nil, environment(account...))
		if err == nil || !strings.Contains(err.Error(), "TaskHubOwner is not set") {
			t.Errorf("%q: %v", account, err)
		}
		load(t, nil, append(account, "TaskHubOwner", "shop")...)
		load(t, nil, append(account, "WEBSITE_SITE_NAME", "shop")...)
	}
	for _, emulated := range []string{"UseDevelopmentStorage=true", "AccountName=devstoreaccount1;AccountKey=aHVudGVyMg=="} {
		load(t, nil, settings.AzureWebJobsStorage, emulated)
	}
}
