package entra_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/seed21523604/holdfast/functions/internal/entra"
)

const (
	tenant   = "00000000-1111-2222-3333-444444444444"
	audience = "api://shop"
	role     = "Holdfast.Operator"
)

// tenancy is an Entra tenant on this machine, with a clock that the test moves.
type tenancy struct {
	t       *testing.T
	url     string
	now     time.Time
	keys    atomic.Pointer[jose.JSONWebKeySet]
	fetches atomic.Int32
	down    atomic.Bool
}

func newTenancy(t *testing.T, keys ...jose.JSONWebKey) *tenancy {
	t.Helper()
	e := &tenancy{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	e.publish(keys...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.fetches.Add(1)
		if r.URL.Path != "/"+tenant+"/discovery/v2.0/keys" {
			http.NotFound(w, r)
			return
		}
		if e.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(e.keys.Load())
	}))
	t.Cleanup(server.Close)
	e.url = server.URL
	return e
}

func (e *tenancy) publish(keys ...jose.JSONWebKey) {
	set := &jose.JSONWebKeySet{}
	for _, key := range keys {
		set.Keys = append(set.Keys, key.Public())
	}
	e.keys.Store(set)
}

func (e *tenancy) tokens() *entra.Tokens {
	return entra.New(entra.Options{Authority: e.url + "/", Tenant: tenant, Audience: audience, Role: role, Now: func() time.Time { return e.now }})
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(jose.RS256), Use: "sig"}
}

// claims are those of an operator's token, with some changed or, if nil, left
// out.
func (e *tenancy) claims(change map[string]any) map[string]any {
	c := map[string]any{
		"iss": e.url + "/" + tenant + "/v2.0", "aud": audience, "sub": "someone", "roles": []string{"Other", role},
		"iat": e.now.Unix(), "nbf": e.now.Unix(), "exp": e.now.Add(time.Hour).Unix(),
	}
	for name, value := range change {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOnlyAnOperatorsTokenOfTheTenantOpens(t *testing.T) {
	key, other := newKey(t, "a"), newKey(t, "a")
	e := newTenancy(t, key)
	tokens := e.tokens()
	for name, test := range map[string]struct {
		change map[string]any
		want   error
	}{
		"version 2":              {nil, nil},
		"version 1":              {map[string]any{"iss": "https://sts.windows.net/" + tenant + "/"}, nil},
		"for several":            {map[string]any{"aud": []string{"x", audience}}, nil},
		"another tenant":         {map[string]any{"iss": e.url + "/99999999-1111-2222-3333-444444444444/v2.0"}, entra.ErrInvalid},
		"another authority":      {map[string]any{"iss": "https://evil.example/" + tenant + "/v2.0"}, entra.ErrInvalid},
		"no issuer":              {map[string]any{"iss": nil}, entra.ErrInvalid},
		"another audience":       {map[string]any{"aud": "api://else"}, entra.ErrInvalid},
		"no audience":            {map[string]any{"aud": nil}, entra.ErrInvalid},
		"expired":                {map[string]any{"exp": e.now.Add(-time.Second).Unix()}, entra.ErrExpired},
		"never expires":          {map[string]any{"exp": nil}, entra.ErrExpired},
		"not yet":                {map[string]any{"nbf": e.now.Add(time.Hour).Unix()}, entra.ErrInvalid},
		"another role":           {map[string]any{"roles": []string{"Holdfast.Reader"}}, entra.ErrRole},
		"no roles":               {map[string]any{"roles": nil}, entra.ErrRole},
		"the role as a scope":    {map[string]any{"roles": nil, "scp": role}, entra.ErrRole},
		"roles that are no list": {map[string]any{"roles": role}, entra.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tokens.Check(t.Context(), sign(t, jose.RS256, key, e.claims(test.change))); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	if err := tokens.Check(t.Context(), sign(t, jose.RS256, other, e.claims(nil))); !errors.Is(err, entra.ErrInvalid) {
		t.Errorf("signed by another key of the same name: %v", err)
	}
}

func TestATokenSaysWhoSignedIn(t *testing.T) {
	key := newKey(t, "a")
	e := newTenancy(t, key)
	tokens := e.tokens()
	for name, test := range map[string]struct {
		change map[string]any
		who    string
		want   error
	}{
		"version 2":      {map[string]any{"preferred_username": "ann@example.org", "roles": nil}, "ann@example.org", nil},
		"version 1":      {map[string]any{"iss": "https://sts.windows.net/" + tenant + "/", "upn": "ann@example.org"}, "ann@example.org", nil},
		"a program":      {nil, "", entra.ErrPerson},
		"another tenant": {map[string]any{"preferred_username": "ann@example.org", "iss": "https://evil.example/v2.0"}, "", entra.ErrInvalid},
		"another app":    {map[string]any{"preferred_username": "ann@example.org", "aud": "api://else"}, "", entra.ErrInvalid},
		"expired":        {map[string]any{"preferred_username": "ann@example.org", "exp": e.now.Add(-time.Second).Unix()}, "", entra.ErrExpired},
	} {
		if who, err := tokens.Person(t.Context(), sign(t, jose.RS256, key, e.claims(test.change))); who != test.who || !errors.Is(err, test.want) {
			t.Errorf("%s: %q, %v", name, who, err)
		}
	}
}

func TestTokensThatAreNotSignedByTheTenantOpenNothing(t *testing.T) {
	key := newKey(t, "a")
	e := newTenancy(t, key)
	tokens := e.tokens()
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	public, err := json.Marshal(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, jose.RS256, key, e.claims(nil))
	for name, token := range map[string]string{
		"empty":                    "",
		"no token":                 "hello",
		"unsigned":                 part(map[string]string{"alg": "none"}) + "." + part(e.claims(nil)) + ".",
		"signed by the public key": sign(t, jose.HS256, public, e.claims(nil)),
		"without a signature":      good[:strings.LastIndexByte(good, '.')+1],
		"cut short":                good[:len(good)-4],
		"another payload":          strings.Replace(good, strings.Split(good, ".")[1], part(e.claims(map[string]any{"sub": "else"})), 1),
	} {
		if err := tokens.Check(t.Context(), token); !errors.Is(err, entra.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tokens.Check(t.Context(), good); err != nil {
		t.Error(err)
	}
}

func TestNewKeysAreFetchedAndBadTokensDoNotMakeItBusy(t *testing.T) {
	old, next := newKey(t, "old"), newKey(t, "next")
	e := newTenancy(t, old)
	tokens := e.tokens()
	for range 100 {
		if err := tokens.Check(t.Context(), sign(t, jose.RS256, next, e.claims(nil))); !errors.Is(err, entra.ErrInvalid) {
			t.Fatal(err)
		}
	}
	if n := e.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	e.publish(old, next)
	e.now = e.now.Add(2 * time.Minute)
	if err := checkSoon(t, tokens, sign(t, jose.RS256, next, e.claims(nil))); err != nil {
		t.Error(err)
	}
	if n := e.fetches.Load(); n != 2 {
		t.Errorf("%d fetches", n)
	}
}

func TestWhileTheTenantIsNotReachedNobodyIsLetIn(t *testing.T) {
	key := newKey(t, "a")
	e := newTenancy(t, key)
	e.down.Store(true)
	tokens := e.tokens()
	token := sign(t, jose.RS256, key, e.claims(nil))
	if err := tokens.Check(t.Context(), token); !errors.Is(err, entra.ErrInvalid) {
		t.Error(err)
	}
	e.down.Store(false)
	e.now = e.now.Add(10 * time.Second)
	if err := checkSoon(t, tokens, token); err != nil {
		t.Errorf("when it is reached again: %v", err)
	}
}

// checkSoon checks a token that is good by the keys of the next fetch. The library may
// still be about to forget the fetch before.
func checkSoon(t *testing.T, tokens *entra.Tokens, token string) (err error) {
	t.Helper()
	for t.Context().Err() == nil {
		if err = tokens.Check(t.Context(), token); err == nil {
			return nil
		}
		runtime.Gosched()
	}
	return err
}
