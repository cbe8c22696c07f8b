package twilio

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

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
			20500, 20503, 60202, 60203, // the service itself; a verification was tried or sent too often
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

// ClassOf returns what one of Twilio's error codes means, when it comes with a refusal or in a report on a message: as others
// says, or else the package's own table. It is "" for a code that neither knows.
func ClassOf(code int, others map[int]Class) Class {
	if class, ok := others[code]; ok {
		return class
	}
	for class, codes := range codeTable() {
		if slices.Contains(codes, code) {
			return class
		}
	}
	return ""
}

// ErrClasses is returned by ParseClasses.
var ErrClasses = errors.New("classes are written as 30034=unavailable,30007=unknown")

// ParseClasses reads classes of error codes that a setting gives.
func ParseClasses(text string) (map[int]Class, error) {
	classes := map[int]Class{}
	for part := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		number, class, _ := strings.Cut(part, "=")
		code, err := strconv.Atoi(number)
		known := slices.Contains([]Class{Undeliverable, Unavailable, Unknown, Misconfigured}, Class(class))
		if err != nil || !known {
			return nil, fmt.Errorf("read %q: %w", part, ErrClasses)
		}
		classes[code] = Class(class)
	}
	return classes, nil
}
