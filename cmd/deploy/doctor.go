package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/tools"
)

// The outcomes of a look.
const (
	fine    = "ok"
	warning = "warning"
	failed  = "failed"
)

// look is one thing that doctor looks at.
type look struct {
	name, state, text, fix string
}

// doctor looks at everything that keeps an app from working, and says what to do. It goes on after what fails, and changes
// nothing.
func doctor(ctx context.Context, args []string, std streams) error {
	flags, own := newFlags("doctor"), &targetFlags{}
	own.add(flags)
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	t, err := own.open(ctx, "doctor", paths, std, always(wants{azure: true}))
	if err != nil {
		return err
	}
	return t.running(ctx, "doctor", func(ctx context.Context) error {
		d := &diagnosis{target: t}
		d.here(ctx)
		if d.signedIn(ctx) {
			d.clock(ctx)
			d.rights(ctx)
			d.deployed(ctx)
		}
		return d.result(ctx)
	})
}

type diagnosis struct {
	*target
	failed int
}

func (d *diagnosis) say(l look) {
	sign := map[string]string{fine: "✓", warning: "!", failed: "✗"}[l.state]
	line := fmt.Sprintf("%s %s: %s\n", sign, l.name, l.text)
	if l.state != fine && l.fix != "" {
		line += "    " + l.fix + "\n"
	}
	if l.state == failed {
		d.failed++
	}
	if l.state == fine {
		l.fix = ""
	}
	d.report.tell(event{Event: "check", Name: l.name, State: l.state, Text: l.text, Fix: l.fix}, "%s", line)
}

// problem says that something could not be looked at.
func (d *diagnosis) problem(name string, err error, fix string) {
	d.say(look{name, failed, err.Error(), fix})
}

func (d *diagnosis) result(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Canceled
	case d.failed > 0:
		return &foundError{count(d.failed, "problem")}
	}
	return nil
}

// The least versions that understand our templates: secure outputs and .bicepparam, ephemeral variables.
const (
	leastBicep     = "0.35.1"
	leastTerraform = "1.11.0"
)

// here looks at the programs on this machine.
func (d *diagnosis) here(ctx context.Context) {
	name, version, least, err := "Bicep compiler", "", leastBicep, error(nil)
	if d.template.Language == template.Terraform {
		least = leastTerraform
		var t *tools.Terraform
		if t, err = tools.FindTerraform(d.file, nil); err == nil {
			name = t.Name()
			version, err = t.Version(ctx)
		}
	} else {
		var b *tools.Bicep
		if b, err = tools.FindBicep(); err == nil {
			version, err = b.Version(ctx)
		}
	}
	switch {
	case err != nil:
		d.problem(name, err, "")
	case older(version, least):
		d.say(look{name, failed, "version " + version + " is older than " + least, "get a newer one; the templates need it"})
	default:
		d.say(look{name, fine, "version " + version, ""})
	}
}

// older compares two versions number by number.
func older(a, b string) bool {
	var x, y [3]int
	_, _ = fmt.Sscanf(a, "%d.%d.%d", &x[0], &x[1], &x[2]) // what can't be read is zero, so old
	_, _ = fmt.Sscanf(b, "%d.%d.%d", &y[0], &y[1], &y[2])
	return slices.Compare(x[:], y[:]) < 0
}

func (d *diagnosis) signedIn(ctx context.Context) bool {
	who, err := d.azure.Whoami(ctx)
	if err != nil {
		d.problem("sign-in", err, "run az login")
		return false
	}
	d.say(look{"sign-in", fine, who.Name + " in the tenant " + who.Tenant, ""})
	return true
}

const (
	clockWarning = time.Minute
	clockFailure = 5 * time.Minute // Entra takes no token that is so much too early or too late
)

func (d *diagnosis) clock(ctx context.Context) {
	theirs, err := d.azure.Clock(ctx)
	if err != nil {
		d.problem("resource group", err, "make it, or name another with --group")
		return
	}
	off := d.report.now().Sub(theirs).Abs().Truncate(time.Second)
	l := look{"clock", fine, fmt.Sprintf("%s off Azure's", off), "set this machine's clock; tokens are refused when it is wrong"}
	switch {
	case off >= clockFailure:
		l.state = failed
	case off >= clockWarning:
		l.state = warning
	}
	d.say(l)
}

// needed are the actions that up takes, with the role that allows them.
var needed = []struct{ action, role string }{
	{"Microsoft.Resources/deployments/write", "Contributor"},
	{"Microsoft.Web/sites/write", "Contributor"},
	{"Microsoft.Web/sites/publish/Action", "Contributor or Website Contributor"},
	{"Microsoft.Authorization/roleAssignments/write", "Role Based Access Control Administrator"},
}

func (d *diagnosis) rights(ctx context.Context) {
	rights, err := d.azure.Rights(ctx)
	if err != nil {
		d.problem("rights", err, "")
		return
	}
	var lacking []string
	for _, n := range needed {
		if !rights.Allow(n.action) {
			lacking = append(lacking, n.action+" ("+n.role+")")
		}
	}
	if len(lacking) > 0 {
		d.say(look{"rights", warning, "whoever is signed in may not do " + strings.Join(lacking, ", "), "up will fail; have these roles given to you on the resource group " + d.group})
		return
	}
	d.say(look{"rights", fine, "enough for up", ""})
}

// deployed looks at what was deployed, if anything was.
func (d *diagnosis) deployed(ctx context.Context) {
	outputs, err := d.provisioner().outputs(ctx)
	name := output(outputs, "functionappname")
	switch {
	case err != nil:
		d.problem("deployment", err, "")
		return
	case name == "":
		d.say(look{"deployment", warning, "nothing is deployed as " + d.name, "run deploy up"})
		return
	}
	d.say(look{"deployment", fine, name, ""})
	d.app(ctx, name)
	d.references(ctx, name)
	d.roles(ctx, output(outputs, "clientid"))
	d.poisoned(ctx, output(outputs, "storageaccountname"))
}

func (d *diagnosis) app(ctx context.Context, name string) {
	site, err := d.azure.Site(ctx, name)
	if err != nil {
		d.problem("app", err, "")
		return
	}
	if site.State != "Running" {
		d.say(look{"app", failed, name + " is " + site.State, "start it: az functionapp start --name " + name + " --resource-group " + d.group})
		return
	}
	d.say(look{"app", fine, "https://" + site.Host, ""})
	host, err := d.azure.Host(ctx, name)
	switch {
	case err != nil:
		d.problem("host", err, "the host may be starting; if it stays so, look at deploy logs")
	case host.State != "Running":
		d.say(look{"host", failed, fmt.Sprintf("it is %s: %s", host.State, strings.Join(host.Errors, "; ")), "look at deploy logs; a package that was never published, or a program that ends at once, look like this"})
	default:
		d.say(look{"host", fine, "version " + host.Version + " is running", ""})
	}
}

// referenceFixes say what to do about the states of references to the vault.
var referenceFixes = map[string]string{
	"Initialized":            "wait a minute; the app has not looked yet",
	"InvalidSyntax":          "the setting is no reference as App Service reads it; deploy check finds where it is made",
	"MSINotEnabled":          "the app has no identity to read with, or keyVaultReferenceIdentity names one that it doesn't have",
	"VaultNotFound":          "the vault is not there, or its name can't be resolved from the app's network",
	"SecretNotFound":         "the vault has no such secret; set it with deploy secret set",
	"SecretVersionNotFound":  "the reference names a version that is not there; leave the version out",
	"AccessToKeyVaultDenied": "the app's identity may not read the secret: it needs Key Vault Secrets User on it, which takes some minutes after it was given; or the vault's network keeps the app out",
}

func (d *diagnosis) references(ctx context.Context, app string) {
	all, err := d.azure.References(ctx, app)
	if err != nil {
		d.problem("secrets", err, "")
		return
	}
	resolved := 0
	for _, r := range all {
		if r.Resolved() {
			resolved++
			continue
		}
		d.say(look{"secret " + r.Setting, failed, strings.TrimSpace(r.State + " " + r.Detail), firstOf(referenceFixes[r.State], "read the detail; Azure knows no more")})
	}
	if resolved == len(all) {
		d.say(look{"secrets", fine, fmt.Sprintf("%d references to the vault are resolved", resolved), ""})
	}
}

// appRoles are the roles that the app's identity needs.
var appRoles = map[string]string{
	"b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
	"974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
	"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
	"4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
	"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}

func (d *diagnosis) roles(ctx context.Context, clientID string) {
	principal, err := d.azure.Principal(ctx, clientID)
	if err != nil {
		d.problem("identity", err, "run deploy up, which makes it")
		return
	}
	roles, err := d.azure.Roles(ctx, principal)
	if err != nil {
		d.problem("identity", err, "")
		return
	}
	var lacking []string
	for _, id := range sortedNames(appRoles) {
		if !slices.ContainsFunc(roles, func(has string) bool { return strings.EqualFold(has, id) }) {
			lacking = append(lacking, appRoles[id])
		}
	}
	slices.Sort(lacking)
	if len(lacking) > 0 {
		d.say(look{"identity", failed, "the app's identity doesn't have " + strings.Join(lacking, ", "), "run deploy up, which gives them; they count after some minutes"})
		return
	}
	d.say(look{"identity", fine, fmt.Sprintf("it has the %d roles that it needs", len(appRoles)), ""})
}

func (d *diagnosis) poisoned(ctx context.Context, account string) {
	counts, err := d.azure.Poisoned(ctx, account)
	var denied *azure.AccessError
	switch {
	case errors.As(err, &denied):
		d.say(look{"poison queue", warning, "it can't be looked at: " + err.Error(), "have Storage Queue Data Reader given to you on " + account})
		return
	case err != nil:
		d.problem("poison queue", err, "")
		return
	}
	for _, name := range sortedNames(counts) {
		if counts[name] > 0 {
			d.say(look{"poison queue", failed, fmt.Sprintf("%s has about %d messages that the host gave up on", name, counts[name]), "find out why with deploy logs; what they rang for is not lost"})
			return
		}
	}
	d.say(look{"poison queue", fine, "empty", ""})
}
