package httpapi_test

import "testing"

func TestOperatorsGetReceipts(t *testing.T) {
	h := guarded(t)
	mine := h.begin("Approve", "mine")
	path := basePath + "/instances/mine/receipt"
	if w := h.post("GET", path, asOperator); w.Code != 200 || w.Header().Get("Content-Type") != "application/jsonl" || w.Body.String() != "{\"of\":\"mine\",\"events\":2}\n" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	wantProblem(t, h.post("GET", path+"?code="+codeOf(mine.Status)), 403, "operators-only")
	if w := h.post("GET", basePath+"/instances/other/receipt", asOperator); w.Code != 404 {
		t.Errorf("of an instance that is not there: %d %s", w.Code, w.Body)
	}
}
