package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
	"github.com/seed21523604/holdfast/functions/settings"
	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// tokenSource is the endpoint at which App Service gives an app the tokens of its
// managed identities.
// Its protocol: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
type tokenSource struct {
	*httptest.Server
	secret   string // which callers must know
	audience string // of the tokens

	mu    sync.Mutex
	asked []url.Values
	given []string
}

func newTokenSource(t *testing.T, audience string) *tokenSource {
	s := &tokenSource{secret: "header-secret-0123456789", audience: audience}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP answers with a token.
func (s *tokenSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-IDENTITY-HEADER") != s.secret || r.URL.Query().Get("api-version") != "2019-08-01" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	now := time.Now()
	token := s.token(now)
	s.mu.Lock()
	s.asked, s.given = append(s.asked, r.URL.Query()), append(s.given, token)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"access_token": token, "token_type": "Bearer", "resource": r.URL.Query().Get("resource"),
		"expires_on": fmt.Sprint(now.Add(time.Hour).Unix()),
	})
}

// token is a token as Entra makes them, but for the signature.
func (s *tokenSource) token(now time.Time) string {
	part := func(v map[string]any) string {
		b, _ := json.Marshal(v) // texts and numbers
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims := map[string]any{
		"aud": s.audience, "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	return part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte("signature"))
}

// encrypted starts an emulator that speaks TLS and takes tokens, and returns it
// with the file of the certificate that it shows.
func encrypted(t *testing.T) (*azuritetest.Emulator, string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	shown := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(shown.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	o := azuritetest.Options{Certificate: filepath.Join(t.TempDir(), "certificate.pem"), Key: filepath.Join(t.TempDir(), "key.pem")}
	err = errors.Join(
		os.WriteFile(o.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: shown.Certificate[0]}), 0o600),
		os.WriteFile(o.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return emulator(t, o), o.Certificate
}

// The process has no key, so whatever it stores it stores with a token.
func TestTheAppUsesItsManagedIdentity(t *testing.T) {
	const client = "01234567-89ab-cdef-0123-456789abcdef"
	e, certificate := encrypted(t)
	for _, tt := range []struct {
		name, audience string
		env            []string
		client         string
		refused        string
	}{
		{name: "a user-assigned one", env: []string{"AzureWebJobsStorage__credential=managedidentity", "AzureWebJobsStorage__clientId=" + client}, client: client},
		{name: "its own", env: []string{"AzureWebJobsStorage__credential=managedidentity"}},
		{name: "the one that is found"},
		{name: "one without a role", audience: "https://vault.azure.net", refused: "Storage Table Data Contributor"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.audience == "" {
				tt.audience = "https://storage.azure.com"
			}
			source := newTokenSource(t, tt.audience)
			tw := twiliotest.New(t)
			p := newProcess(t, tw, append(withIdentity(e, source, certificate), tt.env...)...)
			if tt.refused != "" {
				if text := p.fails("hub", "show"); !strings.Contains(text, tt.refused) {
					t.Error(text)
				}
				return
			}
			p.start()
			p.request(http.MethodPost, localPath+"/orchestrators/SmsVerify/a", `"`+number+`"`)
			if _, err := tw.Wait(t.Context(), number, 1); err != nil {
				t.Fatal(err)
			}
			p.kill()
			source.check(t, tt.client)
			p.isInAccount(e, certificate)
			for _, secret := range append(source.given, source.secret) {
				if strings.Contains(p.log.String(), secret) {
					t.Error("a token or the endpoint's secret is in the log")
				}
			}
		})
	}
}

// withIdentity returns the settings of an app that reaches its storage account
// with an identity, and what App Service adds.
func withIdentity(e *azuritetest.Emulator, source *tokenSource, certificate string) []string {
	blobs, queues, tables := e.Endpoints()
	without := slices.DeleteFunc(inAzurite(e), func(pair string) bool { return strings.HasPrefix(pair, "AzureWebJobsStorage=") })
	return append(without,
		"AzureWebJobsStorage__blobServiceUri="+blobs, "AzureWebJobsStorage__queueServiceUri="+queues, "AzureWebJobsStorage__tableServiceUri="+tables,
		"IDENTITY_ENDPOINT="+source.URL+"/msi/token", "IDENTITY_HEADER="+source.secret, "SSL_CERT_FILE="+certificate)
}

// check compares what the endpoint was asked for with what it should have been.
func (s *tokenSource) check(t *testing.T, client string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) == 0 {
		t.Error("no token was asked for")
	}
	for _, q := range s.asked {
		if q.Get("client_id") != client || strings.TrimSuffix(q.Get("resource"), "/") != "https://storage.azure.com" {
			t.Errorf("asked with %v", q)
		}
	}
}

// isInAccount checks, with the account's key, that the process left its state
// there. Whoever shows the certificate is trusted.
func (p *process) isInAccount(e *azuritetest.Emulator, certificate string) {
	p.t.Helper()
	text, err := os.ReadFile(certificate)
	if err != nil {
		p.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	o := tablestore.Options{ConnectionString: e.ConnectionString(), Hub: p.values().Text(settings.TaskHubName), Existing: true}
	o.Client.Transport = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	s, err := tablestore.Open(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Get(p.t.Context(), "a"); err != nil {
		p.t.Error(err)
	}
}

// fails runs another command as a process of its own, which must not succeed, and
// returns what it prints.
func (p *process) fails(args ...string) string {
	p.t.Helper()
	command := exec.Command(os.Args[0], append(args, "-data", p.folder)...)
	command.Env = p.env
	out, err := command.CombinedOutput()
	if err == nil {
		p.t.Errorf("%q succeeded", args)
	}
	return string(out)
}
