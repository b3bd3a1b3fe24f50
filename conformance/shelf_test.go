package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"example.com/inq"
)

// shelf is a Standard queue of its own: a list of notes in the order in which they were sent. Of a
// message it keeps the body only.
type shelf struct {
	name       string
	visibility time.Duration
	delay      time.Duration

	mu      sync.Mutex // guards what follows
	notes   []*note
	last    int           // id of the note sent last
	changed chan struct{} // closed at the next change that can make a note visible
}

type note struct {
	id       int
	body     string
	delayed  bool
	receives int
	sent     time.Time
	first    time.Time // receive
	latest   time.Time // receive
	visible  time.Time
}

// changeLocked wakes all who wait.
func (s *shelf) changeLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// newShelf makes a queue with attributes of SQS, and says which it does not have.
func newShelf(name string, attributes map[string]string) (*shelf, error) {
	s := &shelf{name: name, visibility: 30 * time.Second, changed: make(chan struct{})}
	if strings.HasSuffix(name, ".fifo") {
		return nil, fmt.Errorf("FIFO: %w", errors.ErrUnsupported)
	}
	for attribute, value := range attributes {
		seconds, err := strconv.Atoi(value)
		switch attribute {
		case "VisibilityTimeout":
			s.visibility = time.Duration(seconds) * time.Second
		case "DelaySeconds":
			s.delay = time.Duration(seconds) * time.Second
		default:
			err = fmt.Errorf("%s: %w", attribute, errors.ErrUnsupported)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ready refuses what every call refuses.
func ready(ctx context.Context) error {
	if ctx == nil {
		return inq.ErrMissingParameter
	}
	return ctx.Err()
}

// Name returns the name of the shelf.
func (s *shelf) Name() string { return s.name }

// Send checks a message and puts it at the end.
func (s *shelf) Send(ctx context.Context, m inq.Message) (inq.Sent, error) {
	if err := ready(ctx); err != nil {
		return inq.Sent{}, err
	}
	delay := m.Delay
	switch {
	case m.Attributes != nil || m.GroupID != "" || m.TraceHeader != "":
		return inq.Sent{}, fmt.Errorf("more than a body: %w", errors.ErrUnsupported)
	case m.Body == "":
		return inq.Sent{}, inq.ErrMissingParameter
	case len(m.Body) > 1<<20 || m.DeduplicationID != "" || delay > 15*time.Minute || delay < 0 && delay != inq.Zero:
		return inq.Sent{}, inq.ErrInvalidParameter
	case !utf8.ValidString(m.Body) || strings.ContainsFunc(m.Body, forbidden):
		return inq.Sent{}, inq.ErrInvalidMessageContents
	case delay == 0:
		delay = s.delay
	case delay == inq.Zero:
		delay = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	now := time.Now()
	s.notes = append(s.notes, &note{id: s.last, body: m.Body, delayed: delay > 0, sent: now, visible: now.Add(delay)})
	s.changeLocked()
	return inq.NewSent(inq.SentFields{ID: strconv.Itoa(s.last)}), nil
}

func forbidden(r rune) bool {
	return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xfffe || r == 0xffff
}

// Receive takes what is visible, and waits for a note where there is none.
func (s *shelf) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if err := ready(ctx); err != nil {
		return nil, err
	}
	if in.Max == 0 {
		in.Max = 1
	}
	if in.VisibilityTimeout == 0 {
		in.VisibilityTimeout = s.visibility
	}
	wait, timeout := plain(in.Wait), plain(in.VisibilityTimeout)
	if in.Max < 1 || in.Max > 10 || wait < 0 || wait > 20*time.Second || timeout < 0 || timeout > 12*time.Hour {
		return nil, inq.ErrInvalidParameter
	}
	end := time.Now().Add(wait)
	for {
		ds, next, changed := s.take(in.Max, timeout)
		if now := time.Now(); len(ds) > 0 || !now.Before(end) {
			return ds, nil
		}
		if next.IsZero() || next.After(end) {
			next = end
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		case <-time.After(time.Until(next)):
		}
	}
}

// plain is a duration in which inq.Zero is 0.
func plain(d time.Duration) time.Duration {
	if d == inq.Zero {
		return 0
	}
	return d
}

// take takes what is visible. Where that is nothing, it tells when a note will be, and what is closed
// at a change.
func (s *shelf) take(most int, timeout time.Duration) (ds []inq.Delivery, next time.Time, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, n := range s.notes {
		if len(ds) == most {
			break
		}
		if n.visible.After(now) {
			if next.IsZero() || n.visible.Before(next) {
				next = n.visible
			}
			continue
		}
		if n.receives++; n.receives == 1 {
			n.first = now
		}
		n.delayed, n.latest, n.visible = false, now, now.Add(timeout)
		ds = append(ds, inq.NewDelivery(s, inq.DeliveryFields{
			ID: strconv.Itoa(n.id), ReceiptHandle: s.handle(n.id, n.receives), Body: n.body, ReceiveCount: n.receives,
			SenderID: "shelf", SentAt: n.sent, FirstReceivedAt: n.first, VisibleAt: n.visible,
		}))
	}
	return ds, next, s.changed
}

func (s *shelf) handle(id, receive int) string {
	return fmt.Sprintf("%s.%06d.%06d", s.name, id, receive)
}

// findLocked returns the index of a note, -1 where it is gone.
func (s *shelf) findLocked(receiptHandle string) (int, error) {
	var id, receive int
	numbers, mine := strings.CutPrefix(receiptHandle, s.name+".")
	if _, err := fmt.Sscanf(numbers, "%d.%d", &id, &receive); err != nil || !mine || s.handle(id, receive) != receiptHandle || id > s.last {
		return -1, inq.ErrReceiptHandleInvalid
	}
	for i, n := range s.notes {
		if n.id == id {
			return i, nil
		}
	}
	return -1, nil
}

// Delete takes a note away.
func (s *shelf) Delete(ctx context.Context, receiptHandle string) error {
	if err := ready(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.findLocked(receiptHandle)
	if i >= 0 {
		s.notes = append(s.notes[:i], s.notes[i+1:]...)
	}
	return err
}

// ChangeVisibility hides a note for longer, or shows it.
func (s *shelf) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	if err := ready(ctx); err != nil {
		return err
	}
	if timeout = plain(timeout); timeout < 0 || timeout > 12*time.Hour {
		return inq.ErrInvalidParameter
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.findLocked(receiptHandle)
	now := time.Now()
	switch {
	case err != nil:
		return err
	case i < 0:
		return inq.ErrNotInFlight
	case now.Add(timeout).After(s.notes[i].latest.Add(12 * time.Hour)):
		return inq.ErrInvalidParameter
	case s.notes[i].visible.After(now):
		s.notes[i].visible = now.Add(timeout)
		s.changeLocked()
	}
	return nil
}

// batch does something for each entry.
func batch(ctx context.Context, n int, do func(i int) error) error {
	switch err := ready(ctx); {
	case err != nil:
		return err
	case n == 0:
		return inq.ErrEmptyBatch
	case n > 10:
		return inq.ErrTooManyEntries
	}
	var failed []inq.BatchFailure
	for i := range n {
		if err := do(i); err != nil {
			failed = append(failed, inq.BatchFailure{Index: i, Err: err})
		}
	}
	if failed == nil {
		return nil
	}
	return &inq.BatchError{Failed: failed}
}

// SendBatch sends each message.
func (s *shelf) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	size := 0
	for _, m := range ms {
		size += len(m.Body)
	}
	if size > 1<<20 {
		return nil, inq.ErrBatchTooLong
	}
	sent := make([]inq.Sent, len(ms))
	err := batch(ctx, len(ms), func(i int) (err error) { sent[i], err = s.Send(ctx, ms[i]); return err })
	return sent, err
}

// DeleteBatch deletes each note.
func (s *shelf) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	return batch(ctx, len(receiptHandles), func(i int) error { return s.Delete(ctx, receiptHandles[i]) })
}

// ChangeVisibilityBatch hides or shows each note.
func (s *shelf) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	return batch(ctx, len(changes), func(i int) error { return s.ChangeVisibility(ctx, changes[i].ReceiptHandle, changes[i].Timeout) })
}

// Purge takes all notes away.
func (s *shelf) Purge(ctx context.Context) error {
	if err := ready(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = nil
	return nil
}

// Counts counts.
func (s *shelf) Counts(ctx context.Context) (c inq.Counts, err error) {
	if err := ready(ctx); err != nil {
		return c, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.notes {
		switch {
		case !n.visible.After(time.Now()):
			c.Visible++
		case n.delayed:
			c.Delayed++
		default:
			c.NotVisible++
		}
	}
	return c, nil
}
