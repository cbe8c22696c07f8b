package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"

	"github.com/seed21523604/holdfast/engine/human/approval"
	"github.com/seed21523604/holdfast/functions/settings"
)

// expense is the body of a request to pay one.
type expense struct {
	Requester string      `json:"requester"`
	For       string      `json:"for"`
	Amount    json.Number `json:"amount"`
	Currency  string      `json:"currency"`
	Reason    string      `json:"reason"`
}

// plainAmount is how an amount is written, as people read it: 1e5 is not taken for 1.5 by
// anybody who decides.
var plainAmount = regexp.MustCompile(`^[0-9]{1,15}(\.[0-9]{1,4})?$`)

// expenseHelp says what an expense looks like.
const expenseHelp = `Send JSON such as {"requester":"rex@example.org","for":"Train to Bern","amount":84.00,"currency":"CHF","reason":"A visit to the customer"}.`

// approveExpense is the HTTP trigger that starts the approval of an expense. Whoever
// may call it vouches for who wants the money.
func (r routes) approveExpense(w http.ResponseWriter, req *http.Request) {
	var e expense
	if !r.read(w, req, &e, expenseHelp) {
		return
	}
	amount, err := strconv.ParseFloat(e.Amount.String(), 64)
	if err != nil || amount <= 0 || !plainAmount.MatchString(e.Amount.String()) || e.Currency == "" || e.Reason == "" {
		refuse(w, http.StatusBadRequest, "An expense has an amount of more than nothing in plain digits, a currency and a reason. "+expenseHelp)
		return
	}
	r.startApproval(w, req, string(ExpenseApproval), approval.Request{
		Requester: e.Requester, Policy: expensePolicy(r.values, amount),
		Content: approval.Content{Title: e.For, Details: []approval.Detail{
			{Label: "Amount", Text: e.Amount.String() + " " + e.Currency}, {Label: "Reason", Text: e.Reason},
		}},
	})
}

// expensePolicy asks the managers and then finance, each with somebody above who is
// asked as well if nobody answers.
func expensePolicy(values settings.Values, amount float64) approval.Policy {
	code := values.Int(settings.ExpenseCodeFrom)
	step := func(name, people, timeout string) approval.Stage {
		return approval.Stage{
			Name:     name,
			Rules:    []approval.Rule{{Of: list(values.Text(people)), Need: approval.First}},
			Deadline: approval.Elapsed(values.Duration(timeout)),
			Remind:   &approval.Reminders{After: approval.Elapsed(values.Duration(settings.ExpenseRemindAfter)), Most: 1},
			Escalate: []approval.Rung{{After: approval.Elapsed(values.Duration(settings.ExpenseEscalateAfter)), To: list(values.Text(settings.ExpenseEscalateTo))}},
			Code:     code > 0 && amount >= float64(code),
		}
	}
	return approval.Policy{
		Name: "Expenses",
		Stages: []approval.Stage{
			step("manager", settings.ExpenseManagers, settings.ExpenseManagerTimeout),
			step("finance", settings.ExpenseFinance, settings.ExpenseFinanceTimeout),
		},
		People: phones(values), Comment: approval.CommentOnReject, Separation: approval.Separation{DistinctStages: true},
		Delegation: approval.Delegation{Depth: 1},
	}
}
