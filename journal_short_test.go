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

// press does operations of all kinds on queues whose journal is short of room most of the time.
func (c *crowd) press(id int, queue func() *queue, refused map[string]bool, rng *rand.Rand) {
	ctx := context.Background()
	fine := func(what string, err error) {
		switch {
		case err == nil, errors.Is(err, ErrJournalFull), errors.Is(err, ErrClosed), errors.Is(err, ErrReceiptHandleExpired),
			errors.Is(err, ErrNotInFlight), errors.Is(err, ErrReceiptHandleInvalid):
		default:
			c.Errorf("%s: %v", what, err)
		}
	}
	for n := 0; n < 150; n++ {
		q := queue()
		switch k := rng.IntN(20); {
		case k < 9:
			var ms []Message
			for i := range 1 + rng.IntN(3) {
				body := fmt.Sprintf("%s/%d/%d/%d", q.name, id, n, i)
				size := rng.IntN(3000)
				if rng.IntN(20) == 0 {
					size = 200_000
				}
				ms = append(ms, Message{Body: body + strings.Repeat(".", size), GroupID: string(rune('a' + rng.IntN(4)))})
			}
			c.note(func() {
				for _, m := range ms {
					c.tried[m.Body] = true
				}
			})
			_, err := q.SendBatch(ctx, ms)
			fine("send", err)
			c.note(func() {
				for _, m := range ms {
					if err == nil {
						c.sent[m.Body] = true
					} else {
						refused[m.Body] = true
					}
				}
			})
		case k < 15:
			ds, err := q.Receive(ctx, ReceiveInput{Max: 5, Wait: time.Duration(rng.IntN(2)) * time.Second})
			fine("receive", err)
			for _, d := range ds {
				c.note(func() {
					if c.deleted[d.Body] {
						c.Errorf("%.20s was deleted", d.Body)
					}
					if refused[d.Body] {
						c.Errorf("%.20s was refused", d.Body)
					}
					c.got[d.Body] = max(c.got[d.Body], d.ReceiveCount)
				})
				switch rng.IntN(5) {
				case 0:
					fine("bury", d.Bury(ctx, "why"))
				case 1:
					fine("extend", d.ChangeVisibility(ctx, time.Duration(rng.IntN(3))*time.Second))
				default:
					c.note(func() { c.perhaps[d.Body] = true })
					err := d.Delete(ctx)
					fine("delete", err)
					if err == nil {
						c.note(func() { c.deleted[d.Body] = true })
					}
				}
			}
		case k < 16:
			_, _ = q.Redrive(ctx, RedriveInput{}) // refused while another one runs
		case k < 18 && id == 0:
			require.NoError(c, q.Close())
		case k < 19:
			l := c.disk.(*faultfs.FS)
			l.SetLimit(l.Used() + int64(rng.IntN(600_000)) - 100_000)
		default:
			checkInvariants(c, q)
			time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		}
	}
}

func TestJournal_ShortOfRoomUnderManyCalls(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for round := range rounds {
		synctest.Test(t, func(t *testing.T) {
			opts := []JournalOption{WithSegmentSize(64 << 10)}
			if round%3 == 2 {
				opts = append(opts, WithSync(SyncOS))
			}
			if round%4 == 1 {
				opts = append(opts, WithMaxDisk(1<<20))
			}
			l := &lives{T: t, disk: faultfs.New(), opts: opts}
			l.open()
			c := newCrowd(l)
			var mu sync.Mutex
			var queues [4]*queue
			limited := Options(WithVisibilityTimeout(3 * time.Second))
			at := func(i int) *queue {
				mu.Lock()
				defer mu.Unlock()
				for queues[i] == nil || queues[i].ended.Load() != nil {
					var err error
					if queues[i] != nil {
						_ = queues[i].Close()
					}
					if i%2 == 0 {
						var q *Standard
						if q, err = NewStandard(fmt.Sprint("q", i), limited, WithJournal(l.j)); err == nil {
							queues[i] = &q.queue
						}
					} else {
						var q *FIFO
						if q, err = NewFIFO(fmt.Sprint("q", i, ".fifo"), limited, WithContentBasedDeduplication(true), WithJournal(l.j)); err == nil {
							queues[i] = &q.queue
						}
					}
					require.NoError(t, err)
					if other := queues[(i+2)%4]; other != nil {
						steps{t, queues[i]}.buriesIn(other.self, 2)
					}
					if other := queues[(i+2)%4]; other != nil && other.ended.Load() == nil {
						_ = other.configure(&patch{settings: settings{target: queues[i].self, maxReceives: 2}, set: setDeadLetter})
					}
				}
				return queues[i]
			}
			for i := range queues {
				at(i)
			}
			refused := map[string]bool{}
			var wg sync.WaitGroup
			for id := range 8 {
				mine := rand.New(rand.NewPCG(uint64(round), uint64(id)))
				wg.Go(func() { c.press(id, func() *queue { return at(mine.IntN(4)) }, refused, mine) })
			}
			wg.Wait()
			synctest.Wait()
			for _, q := range queues {
				checkInvariants(t, q)
			}
			before := map[string]int{}
			for i := range queues {
				if task := at(i).task; task != nil {
					task.cancel()
				}
			}
			synctest.Wait()
			for i := range queues {
				for m := range at(i).Messages() {
					before[m.Body]++
				}
			}
			l.disk.(*faultfs.FS).SetLimit(0)
			queues = [4]*queue{}
			l.kill()
			found := map[string]int{}
			for i := range queues {
				q := at(i)
				checkInvariants(t, q)
				for m := range q.Messages() {
					found[m.Body]++
					require.True(t, c.tried[m.Body], "nobody sent %.20s", m.Body)
					require.False(t, c.deleted[m.Body], "%.20s was deleted", m.Body)
					require.False(t, refused[m.Body], "%.20s was refused", m.Body)
				}
			}
			same(t, before, found)
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

// same compares what there was with what was found.
func same(t *testing.T, before, found map[string]int) {
	for body, n := range before {
		if found[body] != n {
			t.Errorf("%.20s: %d before, %d found", body, n, found[body])
		}
	}
	for body, n := range found {
		if before[body] != n {
			t.Errorf("%.20s: %d before, %d found", body, before[body], n)
		}
	}
}
