package wire

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// DefaultMaxTotalBytes is what large requests and answers may take at once.
const DefaultMaxTotalBytes = 64 << 20

// freeBytes is what any request and any answer may take without being counted. It is little beside
// what a connection takes anyway, and lets small requests pass large ones.
const freeBytes = 16 << 10

// patience is how long a large request or answer waits for others to end.
const patience = 2 * time.Second

// Budget bounds the bytes of large requests and answers under way, whose number nothing else bounds.
// Who waits is served in order, so that small claims cannot starve a large one.
type Budget struct {
	total int64 // set by the constructor

	mu      sync.Mutex // guards everything below
	left    int64
	waiting list.List // of *claim
}

// ErrBusy is returned where others had the budget for too long.
var ErrBusy = errors.New("wire: too much is under way")

// claim waits for n bytes.
type claim struct {
	n       int64
	granted chan struct{}
}

// NewBudget makes a budget of so many bytes.
func NewBudget(total int64) *Budget { return &Budget{total: total, left: total} }

// Take takes n bytes, of which there must be as many in all. It waits a little, and then refuses
// with ErrBusy, which clients are told so that they try again.
func (b *Budget) Take(ctx context.Context, n int64) (err error) {
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
		err = ErrBusy
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

// Give gives n bytes back.
func (b *Budget) Give(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	b.grantLocked()
}

// grantLocked serves who waits, as far as there are bytes. b.mu must be held.
func (b *Budget) grantLocked() {
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

// Left is what is left of it.
func (b *Budget) Left() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

// share is what one request holds of a budget.
type share struct{ held int64 }

// grow makes the share n bytes, or as many as there are in all, if it is smaller.
func (s *share) grow(ctx context.Context, b *Budget, n int64) error {
	if n = min(n, b.total); n <= s.held {
		return nil
	}
	if err := b.Take(ctx, n-s.held); err != nil {
		return err
	}
	s.held = n
	return nil
}

// shrink makes the share n bytes if it is larger.
func (s *share) shrink(b *Budget, n int64) {
	if n < s.held {
		b.Give(s.held - n)
		s.held = n
	}
}
