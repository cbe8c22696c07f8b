package azure_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments/fake"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure/armtest"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/change"
)

// client returns a client before a transport.
func client(t *testing.T, transport policy.Transporter) *azure.Client {
	t.Helper()
	c, err := azure.New(azure.Options{
		Subscription: "s", Group: "rg", Credential: &azfake.TokenCredential{}, Transport: transport, Pause: time.Millisecond,
		Retry: policy.RetryOptions{MaxRetries: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sdkFake is the SDK's own fake of deployments.
func sdkFake(s *fake.DeploymentsServer, o *fake.DeploymentOperationsServer) policy.Transporter {
	return fake.NewServerFactoryTransport(&fake.ServerFactory{DeploymentsServer: *s, DeploymentOperationsServer: *o})
}

func TestWhatIfIsReadAsTheSDKHasIt(t *testing.T) {
	var asked armdeployments.DeploymentWhatIf
	server := &fake.DeploymentsServer{BeginWhatIf: func(_ context.Context, group, name string, in armdeployments.DeploymentWhatIf, _ *armdeployments.DeploymentsClientBeginWhatIfOptions) (r azfake.PollerResponder[armdeployments.DeploymentsClientWhatIfResponse], e azfake.ErrorResponder) {
		asked = in
		change := func(kind armdeployments.ChangeType, id string) *armdeployments.WhatIfChange {
			return &armdeployments.WhatIfChange{ChangeType: &kind, ResourceID: to.Ptr("/subscriptions/s/resourceGroups/rg/providers/" + id)}
		}
		modified := change(armdeployments.ChangeTypeModify, "Microsoft.Sql/servers/a")
		modified.Delta = []*armdeployments.WhatIfPropertyChange{
			{Path: to.Ptr("properties.administratorLoginPassword"), PropertyChangeType: to.Ptr(armdeployments.PropertyChangeTypeModify), Before: "old", After: "new"},
			{Path: to.Ptr("properties.x"), PropertyChangeType: to.Ptr(armdeployments.PropertyChangeTypeNoEffect), Before: 1, After: 2},
		}
		unsupported := change(armdeployments.ChangeTypeUnsupported, "Microsoft.Sql/servers/b")
		unsupported.UnsupportedReason = to.Ptr("it has a name that isn't known yet")
		maybe := change(armdeployments.ChangeTypeCreate, "Microsoft.Sql/servers/c")
		r.AddNonTerminalResponse(http.StatusAccepted, nil)
		r.SetTerminalResponse(http.StatusOK, armdeployments.DeploymentsClientWhatIfResponse{WhatIfOperationResult: armdeployments.WhatIfOperationResult{
			Properties: &armdeployments.WhatIfOperationProperties{
				Changes:          []*armdeployments.WhatIfChange{unsupported, modified, change(armdeployments.ChangeTypeIgnore, "Microsoft.Sql/servers/d")},
				PotentialChanges: []*armdeployments.WhatIfChange{maybe},
			}}}, nil)
		return r, e
	}}
	c := client(t, sdkFake(server, &fake.DeploymentOperationsServer{}))
	changes, err := c.Preview(t.Context(), "d", azure.Template{JSON: map[string]any{"resources": []any{}}}, true)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := change.Write(&b, changes, false); err != nil {
		t.Fatal(err)
	}
	want := "Microsoft.Sql/servers\n  ~ a\n      ~ properties.administratorLoginPassword: *** → ***\n  ? b\n      it has a name that isn't known yet\n  + c\n" +
		"1 to create, 1 to modify, 1 that can't be told.\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if *asked.Properties.ValidationLevel != armdeployments.ValidationLevelProviderNoRbac {
		t.Errorf("asked for the level %s", *asked.Properties.ValidationLevel)
	}
}

func TestADeploymentThatFailsSaysWhy(t *testing.T) {
	looks := 0
	server := &fake.DeploymentsServer{
		Get: func(context.Context, string, string, *armdeployments.DeploymentsClientGetOptions) (r azfake.Responder[armdeployments.DeploymentsClientGetResponse], e azfake.ErrorResponder) {
			looks++
			state := armdeployments.ProvisioningStateRunning
			switch {
			case looks == 1: // there is none yet
				e.SetResponseError(http.StatusNotFound, "DeploymentNotFound")
				return r, e
			case looks > 3:
				state = armdeployments.ProvisioningStateFailed
			}
			r.SetResponse(http.StatusOK, armdeployments.DeploymentsClientGetResponse{DeploymentExtended: armdeployments.DeploymentExtended{
				Properties: &armdeployments.DeploymentPropertiesExtended{ProvisioningState: &state},
			}}, nil)
			return r, e
		},
		BeginCreateOrUpdate: func(context.Context, string, string, armdeployments.Deployment, *armdeployments.DeploymentsClientBeginCreateOrUpdateOptions) (r azfake.PollerResponder[armdeployments.DeploymentsClientCreateOrUpdateResponse], e azfake.ErrorResponder) {
			r.SetTerminalResponse(http.StatusOK, armdeployments.DeploymentsClientCreateOrUpdateResponse{}, nil)
			return r, e
		},
	}
	operations := &fake.DeploymentOperationsServer{NewListPager: func(string, string, *armdeployments.DeploymentOperationsClientListOptions) (r azfake.PagerResponder[armdeployments.DeploymentOperationsClientListResponse]) {
		state := map[bool]string{false: "Running", true: "Failed"}[looks > 3]
		r.AddPage(http.StatusOK, armdeployments.DeploymentOperationsClientListResponse{DeploymentOperationsListResult: armdeployments.DeploymentOperationsListResult{
			Value: []*armdeployments.DeploymentOperation{{ID: to.Ptr("1"), Properties: &armdeployments.DeploymentOperationProperties{
				ProvisioningState: &state, Duration: to.Ptr("PT1M2.4S"),
				TargetResource: &armdeployments.TargetResource{ResourceType: to.Ptr("Microsoft.KeyVault/vaults"), ResourceName: to.Ptr("v")},
				StatusMessage: &armdeployments.StatusMessage{Error: &armdeployments.ErrorResponse{Code: to.Ptr("Outer"), Message: to.Ptr("it failed"),
					Details: []*armdeployments.ErrorResponse{{Code: to.Ptr("VaultAlreadyExists"), Message: to.Ptr("the name is\n taken")}}}},
			}}},
		}}, nil)
		return r
	}}
	var told []string
	_, err := client(t, sdkFake(server, operations)).Deploy(t.Context(), "d", azure.Template{}, func(o azure.Operation) {
		told = append(told, o.Type+" "+o.Name+" "+o.State+" "+o.Took.String())
	})
	if want := []string{"Microsoft.KeyVault/vaults v Running 1m2s", "Microsoft.KeyVault/vaults v Failed 1m2s"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if err == nil || !strings.Contains(err.Error(), "Microsoft.KeyVault/vaults v: Outer: it failed; VaultAlreadyExists: the name is taken") {
		t.Errorf("the error is %v", err)
	}
}

func TestRefusalsAreTold(t *testing.T) {
	s := armtest.New()
	defer s.Close()
	c := client(t, armtest.Redirect(s.URL))
	if _, err := c.Deployment(t.Context(), "nothing"); !errors.Is(err, azure.ErrNotFound) {
		t.Errorf("the error is %v", err)
	}
	s.Change(func(a *armtest.Azure) { a.Denied = true })
	var denied *azure.AccessError
	for name, err := range map[string]error{
		"look": second(c.Deployment(t.Context(), "d")), "site": second(c.Site(t.Context(), armtest.App)), "vault": second(c.SetSecret(t.Context(), armtest.Vault, "a", "canary")),
		"preview": second(c.Preview(t.Context(), "d", azure.Template{}, false)), "queues": second(c.Poisoned(t.Context(), armtest.Account)),
		"logs": second(c.Logs(t.Context(), armtest.Workspace, time.Time{}, 1)),
	} {
		if !errors.As(err, &denied) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhoIsNotSignedInIsToldSo(t *testing.T) {
	credential := &azfake.TokenCredential{}
	credential.SetError(errors.New("DefaultAzureCredential: failed to acquire a token"))
	c, err := azure.New(azure.Options{Subscription: "s", Group: "rg", Credential: credential, Retry: policy.RetryOptions{MaxRetries: -1}})
	if err != nil {
		t.Fatal(err)
	}
	var denied *azure.AccessError
	for _, err := range []error{second(c.Whoami(t.Context())), second(c.Deployment(t.Context(), "d")), second(c.Poisoned(t.Context(), "a"))} {
		if !errors.As(err, &denied) || !strings.Contains(err.Error(), "run az login") {
			t.Errorf("the error is %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPublicationIsFollowedToItsEnd(t *testing.T) {
	for _, classic := range []bool{false, true} {
		s := armtest.New()
		defer s.Close()
		s.Change(func(a *armtest.Azure) { a.Classic, a.Busy = classic, 1 })
		c := client(t, armtest.Redirect(s.URL))
		site, err := c.Site(t.Context(), armtest.App)
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		if err := c.Publish(t.Context(), site, bytes.NewReader([]byte("a zip")), func(s string) { states = append(states, s) }); err != nil {
			t.Fatal(err)
		}
		if want := []string{"waiting for another publication", "deploying", "done"}; !slices.Equal(states, want) || string(s.Published()) != "a zip" {
			t.Errorf("classic %t: states %q, published %q", classic, states, s.Published())
		}
	}
}

func TestRightsAreTheSumOfRules(t *testing.T) {
	s := armtest.New()
	defer s.Close()
	s.Change(func(a *armtest.Azure) { a.Actions = []string{"Microsoft.Web/sites/*", "*/read"} })
	rights, err := client(t, armtest.Redirect(s.URL)).Rights(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string]bool{
		"Microsoft.Web/sites/write": true, "microsoft.web/sites/publish/Action": true, "Microsoft.KeyVault/vaults/read": true,
		"Microsoft.KeyVault/vaults/write": false, "Microsoft.Web/sitesX": false,
	} {
		if rights.Allow(action) != want {
			t.Errorf("%s is allowed: %t", action, !want)
		}
	}
}

func TestRemovingIsRepeatable(t *testing.T) {
	s := armtest.New()
	defer s.Close()
	c := client(t, armtest.Redirect(s.URL))
	d, err := c.Deploy(t.Context(), "d", azure.Template{JSON: map[string]any{}}, func(azure.Operation) {})
	if err != nil {
		t.Fatal(err)
	}
	// The second time the record that names what is inside is gone with the rest.
	for _, want := range [][]string{{armtest.Vault, armtest.App, armtest.Account}, {armtest.App, armtest.Account}} {
		var removed []string
		if err := c.Remove(t.Context(), d, func(id string) { removed = append(removed, id[strings.LastIndexByte(id, '/')+1:]) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(removed, want) {
			t.Errorf("removed %q, want %q", removed, want)
		}
	}
}
