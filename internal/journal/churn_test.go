package journal_test

import (
	"encoding/binary"
	"sync"
	"testing"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

// churner keeps what lives in slices by number: nothing of it is slower than the log.
type churner struct {
	log *journal.Log
	dir string

	mu      sync.Mutex
	where   []uint32            // segment of each item, 0: gone
	inside  map[uint32][]uint32 // items that were put into each segment, some of them gone or moved since
	body    []byte
	written int64
	worst   float64 // the most segments over 2.2 times what lives
}

const churnWeight = 256 + 8

func newChurner(t testing.TB, dir string, op journal.Options) *churner {
	l, err := journal.Open(dir, op)
	require.NoError(t, err)
	c := &churner{log: l, dir: dir, where: make([]uint32, 1), inside: map[uint32][]uint32{}, body: make([]byte, 256)}
	l.Start(c)
	return c
}

func (c *churner) Committed(uint32, uint64, error) {}

func (c *churner) Carry(segment uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids := c.inside[segment]
	var some []uint32
	for len(ids) > 0 && len(some) < 256 {
		id := ids[len(ids)-1]
		ids = ids[:len(ids)-1]
		if c.where[id] == segment {
			some = append(some, id)
		}
	}
	if c.inside[segment] = ids; len(ids) == 0 {
		delete(c.inside, segment)
	}
	if len(some) > 0 {
		_, _ = c.putLocked(some, journal.Carry)
		c.log.Release(segment, int64(len(some))*churnWeight)
	}
	return len(ids) > 0
}

func (c *churner) putLocked(ids []uint32, class journal.Class) (uint64, error) {
	var b journal.Batch
	for _, id := range ids {
		d := binary.LittleEndian.AppendUint32(b.Begin(1, kindPut), id)
		b.End(append(d, c.body...), churnWeight)
	}
	c.written += int64(b.Len())
	segment, mark, err := c.log.Append(&b, class)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		c.where[id] = segment
	}
	c.inside[segment] = append(c.inside[segment], ids...)
	return mark, nil
}

// churn sends so many messages in batches of a thousand and deletes ten of eleven again a while after, so that what stays is
// spread over everything.
func (c *churner) churn(t testing.TB, total int) {
	const batch, lag = 1000, 20
	var sent [][]uint32
	remove := func(ids []uint32) {
		var b journal.Batch
		c.mu.Lock()
		for _, id := range ids {
			if id%11 != 0 {
				b.End(binary.LittleEndian.AppendUint32(b.Begin(1, kindGone), id), 0)
			}
		}
		c.written += int64(b.Len())
		// What leaves is not carried any more.
		dead := map[uint32]int64{}
		for _, id := range ids {
			if id%11 != 0 {
				dead[c.where[id]] += churnWeight
				c.where[id] = 0
			}
		}
		_, mark, err := c.log.Append(&b, journal.Delete)
		c.mu.Unlock()
		require.NoError(t, err)
		require.NoError(t, c.log.Wait(mark, true))
		for s, w := range dead {
			c.log.Release(s, w)
		}
	}
	for n := 0; n < total; n += batch {
		ids := make([]uint32, batch)
		c.mu.Lock()
		for i := range ids {
			ids[i] = uint32(len(c.where))
			c.where = append(c.where, 0)
		}
		mark, err := c.putLocked(ids, journal.Send)
		c.mu.Unlock()
		require.NoError(t, err)
		require.NoError(t, c.log.Wait(mark, true))
		if sent = append(sent, ids); len(sent) > lag {
			remove(sent[0])
			sent = sent[1:]
		}
		s := c.log.Stats()
		c.worst = max(c.worst, (float64(s.Bytes)-2.2*float64(s.Live))/float64(s.SegmentSize))
	}
	for _, ids := range sent {
		remove(ids)
	}
}

func TestClean_TheDiskStaysWithinItsBound(t *testing.T) {
	for name, op := range map[string]journal.Options{
		"always":    {FS: journal.Memory(), SegmentSize: 256 << 10},
		"os":        {FS: journal.Memory(), SegmentSize: 512 << 10, Sync: journal.OS},
		"large":     {FS: journal.Memory(), SegmentSize: 2 << 20},
		"encrypted": {FS: journal.Memory(), SegmentSize: 256 << 10, Key: keyA},
		"on a disk": {SegmentSize: 256 << 10, Sync: journal.OS},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChurner(t, t.TempDir(), op)
			c.churn(t, 220_000)
			require.LessOrEqual(t, c.worst, 3.0, "segments over 2.2 times what lives")
			require.NoError(t, c.log.Close())
			require.Equal(t, int64(20_000*churnWeight), c.log.Stats().Live)
			op.ReadOnly = true
			l, err := journal.Open(c.dir, op)
			require.NoError(t, err)
			state := map[uint32]bool{}
			require.NoError(t, l.Replay(func(r journal.Record) error {
				if id := binary.LittleEndian.Uint32(r.Data); r.Kind == kindPut {
					state[id] = true
				} else {
					delete(state, id)
				}
				return nil
			}))
			require.Len(t, state, 20_000)
			require.NoError(t, l.Close())
			t.Logf("worst: %.2f segments over 2.2 times what lives; written %.2f times what was sent", c.worst,
				float64(c.written)/(220_000*churnWeight))
		})
	}
}
