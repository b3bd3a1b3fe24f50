package worker

import (
	"log/slog"
	"reflect"
	"time"

	"example.com/inq"
)

// Limits and defaults of the options.
const (
	defaultConcurrency = 10
	maxConcurrency     = 1_000_000
	defaultVisibility  = 30 * time.Second
	minVisibility      = time.Second
	maxVisibility      = 12 * time.Hour
	defaultGrace       = 20 * time.Second
	maxBatch           = 10_000
	maxWindow          = 5 * time.Minute
)

// An Option configures a [Runner]. [New] and [NewBatch] refuse a value out of range with an
// [*inq.ParamError] that names the option and matches [inq.ErrInvalidParameter], or
// [inq.ErrMissingParameter] where it is nil. Of several options of one name the last holds, except
// that those of [WithMiddleware] add up. A nil Option is none.
type Option func(*settings) error

// settings are what options set.
type settings struct {
	concurrency int
	given       bool // concurrency was given
	visibility  time.Duration
	backoff     Backoff
	timeout     time.Duration // 0: none
	maxAttempts int           // 0: none
	grace       time.Duration
	waiter      Waiter
	logger      *slog.Logger
	middleware  []Middleware
	scale       scaling // policy nil: none
}

func newSettings(opts []Option) (settings, error) {
	s := settings{
		concurrency: defaultConcurrency,
		visibility:  defaultVisibility,
		backoff:     Exponential(time.Second, 15*time.Minute),
		grace:       defaultGrace,
	}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o(&s); err != nil {
			return s, err
		}
	}
	if s.scale.policy != nil {
		if !s.given {
			s.concurrency = s.scale.min
		}
		s.concurrency = min(max(s.concurrency, s.scale.min), s.scale.max)
	}
	return s, nil
}

// WithConcurrency sets the number of slots: how many handlers run at once at most, from 1 to
// 1,000,000. Default 10, with [WithAutoscale] its minimum. [Runner.SetConcurrency] changes it later.
func WithConcurrency(n int) Option {
	return func(s *settings) error {
		s.concurrency, s.given = n, true
		return inRange("WithConcurrency", n, 1, maxConcurrency)
	}
}

// WithVisibility sets the visibility timeout that every receive asks for and every extension
// renews, from 1 second to 12 hours. Default 30 seconds. It is how long a message stays away when
// its process dies. An extension leaves when a third of it is left. It also bounds how long a
// receive waits for a message: half of it, at most 20 seconds.
func WithVisibility(d time.Duration) Option {
	return func(s *settings) error {
		s.visibility = d
		return inRange("WithVisibility", d, minVisibility, maxVisibility)
	}
}

// WithBackoff sets how long a message waits after a failure, by the number of its attempt, which is
// its receive count. Default Exponential(1s, 15m). What b returns counts as 0 where it is below, and
// as what is left of the receive's 12 hours where it is more.
func WithBackoff(b Backoff) Option {
	return func(s *settings) error {
		s.backoff = b
		return notNil("WithBackoff", b)
	}
}

// WithTimeout sets how long a handler may run before its context is cancelled, with [ErrTimeout] as
// the cause. Above 0, at most 12 hours. Default: as long as its lease can be extended, which is 12 hours.
func WithTimeout(d time.Duration) Option {
	return func(s *settings) error {
		s.timeout = d
		return inRange("WithTimeout", d, 1, maxVisibility)
	}
}

// WithMaxAttempts has a message that fails at its nth receive or later buried, n being from 1 to
// 1,000,000. So is one of a queue of this process that was received n times without an end, because its
// attempts took their process with them or lost their lease: the handler is not called for it again,
// where there is a dead-letter target. Default: none is. The queue's own limit, maxReceives of
// [inq.WithDeadLetter], stays the outer bound: it holds for messages whose consumer died as well. A
// message that the queue itself hands to the dead letters counts as Failed in [Stats] and is not logged
// as buried, so n should not be above maxReceives.
func WithMaxAttempts(n int) Option {
	return func(s *settings) error {
		s.maxAttempts = n
		return inRange("WithMaxAttempts", n, 1, 1_000_000)
	}
}

// WithGrace sets how long handlers that run may go on after the context of [Runner.Run] has ended,
// before theirs is cancelled with [ErrShutdown]. From 0 to 12 hours, default 20 seconds. A handler
// that heeds its context ends then; one that does not is waited for another 5 seconds.
func WithGrace(d time.Duration) Option {
	return func(s *settings) error {
		s.grace = d
		return inRange("WithGrace", d, 0, maxVisibility)
	}
}

// WithLimit bounds the rate at which messages are received: before a receive the runner takes one
// permit of w for each message, so that nothing is leased that may not run yet. While w returns
// errors nothing is received: see [Waiter].
func WithLimit(w Waiter) Option {
	return func(s *settings) error {
		s.waiter = w
		return notNil("WithLimit", w)
	}
}

// WithLogger sets where the runner writes what goes wrong. The default, and nil, is [slog.Default]
// at the time of each record.
func WithLogger(l *slog.Logger) Option {
	return func(s *settings) error {
		s.logger = l
		return nil
	}
}

// WithMiddleware wraps the handler, the first of all being the outermost. A panic of the handler
// reaches them as an error, a [*PanicError]. [NewBatch] refuses it.
func WithMiddleware(mw ...Middleware) Option {
	return func(s *settings) error {
		for _, m := range mw {
			if m == nil {
				return notNil("WithMiddleware", m)
			}
		}
		s.middleware = append(s.middleware, mw...)
		return nil
	}
}

// WithAutoscale has p decide how many slots there are, from lowest to highest: how many handlers run at
// once at most. Both are from 1 to 1,000,000, and highest is not below lowest. See [Policy] for how
// often and in what steps.
func WithAutoscale(lowest, highest int, p Policy) Option {
	return func(s *settings) error {
		s.scale = scaling{min: lowest, max: highest, policy: p}
		if err := inRange("WithAutoscale lowest", lowest, 1, maxConcurrency); err != nil {
			return err
		}
		if err := inRange("WithAutoscale highest", highest, lowest, maxConcurrency); err != nil {
			return err
		}
		return notNil("WithAutoscale p", p)
	}
}

// inRange refuses a value out of its range by the name of what it was given to.
func inRange[T int | time.Duration](name string, v, lowest, highest T) error {
	if v < lowest || v > highest {
		return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: name, Value: v, Min: lowest, Max: highest}
	}
	return nil
}

// notNil refuses nil, also where it is a nil pointer or function in an interface.
func notNil(name string, v any) error {
	if v != nil {
		rv := reflect.ValueOf(v)
		switch rv.Kind() {
		case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface, reflect.Chan, reflect.Slice:
			if rv.IsNil() {
				break
			}
			return nil
		default:
			return nil
		}
	}
	return &inq.ParamError{Err: inq.ErrMissingParameter, Param: name, Reason: "must not be nil"}
}
