package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where and as whom the real provider works in the tests.
const (
	testSubscription = "00000000-0000-0000-0000-000000000001"
	testTenant       = "00000000-0000-0000-0000-000000000002"
	testClient       = "00000000-0000-0000-0000-000000000003"
	testObject       = "00000000-0000-0000-0000-000000000004"
)

// resourceManager is as much of Azure as the azurerm provider needs to plan, and to create resources: who signs in, what clouds there
// are, and a store of resources that takes whatever it is given and keeps it.
type resourceManager struct {
	server *httptest.Server
	proxy  *httptest.Server // leads whatever is asked of a vault by its name here

	mu        sync.Mutex
	resources map[string]map[string]any // by path in small letters
	bodies    []resourceBody            // in the order in which they were sent
	vault     map[string]string         // the secrets that were put into the vault itself
}

// resourceBody is what a resource was created with.
type resourceBody struct {
	path string
	body map[string]any
}

func newResourceManager(t *testing.T) *resourceManager {
	r := &resourceManager{resources: map[string]map[string]any{}, vault: map[string]string{}}
	r.server = httptest.NewUnstartedServer(r)
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	r.server.StartTLS()
	r.proxy = httptest.NewServer(http.HandlerFunc(r.tunnel))
	t.Cleanup(func() {
		r.proxy.CloseClientConnections()
		r.proxy.Close()
		r.server.CloseClientConnections()
		r.server.Close()
	})
	group := "/subscriptions/" + testSubscription + "/resourceGroups/rg"
	r.resources[strings.ToLower(group)] = map[string]any{"id": group, "name": "rg", "type": "Microsoft.Resources/resourceGroups", "location": "westeurope",
		"properties": map[string]any{"provisioningState": "Succeeded"}}
	return r
}

// certificate is for this machine, and for vaults.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"*.vault.azure.net"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	text, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{text}, PrivateKey: key}
}

// tunnel connects whoever wants to reach another host with the fake.
func (r *resourceManager) tunnel(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodConnect || !strings.HasSuffix(req.URL.Hostname(), ".vault.azure.net") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	there, err := net.Dial("tcp", r.host())
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		return
	}
	if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(there, here) // either side may go
		there.Close()
	}()
	_, _ = io.Copy(here, there)
	here.Close()
}

func (r *resourceManager) host() string { return strings.TrimPrefix(r.server.URL, "https://") }

func (r *resourceManager) certificate() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw})
}

func (r *resourceManager) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch path := req.URL.Path; {
	case path == "/metadata/endpoints":
		reply(w, http.StatusOK, r.metadata())
	case strings.HasSuffix(path, "/oauth2/v2.0/token"):
		reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": testToken()})
	case strings.HasSuffix(req.Host, ".vault.azure.net"):
		r.secret(w, req, body)
	default:
		r.resource(w, req, body)
	}
}

// secret is the vault itself, which takes secrets and tells them.
func (r *resourceManager) secret(w http.ResponseWriter, req *http.Request, body []byte) {
	name, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/secrets/"), "/")
	if req.Method == http.MethodPut {
		var in struct{ Value string }
		if err := json.Unmarshal(body, &in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.vault[name] = in.Value
	}
	value, is := r.vault[name]
	if !is {
		reply(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "SecretNotFound", "message": "It is not there."}})
		return
	}
	reply(w, http.StatusOK, map[string]any{"id": "https://" + req.Host + "/secrets/" + name + "/0123456789abcdef0123456789abcdef", "value": value,
		"contentType": "text/plain", "attributes": map[string]any{"enabled": true}, "tags": map[string]any{}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the provider may be gone
}

// metadata says what the cloud consists of: everything is here.
func (r *resourceManager) metadata() map[string]any {
	return map[string]any{
		"name": "AzureCloud", "resourceManager": r.server.URL + "/", "microsoftGraphResourceId": "https://graph.microsoft.com/",
		"authentication": map[string]any{"loginEndpoint": r.server.URL, "audiences": []string{"https://management.core.windows.net/"}, "tenant": "common", "identityProvider": "AAD"},
		"suffixes":       map[string]any{"keyVaultDns": "vault.azure.net", "storage": "core.windows.net"},
	}
}

// testToken is a token that nobody signed; its claims say who it is for.
func testToken() string {
	encode := func(v any) string {
		text, _ := json.Marshal(v) // strings can be marshaled
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return encode(map[string]string{"alg": "none", "typ": "JWT"}) + "." + encode(map[string]string{"oid": testObject, "tid": testTenant, "appid": testClient}) + "." + "x"
}

// resource keeps and returns resources.
func (r *resourceManager) resource(w http.ResponseWriter, req *http.Request, body []byte) {
	key := strings.ToLower(strings.TrimSuffix(req.URL.Path, "/"))
	switch req.Method {
	case http.MethodPut:
		var in map[string]any
		if err := json.Unmarshal(body, &in); err != nil {
			reply(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"code": "InvalidRequestContent", "message": err.Error()}})
			return
		}
		r.bodies = append(r.bodies, resourceBody{req.URL.Path, copied(in)})
		r.resources[key] = r.completed(req.URL.Path, in)
		reply(w, http.StatusOK, r.resources[key])
	case http.MethodGet, http.MethodHead:
		r.get(w, req, key)
	case http.MethodDelete:
		delete(r.resources, key)
		w.WriteHeader(http.StatusOK)
	default:
		reply(w, http.StatusOK, map[string]any{"properties": map[string]any{}, "keys": []any{}, "value": []any{}})
	}
}

// get answers with a resource, with a list of none, or with what every storage account has.
func (r *resourceManager) get(w http.ResponseWriter, req *http.Request, key string) {
	_, rest, _ := strings.Cut(key, "/providers/")
	switch found := r.resources[key]; {
	case found != nil:
		reply(w, http.StatusOK, found)
	case strings.HasSuffix(key, "/roledefinitions"):
		reply(w, http.StatusOK, map[string]any{"value": []any{roleDefinition(req.URL.Query().Get("$filter"))}})
	case strings.Contains(key, "/roledefinitions/"):
		reply(w, http.StatusOK, map[string]any{"id": req.URL.Path, "properties": map[string]any{"roleName": "a role"}})
	case strings.HasSuffix(key, "services/default"), strings.Contains(key, "/sites/") && strings.Count(rest, "/") == 4: // parts that nobody makes
		reply(w, http.StatusOK, map[string]any{"id": req.URL.Path, "name": "default", "properties": map[string]any{}})
	case strings.Count(rest, "/")%2 == 1: // a namespace, a type, and names and types in turn: it ends with a type
		reply(w, http.StatusOK, map[string]any{"value": []any{}})
	default:
		reply(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "ResourceNotFound", "message": "It is not there."}})
	}
}

// roleDefinition is the role that a filter asks for: roleName eq 'Reader'.
func roleDefinition(filter string) map[string]any {
	_, rest, _ := strings.Cut(filter, "'")
	name, _, _ := strings.Cut(rest, "'")
	id := "/subscriptions/" + testSubscription + "/providers/Microsoft.Authorization/roleDefinitions/" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
	return map[string]any{"id": id, "name": name, "properties": map[string]any{"roleName": name}}
}

func copied(in map[string]any) map[string]any {
	text, _ := json.Marshal(in) // it came from JSON
	var out map[string]any
	_ = json.Unmarshal(text, &out)
	return out
}

// completed adds what Azure itself says of a resource.
func (r *resourceManager) completed(path string, in map[string]any) map[string]any {
	in["id"], in["name"] = path, path[strings.LastIndexByte(path, '/')+1:]
	properties, ok := in["properties"].(map[string]any)
	if !ok {
		properties = map[string]any{}
		in["properties"] = properties
	}
	properties["provisioningState"] = "Succeeded"
	name := fmt.Sprint(in["name"])
	switch strings.ToLower(kindOf(path)) {
	case "microsoft.storage/storageaccounts":
		properties["primaryEndpoints"] = map[string]any{"blob": "https://" + name + ".blob.core.windows.net/", "queue": "https://" + name + ".queue.core.windows.net/",
			"table": "https://" + name + ".table.core.windows.net/", "file": "https://" + name + ".file.core.windows.net/", "web": "https://" + name + ".web.core.windows.net/", "dfs": "https://" + name + ".dfs.core.windows.net/"}
		properties["primaryLocation"], properties["statusOfPrimary"] = "westeurope", "available"
	case "microsoft.managedidentity/userassignedidentities":
		properties["clientId"], properties["principalId"], properties["tenantId"] = testClient, testObject, testTenant
	case "microsoft.operationalinsights/workspaces":
		properties["customerId"] = testObject
	case "microsoft.insights/components":
		properties["InstrumentationKey"], properties["ConnectionString"], properties["AppId"] = testObject, "InstrumentationKey="+testObject, testObject
	case "microsoft.web/sites":
		properties["defaultHostName"], properties["state"] = name+".azurewebsites.net", "Running"
		in["identity"] = map[string]any{"type": "SystemAssigned, UserAssigned", "principalId": testObject, "tenantId": testTenant}
	case "microsoft.keyvault/vaults":
		properties["vaultUri"] = "https://" + name + ".vault.azure.net/"
	}
	return in
}
