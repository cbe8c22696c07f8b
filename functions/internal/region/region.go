// Package region tells which country a phone number is of.
package region

import "github.com/nyaruka/phonenumbers"

// Of returns the ISO code of the country that a number in E.164 form is of; "" if it
// is none that a text message could be sent to: one of an impossible length, of no
// country, or of a service that is charged for, such as a premium-rate number. A
// number of the plan of several countries is of the one that its digits say, and
// otherwise of the largest.
func Of(number string) string {
	n, err := phonenumbers.Parse(number, "")
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return ""
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.TOLL_FREE, phonenumbers.UAN, phonenumbers.PAGER, phonenumbers.VOICEMAIL:
		return ""
	}
	country := phonenumbers.GetRegionCodeForNumber(n)
	if country == "" {
		country = phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	}
	if country == phonenumbers.UNKNOWN_REGION || len(country) != 2 {
		return ""
	}
	return country
}
