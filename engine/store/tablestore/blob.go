package tablestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"golang.org/x/sync/errgroup"
)

const (
	// transfers is how many blobs one call reads, writes or deletes at a time.
	transfers = 8
	// orphanAge is how old a blob must be before it is deleted because no row
	// of a living execution can name it: one that is younger may be about to be
	// named by a row that is not written yet. Whoever takes longer than half
	// of it to write that row gives up.
	orphanAge = time.Hour
)

// errNoBlob is returned for a blob that is gone. The row which named it has
// changed by then, or was purged.
var errNoBlob = fmt.Errorf("%w: a blob that its row names is gone", errTorn)

// errTooSlow is returned by an operation that took so long that it cannot tell
// any more which blobs are left over.
var errTooSlow = errors.New("it took too long")

// keep puts an operation's payloads into blobs, before its rows are written. A row
// that is there, at, must say first that its instance may have blobs, so that
// they are looked for when it goes, whatever becomes of the operation.
func (s *Store) keep(ctx context.Context, id string, p *payloads, at *base) error {
	if len(p.texts) > 0 {
		if at.ETag != "" && !at.Blobs {
			etag, err := s.markBlobs(ctx, id, at.ETag)
			if err != nil {
				return err
			}
			at.ETag, at.Blobs = etag, true
		}
		if err := s.putBlobs(ctx, p); err != nil {
			return err
		}
	}
	if !p.begun.IsZero() && s.o.Now().Sub(p.begun) > orphanAge/2 {
		return errTooSlow
	}
	return nil
}

func (s *Store) putBlobs(ctx context.Context, p *payloads) error {
	p.begun = s.o.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for name, text := range p.texts {
		group.Go(func() error { return s.putBlob(ctx, name, text) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for name, text := range p.texts {
		s.texts.put(name, text)
		p.stored[name] = true
	}
	clear(p.texts)
	return nil
}

// blobsColumn says that an instance may have blobs.
const blobsColumn = "Blobs"

// markBlobs lets the row with the etag say that its instance may have blobs.
func (s *Store) markBlobs(ctx context.Context, id, etag string) (string, error) {
	e := newEntity(encodeKey(id), sentinelKey)
	e[blobsColumn] = true
	b := &batch{}
	b.merge(e, etag)
	return b.submit(ctx, s.history)
}

// leaveBlobs sees to it that blobs which no row came to name will be found: the
// row that is there instead says so, and without one a doorbell is to stay.
func (s *Store) leaveBlobs(ctx context.Context, id string, p *payloads, there *record) {
	if there != nil && !there.blobs && !p.begun.IsZero() {
		_, err := s.markBlobs(ctx, id, there.etag)
		s.warn("note that blobs are left over", id, err)
	}
}

func (s *Store) putBlob(ctx context.Context, name, text string) error {
	compressed, err := compress(text)
	if err != nil {
		return err
	}
	kind := "application/gzip" // as an encoding it would be undone on the way
	body := streaming.NopCloser(bytes.NewReader(compressed))
	_, err = s.blobs.NewBlockBlobClient(name).Upload(ctx, body, &blockblob.UploadOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentType: &kind}})
	if err != nil {
		return fmt.Errorf("put a blob: %w", err)
	}
	return nil
}

func (s *Store) getBlob(ctx context.Context, name string) (string, error) {
	if text, ok := s.texts.get(name); ok {
		return text, nil
	}
	var compressed bytes.Buffer
	answer, err := s.blobs.NewBlobClient(name).DownloadStream(ctx, nil)
	if err == nil {
		body := answer.NewRetryReader(ctx, nil)
		_, err = compressed.ReadFrom(body)
		err = errors.Join(err, body.Close())
	}
	switch {
	case hasCode(err, codeBlobMissing):
		return "", fmt.Errorf("%w: %s", errNoBlob, name)
	case err != nil:
		return "", fmt.Errorf("read a blob: %w", err)
	}
	text, err := decompress(compressed.Bytes(), digestOf(name))
	if err != nil {
		return "", fmt.Errorf("read blob %s: %w", name, err)
	}
	s.texts.put(name, text)
	return text, nil
}

// fill puts the texts into rows that their blobs hold.
func (s *Store) fill(ctx context.Context, rows ...entity) error {
	texts := map[string]*string{} // of the blobs by name, each read once
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for _, e := range rows {
		for _, name := range e.blobs() {
			if texts[name] != nil {
				continue
			}
			text := new(string)
			texts[name] = text
			group.Go(func() (err error) {
				*text, err = s.getBlob(ctx, name)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, e := range rows {
		for column, name := range e.blobs() {
			e[column] = *texts[name]
		}
	}
	return nil
}

// sweepBlobs deletes the blobs of an instance's executions other than the one that was
// living at a moment: those of the dead one at once, and others when they are old
// enough to be nobody's. It returns how long it will be until those are that are
// left; zero if none is.
func (s *Store) sweepBlobs(ctx context.Context, id, living, dead string, at time.Time) (wait time.Duration, err error) {
	prefix := blobFolder(id)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for pager := s.blobs.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix}); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return 0, errors.Join(fmt.Errorf("list blobs: %w", err), group.Wait())
		}
		if s.o.Now().Sub(at) > orphanAge/2 {
			return 0, errors.Join(errTooSlow, group.Wait()) // another may live by now
		}
		for _, item := range page.Segment.BlobItems {
			var o blob.DeleteOptions
			switch inside := strings.TrimPrefix(*item.Name, prefix); {
			case living != "" && strings.HasPrefix(inside, blobFolder(living)):
				continue
			case dead == "" || !strings.HasPrefix(inside, blobFolder(dead)):
				if age := page.Date.Sub(*item.Properties.LastModified); age < orphanAge {
					wait = max(wait, orphanAge-age)
					continue
				}
				// If it was put again since, it is not as old as it looked.
				o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: quoted(*item.Properties.ETag)}}
			}
			group.Go(func() error { return s.removeBlob(ctx, *item.Name, &o) })
		}
	}
	return wait, group.Wait()
}

// quoted returns an etag of a list, in which Azure leaves out the quotation marks,
// as it is in a header.
func quoted(etag azcore.ETag) *azcore.ETag {
	tag := azcore.ETag(`"` + strings.Trim(string(etag), `"`) + `"`)
	return &tag
}

func (s *Store) removeBlob(ctx context.Context, name string, o *blob.DeleteOptions) error {
	snapshots := blob.DeleteSnapshotsOptionTypeInclude
	o.DeleteSnapshots = &snapshots
	if _, err := s.blobs.NewBlobClient(name).Delete(ctx, o); err != nil && !hasCode(err, codeBlobMissing, codeBlobChanged) {
		return fmt.Errorf("delete a blob: %w", err)
	}
	return nil
}

// blobURL is where a blob is found by tools, without what a connection string may
// say of how to be let in.
func (s *Store) blobURL(name string) string {
	base, _, _ := strings.Cut(s.blobs.URL(), "?")
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return base + "/" + strings.Join(parts, "/")
}
