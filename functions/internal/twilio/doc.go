// Package twilio sends text messages through Twilio's REST API.
//
// It wraps the part of twilio-go that creates a message and adds what that library leaves out: a context, an address
// to send to, a limit on the answer, and an honest word on what a failure means. Twilio has no idempotency key, so the
// question that matters after a failure is whether the message may have gone out. [Class] answers it:
//
//   - undeliverable, misconfigured, unavailable: no message was sent.
//   - unknown: one may have been. Sending again may send it twice.
//
// One call of [Sender.Send] makes at most one request. Sending again is the caller's decision.
package twilio
