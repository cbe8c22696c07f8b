package filestore

import (
	"encoding/binary"
	"time"
)

// The first bytes of the keys, by what they hold.
const (
	instancePrefix = "i/"
	historyPrefix  = "h/"
	inboxPrefix    = "m/"
	duePrefix      = "d/"
)

// inHand is the time of a due row that stands for work in hand.
var inHand = time.Unix(0, 0).UTC()

func instanceKey(id string) []byte { return append([]byte(instancePrefix), id...) }

// of returns the beginning of all keys under prefix that belong to id.
func of(prefix, id string) []byte {
	key := make([]byte, 0, len(prefix)+len(id)+1+32)
	key = append(key, prefix...)
	key = append(key, id...)
	return append(key, 0)
}

func historyKey(id string, position int) []byte {
	return binary.BigEndian.AppendUint64(of(historyPrefix, id), uint64(position))
}

func inboxKey(id, message string) []byte { return append(of(inboxPrefix, id), message...) }

func dueKey(at time.Time, id string) []byte {
	key := binary.BigEndian.AppendUint64([]byte(duePrefix), uint64(max(at.UnixNano(), 0)))
	return append(key, id...)
}

// parseDue takes apart what dueKey put together.
func parseDue(key []byte) (at time.Time, id string) {
	key = key[len(duePrefix):]
	return time.Unix(0, int64(binary.BigEndian.Uint64(key))).UTC(), string(key[8:])
}

// after returns the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	return end
}
