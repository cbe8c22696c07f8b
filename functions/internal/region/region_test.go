package region_test

import (
	"testing"

	"github.com/seed21523604/holdfast/functions/internal/region"
)

func TestTheCountryOfANumber(t *testing.T) {
	for number, want := range map[string]string{
		"+447700900123": "GB", "+4915112345678": "DE", "+41791234567": "CH", "+12025550143": "US", "+14165550143": "CA", "+18765551234": "JM",
		"+15005550006": "US", "+79161234567": "RU", "+77011234567": "KZ", "+33612345678": "FR",
		"": "", "+": "", "+0": "", "447700900123": "", "+999123456789": "", "+4477": "", "+88216123456": "", // no country
		"+449098790000": "", "+18005551234": "", // charged for, free
	} {
		if got := region.Of(number); got != want {
			t.Errorf("%s is of %q, want %q", number, got, want)
		}
	}
}
