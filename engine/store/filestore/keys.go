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
	handsPrefix    = "w/"

	deathsKey = "p/deaths"
)

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

// dueKey sorts by time, times before 1970 included.
func dueKey(at time.Time, id string) []byte {
	key := binary.BigEndian.AppendUint64([]byte(duePrefix), uint64(at.Unix())^(1<<63))
	key = binary.BigEndian.AppendUint32(key, uint32(at.Nanosecond()))
	return append(key, id...)
}

// parseDue takes apart what dueKey put together.
func parseDue(key []byte) (at time.Time, id string) {
	key = key[len(duePrefix):]
	seconds := int64(binary.BigEndian.Uint64(key) ^ (1 << 63))
	return time.Unix(seconds, int64(binary.BigEndian.Uint32(key[8:]))).UTC(), string(key[12:])
}

func handsKey(id string) []byte { return append([]byte(handsPrefix), id...) }

// after returns the first key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	return end
}
