package armtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// whatIf is what a deployment would change: something new, something different, something gone, and what stays.
const whatIf = `[
  {"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/holdfast-abc", "changeType": "Modify", "delta": [
    {"path": "properties", "propertyChangeType": "Modify", "children": [
      {"path": "httpsOnly", "propertyChangeType": "Modify", "before": false, "after": true},
      {"path": "siteConfig.minTlsVersion", "propertyChangeType": "Create", "after": "1.2"}]}]},
  {"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/holdfast-vault/secrets/link-key", "changeType": "Create",
   "after": {"id": "x", "name": "link-key", "type": "Microsoft.KeyVault/vaults/secrets", "properties": {"contentType": "text/plain"}}},
  {"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/old", "changeType": "Delete", "before": {}},
  {"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/holdfastabc", "changeType": "NoChange"},
  {"resourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/others", "changeType": "Ignore"}]`

// resourceManager answers for management.azure.com.
func (s *Server) resourceManager(w http.ResponseWriter, r *http.Request, body []byte) {
	path := r.URL.Path
	_, rest, _ := strings.Cut(path, "/providers/")
	parts := strings.Split(rest, "/")
	switch {
	case strings.HasPrefix(path, "/lro/"):
		s.longRunning(w, path)
	case rest == "" && strings.HasSuffix(path, "/operations"): // of a deployment, whose path has no provider there
		s.deployment(w, r, strings.Split(path, "/")[6:], body)
	case rest == "":
		answer(w, http.StatusOK, map[string]any{"name": "rg"})
	case strings.HasPrefix(rest, "Microsoft.Resources/deployments/"):
		s.deployment(w, r, parts[2:], body)
	case r.Method == http.MethodDelete:
		s.remove(w, path)
	case strings.HasPrefix(rest, "Microsoft.Web/sites/"+App):
		s.site(w, r, strings.TrimPrefix(rest, "Microsoft.Web/sites/"+App))
	case strings.HasSuffix(rest, "/permissions"):
		answer(w, http.StatusOK, values(map[string]any{"actions": s.is.Actions, "notActions": []string{}}))
	case strings.HasSuffix(rest, "/roleAssignments"):
		var all []any
		for _, role := range s.is.Roles {
			all = append(all, map[string]any{"properties": map[string]any{"roleDefinitionId": "/x/roleDefinitions/" + role}})
		}
		answer(w, http.StatusOK, values(all...))
	case strings.HasSuffix(rest, "/userAssignedIdentities"):
		answer(w, http.StatusOK, values(map[string]any{"properties": map[string]any{"clientId": ClientID, "principalId": principal}}))
	case strings.HasSuffix(rest, "/workspaces/"+Workspace):
		answer(w, http.StatusOK, map[string]any{"properties": map[string]any{"customerId": customer}})
	default:
		refuse(w, http.StatusNotFound, "ResourceNotFound", "There is no "+rest)
	}
}

func values(all ...any) map[string]any { return map[string]any{"value": append([]any{}, all...)} }

// deployment answers what is asked of deployments: parts are the name and what follows it.
func (s *Server) deployment(w http.ResponseWriter, r *http.Request, parts []string, body []byte) {
	name := parts[0]
	d := s.deployments[name]
	switch {
	case r.Method == http.MethodPut:
		s.begin(w, name, body)
	case len(parts) > 1 && parts[1] == "whatIf":
		w.Header().Set("Location", "https://management.azure.com/lro/whatif?api-version=1")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusAccepted)
	case d == nil && len(parts) > 1 && parts[1] == "operations": // of a deployment inside another
		answer(w, http.StatusOK, values(operation(name, "Microsoft.Storage/storageAccounts", Account, "Succeeded", "")))
	case name == inner && len(s.deployments) > 0:
		answer(w, http.StatusOK, map[string]any{"name": name, "properties": map[string]any{"provisioningState": "Succeeded", "outputResources": []any{
			map[string]any{"id": groupPath + "Microsoft.Storage/storageAccounts/" + Account, "apiVersion": "2025-01-01"},
			map[string]any{"id": groupPath + "Microsoft.KeyVault/vaults/" + Vault, "apiVersion": "2024-11-01"}}}})
	case d == nil:
		refuse(w, http.StatusNotFound, "DeploymentNotFound", "Deployment '"+name+"' could not be found.")
	case r.Method == http.MethodDelete:
		delete(s.deployments, name)
		w.WriteHeader(http.StatusNoContent)
	case len(parts) > 1 && parts[1] == "operations":
		answer(w, http.StatusOK, values(s.operations(d)...))
	default:
		s.advance(d)
		answer(w, http.StatusOK, s.describe(name, d))
	}
}

// begin begins a deployment, unless one of that name goes on.
func (s *Server) begin(w http.ResponseWriter, name string, body []byte) {
	if d := s.deployments[name]; d != nil && d.ended == "" {
		refuse(w, http.StatusConflict, "DeploymentActive", "The deployment is active.")
		return
	}
	d := &deployment{}
	if err := json.Unmarshal(body, &d.body); err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestContent", err.Error())
		return
	}
	s.deployments[name] = d
	select {
	case <-s.seen:
	default:
		close(s.seen)
	}
	w.Header().Set("Azure-AsyncOperation", "https://management.azure.com/lro/"+name)
	answer(w, http.StatusCreated, s.describe(name, d))
}

// advance lets a deployment go on by one look.
func (s *Server) advance(d *deployment) {
	d.looks++
	switch {
	case s.is.Hold || d.looks < s.is.Looks || d.ended != "":
	case s.is.Fail != "":
		d.ended = "Failed"
	default:
		d.ended = "Succeeded"
	}
}

func (s *Server) describe(name string, d *deployment) map[string]any {
	state := d.ended
	if state == "" {
		state = "Running"
	}
	properties := map[string]any{"provisioningState": state, "timestamp": "2026-01-01T00:00:00Z"}
	if d.ended == "Succeeded" {
		properties["outputs"] = outputs()
		properties["outputResources"] = s.resources()
	}
	if d.ended == "Failed" {
		properties["error"] = map[string]any{"code": "DeploymentFailed", "message": "At least one operation failed."}
	}
	return map[string]any{"id": "/deployments/" + name, "name": name, "properties": properties}
}

func outputs() map[string]any {
	out := map[string]any{}
	for name, value := range map[string]string{"functionAppName": App, "url": "https://" + App + ".azurewebsites.net", "storageAccountName": Account,
		"vaultName": Vault, "clientId": ClientID, "workspaceName": Workspace} {
		out[name] = map[string]any{"type": "String", "value": value}
	}
	return out
}

// groupPath begins the ids of all resources, and inner is the deployment inside every other.
const (
	groupPath = "/subscriptions/s/resourceGroups/rg/providers/"
	inner     = "holdfast-storage"
)

// resources are what a deployment makes.
func (s *Server) resources() []any {
	var all []any
	for _, id := range []string{"Microsoft.Storage/storageAccounts/" + Account, "Microsoft.Storage/storageAccounts/" + Account + "/queueServices/default",
		"Microsoft.Web/sites/" + App} {
		all = append(all, map[string]any{"id": groupPath + id, "apiVersion": "2025-01-01"})
	}
	return all
}

func (s *Server) operations(d *deployment) []any {
	all := []any{operation("1", "Microsoft.Resources/deployments", inner, "Succeeded", "")}
	switch d.ended {
	case "":
		all = append(all, operation("2", "Microsoft.Web/sites", App, "Running", ""))
	case "Failed":
		all = append(all, operation("2", "Microsoft.Web/sites", App, "Failed", s.is.Fail))
	default:
		all = append(all, operation("2", "Microsoft.Web/sites", App, "Succeeded", ""))
	}
	return all
}

func operation(id, kind, name, state, problem string) map[string]any {
	properties := map[string]any{"provisioningState": state, "duration": "PT12.5S", "targetResource": map[string]any{"resourceType": kind, "resourceName": name}}
	if problem != "" {
		properties["statusMessage"] = map[string]any{"error": map[string]any{"code": "Conflict", "message": problem}}
	}
	return map[string]any{"id": "/operations/" + id, "operationId": id, "properties": properties}
}

func (s *Server) longRunning(w http.ResponseWriter, path string) {
	if strings.HasSuffix(path, "/whatif") {
		answer(w, http.StatusOK, map[string]any{"status": "Succeeded", "properties": map[string]any{"changes": json.RawMessage(s.is.WhatIf)}})
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "Succeeded"})
}

// remove deletes a resource, the first time.
func (s *Server) remove(w http.ResponseWriter, path string) {
	if s.removed[path] {
		refuse(w, http.StatusNotFound, "ResourceNotFound", "It is gone.")
		return
	}
	s.removed[path] = true
	w.WriteHeader(http.StatusOK)
}

// site answers what is asked of the app: rest is what follows its name.
func (s *Server) site(w http.ResponseWriter, r *http.Request, rest string) {
	switch rest {
	case "":
		answer(w, http.StatusOK, s.describeSite())
	case "/restart":
		s.restarts++
		w.WriteHeader(http.StatusOK)
	case "/functions":
		answer(w, http.StatusOK, values(map[string]any{"name": App + "/Authenticate"}, map[string]any{"name": App + "/Health"}))
	case "/hostruntime/admin/host/status":
		answer(w, http.StatusOK, map[string]any{"state": s.is.HostState, "version": "4.1042.0", "errors": hostErrors(s.is.HostState)})
	case "/config/configreferences/appsettings":
		var all []any
		for name, state := range s.is.References {
			all = append(all, map[string]any{"name": name, "id": "/x/appsettings/" + name, "properties": map[string]any{"status": state, "details": ""}})
		}
		answer(w, http.StatusOK, values(all...))
	default:
		refuse(w, http.StatusNotFound, "NotFound", fmt.Sprintf("There is no %s %s", r.Method, rest))
	}
}

func hostErrors(state string) []string {
	if state == "Running" {
		return []string{}
	}
	return []string{"Failed to start a new custom handler"}
}

func (s *Server) describeSite() map[string]any {
	properties := map[string]any{"state": "Running", "defaultHostName": App + ".azurewebsites.net", "hostNameSslStates": []any{
		map[string]any{"name": App + ".azurewebsites.net", "hostType": "Standard"},
		map[string]any{"name": App + ".scm.azurewebsites.net", "hostType": "Repository"},
	}}
	if !s.is.Classic {
		properties["sku"], properties["functionAppConfig"] = "FlexConsumption", map[string]any{}
	}
	return map[string]any{"name": App, "properties": properties}
}
