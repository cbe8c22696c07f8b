package azure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// The versions of the APIs that are asked without the SDK.
const (
	webVersion        = "2025-03-01"
	hostVersion       = "2022-03-01" // of what Resource Manager passes on to the Functions host
	rightsVersion     = "2022-04-01"
	workspaceVersion  = "2025-02-01"
	identityVersion   = "2024-11-30"
	groupVersion      = "2021-04-01"
	deploymentsSuffix = "/api/deployments/"
)

// Site is a function app.
type Site struct {
	Name       string
	State      string // Running or Stopped
	Host       string // where it answers
	Management string // the host of its management site
	Flex       bool   // on Flex Consumption, which takes packages its own way
}

func (c *Client) site(name string) string {
	return c.group() + "/providers/Microsoft.Web/sites/" + url.PathEscape(name)
}

// Site returns the function app of a name.
func (c *Client) Site(ctx context.Context, name string) (*Site, error) {
	var answer struct {
		Properties struct {
			State             string `json:"state"`
			DefaultHostName   string `json:"defaultHostName"`
			SKU               string `json:"sku"`
			FunctionAppConfig any    `json:"functionAppConfig"`
			HostNameSSLStates []struct {
				Name     string `json:"name"`
				HostType string `json:"hostType"`
			} `json:"hostNameSslStates"`
		} `json:"properties"`
	}
	if _, err := c.call(ctx, http.MethodGet, c.site(name), webVersion, nil, &answer); err != nil {
		return nil, fmt.Errorf("look at the app %s: %w", name, err)
	}
	p := answer.Properties
	s := &Site{Name: name, State: p.State, Host: p.DefaultHostName, Flex: p.FunctionAppConfig != nil || strings.EqualFold(p.SKU, "FlexConsumption")}
	for _, h := range p.HostNameSSLStates {
		if strings.EqualFold(h.HostType, "Repository") {
			s.Management = h.Name
		}
	}
	return s, nil
}

// Restart restarts an app, which makes it read its references to the vault anew.
func (c *Client) Restart(ctx context.Context, app string) error {
	if _, err := c.call(ctx, http.MethodPost, c.site(app)+"/restart", webVersion, nil, nil); err != nil {
		return fmt.Errorf("restart %s: %w", app, err)
	}
	return nil
}

// Host is what the Functions host says of itself.
type Host struct {
	State   string   `json:"state"` // Running, Error, …
	Version string   `json:"version"`
	Errors  []string `json:"errors"`
}

// Host asks the Functions host of an app how it is. While it starts it may not answer, which is an error.
func (c *Client) Host(ctx context.Context, app string) (*Host, error) {
	h := &Host{}
	if _, err := c.call(ctx, http.MethodGet, c.site(app)+"/hostruntime/admin/host/status", hostVersion, nil, h); err != nil {
		return nil, fmt.Errorf("ask the host of %s: %w", app, err)
	}
	return h, nil
}

// Functions returns the names of the functions that an app has.
func (c *Client) Functions(ctx context.Context, app string) ([]string, error) {
	var answer struct {
		Value []struct {
			Name string `json:"name"` // app/function
		} `json:"value"`
	}
	if _, err := c.call(ctx, http.MethodGet, c.site(app)+"/functions", webVersion, nil, &answer); err != nil {
		return nil, fmt.Errorf("list the functions of %s: %w", app, err)
	}
	var names []string
	for _, f := range answer.Value {
		names = append(names, f.Name[strings.LastIndexByte(f.Name, '/')+1:])
	}
	return names, nil
}

// Reference is a setting that refers to a secret in a vault.
type Reference struct {
	Setting string
	State   string // Resolved if all is well
	Detail  string
}

// Resolved reports whether the app gets the secret.
func (r Reference) Resolved() bool { return r.State == "Resolved" }

// References returns the settings of an app that refer to secrets, and whether it gets them.
func (c *Client) References(ctx context.Context, app string) ([]Reference, error) {
	var answer struct {
		Value []struct {
			Name       string `json:"name"`
			ID         string `json:"id"`
			Properties struct {
				Status  string `json:"status"`
				Details string `json:"details"`
			} `json:"properties"`
		} `json:"value"`
	}
	if _, err := c.call(ctx, http.MethodGet, c.site(app)+"/config/configreferences/appsettings", webVersion, nil, &answer); err != nil {
		return nil, fmt.Errorf("look at what the settings of %s refer to: %w", app, err)
	}
	var out []Reference
	for _, v := range answer.Value {
		name := v.ID
		if name == "" {
			name = v.Name
		}
		out = append(out, Reference{name[strings.LastIndexByte(name, '/')+1:], v.Properties.Status, strings.Join(strings.Fields(v.Properties.Details), " ")})
	}
	return out, nil
}

// Ask makes a request to an app as anybody can, without a token, and returns the status and the beginning of the answer.
func (c *Client) Ask(ctx context.Context, address string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	var do policy.Transporter = &http.Client{Timeout: time.Minute}
	if c.o.Transport != nil {
		do = c.o.Transport
	}
	resp, err := do.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	return resp.StatusCode, strings.TrimSpace(string(body)), err
}

const longestAnswer = 4096
