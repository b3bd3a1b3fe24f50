package journal_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

func TestInterval_ThePowerCostsNoMoreThanTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := faultfs.New()
		op := journal.Options{FS: f, Sync: journal.Interval, Interval: 100 * time.Millisecond, SegmentSize: journal.MinSegmentSize}
		w, err := openWorld("dir", op)
		require.NoError(t, err)
		left := func() int {
			synctest.Wait()
			op := op
			op.FS = f.AfterPowerLoss(nil)
			got, err := found(op)
			require.NoError(t, err)
			return len(got)
		}
		for n := range 3 {
			require.NoError(t, w.send(100))
			time.Sleep(60 * time.Millisecond)
			require.NoError(t, w.send(100), "the first one set the time")
			time.Sleep(40*time.Millisecond - 1)
			require.Equal(t, 2*n, left())
			time.Sleep(time.Nanosecond)
			require.Equal(t, 2*n+2, left())
			time.Sleep(time.Hour) // nothing is to be synced, and nothing runs
		}
		require.Equal(t, uint64(3), w.log.Stats().Syncs)
		require.NoError(t, w.log.Close())
	})
}

func TestLog_TellsItsLogger(t *testing.T) {
	var out bytes.Buffer
	f := faultfs.New()
	op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize, Logger: slog.New(slog.NewTextHandler(&out, nil))}
	w, err := openWorld("dir", op)
	require.NoError(t, err)
	require.NoError(t, w.send(1000))
	require.NoError(t, w.log.Close())
	require.Empty(t, out.String())

	files := f.Files()
	name := "dir/0000000000000001.inqj"
	files[name] = files[name][:700]
	op.FS = faultfs.With(files)
	_, err = found(op)
	require.NoError(t, err)
	require.Contains(t, out.String(), "cut what a crash left torn at the end")
	require.Contains(t, out.String(), "offset=64 bytes=636")
}
