package inqtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"example.com/inq"
	"example.com/inq/worker"
)

// An Outcome is what became of a job.
type Outcome string

// What can become of a job.
const (
	Succeeded Outcome = "succeeded" // and its message was deleted
	Retried   Outcome = "retried"   // it failed, and comes again after Delay
	Snoozed   Outcome = "snoozed"   // it comes again after Delay, and that is no failure
	Buried    Outcome = "buried"    // it went to the dead letters, for Reason
	Panicked  Outcome = "panicked"  // it failed by a panic, and comes again after Delay
	Lost      Outcome = "lost"      // nothing was done about it: the lease was over, or the queue refused
)

// Result is what [Work] returns.
type Result struct {
	Outcome  Outcome
	Delay    time.Duration // until it comes again; 0 is at once
	Reason   string        // of Buried
	Err      error         // what the handler returned; of a panic a *worker.PanicError without a stack
	Delivery inq.Delivery  // what the handler was given
}

// String returns the result in words.
func (r Result) String() string {
	text := string(r.Outcome)
	switch r.Outcome {
	case Retried, Snoozed, Panicked:
		text += fmt.Sprintf(", comes again after %v", r.Delay)
	case Buried:
		text += ": " + r.Reason
	}
	if r.Err != nil && r.Outcome != Buried && r.Outcome != Snoozed {
		text += ": " + r.Err.Error()
	}
	return text
}

// Work has one message of q processed by h, in a real [worker.Runner] that is stopped after it, and
// returns what the runner did with the message: what a table of cases for a handler wants to know. It
// takes the message that comes next, and waits for one for 10 seconds, or in a bubble 24 hours of its
// time; then the test ends.
//
// opts are those of the runner, such as [worker.WithBackoff] or [worker.WithMaxAttempts]. By default it
// logs nothing, and there is one slot. How long h may run is a matter of opts too.
func Work(tb TB, q inq.Queue, h worker.Handler, opts ...worker.Option) Result {
	tb.Helper()
	if isNil(q) || h == nil {
		tb.Fatalf("inqtest: Work needs a queue and a handler")
		return Result{}
	}
	bubble := settle()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	j := &job{queue: q, begun: make(chan struct{}), handled: cancel}
	handler := worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error { return j.handle(ctx, h, d) })
	options := append([]worker.Option{worker.WithConcurrency(1), worker.WithLogger(slog.New(slog.DiscardHandler))}, opts...)
	r, err := worker.New(j.face(), handler, options...)
	if err != nil {
		tb.Fatalf("inqtest: Work: %v", err)
		return Result{}
	}
	ran := make(chan error, 1)
	go func() { ran <- r.Run(ctx) }()
	longest := time.NewTimer(patienceFor(bubble))
	defer longest.Stop()
	select {
	case <-j.begun:
		err = <-ran
	case err = <-ran:
	case <-longest.C:
		cancel()
		if err = <-ran; err == nil {
			err = fmt.Errorf("no message came within %v", patienceFor(bubble))
		}
	}
	if err != nil {
		tb.Fatalf("inqtest: Work on %s: %v", q.Name(), err)
		return Result{}
	}
	return j.result()
}

// job is the one message, and what was done with it.
type job struct {
	queue   inq.Queue
	begun   chan struct{} // closed when the handler has it
	handled func()        // stops the runner

	mu       sync.Mutex // guards everything below
	taken    bool       // a receive brought it
	over     bool       // the handler has returned
	delivery inq.Delivery
	err      error
	outcome  Outcome // what was done with the message since
	delay    time.Duration
	reason   string
}

// handle is the handler. A panic goes on.
func (j *job) handle(ctx context.Context, h worker.Handler, d *inq.Delivery) (err error) {
	j.mu.Lock()
	j.delivery = *d
	j.mu.Unlock()
	close(j.begun)
	returned := false
	defer func() {
		value := any(nil)
		if !returned {
			value = recover()
		}
		j.mu.Lock()
		j.over, j.err = true, err
		switch {
		case value != nil:
			j.err = &worker.PanicError{Value: value}
		case !returned:
			j.err = errors.New("the handler ended its goroutine")
		}
		j.mu.Unlock()
		j.handled()
		if value != nil {
			panic(value)
		}
	}()
	err = h.Handle(ctx, d)
	returned = true
	return err
}

// result tells how it went.
func (j *job) result() Result {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := Result{Outcome: j.outcome, Delay: j.delay, Reason: j.reason, Err: j.err, Delivery: j.delivery}
	panicked := errors.As(j.err, new(*worker.PanicError))
	switch {
	case r.Outcome == "":
		r.Outcome = Lost
	case r.Outcome == Succeeded && j.err != nil: // sent to the dead letters first, by a queue that has no Bury
		r.Outcome, r.Reason = Buried, j.err.Error()
	case r.Outcome == Retried && panicked:
		r.Outcome = Panicked
	case r.Outcome == Retried && errors.As(j.err, new(*worker.SnoozeError)):
		r.Outcome = Snoozed
	}
	return r
}

// did notes what the runner did with the message after the handler had returned; before, it extends.
func (j *job) did(o Outcome, delay time.Duration, reason string, err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil && j.over {
		j.outcome, j.delay, j.reason = o, max(delay, 0), reason // inq.Zero is below 0
	}
	return err
}

// face returns the queue as the runner is to see it: with the methods beyond [inq.Queue] that the one
// behind it has, by which runners go.
func (j *job) face() inq.Queue {
	f := &jobQueue{Queue: j.queue, job: j}
	if l, ok := j.queue.(inq.Local); ok {
		f.self = &localJob{l, f}
		return f.self
	}
	ret, returns := j.queue.(returner)
	bury, buries := j.queue.(burier)
	dead, knows := j.queue.(deadLetterQueuer)
	r, b := jobReturner{j, ret}, jobBurier{j, bury}
	switch {
	case returns && buries:
		f.self = &struct {
			*jobQueue
			jobReturner
			jobBurier
		}{f, r, b}
	case returns && knows:
		f.self = &struct {
			*jobQueue
			jobReturner
			deadLetterQueuer
		}{f, r, dead}
	case returns:
		f.self = &struct {
			*jobQueue
			jobReturner
		}{f, r}
	case buries:
		f.self = &struct {
			*jobQueue
			jobBurier
		}{f, b}
	case knows:
		f.self = &struct {
			*jobQueue
			deadLetterQueuer
		}{f, dead}
	default:
		f.self = f
	}
	return f.self
}

// deadLetterQueuer is how a runner buries on queues without Bury, such as those of module inqaws.
type deadLetterQueuer interface {
	DeadLetterQueue(ctx context.Context) (inq.Queue, error)
}

// jobQueue is a queue with one message.
type jobQueue struct {
	inq.Queue
	job  *job
	self inq.Queue // what the methods of its delivery call
}

// What it can have beyond.
type (
	jobReturner struct {
		job *job
		to  returner
	}
	jobBurier struct {
		job *job
		to  burier
	}
)

// localJob is one of this process.
type localJob struct {
	inq.Local
	one *jobQueue
}

func (q *jobQueue) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	q.job.mu.Lock()
	taken := q.job.taken
	q.job.taken = true // another receive may be under way at once
	q.job.mu.Unlock()
	if taken {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	in.Max = 1
	ds, err := q.Queue.Receive(ctx, in)
	for i := range ds {
		ds[i].Rebind(q.self)
	}
	q.job.mu.Lock()
	q.job.taken = len(ds) != 0
	q.job.mu.Unlock()
	return ds, err
}

func (q *jobQueue) Delete(ctx context.Context, receiptHandle string) error {
	return q.job.did(Succeeded, 0, "", q.Queue.Delete(ctx, receiptHandle))
}

func (q *jobQueue) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	return q.job.did(Succeeded, 0, "", q.Queue.DeleteBatch(ctx, receiptHandles))
}

func (q *jobQueue) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	return q.job.did(Retried, timeout, "", q.Queue.ChangeVisibility(ctx, receiptHandle, timeout))
}

func (q *jobQueue) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	err := q.Queue.ChangeVisibilityBatch(ctx, changes)
	for _, c := range changes {
		_ = q.job.did(Retried, c.Timeout, "", err)
	}
	return err
}

func (r jobReturner) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	return r.job.did(Snoozed, delay, "", r.to.Return(ctx, receiptHandle, delay))
}

func (b jobBurier) Bury(ctx context.Context, receiptHandle, reason string) error {
	return b.job.did(Buried, 0, reason, b.to.Bury(ctx, receiptHandle, reason))
}

func (q *localJob) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	return q.one.Receive(ctx, in)
}

func (q *localJob) Delete(ctx context.Context, receiptHandle string) error {
	return q.one.Delete(ctx, receiptHandle)
}

func (q *localJob) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	return q.one.DeleteBatch(ctx, receiptHandles)
}

func (q *localJob) ChangeVisibility(ctx context.Context, receiptHandle string, timeout time.Duration) error {
	return q.one.ChangeVisibility(ctx, receiptHandle, timeout)
}

func (q *localJob) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	return q.one.ChangeVisibilityBatch(ctx, changes)
}

func (q *localJob) Return(ctx context.Context, receiptHandle string, delay time.Duration) error {
	return q.one.job.did(Snoozed, delay, "", q.Local.Return(ctx, receiptHandle, delay))
}

func (q *localJob) Bury(ctx context.Context, receiptHandle, reason string) error {
	return q.one.job.did(Buried, 0, reason, q.Local.Bury(ctx, receiptHandle, reason))
}
