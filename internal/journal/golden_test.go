package journal_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

var writeGolden = flag.Bool("golden", false, "write testdata for the present version of the format")

// Directories of every version of the format are opened for ever. One that exists is never written again: what this version
// writes is checked by reading it back in all other tests.
func TestGolden_EveryVersionIsOpened(t *testing.T) {
	for name, items := range map[string]int{"v1/closed": 12, "v1/killed": 12, "v1/torn": 11} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", filepath.FromSlash(name))
			if *writeGolden {
				writeFiles(t, dir, name)
			}
			names, err := os.ReadDir(dir)
			require.NoError(t, err)
			files := map[string][]byte{}
			for _, n := range names {
				data, err := os.ReadFile(filepath.Join(dir, n.Name()))
				require.NoError(t, err)
				files["dir/"+n.Name()] = data
			}
			require.Len(t, files, 3)
			op := journal.Options{FS: faultfs.With(files), SegmentSize: journal.MinSegmentSize, OldKeys: [][]byte{keyA}}
			w, err := openWorld("dir", op)
			require.NoError(t, err)
			want := map[uint64]string{}
			for i := range uint64(3) { // what mixed writes
				want[i*5+2], want[i*5+3], want[i*5+4] = strings.Repeat("x", 40), "", "abc"
				want[i*5+5] = strings.Repeat("x", 60)
			}
			if items == 11 {
				delete(want, 15)
			}
			require.Equal(t, want, w.base)
			require.NoError(t, w.send(100), "and it goes on")
			want[w.next-1] = w.bodies()[w.next-1]
			require.NoError(t, w.log.Close())
			got, err := found(op)
			require.NoError(t, err)
			require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
		})
	}
}

func writeFiles(t *testing.T, dir, name string) {
	require.NoError(t, os.MkdirAll(dir, 0o755))
	files, _, _ := mixed(t, strings.HasSuffix(name, "closed"))
	if strings.HasSuffix(name, "torn") {
		files[lastSegment] = files[lastSegment][:len(files[lastSegment])-7]
	}
	for n, data := range files {
		path := filepath.Join(dir, filepath.Base(n))
		require.NoFileExists(t, path)
		require.NoError(t, os.WriteFile(path, data, 0o644))
	}
}
