package tablestore

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
)

// blobSuffix ends the name of the column that names the blob of a text which is
// too large for the column without it, as DurableTask.AzureStorage has it.
const blobSuffix = "BlobName"

// blobExtension ends the name of a blob: its text is compressed.
const blobExtension = ".json.gz"

// payloads are the texts of one operation that are too large for its rows, on
// their way to the blobs that the rows name. A blob is named after what is in it
// and belongs to an execution, whose rows share it; it goes with the execution.
type payloads struct {
	folder string
	stored map[string]bool   // the names of blobs that are there
	texts  map[string]string // by the names of those that are to be
	begun  time.Time         // when the first was put
}

func newPayloads(id, execution string) *payloads {
	return &payloads{folder: blobFolder(id) + blobFolder(execution), stored: map[string]bool{}, texts: map[string]string{}}
}

// blobFolder is a part of a blob's name that stands for an instance or an
// execution. No part may end with a dot.
func blobFolder(name string) string {
	folder := fit(encodeKey(name), name)
	if strings.HasSuffix(folder, ".") {
		folder += "^"
	}
	return folder + "/"
}

// any reports whether there are any.
func (p *payloads) any() bool { return len(p.stored)+len(p.texts) > 0 }

// take moves the texts that are too large out of a row, and returns the names of
// their blobs by column.
func (p *payloads) take(e entity) map[string]string {
	moved := map[string]string{}
	for column, v := range e {
		if text, ok := v.(string); ok && 2*units(text) > maxText {
			moved[column] = p.add(text)
		}
	}
	e.refer(moved)
	return moved
}

// add returns the name of the blob for a text.
func (p *payloads) add(text string) string {
	sum := sha256.Sum256([]byte(text))
	name := p.nameOf(hex.EncodeToString(sum[:]))
	if !p.stored[name] {
		p.texts[name] = text
	}
	return name
}

func (p *payloads) nameOf(digest string) string { return p.folder + digest + blobExtension }

// digestOf is the part of a blob's name that says what is in it.
func digestOf(name string) string { return strings.TrimSuffix(path.Base(name), blobExtension) }

// know takes note that blobs are there.
func (p *payloads) know(names map[string]string) {
	for _, name := range names {
		p.stored[name] = true
		delete(p.texts, name)
	}
}

// refer lets columns name blobs instead of holding texts.
func (e entity) refer(blobs map[string]string) {
	for column, name := range blobs {
		e[column], e[column+blobSuffix] = "", name
	}
}

// blobs returns the names of the blobs that a row refers to, by column.
func (e entity) blobs() map[string]string {
	var names map[string]string
	for column := range e {
		if of, ok := strings.CutSuffix(column, blobSuffix); ok {
			if names == nil {
				names = map[string]string{}
			}
			names[of] = e.text(column)
		}
	}
	return names
}

// compress returns a text as it is kept in a blob.
func compress(text string) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// errDamaged is returned for a blob that does not hold what its name says.
var errDamaged = fmt.Errorf("%w: the blob is damaged", store.ErrCorrupt)

// maxExpanded is how large the largest text is that a row may refer to: a payload,
// or columns of ours that hold several of its names.
const maxExpanded = 2 * history.MaxPayload

// decompress reads what compress made, and makes sure that it is what the blob's name
// says.
func decompress(compressed []byte, digest string) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errDamaged, err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxExpanded))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errDamaged, err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != digest {
		return "", fmt.Errorf("%w: the digest of its text is %x", errDamaged, sum)
	}
	return string(text), nil
}
