package human

// DeliveryStatus says how far a message has come.
type DeliveryStatus string

// How far a message has come. The words are Twilio's.
const (
	MessageQueued      DeliveryStatus = "queued"
	MessageSending     DeliveryStatus = "sending"
	MessageSent        DeliveryStatus = "sent"
	MessageUndelivered DeliveryStatus = "undelivered" // it was sent and did not arrive
	MessageFailed      DeliveryStatus = "failed"      // it was not sent
	MessageDelivered   DeliveryStatus = "delivered"
	MessageRead        DeliveryStatus = "read"
)

// Delivery is the payload of SmsDelivery: what a service tells of a message. It
// holds no digits that could be taken for a code.
type Delivery struct {
	// Message is the number of the message, as the [Receipt] has it.
	Message int            `json:"message"`
	Status  DeliveryStatus `json:"status"`
	// Kind says what went wrong, as the kind of a Messenger's error does; empty
	// if nothing did.
	Kind string `json:"kind,omitempty"`
}

// rank orders the statuses; zero is none of them.
func (s DeliveryStatus) rank() int {
	switch s {
	case MessageQueued:
		return 1
	case MessageSending:
		return 2
	case MessageSent:
		return 3
	case MessageUndelivered, MessageFailed:
		return 4
	case MessageDelivered:
		return 5
	case MessageRead:
		return 6
	}
	return 0
}

// Merge returns the status of a message after other was told of it. Services
// tell late, twice and in any order; so a status never goes back, and the end of
// it does not depend on the order. One that is not known changes nothing.
func (s DeliveryStatus) Merge(other DeliveryStatus) DeliveryStatus {
	if other.rank() > s.rank() || other.rank() == s.rank() && other < s {
		return other
	}
	return s
}

// failed reports whether the message will not arrive.
func (s DeliveryStatus) failed() bool { return s.rank() == MessageFailed.rank() }
