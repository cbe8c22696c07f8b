package filestore

import (
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
	rowInHand       wire.Number = 14
	rowEvents       wire.Number = 15
	rowTurn         wire.Number = 16
)

func encodeRow(in *store.Instance) []byte {
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
	b = wire.AppendBool(b, rowInHand, in.InHand)
	b = wire.AppendUint(b, rowEvents, uint64(in.Events))
	return wire.AppendBytes(b, rowTurn, in.Turn)
}

// decodeRow reads a row; it shares b's memory.
func decodeRow(b []byte) (store.Instance, error) {
	var in store.Instance
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
			in.Created = wire.Time(x)
		case rowUpdated:
			in.Updated = wire.Time(x)
		case rowCompleted:
			in.Completed = wire.Time(x)
		case rowWake:
			in.Wake = wire.Time(x)
		case rowInHand:
			in.InHand = x != 0
		case rowEvents:
			in.Events = int(x)
		case rowTurn:
			in.Turn = string(v)
		}
		return err
	})
	in.Version = store.Version(in.Turn)
	return in, err
}
