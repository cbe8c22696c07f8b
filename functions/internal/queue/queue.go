// Package queue puts messages for programs into a queue of the storage account: it
// is a channel of notify.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"

	"github.com/seed21523604/holdfast/engine/human"
	"github.com/seed21523604/holdfast/engine/human/notify"
)

// Options say in which account the queues are: by a connection string, or by the
// address of its queue service and a credential.
type Options struct {
	ConnectionString string
	URL              string
	Credential       azcore.TokenCredential
}

// Sender puts messages into queues. It is safe for concurrent use.
type Sender struct{ service *azqueue.ServiceClient }

var _ notify.Channel = (*Sender)(nil)

// New returns a Sender. It makes no request.
func New(o Options) (*Sender, error) {
	service, err := azqueue.NewServiceClient(o.URL, o.Credential, nil)
	if o.ConnectionString != "" {
		service, err = azqueue.NewServiceClientFromConnectionString(o.ConnectionString, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("reach the queues of the storage account: %w", err)
	}
	return &Sender{service}, nil
}

// names are what queues may be called.
var names = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)

// Send puts the message into the queue of that name, which is made if it is not
// there, as {"id","data"}: who takes it knows by the id whether it came before. The
// data is the text where there is none.
func (s *Sender) Send(ctx context.Context, to string, m notify.Message) error {
	if !names.MatchString(to) || len(to) < 3 || len(to) > 63 {
		return human.NewError(human.KindMisconfigured, "a queue's name has 3 to 63 lower-case letters, digits and single dashes")
	}
	data := m.Data
	if len(data) == 0 {
		data, _ = json.Marshal(m.Text) // it is a string
	}
	text, err := json.Marshal(struct {
		ID   string          `json:"id"`
		Data json.RawMessage `json:"data"`
	}{m.ID, data})
	if err != nil {
		return err
	}
	q := s.service.NewQueueClient(to)
	_, err = q.EnqueueMessage(ctx, string(text), nil)
	if queueerror.HasCode(err, queueerror.QueueNotFound) {
		if _, err := q.Create(ctx, nil); err != nil && !queueerror.HasCode(err, queueerror.QueueAlreadyExists) {
			return failure(err)
		}
		_, err = q.EnqueueMessage(ctx, string(text), nil)
	}
	if err != nil {
		return failure(err)
	}
	return nil
}

// failure says what an error means.
func failure(err error) error {
	var answer *azcore.ResponseError
	switch {
	case !errors.As(err, &answer):
		return human.NewError(human.KindUnknown, "the storage account did not answer")
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable:
		return human.NewError(human.KindUnavailable, "the storage account is busy")
	case answer.StatusCode >= 500:
		return human.NewError(human.KindUnknown, "the storage account failed")
	}
	return human.NewError(human.KindMisconfigured, "the storage account refuses: "+answer.ErrorCode)
}
