package terraform

import "github.com/hashicorp/hcl/v2"

// fileSchema is what a file may hold. What is not read further is there so that it is no problem.
var fileSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "terraform"},
	{Type: "provider", LabelNames: []string{"name"}},
	{Type: "variable", LabelNames: []string{"name"}},
	{Type: "locals"},
	{Type: "output", LabelNames: []string{"name"}},
	{Type: "module", LabelNames: []string{"name"}},
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "ephemeral", LabelNames: []string{"type", "name"}},
	{Type: "action", LabelNames: []string{"type", "name"}},
	{Type: "check", LabelNames: []string{"name"}},
	{Type: "moved"},
	{Type: "import"},
	{Type: "removed"},
	{Type: "language"},
}}

var variableSchema = &hcl.BodySchema{
	Attributes: attributes("type", "description", "default", "sensitive", "ephemeral", "nullable", "deprecated"),
	Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
}

var outputSchema = &hcl.BodySchema{
	Attributes: attributes("type", "description", "value", "sensitive", "ephemeral", "depends_on", "deprecated"),
	Blocks:     []hcl.BlockHeaderSchema{{Type: "precondition"}},
}

var validationSchema = &hcl.BodySchema{Attributes: attributes("condition", "error_message")}

var terraformSchema = &hcl.BodySchema{
	Attributes: attributes("required_version"),
	Blocks: []hcl.BlockHeaderSchema{
		{Type: "required_providers"}, {Type: "backend", LabelNames: []string{"type"}},
	},
}

// metaSchema is what every resource and module may be given beside its own arguments.
var metaSchema = &hcl.BodySchema{
	Attributes: attributes("count", "for_each", "provider", "providers", "depends_on", "source", "version", "alias", "enabled"),
}

func attributes(names ...string) []hcl.AttributeSchema {
	var out []hcl.AttributeSchema
	for _, n := range names {
		out = append(out, hcl.AttributeSchema{Name: n})
	}
	return out
}
