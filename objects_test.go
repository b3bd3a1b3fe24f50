package inq

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal"
	"example.com/inq/internal/journal/faultfs"
)

// soleOwner is the owner of a log with one store in it.
type soleOwner struct{ store *objectStore }

func (o *soleOwner) Committed(_ uint32, mark uint64, err error) { o.store.committed(mark, err) }
func (o *soleOwner) Carry(segment uint32) bool                  { return o.store.carry(segment, 256) == 256 }

// openObjects opens a log with one store in it.
func openObjects(t testing.TB, options journal.Options) *objectStore {
	log, err := journal.Open("dir", options)
	require.NoError(t, err)
	s := newObjectStore(log, 7, func(err error) error { return err })
	require.NoError(t, log.Replay(s.replay))
	s.hold()
	log.Start(&soleOwner{s})
	return s
}

// contents are the objects as their owner loads them.
func contents(t testing.TB, s *objectStore) map[uint64]string {
	all, last := map[uint64]string{}, uint64(0)
	require.NoError(t, s.Load(func(o durable.Object) error {
		require.Greater(t, o.Number, last, "by number")
		last = o.Number
		all[o.Number] = fmt.Sprint(o.Kind, " ", string(o.Data))
		return nil
	}))
	return all
}

func TestObjectsAreThereAgainAndSegmentsGo(t *testing.T) {
	files := journal.Memory()
	options := journal.Options{FS: files, Sync: journal.OS, SegmentSize: journal.MinSegmentSize}
	random := rand.New(rand.NewPCG(1, 2))
	want := map[uint64]string{}
	s := openObjects(t, options)
	for range 20_000 {
		var b durable.Batch
		number := s.Next()
		b.Put(number, 3, fmt.Append(nil, "object ", number))
		want[number] = fmt.Sprint(3, " object ", number)
		if keys := slices.Sorted(maps.Keys(want)); len(keys) > 20 {
			old := keys[1+random.IntN(len(keys)-1)]
			b.Delete(old)
			delete(want, old)
			b.Put(keys[0], 4, fmt.Append(nil, "again ", number))
			want[keys[0]] = fmt.Sprint(4, " again ", number)
		}
		mark, err := s.Write(&b)
		require.NoError(t, err)
		require.NoError(t, s.Wait(mark))
	}
	require.Equal(t, want, contents(t, s))
	require.Empty(t, s.changes)
	last := s.last
	require.NoError(t, s.log.Close())

	s = openObjects(t, options)
	require.Equal(t, want, contents(t, s))
	require.Greater(t, s.Next(), last-100, "numbers go on")
	stats := s.log.Stats()
	require.Less(t, stats.Bytes, int64(8*journal.MinSegmentSize), "of 2 MB that were written")
	for number := range want {
		s.Forget(number)
	}
	require.Zero(t, s.log.Stats().Live)
	require.Empty(t, s.numbers())
	require.NoError(t, s.log.Close())
}

func TestChangesThatFindNoRoomAreTakenBack(t *testing.T) {
	files := faultfs.New()
	options := journal.Options{FS: files, SegmentSize: journal.MinSegmentSize}
	s := openObjects(t, options)
	used := files.Used()
	files.SetLimit(used + 100_000)
	random := rand.New(rand.NewPCG(3, 4))
	want, refused, lost := map[uint64]string{}, 0, 0
	for n := range 3000 {
		emptying := n/100%2 == 1
		if n%1000 == 999 { // somebody makes room, and takes it away again
			files.SetLimit(files.Used() + 60_000)
		}
		var b durable.Batch
		after := maps.Clone(want)
		if keys := slices.Sorted(maps.Keys(want)); len(keys) > 0 && (random.IntN(3) == 0 || emptying) {
			old := keys[random.IntN(len(keys))]
			b.Delete(old)
			delete(after, old)
			if random.IntN(2) == 0 {
				again := keys[random.IntN(len(keys))]
				b.Put(again, 4, fmt.Append(nil, "again ", n))
				if again != old {
					after[again] = fmt.Sprint(4, " again ", n)
				} else {
					b.Puts = nil
				}
			}
		}
		if !emptying {
			number, data := s.Next(), fmt.Appendf(nil, "%0*d", 1+random.IntN(3000), n)
			b.Put(number, 3, data)
			after[number] = fmt.Sprint(3, " ", string(data))
		}
		for range 500 * random.IntN(10) { // of what is gone already, to use up the reserve
			b.Delete(1 << 40)
		}
		if b.Empty() {
			continue
		}
		mark, err := s.Write(&b)
		if err != nil {
			require.ErrorIs(t, err, journal.ErrFull)
			refused++
			continue
		}
		if err := s.Wait(mark); err != nil {
			require.ErrorIs(t, err, journal.ErrFull)
			lost++
		} else {
			want = after
		}
		require.Equal(t, want, contents(t, s), "change %d", n)
	}
	t.Logf("%d refused, %d found no room", refused, lost)
	require.NotZero(t, refused)
	require.NotZero(t, lost)
	require.NoError(t, s.log.Close())
	s = openObjects(t, options)
	require.Equal(t, want, contents(t, s))
	require.NoError(t, s.log.Close())
}

func TestAStoreIsOpenOnce(t *testing.T) {
	s := openObjects(t, journal.Options{FS: journal.Memory()})
	require.NoError(t, s.acquire("a"))
	require.ErrorIs(t, s.acquire("a"), ErrInvalidParameter)
	s.Close()
	require.NoError(t, s.acquire("a"))
	require.NoError(t, s.log.Close())
}

func TestRecordsOfObjectsThatMakeNoSenseAreRefused(t *testing.T) {
	s := newObjectStore(nil, 7, nil)
	for _, r := range []journal.Record{
		{Kind: recordObject}, {Kind: recordObject, Data: []byte{1}}, {Kind: recordObject, Data: []byte{0x80}}, {Kind: recordObjectsGone, Data: []byte{1, 0x80}},
	} {
		require.ErrorIs(t, s.replay(r), errObjectRecord)
	}
	require.ErrorContains(t, s.replay(journal.Record{Kind: 99, Stream: 7, Data: []byte{1, 1}}), "kind 99 in stream 7, which this version does not know")
}

// A change of an object is appended while an earlier one of the same object is not settled, and finds room
// where the earlier one found none.
func TestObjectsKeepAChangeWhenAnEarlierOneFindsNoRoom(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		for _, there := range []bool{false, true} {
			files := faultfs.New()
			files.SetLimit(1 << 20)
			options := journal.Options{FS: files, SegmentSize: 64 << 10}
			s := openObjects(t, options)
			write := func(change func(*durable.Batch)) durable.Mark {
				var b durable.Batch
				change(&b)
				mark, err := s.Write(&b)
				require.NoError(t, err)
				return mark
			}
			number := s.Next()
			want := map[uint64]string{}
			if there {
				require.NoError(t, s.Wait(write(func(b *durable.Batch) { b.Put(number, 3, []byte("first")) })))
			}
			large := write(func(b *durable.Batch) { b.Put(number, 3, make([]byte, 2<<20)) })
			small := write(func(b *durable.Batch) {
				if deleted {
					b.Delete(number)
				} else {
					b.Put(number, 3, []byte("second"))
					want[number] = "3 second"
				}
			})
			require.NoError(t, s.Wait(small))
			require.ErrorIs(t, s.Wait(large), journal.ErrFull)
			require.Equal(t, want, contents(t, s))
			require.Empty(t, s.changes)
			s.Forget(number)
			require.NoError(t, s.log.Close())

			s = openObjects(t, options)
			require.Equal(t, want, contents(t, s))
			require.NoError(t, s.log.Close())
		}
	}
}
