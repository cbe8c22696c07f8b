package settings

import "fmt"

// The settings about who may be sent messages and what Twilio sends.
const (
	TwilioApiKeySid        = "TwilioApiKeySid"
	TwilioApiKeySecret     = "TwilioApiKeySecret"
	TwilioAuthTokenNext    = "TwilioAuthTokenNext"
	TwilioVerifyServiceSid = "TwilioVerifyServiceSid"
	TwilioVerifyUrl        = "TwilioVerifyUrl"
	TwilioErrorClasses     = "TwilioErrorClasses"

	SmsCountries      = "SmsCountries"
	SmsPhoneHourly    = "SmsPhoneHourly"
	SmsPrefixHourly   = "SmsPrefixHourly"
	SmsCallerHourly   = "SmsCallerHourly"
	SmsPersonHourly   = "SmsPersonHourly"
	SmsRequestHourly  = "SmsRequestHourly"
	SmsPhoneFailures  = "SmsPhoneFailures"
	SmsDaily          = "SmsDaily"
	SmsDailyBudget    = "SmsDailyBudget"
	SmsPrice          = "SmsPrice"
	SmsPrices         = "SmsPrices"
	SmsBreakerSends   = "SmsBreakerSends"
	SmsBreakerPercent = "SmsBreakerPercent"
	SmsBreakerPause   = "SmsBreakerPause"
)

// phoneSettings say how Twilio is talked to besides what sending needs.
func phoneSettings() []Setting {
	return []Setting{
		{Name: TwilioApiKeySid, Kind: KindText, Pattern: `^SK[0-9a-fA-F]{32}$`, Example: "SK0123456789abcdef0123456789abcdef",
			Meaning: "an API key of the Twilio account for sending; empty, with the next: the auth token is used for that too"},
		{Name: TwilioApiKeySecret, Kind: KindSecret, Secret: true, Pattern: `^[0-9a-zA-Z]+$`, Example: "the secret that Twilio's console shows once when a key is made",
			Meaning: "the secret of that API key"},
		{Name: TwilioAuthTokenNext, Kind: KindSecret, Secret: true, Pattern: `^[0-9a-zA-Z]+$`, Example: "the secondary auth token in Twilio's console",
			Meaning: "the auth token that comes after the present one, whose signatures are taken too; empty: none"},
		{Name: TwilioVerifyServiceSid, Kind: KindText, Pattern: `^VA[0-9a-fA-F]{32}$`, Example: "VA0123456789abcdef0123456789abcdef",
			Meaning: "a Verify service of the account, which makes, sends and compares the codes; empty: the app does"},
		{Name: TwilioVerifyUrl, Kind: KindURL, Default: "https://verify.twilio.com", Example: "https://verify.twilio.com",
			Meaning: "where Twilio Verify is; another address is for tests"},
		{Name: TwilioErrorClasses, Kind: KindText, Pattern: `^[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured)(,[0-9]{5}=(undeliverable|unavailable|unknown|misconfigured))*$`, Example: "30034=unavailable",
			Meaning: "what error codes of Twilio mean, where the app's own table is not right"},
	}
}

// messageLimits bound what goes out through Twilio. The simulated phone has no such bounds.
func messageLimits() []Setting {
	return []Setting{
		{Name: SmsCountries, Kind: KindText, Pattern: `^(\*|[A-Z]{2}(,[A-Z]{2})*)$`, Example: "GB,DE",
			Meaning: "the countries whose numbers are sent messages, by their ISO codes, or * for all; empty: none"},
		{Name: SmsPhoneHourly, Kind: KindInteger, Default: "5", Min: "1", Max: "100", Example: "5",
			Meaning: "how many verifications of one phone may begin within an hour"},
		{Name: SmsPrefixHourly, Kind: KindInteger, Default: "20", Min: "0", Max: "1000", Example: "20",
			Meaning: "how many messages go to numbers that differ in the last four digits only within an hour; 0 is no limit"},
		{Name: SmsCallerHourly, Kind: KindInteger, Default: "20", Min: "0", Max: "1000", Example: "20",
			Meaning: "how many messages one address may ask for within an hour; 0 is no limit"},
		{Name: SmsPersonHourly, Kind: KindInteger, Default: "20", Min: "0", Max: "1000", Example: "20",
			Meaning: "how many messages about requests and ends one phone gets within an hour; 0 is no limit"},
		{Name: SmsRequestHourly, Kind: KindInteger, Default: "3", Min: "0", Max: "100", Example: "3",
			Meaning: "how many of them are about the same; 0 is no limit"},
		{Name: SmsPhoneFailures, Kind: KindInteger, Default: "100", Min: "10", Max: "1000", Example: "100",
			Meaning: "how many wrong codes there may be for one phone until somebody unlocks it"},
		{Name: SmsDaily, Kind: KindInteger, Default: "1000", Min: "0", Max: "1000000", Example: "1000",
			Meaning: "how many messages are sent on a day, UTC; 0 is no limit"},
		{Name: SmsDailyBudget, Kind: KindInteger, Default: "100000", Min: "0", Max: "1000000000", Example: "100000",
			Meaning: "what the messages of a day may cost, in thousandths of the currency that the account is charged in; 0 is no limit"},
		{Name: SmsPrice, Kind: KindInteger, Default: "100", Min: "0", Max: "10000", Example: "100",
			Meaning: "what a segment of a message costs, in the same thousandths"},
		{Name: SmsPrices, Kind: KindText, Pattern: `^[A-Z]{2}=[0-9]{1,5}(,[A-Z]{2}=[0-9]{1,5})*$`, Example: "GB=47,US=8",
			Meaning: "what it costs to some countries"},
		{Name: SmsBreakerSends, Kind: KindInteger, Default: "50", Min: "0", Max: "10000", Example: "50",
			Meaning: "after how many messages to a country it is looked at how many phones they verified; 0 is never"},
		{Name: SmsBreakerPercent, Kind: KindInteger, Default: "10", Min: "1", Max: "100", Example: "10",
			Meaning: "how many percent must have, or the country is sent nothing for a while"},
		{Name: SmsBreakerPause, Kind: KindDuration, Default: "24h", Min: "1m", Max: "720h", Example: "24h",
			Meaning: "how long that is, counted from the first of those messages"},
	}
}

// wholeKey reports half an API key, or one without an account, and a Verify service without an account.
func wholeKey(given map[string]bool) error {
	switch {
	case given[TwilioApiKeySid] != given[TwilioApiKeySecret]:
		return fmt.Errorf("of %s and %s only one is set: set both to send with an API key, or neither", TwilioApiKeySid, TwilioApiKeySecret)
	case !given[TwilioAccountSid] && given[TwilioApiKeySid]:
		return fmt.Errorf("%s is set but %s is not: an API key is one of an account", TwilioApiKeySid, TwilioAccountSid)
	case !given[TwilioAccountSid] && given[TwilioVerifyServiceSid]:
		return fmt.Errorf("%s is set but %s is not: a Verify service is one of an account", TwilioVerifyServiceSid, TwilioAccountSid)
	}
	return nil
}
