package journal_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

func TestCheck_SaysWhatIsWhole(t *testing.T) {
	files, _, op := mixed(t, true)
	before := maps.Clone(files)
	f := faultfs.With(files)
	f.Deny()
	op.FS = f
	var progress []int64
	op.Progress = func(done, total int64) { progress = append(progress, done, total) }
	r, err := journal.Check("dir", op)
	require.NoError(t, err)
	require.NoError(t, r.Err)
	require.False(t, r.Torn)
	require.Len(t, r.Segments, 3)
	require.Len(t, progress, 6)
	for i, s := range r.Segments {
		require.Equal(t, int64(len(files["dir/"+s.File])), s.Bytes)
		require.Equal(t, int64(6+min(i, 1)), s.Frames, "five, the one of Close, and the one that a new segment begins with")
		require.Equal(t, int64(7), s.Records)
		require.Empty(t, s.Damages)
		require.Equal(t, i == 1, s.Encrypted)
		require.Equal(t, i == 1, len(s.KeyID) == 16)
	}
	require.Equal(t, before, f.Files())

	r, err = journal.Check("dir", journal.Options{FS: f})
	require.NoError(t, err, "the sums can be told without the key")
	require.ErrorIs(t, r.Err, journal.ErrKey)
	require.Equal(t, int64(7), r.Segments[1].Frames)
	require.Zero(t, r.Segments[1].Records)

	tail := files[lastSegment]
	files[lastSegment] = tail[:len(tail)-20]
	op.FS = faultfs.With(files)
	r, err = journal.Check("dir", op)
	require.NoError(t, err)
	require.NoError(t, r.Err)
	require.True(t, r.Torn)
	require.Len(t, r.Segments[2].Damages, 1)

	_, err = journal.Check("none", journal.Options{FS: journal.OSFiles()})
	require.Error(t, err)
}

func TestSalvage_CopiesWhatIsWhole(t *testing.T) {
	for name, key := range map[string][]byte{"plain": nil, "encrypted": keyB} {
		t.Run(name, func(t *testing.T) {
			files, _, op := mixed(t, true)
			at := bytes.Index(files["dir/0000000000000001.inqj"], []byte(strings.Repeat("x", 40)))
			files["dir/0000000000000001.inqj"][at] ^= 4 // the first message
			files["dir/0000000000000002.inqj"][20] ^= 4 // a header
			before := maps.Clone(files)
			f := faultfs.With(files)
			op.FS, op.Key = f, key
			_, err := journal.Open("dir", op)
			require.ErrorIs(t, err, journal.ErrCorrupt)

			op.OldKeys = [][]byte{keyA}
			r, err := journal.Salvage("dir", "copy", op)
			require.NoError(t, err)
			require.ErrorIs(t, r.Err, journal.ErrCorrupt)
			require.Len(t, r.Segments[0].Damages, 1)
			require.Equal(t, int64(at)-16-5, r.Segments[0].Damages[0].Offset)
			require.Len(t, r.Segments[1].Damages, 1)
			for name, data := range before {
				require.Equal(t, data, f.Files()[name])
			}
			l, err := journal.Open("copy", op)
			require.NoError(t, err)
			o, err := load(l)
			require.NoError(t, err)
			require.Len(t, o.bodies(), 12, "what was damaged had been deleted")
			require.NoError(t, l.Close())

			_, err = journal.Salvage("dir", "copy", op)
			require.ErrorContains(t, err, "copy is not empty")
			op.OldKeys, op.Key = nil, nil
			_, err = journal.Salvage("dir", "copy2", op)
			require.NoError(t, err, "the segment that needs the key has lost its header")
		})
	}
}
