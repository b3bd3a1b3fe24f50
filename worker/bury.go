package worker

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/inq"
)

// What queues have that can bury.
type (
	// burier hands a message to its dead-letter target.
	burier interface {
		Bury(ctx context.Context, receiptHandle, reason string) error
	}
	// deadLetterQueuer knows its dead-letter queue.
	deadLetterQueuer interface {
		DeadLetterQueue(ctx context.Context) (inq.Queue, error)
	}
)

// bury hands a settled message to the dead letters, and says what has become of it: what cannot be
// buried is to be tried again.
func (r *Runner) bury(j *job, why error) (verdict, time.Duration, error) {
	if !r.await(j) {
		return lapsed, 0, why
	}
	if failure := r.tryBury(j, why); failure != nil {
		return retry, r.delay(j), errors.Join(why, failure)
	}
	return bury, 0, why
}

// tryBury is the call. Where it fails, the lease is as it was.
func (r *Runner) tryBury(j *job, why error) error {
	ctx, cancel := r.within(j.until)
	defer cancel()
	d, reason := j.delivery, text(why)
	var err error
	switch q := r.queue.(type) {
	case burier:
		err = q.Bury(ctx, j.handle(), reason)
	case deadLetterQueuer:
		err = r.buryBySend(ctx, q, j, reason)
	default:
		err = d.Bury(ctx, reason)
	}
	r.mu.Lock()
	if err == nil {
		r.stats.Buried++
	} else {
		r.stats.BuryErrors++
	}
	r.unlock()
	if err == nil {
		r.log(slog.LevelWarn, "job buried", r.about(j, slog.String("reason", reason))...)
	}
	return err
}

const (
	reasonAttribute = "reason" // carries the reason to a queue that takes none otherwise
	longestReason   = 1024
	maxAttributes   = 10 // of a message (SQS: MSG-5)
)

// buryBySend buries on a queue without a Bury of its own: a copy goes to its dead-letter queue, and
// the message is deleted. Where the second fails the message comes again and makes another copy, on
// FIFO under the same deduplication id.
func (r *Runner) buryBySend(ctx context.Context, q deadLetterQueuer, j *job, reason string) error {
	target, err := q.DeadLetterQueue(ctx)
	if err != nil {
		return err
	}
	m := j.delivery.Message()
	m.SenderID = "" // the service names the sender itself
	if r.fifo {
		m.DeduplicationID = j.delivery.ID()
	}
	plain := m.Attributes
	if len(plain) < maxAttributes && reason != "" {
		m.Attributes = make(map[string]inq.Attribute, len(plain)+1)
		for name, a := range plain {
			m.Attributes[name] = a
		}
		m.Attributes[reasonAttribute] = inq.String(legal(reason))
	}
	_, err = target.Send(ctx, m)
	if errors.Is(err, inq.ErrInvalidParameter) && len(m.Attributes) > len(plain) {
		m.Attributes = plain // there was no room for the reason
		_, err = target.Send(ctx, m)
	}
	if err != nil {
		return err
	}
	return r.queue.Delete(ctx, j.handle())
}

// legal makes the value of an attribute of a text (SQS: MSG-8, MSG-9).
func legal(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == '\ufffe' || c == '\uffff' {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	for cut := longestReason; len(s) > longestReason; cut-- {
		if utf8.RuneStart(s[cut]) {
			s = s[:cut]
		}
	}
	return s
}
