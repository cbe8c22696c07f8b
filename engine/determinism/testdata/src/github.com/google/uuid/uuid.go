// Package uuid has the names of the real one that the corpora use.
package uuid

type UUID [16]byte

func (UUID) String() string             { return "" }
func New() UUID                         { return UUID{} }
func NewString() string                 { return "" }
func NewV7() (UUID, error)              { return UUID{}, nil }
func Parse(string) (UUID, error)        { return UUID{}, nil }
func NewSHA1(space UUID, b []byte) UUID { return UUID{} }
