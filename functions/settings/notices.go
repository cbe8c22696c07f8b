package settings

import "fmt"

// The settings about who is told how instances end.
const (
	CompletionNotices = "CompletionNotices"
	WebhookUrl        = "WebhookUrl"
	WebhookSecret     = "WebhookSecret"
	SlackWebhookUrl   = "SlackWebhookUrl"
	TeamsWebhookUrl   = "TeamsWebhookUrl"
	MailServer        = "MailServer"
	MailSecurity      = "MailSecurity"
	MailUser          = "MailUser"
	MailPassword      = "MailPassword"
	MailFrom          = "MailFrom"
	MailPersonHourly  = "MailPersonHourly"
)

// noticeSettings say who is told, and by which ways.
func noticeSettings() []Setting {
	const target = `(webhook|slack|teams|mail=[^,=@\s]+@[^,=@\s]+|sms=\+[1-9][0-9]{6,14}|queue=[a-z0-9-]{3,63})`
	return []Setting{
		{Name: CompletionNotices, Kind: KindText, Pattern: `^` + target + `(,` + target + `)*$`, Example: "queue=ended",
			Meaning: "who is told how instances end that an HTTP trigger started: webhook, slack, teams, mail=ADDRESS, sms=NUMBER, queue=NAME; empty: nobody"},
		{Name: WebhookUrl, Kind: KindURL, Pattern: `^https://|^http://(127\.0\.0\.1|localhost)[:/]`, Example: "https://shop.example.com/hooks/holdfast",
			Meaning: "where signed webhooks are posted"},
		{Name: WebhookSecret, Kind: KindSecret, Secret: true, Pattern: `^whsec_[A-Za-z0-9+/=]{32,100}$`, Example: "the output of: echo whsec_$(openssl rand -base64 32)",
			Meaning: "the secret under which they are signed, as Standard Webhooks says"},
		{Name: SlackWebhookUrl, Kind: KindSecret, Secret: true, Pattern: `^https?://[!-~]+$`, Example: "the address of an incoming webhook, as Slack shows it",
			Meaning: "the incoming webhook of a Slack channel"},
		{Name: TeamsWebhookUrl, Kind: KindSecret, Secret: true, Pattern: `^https?://[!-~]+$`, Example: "the address of a workflow that posts to a channel when a webhook request is received",
			Meaning: "the incoming webhook of a Teams channel"},
		{Name: MailServer, Kind: KindAddress, Example: "smtp.example.com:587",
			Meaning: "the SMTP server that e-mail is sent through: host and port"},
		{Name: MailSecurity, Kind: KindText, Default: "starttls", OneOf: []string{"starttls", "tls", "none"}, Example: "starttls",
			Meaning: "how the connection to it is encrypted; none is for a server on this machine"},
		{Name: MailUser, Kind: KindText, Pattern: `^[!-~]{1,200}$`, Example: "holdfast",
			Meaning: "the user that it lets in; empty: it lets everybody in"},
		{Name: MailPassword, Kind: KindSecret, Secret: true, Pattern: `^[ -~]{1,200}$`, Example: "the password of that user",
			Meaning: "the password of that user"},
		{Name: MailFrom, Kind: KindText, Pattern: `^([^<>\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$`, Example: "holdfast@example.com",
			Meaning: "whom e-mail is from"},
		{Name: MailPersonHourly, Kind: KindInteger, Default: "60", Min: "0", Max: "10000", Example: "60",
			Meaning: "how many e-mails about requests are sent to one address within an hour; 0: as many as there are"},
	}
}

// wholeNotices reports ways of which only a part is set.
func wholeNotices(given map[string]bool) error {
	for _, pair := range [][2]string{{WebhookUrl, WebhookSecret}, {MailServer, MailFrom}, {MailUser, MailPassword}} {
		if given[pair[0]] != given[pair[1]] {
			return fmt.Errorf("of %s and %s only one is set: set both, or neither", pair[0], pair[1])
		}
	}
	return nil
}
