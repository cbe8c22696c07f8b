package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/seed21523604/holdfast/engine/internal/keyed"
	"github.com/seed21523604/holdfast/engine/store"
)

// Door is one thing that a link can do to one instance.
type Door byte

// The doors. Their numbers are in the links that were handed out.
const (
	DoorStatus     Door = 1 // read where it stands, without its history
	DoorRaiseEvent Door = 2
	DoorTerminate  Door = 3
	DoorSuspend    Door = 4
	DoorResume     Door = 5
	DoorRestart    Door = 6
	DoorPurge      Door = 7
)

var doorNames = map[Door]string{
	DoorStatus: "read the status", DoorRaiseEvent: "raise an event", DoorTerminate: "terminate", DoorSuspend: "suspend",
	DoorResume: "resume", DoorRestart: "restart", DoorPurge: "purge",
}

// String returns what one may do behind the door.
func (d Door) String() string { return doorNames[d] }

// Run names one run of an instance, to which links are bound.
type Run struct {
	Instance  string
	Execution string
	// First is the id of the run that was started, if Execution is one that
	// followed it by continuing as new; else it may be empty.
	First string
	// Revoked is how often links to the instance were made void before.
	Revoked uint32
}

// behind returns the id of the run that a door's links name.
func (r Run) behind(door Door) string {
	if door == DoorRaiseEvent || r.First == "" {
		return r.Execution
	}
	return r.First
}

// Grant says which doors of a run its links open. The zero Grant opens all.
type Grant struct {
	// Doors are the doors; nil is all.
	Doors []Door
	// Event is the one event that may be raised; empty is any.
	Event string
	// Lifetime is how long the links are good; zero is the Doorkeeper's.
	Lifetime time.Duration
}

// Why a link does not open the door that it was tried on.
var (
	errForeign   = errors.New("the link is not for this instance")
	errExpired   = errors.New("the link has expired")
	errOtherDoor = errors.New("the link opens another door")
	errRevoked   = errors.New("the link was revoked")
	errReplaced  = errors.New("the link is for an earlier run of the instance")
	errNoHistory = errors.New("a link shows no history")
)

// A code is what makes a link open a door: a head that says what for, and the
// HMAC over it and over what the link's path says.
//
//	 0  1 byte   version, 1
//	 1  1 byte   the door
//	 2  1 byte   1 if it is for the one event named in the path, else 0
//	 3  4 bytes  how often links to the instance were revoked before
//	 7  8 bytes  when it expires, in Unix seconds
//	15  16 bytes SHA-256 of the id of the run, cut short
//	31  32 bytes HMAC-SHA-256
//
// Nothing of it is stored anywhere. In base64 all its bits count, so that one
// code is written in one way only.
const (
	codeVersion = 1
	headSize    = 31
	codeSize    = headSize + sha256.Size
)

// stamp is what the head of a code says.
type stamp struct {
	door     Door
	oneEvent bool
	revoked  uint32
	expires  time.Time
	run      [16]byte
}

func (s stamp) head() []byte {
	b := make([]byte, 0, codeSize)
	b = append(b, codeVersion, byte(s.door), 0)
	if s.oneEvent {
		b[2] = 1
	}
	b = binary.BigEndian.AppendUint32(b, s.revoked)
	b = binary.BigEndian.AppendUint64(b, uint64(s.expires.Unix()))
	return append(b, s.run[:]...)
}

func readHead(b []byte) stamp {
	return stamp{
		door: Door(b[1]), oneEvent: b[2] == 1, revoked: binary.BigEndian.Uint32(b[3:]),
		expires: time.Unix(int64(binary.BigEndian.Uint64(b[7:])), 0), run: [16]byte(b[15:headSize]),
	}
}

// fingerprint returns what a code says of the id of a run.
func fingerprint(execution string) [16]byte {
	sum := sha256.Sum256([]byte(execution))
	return [16]byte(sum[:16])
}

// code returns the code for a door of an instance of the hub.
func (k *Doorkeeper) code(hub, instance, event string, s stamp) string {
	head := s.head()
	return base64.RawURLEncoding.EncodeToString(k.sign(head, hub, instance, event, s.oneEvent))
}

// sign appends the HMAC to the head of a code.
func (k *Doorkeeper) sign(head []byte, hub, instance, event string, oneEvent bool) []byte {
	if !oneEvent {
		event = ""
	}
	return append(head, keyed.MAC(k.key, "holdfast link 1", hub, instance, event, string(head))...)
}

// read returns what a code says if it was made here for an instance of the hub
// and, where that counts, for the event. Whatever is wrong with it is
// errForeign.
func (k *Doorkeeper) read(code, hub, instance, event string) (stamp, error) {
	if len(code) != base64.RawURLEncoding.EncodedLen(codeSize) { // the decoder passes over line ends
		return stamp{}, errForeign
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(b) != codeSize || b[0] != codeVersion || b[2] > 1 {
		return stamp{}, errForeign
	}
	s := readHead(b)
	if !hmac.Equal(b, k.sign(b[:headSize:headSize], hub, instance, event, s.oneEvent)) {
		return stamp{}, errForeign
	}
	return s, nil
}

// opens returns why a code that was read does not open the door now.
func (s stamp) opens(door Door, now time.Time) error {
	switch {
	case s.door != door:
		return errOtherDoor
	case !now.Before(s.expires):
		return errExpired
	}
	return nil
}

// fits returns why a code is not for the instance as it stands. An event is for
// one run only, as another may wait for something else under the same name; the
// other doors stay those of the runs that follow by continuing as new.
func (s stamp) fits(in store.Instance) error {
	run := Run{Instance: in.ID, Execution: in.Execution, First: in.First}
	switch {
	case s.run != fingerprint(run.behind(s.door)):
		return errReplaced
	case s.revoked != in.Revoked:
		return errRevoked
	}
	return nil
}
