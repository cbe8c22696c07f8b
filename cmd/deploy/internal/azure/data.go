package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"

	"github.com/seed21523604/holdfast/functions/settings"
)

// SetSecret writes a secret into a vault. The old value stays there as an earlier version. It returns the new version.
func (c *Client) SetSecret(ctx context.Context, vault, name string, value settings.Secret) (version string, err error) {
	client, err := azsecrets.NewClient("https://"+vault+".vault.azure.net", c.o.Credential, &azsecrets.ClientOptions{ClientOptions: c.plain})
	if err != nil {
		return "", err
	}
	plain, contentType := value.Reveal(), "text/plain"
	got, err := client.SetSecret(ctx, name, azsecrets.SetSecretParameters{Value: &plain, ContentType: &contentType}, nil)
	if err != nil {
		return "", fmt.Errorf("write the secret %s into the vault %s: %w", name, vault, known(err))
	}
	if got.ID == nil {
		return "", nil
	}
	return got.ID.Version(), nil
}

// Poisoned returns about how many messages each queue of an account has that the Functions host puts what it gave up on into.
func (c *Client) Poisoned(ctx context.Context, account string) (map[string]int, error) {
	service, err := azqueue.NewServiceClient("https://"+account+".queue.core.windows.net/", c.o.Credential, &azqueue.ClientOptions{ClientOptions: c.plain})
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	pager := service.NewListQueuesPager(nil)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the queues of %s: %w", account, known(err))
		}
		for _, q := range page.Queues {
			name := deref(q.Name)
			if !strings.HasSuffix(name, "-poison") {
				continue
			}
			got, err := service.NewQueueClient(name).GetProperties(ctx, nil)
			if err != nil {
				return nil, fmt.Errorf("look at the queue %s: %w", name, known(err))
			}
			counts[name] = int(deref(got.ApproximateMessagesCount))
		}
	}
	return counts, nil
}

// Line is a line of the log.
type Line struct {
	Time  time.Time
	Level string
	Text  string
}

// levels are how Application Insights counts severity.
var levels = map[string]string{"0": "debug", "1": "info", "2": "warn", "3": "error", "4": "fatal"}

// Logs returns what an app logged from a time on, the oldest first, at most a number of lines. What is logged can be
// read after a minute or several.
func (c *Client) Logs(ctx context.Context, workspace string, since time.Time, most int) ([]Line, error) {
	var found struct {
		Properties struct {
			CustomerID string `json:"customerId"`
		} `json:"properties"`
	}
	path := c.group() + "/providers/Microsoft.OperationalInsights/workspaces/" + url.PathEscape(workspace)
	if _, err := c.call(ctx, http.MethodGet, path, workspaceVersion, nil, &found); err != nil {
		return nil, fmt.Errorf("look at the workspace %s: %w", workspace, err)
	}
	req, err := runtime.NewRequest(ctx, http.MethodPost, "https://api.loganalytics.io/v1/workspaces/"+url.PathEscape(found.Properties.CustomerID)+"/query")
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf("union AppTraces, AppExceptions | where TimeGenerated > datetime(%s) | order by TimeGenerated asc | take %d | "+
		"project TimeGenerated, tostring(SeverityLevel), coalesce(Message, OuterMessage, ExceptionType)", since.UTC().Format(time.RFC3339Nano), most)
	if err := runtime.MarshalAsJSON(req, map[string]string{"query": query}); err != nil {
		return nil, err
	}
	var answer struct {
		Tables []struct {
			Rows [][]any `json:"rows"`
		} `json:"tables"`
	}
	if _, err := send(c.pipeline("https://api.loganalytics.io/.default"), req, &answer); err != nil {
		return nil, fmt.Errorf("ask the workspace %s for logs: %w", workspace, err)
	}
	var lines []Line
	for _, table := range answer.Tables {
		for _, row := range table.Rows {
			if len(row) == 3 {
				lines = append(lines, lineOf(row))
			}
		}
	}
	return lines, nil
}

func lineOf(row []any) Line {
	at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(row[0]))
	level := fmt.Sprint(row[1])
	if word := levels[level]; word != "" {
		level = word
	}
	return Line{at, level, fmt.Sprint(row[2])}
}
