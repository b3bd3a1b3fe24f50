package inq

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal/faultfs"
	"github.com/stretchr/testify/require"
)

// crowd is many who use queues with a journal at once, until it crashes.
type crowd struct {
	*lives
	mu      sync.Mutex
	sent    map[string]bool // for sure
	tried   map[string]bool
	deleted map[string]bool // for sure
	perhaps map[string]bool // a delete or a purge may have taken place
	got     map[string]int
}

func newCrowd(l *lives) *crowd {
	return &crowd{lives: l, sent: map[string]bool{}, tried: map[string]bool{}, deleted: map[string]bool{}, perhaps: map[string]bool{}, got: map[string]int{}}
}

func (c *crowd) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// act does operations until the journal fails.
func (c *crowd) act(id int, queues []*queue, rng *rand.Rand) {
	ctx := context.Background()
	over := func(err error) bool { return errors.Is(err, ErrJournalFailed) || errors.Is(err, ErrClosed) }
	for n := 0; n < 400; n++ {
		q := queues[rng.IntN(len(queues))]
		switch k := rng.IntN(10); {
		case k < 4:
			var ms []Message
			for i := range 1 + rng.IntN(3) {
				body := fmt.Sprintf("%s/%d/%d/%d", q.name, id, n, i)
				ms = append(ms, Message{Body: body + strings.Repeat(".", rng.IntN(2000)), GroupID: string(rune('a' + rng.IntN(4)))})
			}
			c.note(func() {
				for _, m := range ms {
					c.tried[m.Body] = true
				}
			})
			_, err := q.SendBatch(ctx, ms)
			if over(err) {
				return
			}
			if err == nil {
				c.note(func() {
					for _, m := range ms {
						c.sent[m.Body] = true
					}
				})
			}
		case k < 8:
			ds, err := q.Receive(ctx, ReceiveInput{Max: 5, Wait: time.Duration(rng.IntN(2)) * time.Second})
			if over(err) {
				return
			}
			for _, d := range ds {
				c.note(func() {
					if c.deleted[d.Body] {
						c.Errorf("%.20s was deleted", d.Body)
					}
					c.got[d.Body] = max(c.got[d.Body], d.ReceiveCount)
					c.perhaps[d.Body] = true
				})
				err := d.Delete(ctx)
				if err == nil {
					c.note(func() { c.deleted[d.Body] = true })
				}
				if over(err) {
					return
				}
			}
		case k < 9:
			ds, err := q.Receive(ctx, ReceiveInput{Max: 3})
			if over(err) {
				return
			}
			for _, d := range ds {
				if over(d.ChangeVisibility(ctx, 0)) {
					return
				}
			}
		default:
			checkInvariants(c, q)
			time.Sleep(time.Duration(rng.IntN(1000)) * time.Millisecond)
		}
	}
}

func TestCrash_InTheMiddleOfManyCalls(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(round)))
			opts := []JournalOption{WithSegmentSize(64 << 10)}
			if round%3 == 2 {
				opts = append(opts, WithSync(SyncOS))
			}
			l := &lives{T: t, disk: faultfs.New(), opts: opts}
			l.open()
			c := newCrowd(l)
			open := func() []*queue {
				limited := Options(WithVisibilityTimeout(3 * time.Second))
				a, b := l.standard("a", limited), l.fifo("b.fifo", limited, WithContentBasedDeduplication(true))
				da, db := l.standard("da", limited), l.fifo("db.fifo", limited, WithContentBasedDeduplication(true))
				a.buriesIn(da.asTarget(), 2)
				b.buriesIn(db.asTarget(), 2)
				return []*queue{a.q, b.q, da.q, db.q}
			}
			queues := open()
			at := 200 + rng.IntN(1500)
			l.disk.(*faultfs.FS).Inject(func(call faultfs.Call) faultfs.Fault {
				return faultfs.Fault{Crash: call.N == at, Part: call.N%2 == 0}
			})
			var wg sync.WaitGroup
			for id := range 8 {
				mine := rand.New(rand.NewPCG(uint64(round), uint64(id)))
				wg.Go(func() { c.act(id, queues, mine) })
			}
			wg.Wait()
			for _, q := range queues {
				checkInvariants(t, q)
			}
			l.kill()
			queues = open()
			found := map[string]int{}
			for _, q := range queues {
				checkInvariants(t, q)
				for m := range q.Messages() {
					found[m.Body]++
					require.True(t, c.tried[m.Body], "nobody sent %.20s", m.Body)
					require.False(t, c.deleted[m.Body], "%.20s was deleted", m.Body)
					require.GreaterOrEqual(t, m.ReceiveCount, c.got[m.Body], "%.20s", m.Body)
				}
			}
			for body, n := range found {
				require.Equal(t, 1, n, "%.20s", body)
			}
			for body := range c.sent {
				require.True(t, found[body] == 1 || c.perhaps[body], "%.20s is lost", body)
			}
			require.NoError(t, l.j.Close())
		})
	}
}
