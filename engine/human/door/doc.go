// Package door lets people decide on approvals, and knows who they are. A decision
// that comes through it says so of itself; nothing that a person writes is believed.
//
// There are three ways in. Whoever has a link, made by package links, is whom it was
// made for: [Door.Show] tells what is on its page, for which the first of its secrets
// is enough, and [Door.Answer] takes the second. Whoever is known by other means, as
// they signed in or sent a text message from their phone, answers by
// [Door.AnswerAs]; and so do operators, who answer for others, which is recorded.
//
// A link is good for one person, one stage, one run and the content that it was sent
// for. It is used up by the answer, as every person answers once; those of the others
// are void as soon as their answer is not wanted any more. All of that follows from
// the request itself, in whose turn a decision is judged. What the door sees to be
// without effect it refuses before anything is written down.
package door
