// Package notify tells people and programs things: by text message, e-mail, a
// signed webhook, Slack, Teams or whatever else is a [Channel].
//
// A message is sent by [Send], a task of an orchestration: its intent is recorded
// before anything goes out and its outcome afterwards, and what could not be sent
// is tried again for some hours. What is done when nobody can tell whether it was
// sent is declared for each channel ([Way]): where it can be told that two are the
// same, it is sent again, and elsewhere it is not.
//
// [Ended] orchestrations are told of by a [Watch], so that a site need not poll.
//
// What people wrote never becomes markup: [Render] escapes values by the format of
// the message they are put into.
package notify
