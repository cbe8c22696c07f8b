package terraform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/template"
)

// writeOnlySuffix ends the names of arguments that Terraform neither plans nor keeps.
const writeOnlySuffix = "_wo"

// body reads the arguments and blocks of a body, but for some names. In JSON both look alike.
func (u *unit) body(s *scope, b hcl.Body, without ...string) *template.Object {
	if native, ok := b.(*hclsyntax.Body); ok {
		return u.nativeBody(s, native, without)
	}
	o := &template.Object{At: u.at(b.MissingItemRange())}
	attributes, diagnostics := b.JustAttributes()
	u.note(diagnostics)
	for _, a := range sorted(attributes) {
		if !slices.Contains(without, a.Name) {
			o.Members = append(o.Members, u.argument(s, a.Name, a.NameRange, a.Expr))
		}
	}
	return o
}

func (u *unit) argument(s *scope, name string, at hcl.Range, e hcl.Expression) *template.Member {
	return &template.Member{
		At: u.span(at), Name: name, Value: u.expr(s, e), WriteOnly: strings.HasSuffix(name, writeOnlySuffix),
	}
}

func (u *unit) nativeBody(s *scope, b *hclsyntax.Body, without []string) *template.Object {
	o := &template.Object{At: u.at(b.SrcRange)}
	for name, a := range b.Attributes {
		if !slices.Contains(without, name) {
			o.Members = append(o.Members, u.argument(s, name, a.NameRange, a.Expr))
		}
	}
	blocks := map[string]*template.Member{}
	for _, block := range b.Blocks {
		if block.Type == "_" { // arguments whose names mean something to Terraform itself
			o.Members = append(o.Members, u.nativeBody(s, block.Body, nil).Members...)
			continue
		}
		name, value := u.block(s, block)
		if m := blocks[name]; m != nil {
			m.Value = several(m.Value, value)
			continue
		}
		blocks[name] = &template.Member{At: u.span(block.TypeRange), Name: name, Value: value}
		o.Members = append(o.Members, blocks[name])
	}
	slices.SortFunc(o.Members, func(a, b *template.Member) int { return cmp.Compare(a.At.Start, b.At.Start) })
	return o
}

// several makes a list of the blocks of one name.
func several(before, next template.Expr) template.Expr {
	list, ok := before.(*template.List)
	if !ok {
		list = &template.List{At: template.At{Span: before.Place()}, Items: []template.Expr{spread(before)}}
	}
	list.Items = append(list.Items, spread(next))
	return list
}

// spread keeps a dynamic block, which stands for any number of blocks, from being an item itself.
func spread(e template.Expr) template.Expr {
	if l, ok := e.(*template.Loop); ok {
		return &template.Spread{At: l.At, X: l}
	}
	return e
}

// block reads a block inside a body. Its labels are objects around it.
func (u *unit) block(s *scope, b *hclsyntax.Block) (name string, value template.Expr) {
	if b.Type == "dynamic" && len(b.Labels) == 1 {
		return b.Labels[0], u.dynamic(s, b)
	}
	if a := b.Body.Attributes["ignore_changes"]; a != nil && b.Type == "lifecycle" {
		body := u.nativeBody(s, b.Body, []string{a.Name})
		body.Members = append(body.Members, &template.Member{At: u.span(a.NameRange), Name: a.Name, Value: u.plainNames(a.Expr)})
		return b.Type, body
	}
	value = u.nativeBody(s, b.Body, nil)
	for i := len(b.Labels) - 1; i >= 0; i-- {
		at := u.at(b.LabelRanges[i])
		value = &template.Object{At: at, Members: []*template.Member{{At: at.Span, Name: b.Labels[i], Value: value}}}
	}
	return b.Type, value
}

// dynamic reads a block that is repeated for each item of a collection.
func (u *unit) dynamic(s *scope, b *hclsyntax.Block) template.Expr {
	l := &template.Loop{At: u.at(b.TypeRange), In: &template.Missing{At: u.at(b.TypeRange)}}
	if a := b.Body.Attributes["for_each"]; a != nil {
		l.In = u.expr(s, a.Expr)
	} else {
		u.problem(u.span(b.TypeRange), "", "the dynamic block %s has no for_each", b.Labels[0])
	}
	iterator := b.Labels[0]
	if a := b.Body.Attributes["iterator"]; a != nil {
		iterator = u.name(a.Expr)
	}
	inside := &scope{outer: s, names: map[string]*template.Local{}}
	l.Item = inside.local(iterator+".value", l, false)
	l.Index = inside.local(iterator+".key", l, true)
	for _, content := range b.Body.Blocks {
		if content.Type == "content" {
			l.Body = u.nativeBody(inside, content.Body, nil)
		}
	}
	if l.Body == nil {
		u.problem(u.span(b.TypeRange), "", "the dynamic block %s has no content", b.Labels[0])
		l.Body = &template.Missing{At: l.At}
	}
	return l
}
