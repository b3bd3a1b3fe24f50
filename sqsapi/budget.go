package sqsapi

import (
	"container/list"
	"context"
	"sync"
	"time"

	"example.com/inq"
)

// DefaultMaxTotalBytes is what large requests and answers may take at once, see
// Options.MaxTotalBytes.
const DefaultMaxTotalBytes = 64 << 20

// freeBytes is what any request and any answer may take without being counted. It is little beside
// what a connection takes anyway, and lets small requests pass large ones.
const freeBytes = 16 << 10

// patience is how long a large request or answer waits for others to end.
const patience = 2 * time.Second

// budget bounds the bytes of large requests and answers under way, whose number nothing else bounds.
// Who waits is served in order, so that small claims cannot starve a large one.
type budget struct {
	total int64 // set by the constructor

	mu      sync.Mutex // guards everything below
	left    int64
	waiting list.List // of *claim
}

// claim waits for n bytes.
type claim struct {
	n       int64
	granted chan struct{}
}

func newBudget(total int64) *budget { return &budget{total: total, left: total} }

// take takes n bytes, of which there must be as many in all. It waits a little, and then refuses
// with RequestThrottled: clients know that and try again.
func (b *budget) take(ctx context.Context, n int64) (err error) {
	b.mu.Lock()
	if b.left >= n && b.waiting.Len() == 0 {
		b.left -= n
		b.mu.Unlock()
		return nil
	}
	c := &claim{n, make(chan struct{})}
	place := b.waiting.PushBack(c)
	b.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.granted:
		return nil
	case <-timer.C:
		err = inq.ErrThrottled
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-c.granted: // in the same instant
		return nil
	default:
	}
	b.waiting.Remove(place)
	b.grantLocked() // to those behind that want less
	return err
}

// give gives n bytes back.
func (b *budget) give(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	b.grantLocked()
}

// grantLocked serves who waits, as far as there are bytes. b.mu must be held.
func (b *budget) grantLocked() {
	for front := b.waiting.Front(); front != nil; front = b.waiting.Front() {
		c := front.Value.(*claim)
		if c.n > b.left {
			return
		}
		b.left -= c.n
		b.waiting.Remove(front)
		close(c.granted)
	}
}

// share is what one request holds of a budget.
type share struct{ held int64 }

// grow makes the share n bytes, or as many as there are in all, if it is smaller.
func (s *share) grow(ctx context.Context, b *budget, n int64) error {
	if n = min(n, b.total); n <= s.held {
		return nil
	}
	if err := b.take(ctx, n-s.held); err != nil {
		return err
	}
	s.held = n
	return nil
}

// shrink makes the share n bytes if it is larger.
func (s *share) shrink(b *budget, n int64) {
	if n < s.held {
		b.give(s.held - n)
		s.held = n
	}
}
