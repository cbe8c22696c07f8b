package azuretest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is a queue's messages in the order in which they were put.
type queue struct {
	messages []*message
}

type message struct {
	id, receipt, text          string
	inserted, expires, visible time.Time // expires is zero for never
	dequeued                   int
}

const (
	maxMessage = 64 << 10
	maxHidden  = 7 * 24 * 60 * 60 // seconds
	maxDequeue = 32
	defaultTTL = maxHidden
)

// queueError is an error of the Queue service.
func queueError(status int, code, message string) *reply {
	body, _ := xml.Marshal(struct {
		XMLName struct{} `xml:"Error"`
		Code    string
		Message string
	}{Code: code, Message: message})
	return newReply(status, append([]byte(xml.Header), body...), "Content-Type", "application/xml", "x-ms-error-code", code)
}

var (
	queueName = regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9])+$`)
	queuePath = regexp.MustCompile(`^/([^/]+)(/messages)?(?:/([^/]+))?$`)
	noMessage = func() *reply {
		return queueError(http.StatusNotFound, "MessageNotFound", "The specified message does not exist.")
	}
	outOfRange = func(name string) *reply {
		return queueError(http.StatusBadRequest, "OutOfRangeQueryParameterValue", "One of the query parameters specified in the request URI is outside the permissible range: "+name)
	}
)

// serveQueue answers a request to the Queue service.
func (a *Account) serveQueue(r request) *reply {
	m := queuePath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return unknown(r)
	}
	name, ofMessages, id := m[1], m[2] != "", m[3]
	q := a.queues[name]
	switch {
	case !ofMessages && id == "" && r.Method == http.MethodPut && r.query("comp") == "":
		return a.createQueue(name)
	case q == nil:
		return queueError(http.StatusNotFound, "QueueNotFound", "The specified queue does not exist.")
	case !ofMessages && id == "" && r.Method == http.MethodGet && r.query("comp") == "metadata":
		q.expire(a.o.Now())
		return newReply(http.StatusOK, nil, "x-ms-approximate-messages-count", strconv.Itoa(len(q.messages)))
	case !ofMessages && id == "" && r.Method == http.MethodDelete:
		delete(a.queues, name)
		return newReply(http.StatusNoContent, nil)
	case !ofMessages:
		return unknown(r)
	}
	q.expire(a.o.Now())
	switch {
	case id == "" && r.Method == http.MethodPost:
		return a.putMessage(q, r)
	case id == "" && r.Method == http.MethodGet && r.query("peekonly") == "":
		return a.dequeue(q, r)
	case id == "" && r.Method == http.MethodDelete:
		q.messages = nil
		return newReply(http.StatusNoContent, nil)
	case id != "" && r.Method == http.MethodPut:
		return a.updateMessage(q, r, id)
	case id != "" && r.Method == http.MethodDelete:
		return q.deleteMessage(r, id)
	}
	return unknown(r)
}

func (a *Account) createQueue(name string) *reply {
	switch {
	case len(name) < 3 || len(name) > 63 || !queueName.MatchString(name):
		return queueError(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters.")
	case a.queues[name] != nil:
		return newReply(http.StatusNoContent, nil)
	}
	a.queues[name] = &queue{}
	return newReply(http.StatusCreated, nil)
}

// expire drops the messages whose time to live is over.
func (q *queue) expire(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return !m.expires.IsZero() && !m.expires.After(now) })
}

// number reads a parameter between two bounds; none at all is the default.
func number(text string, otherwise, least, most int) (n int, ok bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func (a *Account) putMessage(q *queue, r request) *reply {
	hidden, okHidden := number(r.query("visibilitytimeout"), 0, 0, maxHidden)
	ttl, okTTL := number(r.query("messagettl"), defaultTTL, -1, 1<<31-1)
	switch {
	case !okHidden || ttl >= 0 && hidden >= ttl:
		return outOfRange("visibilitytimeout")
	case !okTTL || ttl == 0:
		return outOfRange("messagettl")
	}
	text, refused := messageText(r.body)
	if refused != nil {
		return refused
	}
	now := a.o.Now()
	m := &message{id: a.nextID(), receipt: a.nextID(), text: text, inserted: now, visible: now.Add(seconds(hidden))}
	if ttl > 0 {
		m.expires = now.Add(seconds(ttl))
	}
	q.messages = append(q.messages, m)
	return messageList(http.StatusCreated, m)
}

// messageText reads the text of a message that is put or updated.
func messageText(body []byte) (string, *reply) {
	var sent struct {
		XMLName     xml.Name `xml:"QueueMessage"`
		MessageText string
	}
	if err := xml.Unmarshal(body, &sent); err != nil {
		return "", queueError(http.StatusBadRequest, "InvalidXmlDocument", "XML specified is not syntactically valid.")
	}
	if len(sent.MessageText) > maxMessage {
		return "", queueError(http.StatusBadRequest, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit.")
	}
	return sent.MessageText, nil
}

// dequeue hands out messages that are visible, and hides them.
func (a *Account) dequeue(q *queue, r request) *reply {
	most, okMost := number(r.query("numofmessages"), 1, 1, maxDequeue)
	hidden, okHidden := number(r.query("visibilitytimeout"), 30, 1, maxHidden)
	switch {
	case !okMost:
		return outOfRange("numofmessages")
	case !okHidden:
		return outOfRange("visibilitytimeout")
	}
	now := a.o.Now()
	var visible, out []*message
	for _, m := range q.messages {
		if !m.visible.After(now) {
			visible = append(visible, m)
		}
	}
	possible := min(most, len(visible))
	for n := possible - a.choose(FewerMessages, possible+1); len(out) < n; {
		i := a.choose(NextMessage, len(visible))
		m := visible[i]
		visible = slices.Delete(visible, i, i+1)
		m.receipt, m.visible = a.nextID(), now.Add(seconds(hidden))
		m.dequeued++
		out = append(out, m)
	}
	return messageList(http.StatusOK, out...)
}

// find returns the message with an id and a receipt that is not stale.
func (q *queue) find(r request, id string) (int, *reply) {
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.id == id })
	switch {
	case i < 0:
		return 0, noMessage()
	case r.query("popreceipt") == "":
		return 0, queueError(http.StatusBadRequest, "MissingRequiredQueryParameter", "A required query parameter was not specified for this request: popreceipt.")
	case q.messages[i].receipt != r.query("popreceipt"):
		return 0, queueError(http.StatusBadRequest, "PopReceiptMismatch", "The specified pop receipt did not match the pop receipt for a dequeued message.")
	}
	return i, nil
}

func (a *Account) updateMessage(q *queue, r request, id string) *reply {
	hidden, ok := number(r.query("visibilitytimeout"), -1, 0, maxHidden)
	if !ok || hidden < 0 {
		return outOfRange("visibilitytimeout")
	}
	i, refused := q.find(r, id)
	if refused != nil {
		return refused
	}
	m := q.messages[i]
	if len(r.body) > 0 {
		text, refused := messageText(r.body)
		if refused != nil {
			return refused
		}
		m.text = text
	}
	m.receipt, m.visible = a.nextID(), a.o.Now().Add(seconds(hidden))
	return newReply(http.StatusNoContent, nil, "x-ms-popreceipt", m.receipt, "x-ms-time-next-visible", rfc1123(m.visible))
}

func (q *queue) deleteMessage(r request, id string) *reply {
	i, refused := q.find(r, id)
	if refused != nil {
		return refused
	}
	q.messages = slices.Delete(q.messages, i, i+1)
	return newReply(http.StatusNoContent, nil)
}

func rfc1123(t time.Time) string {
	return strings.Replace(t.UTC().Format(time.RFC1123), "UTC", "GMT", 1)
}

// never is the expiry of a message that lives for ever.
var never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// messageList is an answer with messages. The text of one that was put is not
// repeated.
func messageList(status int, messages ...*message) *reply {
	var b strings.Builder
	b.WriteString(xml.Header + "<QueueMessagesList>")
	for _, m := range messages {
		expires := m.expires
		if expires.IsZero() {
			expires = never
		}
		fmt.Fprintf(&b, "<QueueMessage><MessageId>%s</MessageId><InsertionTime>%s</InsertionTime><ExpirationTime>%s</ExpirationTime><PopReceipt>%s</PopReceipt><TimeNextVisible>%s</TimeNextVisible>",
			m.id, rfc1123(m.inserted), rfc1123(expires), m.receipt, rfc1123(m.visible))
		if status == http.StatusOK {
			fmt.Fprintf(&b, "<DequeueCount>%d</DequeueCount><MessageText>", m.dequeued)
			_ = xml.EscapeText(&b, []byte(m.text)) // a builder takes everything
			b.WriteString("</MessageText>")
		}
		b.WriteString("</QueueMessage>")
	}
	b.WriteString("</QueueMessagesList>")
	return newReply(status, []byte(b.String()), "Content-Type", "application/xml")
}
