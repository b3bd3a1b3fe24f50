package inq

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What CONTRIBUTING says of the house, checked against its files.

// house is the production code of this package.
type house struct {
	fset  *token.FileSet
	files []*ast.File
}

func openHouse(t *testing.T) *house {
	t.Helper()
	h := &house{fset: token.NewFileSet()}
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(h.fset, name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		h.files = append(h.files, f)
	}
	return h
}

func (h *house) file(pos token.Pos) string { return filepath.Base(h.fset.Position(pos).Filename) }

// noImports leaves other packages unknown: who calls whom in this one can be told without them.
type noImports struct{}

func (noImports) Import(p string) (*types.Package, error) {
	return types.NewPackage(p, path.Base(p)), nil
}

func (h *house) check(info *types.Info) *types.Package {
	conf := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := conf.Check("inq", h.fset, h.files, info)
	return pkg
}

func TestHouse_AStateChangesInVisibilityAlone(t *testing.T) {
	h := openHouse(t)
	spelledOut := []string{"acceptPlainLocked", "takePlainLocked", "deletePlainLocked",
		"acceptOrderedLocked", "takeOrderedLocked", "deleteOrderedLocked"}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	h.check(info)
	writes, found := 0, map[string]bool{}
	for _, f := range h.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				a, ok := n.(*ast.AssignStmt)
				if !ok {
					return true
				}
				for _, left := range a.Lhs {
					sel, ok := left.(*ast.SelectorExpr)
					if !ok || sel.Sel.Name != "state" {
						continue
					}
					if s := info.Selections[sel]; s == nil || !strings.HasSuffix(s.Recv().String(), "inq.record") {
						continue
					}
					writes++
					if slices.Contains(spelledOut, fn.Name.Name) {
						found[fn.Name.Name] = true
					} else if h.file(sel.Pos()) != "visibility.go" {
						t.Errorf("%s: %s writes the state of a message", h.fset.Position(sel.Pos()), fn.Name.Name)
					}
				}
				return true
			})
		}
	}
	require.GreaterOrEqual(t, writes, 4, "the writes are found")
	require.Len(t, found, len(spelledOut), "a path that is spelled out no more belongs off the list")
}

func TestHouse_FewFilesCallEachOther(t *testing.T) {
	h := openHouse(t)
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg := h.check(info)
	calls := map[[2]string]bool{}
	for id, o := range info.Uses {
		if fn, ok := o.(*types.Func); ok && fn.Pkg() == pkg {
			if a, b := h.file(id.Pos()), h.file(fn.Origin().Pos()); a != b {
				calls[[2]string{a, b}] = true
			}
		}
	}
	var mutual []string
	for c := range calls {
		if c[0] < c[1] && calls[[2]string{c[1], c[0]}] {
			mutual = append(mutual, fmt.Sprintf("%s and %s", c[0], c[1]))
		}
	}
	slices.Sort(mutual)
	require.LessOrEqual(t, len(mutual), 12, strings.Join(mutual, "\n"))
	for _, a := range []string{"receive.go", "redrive.go", "waiter.go", "take.go"} {
		for _, b := range []string{"receive.go", "redrive.go", "waiter.go", "take.go"} {
			require.NotContains(t, mutual, a+" and "+b)
		}
	}
}

func TestHouse_NoFileIsLong(t *testing.T) {
	h := openHouse(t)
	for _, f := range h.files {
		text, err := os.ReadFile(h.file(f.Pos()))
		require.NoError(t, err)
		require.LessOrEqual(t, bytes.Count(text, []byte("\n")), 600, h.file(f.Pos()))
	}
}
