// Package azure is what the deploy command does in Azure: deployments and what they would change, by the SDK for Resource
// Manager; and by plain requests the few things that the app itself is asked for: publishing a package, the state of the host
// and of the references to the vault, rights, logs.
//
// A [Client] works in one resource group. Nothing is kept between calls, so a command that was stopped anywhere can be run
// again, and follows what still goes on.
package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armdeployments"
)

// The name and version under which requests are made.
const (
	moduleName    = "holdfast-deploy"
	moduleVersion = "v0.1.0"
)

// Options say where a client works and as whom.
type Options struct {
	Subscription string
	Group        string
	Credential   azcore.TokenCredential // nil: whoever is signed in on this machine
	Transport    policy.Transporter     // nil: the SDK's own
	Retry        policy.RetryOptions    // the zero value: the SDK's own
	Pause        time.Duration          // between looks at what goes on; 0: 3 seconds
}

// Client works in one resource group. It is safe for concurrent use.
type Client struct {
	o           Options
	arm         *arm.Client
	deployments *armdeployments.DeploymentsClient
	operations  *armdeployments.DeploymentOperationsClient
	plain       policy.ClientOptions
}

// New returns a client. It asks nobody anything.
func New(o Options) (*Client, error) {
	if o.Credential == nil {
		c, err := azidentity.NewDefaultAzureCredential(nil)
		if err != nil {
			return nil, &AccessError{fmt.Errorf("find out who is signed in: %w", err)}
		}
		o.Credential = c
	}
	if o.Pause == 0 {
		o.Pause = 3 * time.Second
	}
	plain := policy.ClientOptions{Cloud: cloud.AzurePublic, Transport: o.Transport, Retry: o.Retry, Telemetry: policy.TelemetryOptions{ApplicationID: moduleName}}
	options := &arm.ClientOptions{ClientOptions: plain}
	c := &Client{o: o, plain: plain}
	var errs [3]error
	c.arm, errs[0] = arm.NewClient(moduleName, moduleVersion, o.Credential, options)
	c.deployments, errs[1] = armdeployments.NewDeploymentsClient(o.Subscription, o.Credential, options)
	c.operations, errs[2] = armdeployments.NewDeploymentOperationsClient(o.Subscription, o.Credential, options)
	return c, errors.Join(errs[:]...)
}

// group is the path of the resource group.
func (c *Client) group() string {
	return "/subscriptions/" + url.PathEscape(c.o.Subscription) + "/resourceGroups/" + url.PathEscape(c.o.Group)
}

// call makes one request to Resource Manager and reads its JSON into out, unless that is nil. The response's body is read.
func (c *Client) call(ctx context.Context, method, path, version string, query url.Values, out any) (*http.Response, error) {
	req, err := runtime.NewRequest(ctx, method, runtime.JoinPaths(c.arm.Endpoint(), path))
	if err != nil {
		return nil, err
	}
	q := req.Raw().URL.Query()
	q.Set("api-version", version)
	for name, values := range query {
		q[name] = values
	}
	req.Raw().URL.RawQuery = q.Encode()
	req.Raw().Header.Set("Accept", "application/json")
	return send(c.arm.Pipeline(), req, out)
}

// send makes a request and turns a refusal into an error.
func send(p runtime.Pipeline, req *policy.Request, out any) (*http.Response, error) {
	resp, err := p.Do(req)
	if err != nil {
		return nil, known(err)
	}
	if !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
		return resp, known(runtime.NewResponseError(resp))
	}
	if out == nil {
		runtime.Drain(resp)
		return resp, nil
	}
	return resp, runtime.UnmarshalAsJSON(resp, out)
}

// pipeline sends requests with a token for an audience other than Resource Manager's.
func (c *Client) pipeline(scope string) runtime.Pipeline {
	token := runtime.NewBearerTokenPolicy(c.o.Credential, []string{scope}, nil)
	return runtime.NewPipeline(moduleName, moduleVersion, runtime.PipelineOptions{PerRetry: []policy.Policy{token}}, &c.plain)
}

// managementScope is the audience of Resource Manager, which the app's own management site takes too.
func managementScope() string {
	return cloud.AzurePublic.Services[cloud.ResourceManager].Audience + "/.default"
}

// Pause waits between two looks at something that goes on, and returns the context's error when that ends.
func (c *Client) Pause(ctx context.Context) error {
	t := time.NewTimer(c.o.Pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
