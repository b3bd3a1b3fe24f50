package journal_test

import (
	"testing"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

func TestLog_AnAppendThatNobodyContendsForAllocatesNothing(t *testing.T) {
	for _, sync := range []journal.Sync{journal.Always, journal.OS} {
		l, err := journal.Open("dir", journal.Options{FS: still{journal.Memory()}, Sync: sync})
		require.NoError(t, err)
		l.Start(nobody{})
		var b journal.Batch
		n := testing.AllocsPerRun(1000, func() {
			b.End(append(b.Begin(1, 1), "some data"...), 9)
			b.Settle(7)
			_, mark, err := l.Append(&b, journal.Send)
			if err != nil || l.Wait(mark, false) != nil || l.Wait(mark, true) != nil {
				t.Error(err)
			}
		})
		require.Zero(t, n)
		require.NoError(t, l.Close())
	}
}

// still makes files that take what is written and keep nothing of it.
type still struct{ journal.FS }

func (s still) Create(name string) (journal.File, error) {
	f, err := s.FS.Create(name)
	return stillFile{f}, err
}

type stillFile struct{ journal.File }

func (stillFile) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
