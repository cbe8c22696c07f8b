// Package twiliotest is a fake of the parts of Twilio that send text messages and verify phones, for tests of anything that
// uses them. It needs no account and no network but the loopback address.
//
// A [Server] checks every request as strictly as it can, keeps the messages it took and answers as Twilio documents.
// [Server.Script] makes it fail for one recipient in each of the ways that Twilio and the network between have: refused by
// any of its error codes ([Refuse]), limited with a Retry-After ([RateLimited]), down ([Fail]), answered by some proxy
// ([Undecodable]), or cut off before or after the message was taken ([Dropped], [LostReply]). [Server.Wait] lets a test wait
// for a message without sleeping.
//
// It also does what Twilio does on its own: [Server.Report] posts signed status callbacks, in any order and as often as a
// test wants, and [Server.Text] posts what somebody's phone sends, and returns what it is answered. [Sign] makes the
// signature, independently of the code that is tested. Of Verify there are the three requests that a verification takes,
// with Twilio's limits of five checks, five sends and ten minutes.
//
// Requests to send and to list messages are also held against Twilio's published OpenAPI document where it is found: at
// the path in the environment variable HOLDFAST_TWILIO_OPENAPI, else at shared/data/twilio_api_v2010.json in the working
// directory or above. The document is https://github.com/twilio/twilio-oai, spec/json/twilio_api_v2010.json. A request that
// breaks a rule is answered 400 and listed in [Server.Violations], which a test should find empty in the end.
package twiliotest
