package azure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Person is who is signed in.
type Person struct {
	Name   string // an address, or the id of an application
	Tenant string
}

// Whoami returns who is signed in, as the token that Azure was given says. The token itself is not checked; Azure does that.
func (c *Client) Whoami(ctx context.Context) (*Person, error) {
	token, err := c.o.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{managementScope()}})
	if err != nil {
		return nil, known(err)
	}
	var claims struct {
		Name   string `json:"upn"`
		Unique string `json:"unique_name"`
		App    string `json:"appid"`
		Tenant string `json:"tid"`
	}
	parts := strings.Split(token.Token, ".")
	if len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(text, &claims) // a token that can't be read names nobody
		}
	}
	p := &Person{Tenant: claims.Tenant}
	for _, name := range []string{claims.Name, claims.Unique, claims.App, "somebody whose token can't be read"} {
		if p.Name == "" {
			p.Name = name
		}
	}
	return p, nil
}

// Clock returns Azure's time, to the second.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	resp, err := c.call(ctx, http.MethodGet, c.group(), groupVersion, nil, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at the resource group %s: %w", c.o.Group, err)
	}
	return http.ParseTime(resp.Header.Get("Date"))
}

// Rights are what somebody may do in a resource group.
type Rights struct {
	rules []rule
}

type rule struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Rights returns what whoever is signed in may do in the resource group.
func (c *Client) Rights(ctx context.Context) (*Rights, error) {
	var answer struct {
		Value []rule `json:"value"`
	}
	if _, err := c.call(ctx, http.MethodGet, c.group()+"/providers/Microsoft.Authorization/permissions", rightsVersion, nil, &answer); err != nil {
		return nil, fmt.Errorf("ask what is allowed in %s: %w", c.o.Group, err)
	}
	return &Rights{answer.Value}, nil
}

// Allow reports whether an action is allowed, such as Microsoft.Web/sites/write.
func (r *Rights) Allow(action string) bool {
	for _, rule := range r.rules {
		if matches(rule.Actions, action) && !matches(rule.NotActions, action) {
			return true
		}
	}
	return false
}

func matches(patterns []string, action string) bool {
	for _, p := range patterns {
		expression := "(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$"
		if ok, err := regexp.MatchString(expression, action); err == nil && ok {
			return true
		}
	}
	return false
}

// Roles returns the ids of the roles that a principal has in the resource group or on something in it.
func (c *Client) Roles(ctx context.Context, principal string) ([]string, error) {
	var answer struct {
		Value []struct {
			Properties struct {
				Role string `json:"roleDefinitionId"`
			} `json:"properties"`
		} `json:"value"`
	}
	query := url.Values{"$filter": {"principalId eq '" + principal + "'"}}
	if _, err := c.call(ctx, http.MethodGet, c.group()+"/providers/Microsoft.Authorization/roleAssignments", rightsVersion, query, &answer); err != nil {
		return nil, fmt.Errorf("list the roles of %s: %w", principal, err)
	}
	var ids []string
	for _, v := range answer.Value {
		ids = append(ids, v.Properties.Role[strings.LastIndexByte(v.Properties.Role, '/')+1:])
	}
	return ids, nil
}

// Principal returns the principal of the identity with a client id that an app works as.
func (c *Client) Principal(ctx context.Context, clientID string) (string, error) {
	var answer struct {
		Value []struct {
			Properties struct {
				ClientID    string `json:"clientId"`
				PrincipalID string `json:"principalId"`
			} `json:"properties"`
		} `json:"value"`
	}
	if _, err := c.call(ctx, http.MethodGet, c.group()+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities", identityVersion, nil, &answer); err != nil {
		return "", fmt.Errorf("list the identities of %s: %w", c.o.Group, err)
	}
	for _, v := range answer.Value {
		if strings.EqualFold(v.Properties.ClientID, clientID) {
			return v.Properties.PrincipalID, nil
		}
	}
	return "", fmt.Errorf("the identity %s: %w", clientID, ErrNotFound)
}
