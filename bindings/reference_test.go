package bindings

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/stdlib"
)

var update = flag.Bool("update", false, "write docs/REFERENCE.md")

// docs/REFERENCE.md is printed from the declarations and the layouts.
func TestReference(t *testing.T) {
	const file = "../docs/REFERENCE.md"
	got := reference(t)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/REFERENCE.md is not what the declarations say; print it again with: go test ./bindings -run Reference -update")
	}
}

func reference(t *testing.T) []byte {
	t.Helper()
	h, err := lua.New(lua.Config{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: 1, Stdin: strings.NewReader(""),
		Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Modules: Modules(), Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	b := &bytes.Buffer{}
	fmt.Fprintln(b, "# Reference")
	fmt.Fprintln(b, "\nPrinted from the declarations by `go test ./bindings -run Reference -update`. At the prompt, `help(x)` says the same.")
	fmt.Fprintf(b, "\nKinds of errors: %s.\n", strings.Join(lua.Kinds(), ", "))
	docs := h.Docs()
	slices.SortStableFunc(docs, func(x, y lua.ModuleDoc) int { return cmp.Compare(x.Name, y.Name) })
	for _, m := range docs {
		if strings.HasPrefix(m.Name, "proto/") || len(m.Funcs)+len(m.Types)+len(m.Options) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n## %s\n\n%s\n", m.Name, m.Doc)
		for _, f := range m.Funcs {
			decl(b, f)
		}
		for _, o := range m.Options {
			fmt.Fprintf(b, "\n### table %s\n\n%s", o.Name, paragraph(o.Doc))
			params(b, o.Fields)
		}
		for _, ty := range m.Types {
			fmt.Fprintf(b, "\n### type %s\n\n%s", ty.Name, paragraph(ty.Doc))
			for _, f := range ty.Methods {
				decl(b, f)
			}
		}
	}
	layouts(t, b, h)
	return b.Bytes()
}

func paragraph(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "   ") { // an example: the comment's own blank took the fourth
			lines[i] = " " + l
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func decl(b *bytes.Buffer, d *lua.Decl) {
	fmt.Fprintf(b, "\n#### `%s`\n\n%s", d.Signature(), paragraph(d.Doc))
	params(b, d.Params)
	for _, r := range d.Returns {
		if r.Doc != "" {
			fmt.Fprintf(b, "- returns %s: %s\n", r.Type, r.Doc)
		}
	}
	for _, e := range d.Errors {
		fmt.Fprintf(b, "- raises %s: %s\n", e.Kind, e.Doc)
	}
}

func params(b *bytes.Buffer, ps []lua.Param) {
	for i, p := range ps {
		if i == 0 {
			fmt.Fprintln(b)
		}
		optional := ""
		if p.Optional {
			optional = ", optional"
		}
		fmt.Fprintf(b, "- `%s` (%s%s) %s\n", p.Name, p.Type, optional, p.Doc)
	}
}

// layouts lists the protocols with their fields.
func layouts(t *testing.T, b *bytes.Buffer, h *lua.Host) {
	t.Helper()
	if err := h.OpenAll(); err != nil {
		t.Fatal(err)
	}
	c, err := codecOf(h)
	if err != nil {
		t.Fatal(err)
	}
	reg := c.reg
	if err := reg.LoadAll(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(b, "\n## Protocols\n")
	for _, name := range reg.Names() {
		l := reg.Loaded(name)
		if l == nil || l.Anonymous() {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n%s\n| field | type | default | |\n|---|---|---|---|\n", name, paragraph((&luaLayout{Layout: l, c: c}).doc()))
		for f := range l.Fields() {
			s := f.Spec()
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", s.Name, fieldType(s), fieldDefault(f), strings.ReplaceAll(s.Doc, "|", "\\|"))
		}
	}
}
