package entra

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// The errors of Check. None of them repeats anything of the token.
var (
	// ErrInvalid is returned for what the tenant did not sign, or not for
	// this application, or not for now.
	ErrInvalid = errors.New("not a current token of the tenant for this application")
	// ErrExpired is returned for a token that is too old.
	ErrExpired = errors.New("the token has expired")
	// ErrRole is returned for a good token of somebody who is no operator.
	ErrRole = errors.New("the token does not carry the operators' role")
)

// Options say whose tokens count.
type Options struct {
	// Authority is where Entra is, such as https://login.microsoftonline.com.
	Authority string
	// Tenant is the id of the tenant.
	Tenant string
	// Audience is the application that tokens must be made out for.
	Audience string
	// Role is the app role that an operator has.
	Role string
	// Now is the clock; time.Now.
	Now func() time.Time
}

// Tokens checks bearer tokens. Its methods may be called concurrently. The keys
// of the tenant are fetched when a token first needs them.
type Tokens struct {
	issuers  []string
	role     string
	verifier *oidc.IDTokenVerifier
}

// New returns what checks the tokens of a tenant. It fetches nothing.
func New(o Options) *Tokens {
	if o.Now == nil {
		o.Now = time.Now
	}
	base := strings.TrimSuffix(o.Authority, "/") + "/" + o.Tenant
	web := &http.Client{Transport: &sparing{next: http.DefaultTransport, now: o.Now}, Timeout: 10 * time.Second}
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), web), base+"/discovery/v2.0/keys")
	return &Tokens{
		issuers: []string{base + "/v2.0", "https://sts.windows.net/" + o.Tenant + "/"},
		role:    o.Role,
		// An application gets tokens of version 1 or 2, which name their
		// issuer differently. Both are compared here, after the signature.
		verifier: oidc.NewVerifier("", keys, &oidc.Config{ClientID: o.Audience, SkipIssuerCheck: true, Now: o.Now}),
	}
}

// Check returns nil for the token of an operator.
func (t *Tokens) Check(ctx context.Context, token string) error {
	parsed, err := t.verifier.Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return ErrExpired
	case err != nil:
		return ErrInvalid
	case !slices.Contains(t.issuers, parsed.Issuer):
		return ErrInvalid
	}
	var claims struct {
		Roles []string `json:"roles"`
	}
	if err := parsed.Claims(&claims); err != nil {
		return ErrInvalid
	}
	if !slices.Contains(claims.Roles, t.role) {
		return ErrRole
	}
	return nil
}
