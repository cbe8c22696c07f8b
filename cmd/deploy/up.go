package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/check"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// The steps of up, in their order.
const (
	stepCheck     = "check"
	stepPackage   = "package"
	stepProvision = "provision"
	stepPublish   = "publish"
	stepSmoke     = "smoke"
)

var steps = []string{stepCheck, stepPackage, stepProvision, stepPublish, stepSmoke}

// upFlags are those of up beside the target's.
type upFlags struct {
	from, zip string
	looks     int
}

// up deploys: it checks the template, packages the app, provisions, publishes the package and looks whether the app works.
// Each step may be repeated, so after a failure or Ctrl-C the same command goes on; -from leaves out what is known to be done.
func up(ctx context.Context, args []string, std streams) error {
	flags, own, more := newFlags("up"), &targetFlags{}, &upFlags{}
	own.add(flags)
	flags.StringVar(&more.from, "from", stepCheck, "")
	flags.StringVar(&more.zip, "package", "", "")
	flags.IntVar(&more.looks, "looks", 100, "")
	paths, err := parse(flags, args)
	if err != nil {
		return err
	}
	if !slices.Contains(steps, more.from) {
		return &usageError{"up", fmt.Sprintf("--from is one of %s, not %s", strings.Join(steps, ", "), more.from)}
	}
	t, err := own.open(ctx, "up", paths, std, always(wants{inputs: true, azure: true}))
	if err != nil {
		return err
	}
	u := &uploading{target: t, upFlags: more}
	return t.running(ctx, "up", u.run)
}

// uploading is one run of up.
type uploading struct {
	*target
	*upFlags
	folder  string // for the package, while it runs
	outputs map[string]string
	site    *azure.Site
}

func (u *uploading) run(ctx context.Context) error {
	folder, err := os.MkdirTemp("", "holdfast-up-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	u.folder = folder
	does := map[string]func(context.Context) error{
		stepCheck: u.check, stepPackage: u.pack, stepProvision: u.provision, stepPublish: u.publish, stepSmoke: u.smoke,
	}
	first := slices.Index(steps, u.from)
	for _, step := range steps[first:] {
		if err := does[step](ctx); err != nil {
			if step == stepCheck {
				return err
			}
			return fmt.Errorf("%s: %w\nRun the same command again to go on; with --from %s it leaves out what is done", step, err, step)
		}
	}
	return nil
}

// check stops before anything is changed if a secret would get out.
func (u *uploading) check(context.Context) error {
	u.report.step(stepCheck, "looking for secrets that get out")
	findings, err := findingsOf([]*template.Template{u.template}, false, "")
	if err != nil {
		return err
	}
	errs := slices.DeleteFunc(slices.Clone(findings), func(f *check.Finding) bool {
		return f.Accepted != "" || f.Rule.Severity != check.Error
	})
	if len(errs) == 0 {
		return nil
	}
	if u.report.json {
		for _, f := range errs {
			u.report.tell(event{Event: "check", Name: f.Rule.ID, State: "failed", Text: f.At.String() + ": " + f.Message, Fix: f.Rule.Fix}, "")
		}
	} else if err := writeFindings(u.std.out, errs); err != nil {
		return err
	}
	return &foundError{count(len(errs), "finding") + "; nothing was deployed"}
}

// pack makes the package, unless one is given.
func (u *uploading) pack(ctx context.Context) error {
	if u.zip != "" {
		u.report.step(stepPackage, "taking "+u.zip)
		_, err := os.Stat(u.zip)
		return err
	}
	u.report.step(stepPackage, "building the app")
	zip, err := u.build(ctx, u.folder)
	u.zip = zip
	return err
}

func (u *uploading) provision(ctx context.Context) error {
	u.report.step(stepProvision, "making what the template says")
	outputs, err := u.provisioner().apply(ctx)
	if err != nil {
		return err
	}
	u.outputs = outputs
	u.report.outputs(outputs)
	return nil
}

// find finds the app, from the outputs of this run or of an earlier one.
func (u *uploading) find(ctx context.Context) (err error) {
	if u.site != nil {
		return nil
	}
	if u.outputs == nil {
		if u.outputs, err = u.provisioner().outputs(ctx); err != nil {
			return err
		}
	}
	name := output(u.outputs, "functionappname")
	if name == "" {
		return errors.New("the template has no output functionAppName, or was never deployed")
	}
	u.site, err = u.azure.Site(ctx, name)
	return err
}

func (u *uploading) publish(ctx context.Context) error {
	if u.zip == "" {
		if err := u.pack(ctx); err != nil {
			return err
		}
	}
	if err := u.find(ctx); err != nil {
		return err
	}
	u.report.step(stepPublish, "giving the package to "+u.site.Name)
	file, err := os.Open(u.zip)
	if err != nil {
		return fmt.Errorf("open the package: %w", err)
	}
	defer file.Close()
	return u.azure.Publish(ctx, u.site, file, func(state string) { u.report.operation("package", u.zip, state, 0, "") })
}

// smoke looks until the app works, or for so many times.
func (u *uploading) smoke(ctx context.Context) error {
	if err := u.find(ctx); err != nil {
		return err
	}
	u.report.step(stepSmoke, "asking https://"+u.site.Host+healthPath)
	var why error
	for range u.looks {
		if why = u.works(ctx); why == nil {
			u.report.note("%s works: https://%s", u.site.Name, u.site.Host)
			return nil
		}
		if err := u.azure.Pause(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s doesn't work: %w; deploy doctor says more", u.site.Name, why)
}

// healthPath is where the app says how it is.
const healthPath = "/api/health"

// works asks the host, the vault's references and the app itself.
func (u *uploading) works(ctx context.Context) error {
	host, err := u.azure.Host(ctx, u.site.Name)
	if err != nil {
		return err
	}
	if host.State != "Running" {
		return fmt.Errorf("the host is %s: %s", host.State, strings.Join(host.Errors, "; "))
	}
	references, err := u.azure.References(ctx, u.site.Name)
	if err != nil {
		return err
	}
	for _, r := range references {
		if !r.Resolved() {
			return fmt.Errorf("the setting %s gets no secret: %s %s", r.Setting, r.State, r.Detail)
		}
	}
	status, text, err := u.azure.Ask(ctx, "https://"+u.site.Host+healthPath)
	switch {
	case err != nil:
		return err
	case status != 200:
		return fmt.Errorf("the app answers %d: %s", status, text)
	}
	return nil
}
