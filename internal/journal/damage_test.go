package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

var (
	keyA = bytes.Repeat([]byte{0xa}, journal.KeySize)
	keyB = bytes.Repeat([]byte{0xb}, journal.KeySize)
)

// mixed makes a small log of three segments, of which the second is encrypted, with records of every form. The last frame
// of a log that was not closed is one that nothing proves.
func mixed(t *testing.T, closed bool) (files map[string][]byte, w *world, op journal.Options) {
	t.Helper()
	f := faultfs.New()
	op = journal.Options{FS: f, SegmentSize: journal.MinSegmentSize, OldKeys: [][]byte{keyA}}
	id := uint64(1)
	for i, key := range [][]byte{nil, keyA, nil} {
		op.Key = key
		var err error
		w, err = openWorld("dir", op)
		require.NoError(t, err)
		frames(t, w, true, 40, id, id+1)
		mark, err := w.do(step{puts: map[uint64]string{id + 2: "", id + 3: "abc"}, gone: []uint64{id}}, journal.Send)
		require.NoError(t, err)
		require.NoError(t, w.settle(len(w.steps)-1, []uint64{mark}))
		var b journal.Batch
		b.End(append(b.Begin(1<<32-1, kindNote), make([]byte, 10)...), 0)
		_, mark, err = w.log.Append(&b, journal.Note)
		require.NoError(t, err)
		require.NoError(t, w.log.Wait(mark, true))
		frames(t, w, true, 60, id+4)
		id += 5
		if i < 2 || closed {
			require.NoError(t, w.log.Close())
		}
	}
	if !closed {
		f.Crash()
		_ = w.log.Close()
	}
	files = f.AfterKill().Files()
	delete(files, "dir/reserve")
	return files, w, op
}

// opened opens a log with these files and returns what it holds.
func opened(files map[string][]byte, op journal.Options) (map[uint64]string, error) {
	op.FS = faultfs.With(files)
	return found(op)
}

const lastSegment = "dir/0000000000000003.inqj"

func TestDamage_EveryBitFlippedIsRefusedWithItsPlace(t *testing.T) {
	for _, closed := range []bool{true, false} {
		t.Run(fmt.Sprint("closed ", closed), func(t *testing.T) {
			files, w, op := mixed(t, closed)
			whole, err := opened(files, op)
			require.NoError(t, err)
			require.Len(t, whole, 12)
			last := 16 // length of the last frame: an empty one, or a put
			if !closed {
				last = bytes.LastIndex(files[lastSegment], []byte(strings.Repeat("x", 60)))
				last = len(files[lastSegment]) - last + 16 + 5
			}
			flips, refused, torn := 0, 0, 0
			for name, data := range files {
				for i := range data {
					for bit := range 8 {
						data[i] ^= 1 << bit
						got, err := opened(files, op)
						data[i] ^= 1 << bit
						flips++
						if err != nil {
							refused++
							var c *journal.CorruptError
							require.ErrorAs(t, err, &c, "%s %d", name, i)
							require.Equal(t, name, "dir/"+c.File)
							require.LessOrEqual(t, c.Offset, int64(i))
							require.Greater(t, c.Offset+200, int64(i))
							continue
						}
						torn++
						require.Equal(t, lastSegment, name)
						require.GreaterOrEqual(t, i, len(data)-last, "only the last frame can be taken for torn")
						if closed {
							require.Equal(t, whole, got)
						} else {
							require.NoError(t, w.judge(got, false))
							require.Len(t, got, 11)
						}
					}
				}
			}
			t.Logf("%d flips: %d refused with their place, %d in the last frame taken for torn", flips, refused, torn)
		})
	}
}

func TestDamage_CutsAtEveryByteLeaveAPrefixOrAreRefused(t *testing.T) {
	for _, closed := range []bool{true, false} {
		files, w, op := mixed(t, closed)
		cuts, refused := 0, 0
		for name, data := range files {
			for i := range data {
				files[name] = data[:i:i]
				got, err := opened(files, op)
				cuts++
				if name != lastSegment {
					refused++
					require.ErrorIs(t, err, journal.ErrCorrupt, "%s %d", name, i)
					continue
				}
				require.NoError(t, err, "%s %d", name, i)
				require.NoError(t, w.judge(got, false), "%s %d", name, i)
			}
			files[name] = data
		}
		t.Logf("closed %v: %d cuts, %d refused, the others a prefix", closed, cuts, refused)
	}
}

func TestDamage_AMissingSegmentIsRefused(t *testing.T) {
	files, _, op := mixed(t, true)
	delete(files, "dir/0000000000000002.inqj")
	_, err := opened(files, op)
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "0000000000000002.inqj")
}

func TestDamage_ASegmentOfAnotherLogIsRefused(t *testing.T) {
	files, _, op := mixed(t, true)
	other, _, _ := mixed(t, true)
	files[lastSegment] = other[lastSegment]
	_, err := opened(files, op)
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "another log")

	files[lastSegment] = files["dir/0000000000000001.inqj"]
	_, err = opened(files, op)
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "segment 1")
}

// Frames may be acknowledged in a segment that was begun before the one before it was synced.
func TestDamage_ASegmentIsProvenByTheOneAfterIt(t *testing.T) {
	f := faultfs.New()
	op := journal.Options{FS: f, SegmentSize: journal.MinSegmentSize}
	w, err := openWorld("dir", op)
	require.NoError(t, err)
	frames(t, w, true, 9000, 1)
	frames(t, w, false, 4000, 2)
	frames(t, w, false, 4000, 3) // in the second segment, while the first is not synced
	require.Equal(t, 2, w.log.Stats().Segments)
	require.NoError(t, w.log.Wait(3, true))
	f.Crash()
	_ = w.log.Close()

	files := f.AfterPowerLoss(nil).Files()
	got, err := opened(files, op)
	require.NoError(t, err)
	require.Len(t, got, 3)
	files["dir/0000000000000001.inqj"][9500] ^= 1
	_, err = opened(files, op)
	require.ErrorIs(t, err, journal.ErrCorrupt)
}

func TestOpen_ANewerFormatIsRefusedAndLeftAlone(t *testing.T) {
	for _, at := range []int{8, 12} {
		files, _, op := mixed(t, true)
		journal.Rewrite(files[lastSegment], func(head []byte) { head[at] = 2 })
		before := maps.Clone(files)
		f := faultfs.With(files)
		op.FS = f
		_, err := journal.Open("dir", op)
		require.ErrorIs(t, err, journal.ErrNewer)
		require.ErrorContains(t, err, "0000000000000003.inqj")
		require.Equal(t, before, f.Files())
	}
}

func TestOpen_AWrongOrMissingKeyIsRefusedAndNothingIsTouched(t *testing.T) {
	files, _, op := mixed(t, true)
	f := faultfs.With(files)
	op.FS = f
	for _, keys := range [][][]byte{{nil}, {nil, keyB}, {keyB}, {keyB, keyB}} {
		op.Key, op.OldKeys = keys[0], keys[1:]
		_, err := journal.Open("dir", op)
		require.ErrorIs(t, err, journal.ErrKey)
		require.ErrorContains(t, err, "0000000000000002.inqj")
		require.Equal(t, files, f.Files())
	}
	for _, key := range [][]byte{{}, make([]byte, 16), make([]byte, 33)} {
		op.Key = key
		_, err := journal.Open("dir", op)
		require.ErrorContains(t, err, fmt.Sprintf("Key has %d bytes, want 32", len(key)))
	}
}

func TestOpen_KeysAreRotatedByANewSegment(t *testing.T) {
	f := faultfs.New()
	secret := strings.Repeat("a secret ", 10)
	var old [][]byte
	want := 0
	for i, key := range [][]byte{keyA, keyB, nil, keyA} {
		w, err := openWorld("dir", journal.Options{FS: f, Key: key, OldKeys: old})
		require.NoError(t, err)
		require.Len(t, w.base, want)
		require.NoError(t, w.one(step{puts: map[uint64]string{uint64(2 * i): secret}}, journal.Send))
		require.NoError(t, w.one(step{puts: map[uint64]string{uint64(2*i + 1): secret}}, journal.Send))
		want += 2
		require.NoError(t, w.log.Close())
		if key != nil {
			old = append(old, key)
		}
		name := fmt.Sprintf("dir/%016x.inqj", i+1)
		require.Equal(t, key == nil, bytes.Contains(f.Files()[name], []byte(secret)), name)
	}
	files := f.Files()
	first := slices.Clone(files["dir/0000000000000001.inqj"])
	journal.Swap(files["dir/0000000000000001.inqj"], 1)
	_, err := opened(files, journal.Options{OldKeys: old})
	require.ErrorIs(t, err, journal.ErrCorrupt, "a frame is encrypted for its place")
	files["dir/0000000000000001.inqj"] = first
	_, err = opened(files, journal.Options{OldKeys: old})
	require.NoError(t, err)
	// A frame that was exchanged for another, with its sums made right, is found by the cipher.
	journal.Forge(files["dir/0000000000000002.inqj"], 2)
	_, err = opened(files, journal.Options{OldKeys: old})
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "was not encrypted with its key")
}

func TestOpen_TwiceIsRefused(t *testing.T) {
	for name, files := range map[string]journal.FS{"os": nil, "memory": journal.Memory(), "fault": faultfs.New()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w, err := openWorld(dir, journal.Options{FS: files})
			require.NoError(t, err)
			_, err = journal.Open(dir, journal.Options{FS: files})
			require.ErrorIs(t, err, journal.ErrInUse)
			_, err = journal.Open(dir, journal.Options{FS: files, ReadOnly: true})
			require.ErrorIs(t, err, journal.ErrInUse)
			require.NoError(t, w.log.Close())
			require.NoError(t, w.log.Close())
			w, err = openWorld(dir, journal.Options{FS: files})
			require.NoError(t, err)
			require.NoError(t, w.log.Close())
		})
	}
}

func TestOpen_ReadOnly(t *testing.T) {
	files, w, op := mixed(t, false)
	tail := files[lastSegment]
	files[lastSegment] = tail[:len(tail)-3] // torn
	f := faultfs.With(files)
	f.Deny()
	op.FS = f
	_, err := journal.Open("dir", op)
	require.ErrorContains(t, err, "permission denied")
	require.ErrorContains(t, err, "dir")

	op.ReadOnly = true
	l, err := journal.Open("dir", op)
	require.NoError(t, err)
	o, err := load(l)
	require.NoError(t, err)
	require.NoError(t, w.judge(o.bodies(), false))
	require.Len(t, o.bodies(), 11)
	var b journal.Batch
	addPut(&b, 1, &item{})
	for _, class := range []journal.Class{journal.Send, journal.Delete, journal.Note} {
		_, _, err = l.Append(&b, class)
		require.ErrorIs(t, err, journal.ErrReadOnly)
		require.ErrorIs(t, l.Room(class), journal.ErrReadOnly)
	}
	require.ErrorIs(t, l.Sync(), journal.ErrReadOnly)
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Sync(), journal.ErrReadOnly)
	require.Equal(t, files, f.Files())
}

func TestOpen_OptionsOutOfRangeAreNamed(t *testing.T) {
	for want, op := range map[string]journal.Options{
		"Sync is 3":                 {Sync: 3},
		"Interval is 0s":            {Sync: journal.Interval},
		"SegmentSize is 16383":      {SegmentSize: 16383},
		"SegmentSize is 1073741825": {SegmentSize: 1<<30 + 1},
		"MaxDisk is 262143":         {MaxDisk: 262143},
		"MaxDisk is -1":             {MaxDisk: -1},
		"at least eight segments":   {MaxDisk: 1 << 20, SegmentSize: 1 << 18},
	} {
		op.FS = journal.Memory()
		_, err := journal.Open("dir", op)
		require.ErrorContains(t, err, want)
	}
}

func FuzzOpen(f *testing.F) {
	files, _, op := mixed(&testing.T{}, true)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f.Add(files[name])
	}
	first := files["dir/0000000000000001.inqj"]
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, files := range []map[string][]byte{
			{"dir/0000000000000001.inqj": data},
			{"dir/0000000000000001.inqj": append(slices.Clone(first[:64]), data...)},
			{"dir/0000000000000001.inqj": first, "dir/0000000000000002.inqj": data},
			{"dir/0000000000000001.inqj": append(slices.Clone(first), data...)},
		} {
			l := journal.Options{FS: faultfs.With(files), SegmentSize: journal.MinSegmentSize, OldKeys: op.OldKeys}
			open, err := journal.Open("dir", l)
			if err != nil {
				require.True(t, errors.Is(err, journal.ErrCorrupt) || errors.Is(err, journal.ErrNewer) ||
					errors.Is(err, journal.ErrKey), "%v", err)
				continue
			}
			count := func(open *journal.Log) (n int) {
				require.NoError(t, open.Replay(func(journal.Record) error { n++; return nil }))
				require.NoError(t, open.Close())
				return n
			}
			n := count(open)
			open, err = journal.Open("dir", l)
			require.NoError(t, err)
			require.Equal(t, n, count(open))
		}
	})
}
