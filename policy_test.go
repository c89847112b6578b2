// Package pktsh_test holds what must be true of the whole repository: who
// imports whom, what the binary depends on, how the code is laid out.
package pktsh_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const std = "the standard library"

// mayImport is the import table of docs/architecture.md. A name that ends in
// "/..." stands for a whole tree; package names of ours are relative to pktsh/.
var mayImport = map[string][]string{
	"engine/wire":    {std},
	"engine/clock":   {std},
	"engine/filter":  {std, "golang.org/x/net/bpf"},
	"engine/tunnel":  {std, "golang.org/x/sys/...", "github.com/songgao/water/...", "engine/clock"},
	"engine/netlink": {std, "golang.org/x/sys/...", "github.com/mdlayher/netlink/...", "engine/wire", "engine/clock"},
	"engine": {std, "golang.org/x/sys/...", "github.com/google/gopacket/...", "github.com/songgao/water/...", "github.com/klauspost/compress/zstd",
		"engine/wire", "engine/filter", "engine/tunnel", "engine/clock"},
	"lua":           {std, "github.com/yuin/gopher-lua/...", "engine/clock"},
	"lua/repl":      {std, "lua", "github.com/chzyer/readline", "golang.org/x/sys/..."},
	"lua/spec":      {std, "lua", "engine/clock"},
	"bindings":      {std, "lua", "engine/...", "stdlib"},
	"stdlib":        {"embed", "io/fs"},
	"internal/need": {std}, // for tests: what they need of the machine
	"cmd/pktsh":     {std, "lua/...", "bindings", "engine/...", "stdlib", "golang.org/x/sys/..."},
}

// mayImportTree covers the packages below a folder that have no entry of their own.
var mayImportTree = map[string][]string{
	"scripts":  {std, "golang.org/x/sys/...", "lua/...", "bindings", "engine/...", "stdlib", "github.com/google/gopacket/..."},
	"examples": {std},
	"lua":      {std, "lua"},
}

// goFiles parses every Go file of the repository, keyed by its path.
func goFiles(t *testing.T) (*token.FileSet, map[string]*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	files := map[string]*ast.File{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (d.Name()[0] == '.' || d.Name() == "testdata" || d.Name() == "vendor"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(p) != ".go":
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(p)] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fset, files
}

func isTest(p string) bool { return strings.HasSuffix(p, "_test.go") }

func TestImports(t *testing.T) {
	fset, files := goFiles(t)
	for p, f := range files {
		if isTest(p) {
			continue
		}
		dir := path.Dir(p)
		allowed, ok := mayImport[dir]
		if !ok {
			tree, _, _ := strings.Cut(dir, "/")
			if allowed, ok = mayImportTree[tree]; !ok {
				t.Errorf("%s: package %s is not in the import table", p, dir)
				continue
			}
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if name == "C" {
				t.Errorf("%s: pktsh is pure Go: no cgo", fset.Position(spec.Pos()))
			} else if !allows(allowed, name) {
				t.Errorf("%s: %s must not import %s", fset.Position(spec.Pos()), dir, name)
			}
		}
	}
}

func allows(allowed []string, name string) bool {
	first, _, _ := strings.Cut(name, "/")
	ours := strings.TrimPrefix(name, "pktsh/")
	isStd := ours == name && !strings.Contains(first, ".")
	for _, a := range allowed {
		switch tree, all := strings.CutSuffix(a, "/..."); {
		case a == std && isStd, a == ours, all && (ours == tree || strings.HasPrefix(ours, tree+"/")):
			return true
		}
	}
	return false
}

// Test files may use these as well, and nothing else from outside.
var testMayImport = []string{"github.com/google/go-cmp/...", "github.com/rogpeppe/go-internal/...",
	"github.com/google/gopacket/...", "golang.org/x/sys/...", "golang.org/x/net/..."}

func TestImportsOfTests(t *testing.T) {
	fset, files := goFiles(t)
	for p, f := range files {
		if !isTest(p) {
			continue
		}
		allowed := append(slices.Clone(mayImport[path.Dir(p)]), testMayImport...)
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(name, "/")
			if strings.Contains(first, ".") && !allows(allowed, name) {
				t.Errorf("%s: tests of %s must not import %s", fset.Position(spec.Pos()), path.Dir(p), name)
			}
		}
	}
}

// A folder is named for what it holds.
func TestNoJunkDrawers(t *testing.T) {
	_, files := goFiles(t)
	seen := map[string]bool{}
	for p := range files {
		for _, part := range strings.Split(path.Dir(p), "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "base", "shared"}, part) && !seen[path.Dir(p)] {
				seen[path.Dir(p)] = true
				t.Errorf("%s: a folder is named for what it holds", path.Dir(p))
			}
		}
	}
}

func TestFormatting(t *testing.T) {
	_, files := goFiles(t)
	for p := range files {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := format.Source(b); err != nil || !bytes.Equal(b, out) {
			t.Errorf("%s is not formatted as gofmt does", p)
		}
	}
}

// Everything exported says what a caller can rely on.
func TestDocComments(t *testing.T) {
	fset, files := goFiles(t)
	packages := map[string]bool{}
	for p, f := range files {
		if isTest(p) {
			continue
		}
		dir := path.Dir(p)
		packages[dir] = packages[dir] || f.Doc != nil
		if dir != "lua" && !strings.HasPrefix(dir, "lua/") && dir != "engine" && !strings.HasPrefix(dir, "engine/") {
			continue
		}
		for _, decl := range f.Decls {
			for _, id := range undocumented(decl) {
				t.Errorf("%s: %s has no doc comment", fset.Position(id.Pos()), id.Name)
			}
		}
	}
	for dir, documented := range packages {
		if !documented {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

// wellKnown methods mean what they mean everywhere.
var wellKnown = []string{"Error", "String", "Unwrap", "Is", "As", "Kind", "Hint", "Len", "Less", "Swap", "Push", "Pop"}

func undocumented(decl ast.Decl) (ids []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Doc != nil {
			break
		}
		if d.Recv != nil {
			recv := d.Recv.List[0].Type
			if star, ok := recv.(*ast.StarExpr); ok {
				recv = star.X
			}
			if gen, ok := recv.(*ast.IndexExpr); ok {
				recv = gen.X
			}
			if id, ok := recv.(*ast.Ident); ok && !id.IsExported() || slices.Contains(wellKnown, d.Name.Name) {
				break
			}
		}
		ids = append(ids, d.Name)
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					ids = append(ids, s.Name)
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						ids = append(ids, id)
					}
				}
			}
		}
	}
	return ids
}

// What is compiled into the binary is pure Go under a permissive licence.
func TestDependencies(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "-f",
		`{{if not .Standard}}{{.ImportPath}}	{{len .CgoFiles}}	{{with .Module}}{{.Path}}	{{.Dir}}{{end}}{{end}}`, "./cmd/pktsh")
	// With cgo on, a package that would use it says so.
	list.Env = append(os.Environ(), "CGO_ENABLED=1")
	var stderr strings.Builder
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	modules := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("go list printed %q", line)
		}
		if f[1] != "0" {
			t.Errorf("%s uses cgo", f[0])
		}
		modules[f[2]] = f[3]
	}
	direct := []string{"pktsh", "github.com/yuin/gopher-lua", "github.com/chzyer/readline", "github.com/google/gopacket",
		"github.com/songgao/water", "github.com/klauspost/compress", "golang.org/x/sys", "golang.org/x/net",
		"github.com/mdlayher/netlink", "github.com/mdlayher/socket", "golang.org/x/sync"}
	for name, dir := range modules {
		if !slices.Contains(direct, name) {
			t.Errorf("%s is not a dependency the design names", name)
		}
		if why := permissive(dir); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// permissive says what is wrong with the licence in dir, if anything.
func permissive(dir string) string {
	found, _ := filepath.Glob(filepath.Join(dir, "LICEN[SC]E*"))
	if len(found) == 0 {
		return "no licence file in " + dir
	}
	for _, name := range found {
		b, err := os.ReadFile(name)
		if err != nil {
			return err.Error()
		}
		text := strings.Join(strings.Fields(string(b)), " ")
		switch {
		case strings.Contains(text, "GNU "), strings.Contains(text, "Mozilla Public"):
			return name + " is not permissive"
		case strings.Contains(text, "Permission is hereby granted, free of charge"), // MIT
			strings.Contains(text, "Redistribution and use in source and binary forms"), // BSD
			strings.Contains(text, "Apache License Version 2.0"):
			return ""
		}
	}
	return "the licence in " + found[0] + " is not one we know"
}

// The table in docs/architecture.md is the one above.
func TestImportTableOfTheDocs(t *testing.T) {
	const page = "docs/architecture.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{"| package | may import |", "|---|---|"}
	for _, pkg := range slices.Sorted(maps.Keys(mayImport)) {
		var words []string
		for _, name := range mayImport[pkg] {
			tree := strings.TrimSuffix(name, "/...")
			switch {
			case name == std:
				words = append(words, std)
			case tree != name && !strings.Contains(tree, "."):
				words = append(words, "`"+tree+"` and below")
			default:
				words = append(words, "`"+tree+"`")
			}
		}
		rows = append(rows, "| `"+pkg+"` | "+strings.Join(words, ", ")+" |")
	}
	if want := strings.Join(rows, "\n") + "\n\n"; !strings.Contains(string(text), want) {
		t.Errorf("%s does not hold the import table:\n%s", page, want)
	}
}
