package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// The states of a publication, as the management site numbers them.
const (
	publishCanceled = -1
	publishFailed   = 3
	publishDone     = 4
	publishConflict = 5
	publishPartial  = 6
)

var publishStates = map[int]string{publishCanceled: "canceled", 0: "pending", 1: "building", 2: "deploying", publishFailed: "failed",
	publishDone: "done", publishConflict: "in conflict with another", publishPartial: "done in part"}

// Publish gives an app a package, a zip, and waits until the app has it. On Flex Consumption that is one deploy, elsewhere
// zip deploy. It may be repeated; if a publication goes on, it is waited for first.
func (c *Client) Publish(ctx context.Context, s *Site, zip io.ReadSeeker, report func(state string)) error {
	if s.Management == "" {
		return fmt.Errorf("publish to %s: Azure names no management site for it", s.Name)
	}
	p := &publication{client: c, site: s, pipeline: c.pipeline(managementScope()), report: report}
	for range mostConflicts {
		err := p.once(ctx, zip)
		if !errors.Is(err, errBusy) {
			return err
		}
		report("waiting for another publication")
		if err := c.Pause(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("publish to %s: %w", s.Name, errBusy)
}

const (
	mostConflicts = 100
	mostMissing   = 3 // a publication that was just begun may not be known for so many looks
)

var errBusy = errors.New("another publication goes on")

type publication struct {
	client   *Client
	site     *Site
	pipeline runtime.Pipeline
	report   func(string)
}

// once uploads the package and follows what becomes of it.
func (p *publication) once(ctx context.Context, zip io.ReadSeeker) error {
	path, query := "/api/zipdeploy", url.Values{"isAsync": {"true"}, "Deployer": {moduleName}}
	if p.site.Flex {
		path, query = "/api/publish", url.Values{"RemoteBuild": {"false"}, "Deployer": {moduleName}}
	}
	if _, err := zip.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	req, err := runtime.NewRequest(ctx, http.MethodPost, "https://"+p.site.Management+path)
	if err != nil {
		return err
	}
	req.Raw().URL.RawQuery = query.Encode()
	if err := req.SetBody(streaming.NopCloser(zip), "application/zip"); err != nil {
		return err
	}
	resp, err := p.pipeline.Do(req)
	switch {
	case err != nil:
		return fmt.Errorf("upload the package: %w", known(err))
	case resp.StatusCode == http.StatusConflict:
		runtime.Drain(resp)
		return errBusy
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusAccepted:
		return fmt.Errorf("upload the package: %w", known(runtime.NewResponseError(resp)))
	}
	id, err := publicationID(resp)
	if err != nil {
		return err
	}
	return p.follow(ctx, id)
}

// publicationID returns the id of a publication: the answer itself, or the end of where it is looked at.
func publicationID(resp *http.Response) (string, error) {
	body, err := runtime.Payload(resp)
	if err != nil {
		return "", fmt.Errorf("read the answer to the upload: %w", err)
	}
	var id string
	if json.Unmarshal(body, &id) == nil && id != "" {
		return id, nil
	}
	if u, err := url.Parse(resp.Header.Get("Location")); err == nil && strings.Contains(u.Path, deploymentsSuffix) {
		return u.Path[strings.LastIndexByte(u.Path, '/')+1:], nil
	}
	return "latest", nil
}

// follow looks at a publication until it ends. One that isn't known any more after it was is done.
func (p *publication) follow(ctx context.Context, id string) error {
	missing, last := 0, ""
	for {
		state, err := p.state(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound) && last != "":
			return nil
		case errors.Is(err, ErrNotFound) && missing < mostMissing:
			missing++
		case err != nil:
			return fmt.Errorf("look at the publication: %w", err)
		default:
			if word := publishStates[state.Status]; word != last {
				last = word
				p.report(word)
			}
			if done, err := state.result(); done {
				return err
			}
		}
		if err := p.client.Pause(ctx); err != nil {
			return err
		}
	}
}

type publicationState struct {
	Status     int    `json:"status"`
	StatusText string `json:"status_text"`
	Message    string `json:"message"`
}

func (s *publicationState) result() (done bool, err error) {
	switch s.Status {
	case publishDone:
		return true, nil
	case publishCanceled, publishFailed, publishConflict, publishPartial:
		return true, fmt.Errorf("the publication ended as %s: %s", publishStates[s.Status], strings.TrimSpace(s.StatusText+" "+s.Message))
	}
	return false, nil
}

func (p *publication) state(ctx context.Context, id string) (*publicationState, error) {
	req, err := runtime.NewRequest(ctx, http.MethodGet, "https://"+p.site.Management+deploymentsSuffix+url.PathEscape(id))
	if err != nil {
		return nil, err
	}
	s := &publicationState{}
	_, err = send(p.pipeline, req, s)
	return s, err
}
