package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"example.com/inq"
)

// A Mux is a [Handler] that gives each message to the handler of its kind. Kinds are added by
// [Kind.Handle], before the Mux is given to [New], which refuses one that has none, and kinds or
// aliases given twice.
//
// A message of a kind that it does not have, or of none, fails and is tried again after the
// backoff: while a new version of a program is rolled out, an old worker may get what only new ones
// know. The runner logs such a kind once. A body that does not decode is buried with the reason,
// since no attempt will end differently.
type Mux struct {
	fallback  Handler // nil: none
	envelopes bool

	mu     sync.RWMutex // guards everything below
	routes map[string]route
	bad    []error // what was wrong about calls of Kind.Handle
}

// A route decodes the arguments of one kind and calls its handler.
type route func(ctx context.Context, d *inq.Delivery) error

// A MuxOption configures a [Mux].
type MuxOption func(*Mux)

// WithDefault has h handle messages of unknown kinds, and of none.
func WithDefault(h Handler) MuxOption {
	return func(m *Mux) {
		if err := notNil("WithDefault", h); err != nil {
			m.refuse(err)
			return
		}
		m.fallback = h
	}
}

// WithSNSEnvelopes reads messages that came through a topic of Amazon SNS without raw message
// delivery: their body is a JSON envelope with the published message and its attributes inside. The
// kind and the arguments are taken from there; Body stays the envelope.
func WithSNSEnvelopes() MuxOption { return func(m *Mux) { m.envelopes = true } }

// NewMux makes a Mux without kinds, as the zero Mux is.
func NewMux(opts ...MuxOption) *Mux {
	m := &Mux{}
	for _, o := range opts {
		if o != nil {
			o(m)
		}
	}
	return m
}

// Handle gives d to the handler of its kind.
func (m *Mux) Handle(ctx context.Context, d *inq.Delivery) error {
	kind, _ := m.read(d)
	m.mu.RLock()
	do, bad := m.routes[kind], m.bad
	m.mu.RUnlock()
	switch {
	case bad != nil:
		return errors.Join(bad...)
	case do != nil:
		return do(ctx, d)
	case m.fallback != nil:
		return m.fallback.Handle(ctx, d)
	}
	return &unknownKindError{kind}
}

// unknownKindError is why a message fails that no handler is there for.
type unknownKindError struct{ kind string }

func (e *unknownKindError) Error() string {
	if e.kind == "" {
		return "worker: the message names no kind"
	}
	return fmt.Sprintf("worker: no handler for kind %q", e.kind)
}

// read returns the kind of a message and the text of its arguments.
func (m *Mux) read(d *inq.Delivery) (kind, body string) {
	if kind = kindAttribute(d); kind != "" || !m.envelopes {
		return kind, d.Body
	}
	var envelope struct {
		Type              string
		Message           string
		MessageAttributes map[string]struct{ Value string }
	}
	if json.Unmarshal([]byte(d.Body), &envelope) != nil || envelope.Type != "Notification" {
		return "", d.Body
	}
	return envelope.MessageAttributes[kindName].Value, envelope.Message
}

func (m *Mux) kindOf(d *inq.Delivery) string {
	kind, _ := m.read(d)
	return kind
}

// add routes names to a function, through middleware.
func (m *Mux) add(do func(ctx context.Context, d *inq.Delivery, body string) error, mw []Middleware, names []string) {
	var h Handler = HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
		_, body := m.read(d)
		return do(ctx, d, body)
	})
	if len(mw) > 0 {
		h = recovered(h)
	}
	for i := len(mw) - 1; i >= 0; i-- {
		if mw[i] == nil {
			m.refuse(notNil("mw", nil))
			return
		}
		if h = mw[i](h); h == nil {
			m.refuse(notNil("mw", nil))
			return
		}
	}
	for _, name := range names {
		if err := checkKind(name); err != nil {
			m.refuse(err)
			continue
		}
		m.mu.Lock()
		if m.routes == nil {
			m.routes = make(map[string]route)
		}
		_, twice := m.routes[name]
		if !twice {
			m.routes[name] = h.Handle
		}
		m.mu.Unlock()
		if twice {
			m.refuse(&inq.ParamError{Err: inq.ErrInvalidParameter, Param: "kind", Value: name, Reason: "is handled already"})
		}
	}
}

// refuse remembers what was wrong, for New.
func (m *Mux) refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bad = append(m.bad, err)
}

// check returns what is wrong about the Mux.
func (m *Mux) check() error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.bad) > 0 {
		return errors.Join(m.bad...)
	}
	if len(m.routes) == 0 && m.fallback == nil {
		return &inq.ParamError{Err: inq.ErrMissingParameter, Param: "Mux", Reason: "handles no kinds"}
	}
	return nil
}
