package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// isAutomatic reports whether a file of values is one that Terraform takes without being told.
func isAutomatic(name string) bool {
	name = strings.TrimSuffix(name, ".json")
	return name == "terraform.tfvars" || strings.HasSuffix(name, ".auto.tfvars")
}

// values reads a file of values. One for a variable that isn't there is a problem.
func (u *unit) values(path string) {
	out := &template.ParameterFile{Path: path}
	u.template.Files = append(u.template.Files, out)
	for _, src := range u.open(path) {
		if file := u.parse(src); file != nil {
			u.arguments(out, file.Body)
		}
	}
}

func (u *unit) arguments(out *template.ParameterFile, body hcl.Body) {
	attributes, diagnostics := body.JustAttributes()
	u.note(diagnostics)
	for _, a := range sorted(attributes) {
		argument := &template.Argument{At: u.span(a.NameRange), Name: a.Name, Value: u.expr(nil, a.Expr), To: u.template.Parameter(a.Name)}
		if argument.To == nil {
			u.problem(argument.At, "", "there is no variable %s", a.Name)
		}
		out.Arguments = append(out.Arguments, argument)
	}
}
