package azuretest

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// container is a container's blobs by their names.
type container struct {
	blobs map[string]*blob
}

type blob struct {
	content  []byte
	kind     string
	etag     string
	modified time.Time
}

const maxListed = 5000

// blobError is an error of the Blob service.
func blobError(status int, code, message string) *reply { return queueError(status, code, message) }

func noBlob() *reply {
	return blobError(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
}

var (
	containerName = regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9]){2,62}$`)
	blobPath      = regexp.MustCompile(`^/([^/]+)(?:/(.+))?$`)
)

// serveBlob answers a request to the Blob service.
func (a *Account) serveBlob(r request) *reply {
	m := blobPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		return unknown(r)
	}
	c, name := a.containers[m[1]], m[2]
	switch {
	case name == "" && r.Method == http.MethodPut && r.query("restype") == "container" && r.query("comp") == "":
		return a.createContainer(m[1])
	case c == nil:
		return blobError(http.StatusNotFound, "ContainerNotFound", "The specified container does not exist.")
	case name == "" && r.query("restype") == "container":
		return a.serveContainer(c, m[1], r)
	case name == "" || r.query("comp") != "":
		return unknown(r)
	}
	switch r.Method {
	case http.MethodPut:
		return a.putBlob(c, name, r)
	case http.MethodGet:
		return c.getBlob(name, r)
	case http.MethodDelete:
		return c.deleteBlob(name, r)
	}
	return unknown(r)
}

// serveContainer answers a request to a container that is there.
func (a *Account) serveContainer(c *container, name string, r request) *reply {
	switch comp := r.query("comp"); {
	case comp == "list" && r.Method == http.MethodGet:
		return a.listBlobs(c, name, r)
	case comp == "" && r.Method == http.MethodGet:
		return newReply(http.StatusOK, nil)
	case comp == "" && r.Method == http.MethodDelete:
		delete(a.containers, name)
		return newReply(http.StatusAccepted, nil)
	}
	return unknown(r)
}

func (a *Account) createContainer(name string) *reply {
	switch {
	case !containerName.MatchString(name):
		return blobError(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters.")
	case a.containers[name] != nil:
		return blobError(http.StatusConflict, "ContainerAlreadyExists", "The specified container already exists.")
	}
	a.containers[name] = &container{blobs: map[string]*blob{}}
	return newReply(http.StatusCreated, nil)
}

// putBlob writes a whole block blob.
func (a *Account) putBlob(c *container, name string, r request) *reply {
	if r.said("x-ms-blob-type") != "BlockBlob" || r.said("If-Match")+r.said("If-None-Match") != "" {
		return unknown(r)
	}
	if len(name) > 1024 || slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.HasSuffix(part, ".") }) {
		return blobError(http.StatusBadRequest, "InvalidResourceName", "The specified resource name contains invalid characters.")
	}
	b := &blob{content: r.body, kind: r.said("x-ms-blob-content-type"), etag: fmt.Sprintf("0x%X", a.nextStamp().UnixNano()/100), modified: a.o.Now().UTC().Truncate(time.Second)}
	c.blobs[name] = b
	return newReply(http.StatusCreated, nil, b.headers()...)
}

// headers describe a blob. In a list its etag has no quotation marks.
func (b *blob) headers() []string {
	return []string{"ETag", `"` + b.etag + `"`, "Last-Modified", b.modified.Format(http.TimeFormat)}
}

func (c *container) getBlob(name string, r request) *reply {
	b := c.blobs[name]
	switch {
	case r.said("x-ms-range")+r.said("Range") != "":
		return unknown(r)
	case b == nil:
		return noBlob()
	}
	return newReply(http.StatusOK, b.content, append(b.headers(), "Content-Type", b.kind, "x-ms-blob-type", "BlockBlob")...)
}

func (c *container) deleteBlob(name string, r request) *reply {
	b, match := c.blobs[name], r.said("If-Match")
	switch {
	case b == nil:
		return noBlob()
	case match != "" && strings.Trim(match, `"`) != b.etag:
		return blobError(http.StatusPreconditionFailed, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")
	}
	delete(c.blobs, name)
	return newReply(http.StatusAccepted, nil)
}

// listed is a blob in a list.
type listed struct {
	Name       string
	Properties struct {
		LastModified string `xml:"Last-Modified"`
		Etag         string
		Length       int    `xml:"Content-Length"`
		Type         string `xml:"Content-Type"`
		BlobType     string
	}
}

// listBlobs answers a list with a page of blobs in the order of their names. Where
// it goes on is the name of the next one.
func (a *Account) listBlobs(c *container, name string, r request) *reply {
	most, ok := number(r.query("maxresults"), maxListed, 1, maxListed)
	if !ok {
		return blobError(http.StatusBadRequest, "OutOfRangeQueryParameterValue", "maxresults is out of range.")
	}
	var page struct {
		XMLName    struct{} `xml:"EnumerationResults"`
		Container  string   `xml:"ContainerName,attr"`
		Prefix     string
		Blobs      []listed `xml:"Blobs>Blob"`
		NextMarker string
	}
	page.Container, page.Prefix = name, r.query("prefix")
	var names []string
	for name := range c.blobs {
		if strings.HasPrefix(name, page.Prefix) && name >= r.query("marker") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	possible := min(len(names), most)
	n := possible - a.choose(PageEnd, possible+1)
	for _, name := range names[:n] {
		b, item := c.blobs[name], listed{Name: name}
		item.Properties.LastModified, item.Properties.Etag = b.modified.Format(http.TimeFormat), b.etag
		item.Properties.Length, item.Properties.Type, item.Properties.BlobType = len(b.content), b.kind, "BlockBlob"
		page.Blobs = append(page.Blobs, item)
	}
	if n < len(names) {
		page.NextMarker = names[n]
	}
	body, err := xml.Marshal(page)
	if err != nil {
		panic(err) // it is made of texts and numbers
	}
	return newReply(http.StatusOK, append([]byte(xml.Header), body...), "Content-Type", "application/xml", "Date", a.o.Now().UTC().Format(http.TimeFormat))
}

// Blobs returns the contents of a container's blobs by their names.
func (a *Account) Blobs(name string) map[string][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	blobs := map[string][]byte{}
	if c := a.containers[name]; c != nil {
		for name := range maps.Keys(c.blobs) {
			blobs[name] = c.blobs[name].content
		}
	}
	return blobs
}
