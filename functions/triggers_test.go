package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed21523604/holdfast/functions/triggers"
)

// hostedRoutes are the paths that the app has under the Functions host, by the function that lets requests through to them, and how to ask for
// one. A function more needs a line here.
var hostedRoutes = map[string]struct{ path, asked string }{
	triggers.Authenticate:    {authenticatePath, authenticatePath},
	triggers.ExpenseApproval: {expensePath, expensePath},
	triggers.ReleaseGate:     {releasePath, releasePath},
	triggers.ClaimReview:     {claimPath, claimPath},
	triggers.Approve:         {approvePath, approvePath + "/some/page"},
	triggers.Approvals:       {strings.TrimSuffix(answerPath, "/"), answerPath + "some"},
	triggers.TwilioSms:       {smsPath, smsPath},
	triggers.TwilioStatus:    {strings.TrimSuffix(smsStatusPath, "/"), smsStatusPath + "a/1"},
	triggers.DurableTask:     {hostedPath, hostedPath + "/openapi.json"},
	triggers.Health:          {healthPath, livePath},
}

// What the Functions host lets through to the app has a route there, under the same path and for the same methods.
func TestEveryHTTPFunctionHasARoute(t *testing.T) {
	s := open(t, t.TempDir(), false, "PublicBaseUrl=https://shop.example", "OperatorKey="+strings.Repeat("k", 20))
	seen := 0
	for _, f := range triggers.Table() {
		if f.Kind != triggers.HTTP {
			continue
		}
		seen++
		route, ok := hostedRoutes[f.Name]
		if !ok || f.Path() != route.path {
			t.Errorf("the path of %s is %s in the table and %q in the app", f.Name, f.Path(), route.path)
			continue
		}
		methods := f.Methods
		if len(methods) == 0 {
			methods = []string{http.MethodGet}
		}
		for _, method := range methods {
			w, answer := s.do(strings.ToUpper(method), "http://"+s.address+route.asked, "")
			if strings.HasPrefix(answer, "404 page not found") || w.StatusCode == http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d %s", method, route.asked, w.StatusCode, answer)
			}
		}
	}
	if seen != len(hostedRoutes) {
		t.Errorf("of %d routes there are %d in the table", len(hostedRoutes), seen)
	}
}

// Under a host there is nothing of a local run, and what the table does not name is not there.
func TestUnderAHostThereAreNoPathsButThoseOfTheTable(t *testing.T) {
	s := open(t, t.TempDir(), false, "PublicBaseUrl=https://shop.example", "OperatorKey="+strings.Repeat("k", 20))
	for _, path := range []string{phonePath, messagesPath, backupPath, localPath + "/instances", "/api/" + triggers.Wake, "/api/" + triggers.Sweep} {
		w, answer := s.do("POST", "http://"+s.address+path, `{"Data":{"message":{}},"Metadata":{}}`)
		if w.StatusCode != http.StatusNotFound && w.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", path, w.StatusCode, answer)
		}
	}
}
