// Package twiliotest is a fake of the part of Twilio that sends text messages, for tests of anything that sends.
//
// A [Server] listens on the loopback address, checks every request as strictly as it can, keeps the messages it took
// and answers as Twilio documents. [Server.Script] makes it fail for one recipient in each of the ways that Twilio and
// the network between have, and [Server.Wait] lets a test wait for a message without sleeping.
//
// Requests are also held against Twilio's published OpenAPI document where it is found: at the path in the environment
// variable HOLDFAST_TWILIO_OPENAPI, else at shared/data/twilio_api_v2010.json in the working directory or above. The
// document is https://github.com/twilio/twilio-oai, spec/json/twilio_api_v2010.json. A request that breaks a rule is
// answered 400 and listed in [Server.Violations], which a test should find empty in the end.
package twiliotest
