package twiliotest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/seed21523604/holdfast/functions/twiliotest"
)

// An app sends a message, is told that it arrived and is answered, all without
// Twilio.
func Example() {
	twilio, err := twiliotest.Start(twiliotest.Options{})
	if err != nil {
		panic(err)
	}
	defer twilio.Close()

	// The app: it would check the signature, too.
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch _ = r.ParseForm(); r.URL.Path {
		case "/status":
			fmt.Println("told that it is", r.PostForm.Get("MessageStatus"))
		case "/sms":
			io.WriteString(w, "<Response><Message>Thank you, "+r.PostForm.Get("Body")+".</Message></Response>")
		}
	}))
	defer app.Close()

	// It sends a message, the first time in vain.
	const phone = "+447700900123"
	twilio.Script(phone, twiliotest.Refuse(21610))
	for range 2 {
		form := url.Values{"To": {phone}, "From": {twiliotest.From}, "Body": {"Who are you?"}, "StatusCallback": {app.URL + "/status"}}
		r, _ := http.NewRequest("POST", twilio.URL()+"/2010-04-01/Accounts/"+twiliotest.AccountSid+"/Messages.json", strings.NewReader(form.Encode()))
		r.SetBasicAuth(twiliotest.ApiKeySid, twiliotest.ApiKeySecret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			panic(err)
		}
		w.Body.Close()
		fmt.Println(w.StatusCode)
	}

	// What Twilio does next, in whatever order and as often as the test wants.
	ctx, sent := context.Background(), twilio.Messages()[0]
	if err := twilio.Report(ctx, sent.Sid, twiliotest.Status{Name: "delivered"}, twiliotest.Status{Name: "sent"}, twiliotest.Status{Name: "delivered"}); err != nil {
		panic(err)
	}
	answer, err := twilio.Text(ctx, app.URL+"/sms", twiliotest.Incoming{From: phone, To: twiliotest.From, Body: "Alice"})
	fmt.Println(answer, err)
	// Output:
	// 400
	// 201
	// told that it is delivered
	// told that it is sent
	// told that it is delivered
	// Thank you, Alice. <nil>
}
