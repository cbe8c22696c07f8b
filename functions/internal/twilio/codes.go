package twilio

import "slices"

// codeTable is what Twilio's error codes mean when they come with a refusal, which is a 4xx status: nothing was sent.
// It is data to be corrected as Twilio changes, and only refines what the status says.
func codeTable() map[Class][]int {
	return map[Class][]int{
		Undeliverable: {
			21211, 21214, 21217, 21265, // the number is none, or cannot be reached
			21610,                      // the recipient opted out
			21612,                      // no route from this number to that one
			21614, 21635, 30005, 30006, // no mobile number; unknown handset; landline
			21266,                      // sender and recipient are the same
			21602, 21605, 21617, 21619, // the body is missing or too long
			30004, 30007, // blocked; filtered
			60200, 60205, // parameters; landline
		},
		Unavailable: {
			20429, 14107, 30022, 63018, // too many requests
			20500, 20503, // the service itself
			21611, 30001, // the queue is full
			30003, 30008, 30017, // unreachable or congested for now
		},
		Misconfigured: {
			10001, 20002, 20003, 20004, 20005, 20006, 20008, 20404, 30002, // account and credentials
			21222, 21224, // malformed credentials
			21212, 21601, 21603, 21606, 21659, 21660, 21661, // the number that sends
			21408, 60238, 60410, // no permission for the region; fraud guard
			21608,                             // a trial account and a number that was not verified
			21701, 21702, 21703, 21704, 21705, // messaging service
			30032, 30034, 30037, // the sender is not registered, or sending is switched off
		},
	}
}

// classOfCode looks a code up; ok is false when the table does not know it.
func classOfCode(code int) (class Class, ok bool) {
	for class, codes := range codeTable() {
		if slices.Contains(codes, code) {
			return class, true
		}
	}
	return "", false
}
