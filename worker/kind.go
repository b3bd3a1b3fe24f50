package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"example.com/inq"
)

// kindName is the message attribute that names the kind of a job.
const kindName = "kind"

// A Kind is a kind of job, whose arguments are a T: declared once, and used by those who send such
// jobs and those who do them.
//
//	var SendEmail = worker.NewKind[Email]("email.send")
//
// Create one with [NewKind]; the zero Kind has no name and is refused wherever it is used.
type Kind[T any] struct {
	name    string
	aliases []string
}

// NewKind makes a Kind. The name goes with each message; aliases are old names that are still read.
// Names have 1 to 80 of the letters, digits and signs that ASCII prints, without the space. A bad
// one is refused where the Kind is used, with [inq.ErrInvalidParameter].
func NewKind[T any](name string, aliases ...string) Kind[T] {
	return Kind[T]{name: name, aliases: slices.Clone(aliases)}
}

// Name returns the name.
func (k Kind[T]) Name() string { return k.name }

// A SendOption says more about a job that is sent.
type SendOption func(*inq.Message)

// Delay keeps the job from being received for a time of up to 15 minutes. A FIFO queue refuses it.
func Delay(d time.Duration) SendOption { return func(m *inq.Message) { m.Delay = d } }

// Group puts the job into a message group: required on FIFO, where jobs of one group are done in
// order, and the tenant of a fair queue on Standard.
func Group(id string) SendOption { return func(m *inq.Message) { m.GroupID = id } }

// Dedup makes a FIFO queue accept the job once in five minutes.
func Dedup(id string) SendOption { return func(m *inq.Message) { m.DeduplicationID = id } }

// Message makes the message of a job: the body is args as JSON, and the attribute "kind" is the
// name. An error is that of the name or of [json.Marshal]; other limits are the queue's to check.
func (k Kind[T]) Message(args T, opts ...SendOption) (inq.Message, error) {
	if err := checkKind(k.name); err != nil {
		return inq.Message{}, err
	}
	body, err := json.Marshal(args)
	if err != nil {
		return inq.Message{}, fmt.Errorf("worker: arguments of kind %q: %w", k.name, err)
	}
	m := inq.Message{Body: string(body), Attributes: map[string]inq.Attribute{kindName: inq.String(k.name)}}
	for _, o := range opts {
		if o != nil {
			o(&m)
		}
	}
	return m, nil
}

// Send sends a job. The errors are those of Message and of the queue's Send.
func (k Kind[T]) Send(ctx context.Context, q inq.Queue, args T, opts ...SendOption) (inq.Sent, error) {
	if err := notNil("q", q); err != nil {
		return inq.Sent{}, err
	}
	m, err := k.Message(args, opts...)
	if err != nil {
		return inq.Sent{}, err
	}
	return q.Send(ctx, m)
}

// A Job is one attempt at a job: the delivery and its arguments.
type Job[T any] struct {
	*inq.Delivery
	Args T
}

// Attempt tells which attempt this is, from 1: the receive count of the message.
func (j Job[T]) Attempt() int { return j.ReceiveCount }

// Handle has m give jobs of this kind to f, wrapped in mw, of which the first is outermost. What is
// wrong about it, such as a kind that m has already, is refused by [New].
func (k Kind[T]) Handle(m *Mux, f func(ctx context.Context, j Job[T]) error, mw ...Middleware) {
	if m == nil {
		return
	}
	if f == nil {
		m.refuse(notNil("f", nil))
		return
	}
	do := func(ctx context.Context, d *inq.Delivery, body string) error {
		job := Job[T]{Delivery: d}
		if err := json.Unmarshal([]byte(body), &job.Args); err != nil {
			return Bury(fmt.Errorf("worker: body of kind %q does not decode: %w", k.name, err))
		}
		return f(ctx, job)
	}
	m.add(do, mw, append([]string{k.name}, k.aliases...))
}

// checkKind refuses a name that could not be part of a deduplication id.
func checkKind(name string) error {
	bad := len(name) < 1 || len(name) > 80
	for _, c := range []byte(name) {
		bad = bad || c <= ' ' || c > '~'
	}
	if bad {
		return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "kind", Value: name,
			Reason: "must be 1 to 80 printable ASCII characters without the space"}
	}
	return nil
}

// kindAttribute returns the kind that a message says it is of, "" where it does not.
func kindAttribute(d *inq.Delivery) string { return d.Attributes()[kindName].Value }
