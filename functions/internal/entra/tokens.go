package entra

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// The errors of Check and Person. None of them repeats anything of the token.
var (
	// ErrInvalid is returned for what the tenant did not sign, or not for
	// this application, or not for now.
	ErrInvalid = errors.New("not a current token of the tenant for this application")
	// ErrExpired is returned for a token that is too old.
	ErrExpired = errors.New("the token has expired")
	// ErrRole is returned for a good token of somebody who is no operator.
	ErrRole = errors.New("the token does not carry the operators' role")
	// ErrPerson is returned for a good token that is not a person's.
	ErrPerson = errors.New("the token is not that of a person")
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

// claims are what a token says of its bearer.
type claims struct {
	Roles []string `json:"roles"`
	// Name is who signed in, in a token of version 2, and UPN in one of
	// version 1. An application that acts for itself has neither.
	Name string `json:"preferred_username"`
	UPN  string `json:"upn"`
}

// Check returns nil for the token of an operator.
func (t *Tokens) Check(ctx context.Context, token string) error {
	c, err := t.read(ctx, token)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Roles, t.role) {
		return ErrRole
	}
	return nil
}

// Person returns who signed in to get a token, by the name that the tenant's
// administrators gave them. ErrPerson is returned for the token of a program.
func (t *Tokens) Person(ctx context.Context, token string) (string, error) {
	c, err := t.read(ctx, token)
	if err != nil {
		return "", err
	}
	name := cmp.Or(c.Name, c.UPN)
	if name == "" {
		return "", ErrPerson
	}
	return name, nil
}

// read returns what a good token says.
func (t *Tokens) read(ctx context.Context, token string) (c claims, err error) {
	parsed, err := t.verifier.Verify(ctx, token)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return c, ErrExpired
	case err != nil, !slices.Contains(t.issuers, parsed.Issuer), parsed.Claims(&c) != nil:
		return c, ErrInvalid
	}
	return c, nil
}
