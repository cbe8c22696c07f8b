package filestore

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/internal/wire"
	"github.com/seed21523604/holdfast/engine/store"
)

// The field numbers of an instance row. They are on disk: one is never given
// another meaning.
const (
	rowID           wire.Number = 1
	rowExecution    wire.Number = 2
	rowName         wire.Number = 3
	rowStatus       wire.Number = 4
	rowInput        wire.Number = 5
	rowOutput       wire.Number = 6
	rowCustomStatus wire.Number = 7
	rowFailure      wire.Number = 8
	rowSecret       wire.Number = 9 // repeated
	rowCreated      wire.Number = 10
	rowUpdated      wire.Number = 11
	rowCompleted    wire.Number = 12
	rowWake         wire.Number = 13
	rowHands        wire.Number = 14 // repeated
	rowEvents       wire.Number = 15
	rowTurn         wire.Number = 16
	rowSent         wire.Number = 17
	rowFirst        wire.Number = 18
	rowCodeVersion  wire.Number = 30
	rowTag          wire.Number = 31 // repeated
	rowParent       wire.Number = 32
	rowRevoked      wire.Number = 40
	rowExternal     wire.Number = 41 // JSON
	rowFault        wire.Number = 50
	rowTurnTries    wire.Number = 51
	rowTaskTries    wire.Number = 52 // repeated

	faultReason wire.Number = 1
	faultSince  wire.Number = 2
	faultWas    wire.Number = 3

	triesTimes wire.Number = 1
	triesTask  wire.Number = 2 // repeated

	handReceipt wire.Number = 1
	handTask    wire.Number = 2 // repeated
	handSend    wire.Number = 3 // repeated
)

// row is an instance's row as it is stored: with the number of messages that
// were sent since the turn that wrote it.
type row struct {
	store.Instance
	sent uint64
}

// version names the state of the row: the turn, and the messages sent since.
func (r *row) version() store.Version {
	return store.Version(r.Turn + "+" + strconv.FormatUint(r.sent, 36))
}

// sameTurn reports whether two versions differ by messages at most.
func sameTurn(a, b store.Version) bool {
	turnA, _, _ := strings.Cut(string(a), "+")
	turnB, _, _ := strings.Cut(string(b), "+")
	return turnA == turnB
}

func encodeRow(in *row) []byte {
	b := make([]byte, 0, 256+len(in.Input)+len(in.Output)+len(in.CustomStatus))
	b = wire.AppendBytes(b, rowID, in.ID)
	b = wire.AppendBytes(b, rowExecution, in.Execution)
	b = wire.AppendBytes(b, rowName, in.Name)
	b = wire.AppendUint(b, rowStatus, uint64(in.Status))
	b = wire.AppendBytes(b, rowInput, in.Input)
	b = wire.AppendBytes(b, rowOutput, in.Output)
	b = wire.AppendBytes(b, rowCustomStatus, in.CustomStatus)
	if in.Failure != nil {
		b = wire.AppendElement(b, rowFailure, history.AppendFailure(nil, in.Failure))
	}
	for _, name := range in.Secret {
		b = wire.AppendElement(b, rowSecret, name)
	}
	b = wire.AppendTime(b, rowCreated, in.Created)
	b = wire.AppendTime(b, rowUpdated, in.Updated)
	b = wire.AppendTime(b, rowCompleted, in.Completed)
	b = wire.AppendTime(b, rowWake, in.Wake)
	for _, hand := range in.Hands {
		b = wire.AppendElement(b, rowHands, encodeHand(hand))
	}
	b = wire.AppendUint(b, rowEvents, uint64(in.Events))
	b = wire.AppendBytes(b, rowTurn, in.Turn)
	b = wire.AppendUint(b, rowSent, in.sent)
	b = wire.AppendBytes(b, rowFirst, in.First)
	b = wire.AppendUint(b, rowRevoked, uint64(in.Revoked))
	b = wire.AppendBytes(b, rowCodeVersion, in.CodeVersion)
	if in.Parent != nil {
		b = wire.AppendElement(b, rowParent, history.AppendParent(nil, in.Parent))
	}
	b = history.AppendTags(b, rowTag, in.Tags)
	b = appendTries(b, in)
	if in.External.IsZero() {
		return b
	}
	external, _ := json.Marshal(&in.External) // plain data has a JSON form
	return wire.AppendBytes(b, rowExternal, external)
}

// appendTries appends what says that the instance is parked, or may come to be.
func appendTries(b []byte, in *row) []byte {
	if f := in.Fault; f != nil {
		fault := wire.AppendBytes(nil, faultReason, f.Reason)
		fault = wire.AppendTime(fault, faultSince, f.Since)
		b = wire.AppendElement(b, rowFault, wire.AppendUint(fault, faultWas, uint64(f.Was)))
	}
	b = wire.AppendUint(b, rowTurnTries, uint64(in.TurnTries))
	for _, t := range in.TaskTries {
		tries := wire.AppendUint(nil, triesTimes, uint64(t.Times))
		for _, task := range t.Tasks {
			tries = wire.AppendUint(tries, triesTask, uint64(task)+1)
		}
		b = wire.AppendElement(b, rowTaskTries, tries)
	}
	return b
}

func decodeFault(b []byte) (*store.Fault, error) {
	f := &store.Fault{}
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) (err error) {
		switch n {
		case faultReason:
			f.Reason = string(v)
		case faultSince:
			f.Since, err = wire.Time(v)
		case faultWas:
			f.Was = history.Status(x)
		}
		return err
	})
	return f, err
}

func decodeTaskTries(b []byte) (t store.TaskTries, err error) {
	err = wire.Each(b, func(n wire.Number, x uint64, _ []byte) error {
		switch n {
		case triesTimes:
			t.Times = int(x)
		case triesTask:
			t.Tasks = append(t.Tasks, int32(x-1))
		}
		return nil
	})
	return t, err
}

func encodeHand(h store.Hand) []byte {
	b := wire.AppendBytes(nil, handReceipt, h.Receipt)
	for _, task := range h.Tasks {
		b = wire.AppendUint(b, handTask, uint64(task)+1) // zero would be left out
	}
	for _, send := range h.Sends {
		b = wire.AppendUint(b, handSend, uint64(send)+1)
	}
	return b
}

func decodeHand(b []byte) (h store.Hand, err error) {
	err = wire.Each(b, func(n wire.Number, x uint64, v []byte) error {
		switch n {
		case handReceipt:
			h.Receipt = string(v)
		case handTask:
			h.Tasks = append(h.Tasks, int32(x-1))
		case handSend:
			h.Sends = append(h.Sends, int32(x-1))
		}
		return nil
	})
	return h, err
}

// decodeRow reads a row; it shares b's memory.
func decodeRow(b []byte) (row, error) {
	var in row
	err := wire.Each(b, func(n wire.Number, x uint64, v []byte) (err error) {
		switch n {
		case rowID:
			in.ID = string(v)
		case rowExecution:
			in.Execution = string(v)
		case rowName:
			in.Name = string(v)
		case rowStatus:
			in.Status = history.Status(x)
		case rowInput:
			in.Input = v
		case rowOutput:
			in.Output = v
		case rowCustomStatus:
			in.CustomStatus = v
		case rowFailure:
			in.Failure, err = history.DecodeFailure(v)
		case rowSecret:
			in.Secret = append(in.Secret, string(v))
		case rowCreated:
			in.Created, err = wire.Time(v)
		case rowUpdated:
			in.Updated, err = wire.Time(v)
		case rowCompleted:
			in.Completed, err = wire.Time(v)
		case rowWake:
			in.Wake, err = wire.Time(v)
		case rowHands:
			var hand store.Hand
			hand, err = decodeHand(v)
			in.Hands = append(in.Hands, hand)
		case rowSent:
			in.sent = x
		case rowEvents:
			in.Events = int(x)
		case rowTurn:
			in.Turn = string(v)
		case rowFirst:
			in.First = string(v)
		case rowRevoked:
			in.Revoked = uint32(x)
		case rowCodeVersion:
			in.CodeVersion = string(v)
		case rowTag:
			in.Tags, err = history.DecodeTag(in.Tags, v)
		case rowParent:
			in.Parent, err = history.DecodeParent(v)
		case rowFault:
			in.Fault, err = decodeFault(v)
		case rowTurnTries:
			in.TurnTries = int(x)
		case rowTaskTries:
			var tries store.TaskTries
			tries, err = decodeTaskTries(v)
			in.TaskTries = append(in.TaskTries, tries)
		case rowExternal:
			err = json.Unmarshal(v, &in.External)
		}
		return err
	})
	in.Version = in.version()
	return in, err
}
