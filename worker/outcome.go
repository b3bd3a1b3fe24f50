package worker

import (
	"errors"
	"fmt"
	"time"
)

// Why the context of a handler ended: what [context.Cause] returns for it.
var (
	// ErrLeaseLost means that the message may be with another consumer: its visibility timeout has
	// run out, by the clock of the runner. What the handler returns is dropped.
	ErrLeaseLost = errors.New("worker: the lease of the message was lost")
	// ErrTimeout means that the handler ran as long as WithTimeout allows.
	ErrTimeout = errors.New("worker: the handler ran into its timeout")
	// ErrShutdown means that the runner stops and the grace of WithGrace is over.
	ErrShutdown = errors.New("worker: the runner stops")
)

// Errors of Run.
var (
	// ErrStuck is returned by Run when handlers ignored their cancelled contexts and still run.
	ErrStuck = errors.New("worker: handlers are stuck")
	// ErrRan is returned by a second Run of the same Runner.
	ErrRan = errors.New("worker: a Runner runs once")
)

// errGoexit is the failure of a handler that ended its goroutine.
var errGoexit = errors.New("worker: the handler called runtime.Goexit")

// Bury returns an error by which a handler says that no retry will help: the message goes to the
// dead letters now, with the text of err as the reason. Bury(nil) is nil. It is found in wrapped
// errors, as are [Snooze] and [RetryAfter].
func Bury(err error) error {
	if err == nil {
		return nil
	}
	return &BuryError{Err: err}
}

// Snooze returns an error by which a handler says that the message is to come again after d, and
// that this is not a failure. The attempt is not counted where the queue has Return and d is at
// most 15 minutes; otherwise, as on Amazon SQS, it is a receive like any other and counts. d is
// bounded by 0 and by what is left of the 12 hours of the receive.
func Snooze(d time.Duration) error { return &SnoozeError{Delay: d} }

// RetryAfter returns an error by which a handler fails with a delay of its own in place of the
// backoff, such as that of a Retry-After header. RetryAfter(d, nil) is nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &RetryError{Delay: d, Err: err}
}

// BuryError is what [Bury] returns.
type BuryError struct{ Err error }

// Error is the text of Err.
func (e *BuryError) Error() string { return fmt.Sprint(e.Err) }

// Unwrap returns Err.
func (e *BuryError) Unwrap() error { return e.Err }

// SnoozeError is what [Snooze] returns.
type SnoozeError struct{ Delay time.Duration }

// Error tells the delay.
func (e *SnoozeError) Error() string { return "worker: snoozed for " + e.Delay.String() }

// RetryError is what [RetryAfter] returns.
type RetryError struct {
	Delay time.Duration
	Err   error
}

// Error is the text of Err.
func (e *RetryError) Error() string { return fmt.Sprint(e.Err) }

// Unwrap returns Err.
func (e *RetryError) Unwrap() error { return e.Err }

// PanicError is what a handler that panicked has failed with. The message is retried like after any
// other failure.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // of the goroutine that panicked
}

// Error tells the value, without the stack.
func (e *PanicError) Error() string { return "worker: panic: " + fmt.Sprint(e.Value) }

// Unwrap returns Value where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// verdict is what the error of a handler asks for.
type verdict uint8

const (
	succeed verdict = iota
	retry
	retryIn
	snooze
	bury
	cutOff // by the end of the grace; no error asks for it
	lapsed // the lease ended meanwhile
)

// judge finds out what an error asks for.
func judge(err error) (v verdict, delay time.Duration) {
	if err == nil {
		return succeed, 0
	}
	if _, ok := as[*PanicError](err); ok {
		return retry, 0 // whatever error is inside
	}
	if _, ok := as[*BuryError](err); ok {
		return bury, 0
	}
	if e, ok := as[*SnoozeError](err); ok {
		return snooze, e.Delay
	}
	if e, ok := as[*RetryError](err); ok {
		return retryIn, e.Delay
	}
	return retry, 0
}

// as is errors.As for the errors of handlers, whose methods are foreign code and may panic. A nil
// pointer in an error is none.
func as[E interface {
	comparable
	error
}](err error) (e E, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	var none E
	ok = errors.As(err, &e) && e != none
	return e, ok
}

// text is err.Error(), whatever that does.
func text(err error) (s string) {
	defer func() {
		if v := recover(); v != nil {
			s = fmt.Sprintf("%T, whose Error panics", err)
		}
	}()
	return err.Error()
}
