package inq

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// This file holds the operations that model_run_test.go draws: each makes up its input, asks the
// model, and compares what the engine answers.

// modelFault is something a message is refused for.
type modelFault struct {
	spoil func(*Message)
	err   error // of Send
	whole bool  // on FIFO it fails a whole batch, with ErrInvalidParameter (SQS: FIFO-4, BAT-7)
	limit bool  // without limits it is no fault
}

var modelFaults = []modelFault{
	{func(m *Message) { m.Body = "" }, ErrMissingParameter, false, true},
	{func(m *Message) { m.Body = "bell \a" }, ErrInvalidMessageContents, false, true},
	{func(m *Message) { m.Body = "half \xff" }, ErrInvalidMessageContents, false, true},
	{func(m *Message) { m.Body = strings.Repeat("x", 1025) }, ErrInvalidParameter, true, false},
	{func(m *Message) { m.GroupID = "two words" }, ErrInvalidParameter, false, false},
	{func(m *Message) { m.GroupID = strings.Repeat("g", 129) }, ErrInvalidParameter, false, false},
	{func(m *Message) { m.Delay = -1 }, ErrInvalidParameter, true, false},
	{func(m *Message) { m.Attributes = map[string]Attribute{"a": {Type: "Text", Value: "x"}} }, ErrInvalidParameter, false, false},
	{func(m *Message) { m.Attributes = map[string]Attribute{".a": String("x")} }, ErrInvalidParameter, false, false},
}

var modelStandardFaults = append(slices.Clone(modelFaults),
	modelFault{func(m *Message) { m.DeduplicationID = "id" }, ErrInvalidParameter, false, false})

var modelFIFOFaults = append(slices.Clone(modelFaults),
	modelFault{func(m *Message) { m.GroupID = "" }, ErrMissingParameter, true, false},
	modelFault{func(m *Message) { m.DeduplicationID = "two words" }, ErrInvalidParameter, false, false},
	modelFault{func(m *Message) { m.Delay = time.Second }, ErrInvalidParameter, true, false})

// message makes up a message, now and then one that is refused.
func (r *modelRun) message(p *modelPair) (m Message, fault *modelFault) {
	r.sends++
	m = Message{Body: fmt.Sprintf("m%d", r.sends)}
	if p.model.fifo || !r.one(3) {
		// Two groups get more than their share, which makes them noisy where there is a crowd.
		m.GroupID = modelPick(r, r.groups()...)
		if r.one(2) {
			m.GroupID = modelPick(r, "a", "a", "b")
		}
	}
	if p.model.fifo {
		if r.one(3) {
			m.Body = fmt.Sprintf("repeated %d", r.draw(4))
		}
		if !p.model.content || r.one(2) {
			m.DeduplicationID = fmt.Sprintf("id%d", r.sends)
			if r.one(3) {
				m.DeduplicationID = fmt.Sprintf("repeated%d", r.draw(4))
			}
			if r.one(10) {
				m.DeduplicationID = contentID("repeated 1") // equal to what content makes (SQS: FIFO-18)
			}
		}
		m.Delay = modelPick(r, 0, 0, Zero)
	} else {
		m.Delay = modelPick(r, 0, 0, 0, Zero, time.Second, 4*time.Second, maxDelay)
		if r.setup.crowded && !r.one(8) {
			m.Delay = 0
		}
		if p.model.unlimited && r.one(8) {
			m.Delay = 9 * time.Second
		}
	}
	if p.model.unlimited && m.Delay >= p.model.retention {
		m.Delay = 0
	}
	if r.one(6) {
		m.Attributes = map[string]Attribute{"n": Number("-1.5e3"), "b": Binary([]byte{0, 255})}
		m.TraceHeader = "Root=1"
	}
	if r.one(8) {
		m.SenderID = "someone"
	}
	if r.one(15) {
		faults := modelStandardFaults
		if p.model.fifo {
			faults = modelFIFOFaults
		}
		fault = &faults[r.draw(len(faults))]
		fault.spoil(&m)
		if fault.limit && p.model.unlimited {
			fault = nil
		}
	}
	return m, fault
}

// accepted compares the answer to a message that was sent.
func (r *modelRun) accepted(p *modelPair, m *modelMessage, duplicate bool, got Sent) {
	require.Equal(r.t, duplicate, got.Duplicate())
	if duplicate { // the original's id and number (SQS: FIFO-20)
		require.Equal(r.t, m.id, got.ID())
		require.Equal(r.t, m.number, got.SequenceNumber())
		return
	}
	m.id, m.number = got.ID(), got.SequenceNumber()
	require.Len(r.t, m.id, 36)
	require.False(r.t, r.ids[m.id], "an id is given once")
	r.ids[m.id] = true
	if !p.model.fifo {
		require.Empty(r.t, m.number)
		return
	}
	require.Greater(r.t, m.number, p.last)
	p.last = m.number
}

func (r *modelRun) send(p *modelPair) {
	in, fault := r.message(p)
	ctx, want := r.context()
	if want == nil && fault != nil {
		want = fault.err
	}
	r.note(p, "send %+v", in)
	got, err := p.engine.Send(ctx, in)
	if want != nil {
		r.same(want, err)
		require.Equal(r.t, Sent{}, got)
		return
	}
	m, duplicate, want := p.model.send(in)
	r.same(want, err)
	if want == nil {
		r.accepted(p, m, duplicate, got)
	}
}

// length draws how many entries a batch has, and the error for one of a wrong length.
func (r *modelRun) length() (n int, want error) {
	switch n = 1 + r.draw(5); {
	case r.one(6), r.setup.crowded && r.one(2):
		n = 10
	case r.one(40):
		return 0, ErrEmptyBatch
	case r.one(40):
		if !r.setup.unlimited {
			return 11, ErrTooManyEntries
		}
		n = 11 + r.draw(70)
	}
	if r.setup.crowded && r.setup.unlimited && r.one(2) {
		n = 40
	}
	return n, nil
}

func (r *modelRun) sendBatch(p *modelPair) {
	n, wrong := r.length()
	ctx, want := r.context()
	if want == nil {
		want = wrong
	}
	in := make([]Message, n)
	errs := make([]error, n)
	for i := range in {
		var fault *modelFault
		if in[i], fault = r.message(p); fault == nil {
			continue
		}
		errs[i] = fault.err
		if fault.whole && p.model.fifo && want == nil {
			want = ErrInvalidParameter
		}
	}
	r.note(p, "send batch %+v", in)
	got, err := p.engine.SendBatch(ctx, in)
	if want != nil {
		r.same(want, err)
		require.Nil(r.t, got)
		return
	}
	require.Len(r.t, got, n)
	var full error
	for i := range in {
		if errs[i] == nil {
			errs[i] = full
		}
		if errs[i] == nil {
			m, duplicate, err := p.model.send(in[i])
			if err == nil {
				r.accepted(p, m, duplicate, got[i])
				continue
			}
			full, errs[i] = err, err
		}
		require.Equal(r.t, Sent{}, got[i])
	}
	r.sameBatch(errs, err)
}

func (r *modelRun) receive(p *modelPair) {
	var want error
	in := ReceiveInput{Max: modelPick(r, 0, 1, 2, 3, 10, 10)}
	in.VisibilityTimeout = modelPick(r, 0, 0, 0, Zero, time.Second, 2*time.Second, 40*time.Second, modelTotalVisible)
	in.Wait = modelPick(r, 0, 0, 0, Zero, time.Second, 20*time.Second)
	if r.setup.crowded && !r.one(6) {
		in = ReceiveInput{Max: 10}
		if p.model.unlimited {
			in.Max = 40
		}
	}
	if r.one(3) {
		in.AttemptID = "attempt-" + modelPick(r, r.groups()...)
		p.again = &ReceiveInput{Max: in.Max, VisibilityTimeout: in.VisibilityTimeout, AttemptID: in.AttemptID}
	} else if p.again != nil && r.one(2) {
		in = *p.again
	}
	if p.model.unlimited && r.one(4) {
		in.Max, in.VisibilityTimeout, in.Wait = 11+r.draw(90), modelPick(r, Forever, 24*time.Hour), modelPick(r, Zero, time.Hour)
	}
	if r.setup.crowded {
		in.Wait = Zero // what times out by the hundreds at one instant is carried out in steps, and a wait ends after the first
	}
	if r.one(25) {
		in.Max, want = modelPick(r, -1, math.MaxInt), ErrInvalidParameter
		if p.model.unlimited && math.MaxInt == math.MaxInt32 { // where an int has 32 bits, none is too large
			in.Max = -1
		}
	} else if r.one(25) {
		in.Wait, want = -1, ErrInvalidParameter
	} else if r.one(25) {
		in.VisibilityTimeout, want = -1, ErrInvalidParameter
	} else if !p.model.unlimited && r.one(25) {
		in = modelPick(r, ReceiveInput{Max: 11}, ReceiveInput{Wait: maxWait + 1}, ReceiveInput{VisibilityTimeout: modelTotalVisible + 1})
		want = ErrInvalidParameter
	} else if r.one(25) {
		in.AttemptID = "two words"
		if p.model.fifo { // Standard ignores it
			want = ErrInvalidParameter
		}
	}
	ctx, ended := r.context()
	if ended != nil {
		want = ended
	}
	into := -1
	if r.one(4) {
		if into = r.draw(12); into == 0 && want == nil {
			want = ErrInvalidParameter
		}
	}
	r.note(p, "receive %+v into %d", in, into)

	var got []Delivery
	var err error
	if into >= 0 {
		var n int
		got = make([]Delivery, into)
		n, err = p.engine.ReceiveInto(ctx, got, in)
		got = got[:n]
	} else {
		got, err = p.engine.Receive(ctx, in)
	}
	if want != nil {
		r.same(want, err)
		require.Empty(r.t, got)
		return
	}
	c := modelCall{max: max(in.Max, 1), wait: in.Wait, visibility: in.VisibilityTimeout}
	if c.wait == 0 {
		c.wait = p.model.wait
	}
	if c.visibility == 0 {
		c.visibility = p.model.visibility
	}
	c.wait, c.visibility = max(c.wait, 0), max(c.visibility, 0)
	if p.model.fifo {
		c.attempt = in.AttemptID
	}
	if into >= 0 {
		c.max = min(c.max, into)
	}
	c.max = min(c.max, mostAtOnce)
	expected, want := p.model.receive(c)
	r.same(want, err)
	r.received(p, expected, got)
}

// received compares the answer to a receive and keeps the handles.
func (r *modelRun) received(p *modelPair, want []modelAnswer, got []Delivery) {
	require.True(r.t, r.world.now.Equal(time.Now()), "the receive returned at %v, not at %v", time.Now(), r.world.now)
	var wantBodies, gotBodies []string
	for _, a := range want {
		wantBodies = append(wantBodies, a.m.sent.Body+" "+a.m.id)
	}
	for i := range got {
		gotBodies = append(gotBodies, got[i].Body+" "+got[i].ID())
	}
	require.Equal(r.t, wantBodies, gotBodies)
	for i, a := range want {
		d := &got[i]
		m := a.m
		require.Equal(r.t, m.sent.GroupID, d.GroupID)
		require.Equal(r.t, a.count, d.ReceiveCount)
		require.Equal(r.t, m.sent.Attributes, d.Attributes())
		require.Equal(r.t, m.sent.TraceHeader, d.TraceHeader())
		require.Equal(r.t, modelSender(m), d.SenderID())
		require.Equal(r.t, m.dedup, d.DeduplicationID())
		require.Equal(r.t, m.source, d.DeadLetterSourceARN())
		if m.number == "" {
			m.number = d.SequenceNumber() // of a dead letter, see compareMessages
		}
		require.Equal(r.t, m.number, d.SequenceNumber())
		require.True(r.t, m.enqueued.Equal(d.SentAt()))
		require.True(r.t, a.first.Equal(d.FirstReceivedAt()))
		if a.visible.Equal(modelNever) {
			require.Zero(r.t, d.VisibleAt())
		} else {
			require.True(r.t, a.visible.Equal(d.VisibleAt()), "visible at %v, not %v", a.visible, d.VisibleAt())
		}
		known := false
		for _, h := range p.handles {
			if h.delivery.ReceiptHandle() == d.ReceiptHandle() { // a new one for each receive (SQS: RCV-13, RCV-16)
				require.True(r.t, a.replay && h.modelReceipt == a.modelReceipt)
				known = true
			}
		}
		if !known {
			p.handles = append(p.handles, modelHandle{a.modelReceipt, *d})
		}
	}
	p.handles = p.handles[max(0, len(p.handles)-300):]
}

// handle draws a receipt handle, or says with what error one is refused.
func (r *modelRun) handle(p *modelPair) (h modelHandle, text string, want error) {
	if len(p.handles) == 0 || r.one(25) {
		switch other := r.pairs[r.draw(len(r.pairs))]; {
		case r.one(4):
			return h, "", ErrMissingParameter
		case other != p && len(other.handles) > 0:
			h = other.handles[len(other.handles)-1]
			return h, h.delivery.ReceiptHandle(), ErrReceiptHandleInvalid
		}
		return h, strings.Repeat("A", 32), ErrReceiptHandleInvalid
	}
	h = p.handles[r.draw(len(p.handles))]
	if !r.one(4) {
		var current []modelHandle
		for _, o := range p.handles {
			if p.model.current(o.modelReceipt) {
				current = append(current, o)
			}
		}
		if len(current) > 0 {
			h = modelPick(r, current...)
		}
	}
	return h, h.delivery.ReceiptHandle(), nil
}

// tell describes a handle in the log.
func (r *modelRun) tell(h modelHandle) string {
	if h.m == nil {
		return "a made-up handle"
	}
	return fmt.Sprintf("%s receive %d", h.m.sent.Body, h.receive)
}

func (r *modelRun) delete(p *modelPair) {
	h, text, want := r.handle(p)
	r.note(p, "delete %s", r.tell(h))
	byDelivery := want == nil && r.one(2)
	ctx, ended := r.context()
	if ended != nil {
		want = ended
	}
	if want == nil {
		want = p.model.delete(h.modelReceipt)
	}
	if byDelivery {
		r.same(want, h.delivery.Delete(ctx))
		return
	}
	r.same(want, p.engine.Delete(ctx, text))
}

func (r *modelRun) deleteBatch(p *modelPair) {
	n, wrong := r.length()
	ctx, want := r.context()
	if want == nil {
		want = wrong
	}
	handles := make([]string, n)
	errs := make([]error, n)
	for i := range n {
		var h modelHandle
		h, handles[i], errs[i] = r.handle(p)
		r.note(p, "delete batch %s", r.tell(h))
		if errs[i] == nil && want == nil {
			errs[i] = p.model.delete(h.modelReceipt)
		}
	}
	err := p.engine.DeleteBatch(ctx, handles)
	if want != nil {
		r.same(want, err)
		return
	}
	r.sameBatch(errs, err)
}

// deliveries draws what DeleteAll and ExtendAll are given; do asks the model.
func (r *modelRun) deliveries(p *modelPair, what string, skip bool, do func(modelReceipt) error) (ds []Delivery, errs []error) {
	for range r.draw(8) + 64*max(0, 1-r.draw(20)) {
		h, _, err := r.handle(p)
		r.note(p, "%s %s", what, r.tell(h))
		if err != nil {
			err = ErrReceiptHandleInvalid // also for the zero Delivery
		} else if !skip {
			err = do(h.modelReceipt)
		}
		ds, errs = append(ds, h.delivery), append(errs, err)
	}
	return ds, errs
}

func (r *modelRun) deleteAll(p *modelPair) {
	ctx, want := r.context()
	ds, errs := r.deliveries(p, "delete all", want != nil, p.model.delete)
	err := p.engine.DeleteAll(ctx, ds)
	if want != nil {
		r.same(want, err)
		return
	}
	r.sameBatch(errs, err)
}

// timeout draws a visibility timeout to change to: near what the total allows too (SQS: VIS-3).
func (r *modelRun) timeout(h modelHandle) time.Duration {
	switch {
	case r.one(12) && h.m != nil:
		left := modelTotalVisible - r.world.now.Sub(h.m.received)
		return max(0, left+modelPick[time.Duration](r, 0, -1, 1))
	case r.one(20):
		return modelPick(r, -1, modelTotalVisible+1)
	}
	return modelPick(r, 0, Zero, 0, time.Second, 3*time.Second, 20*time.Second, modelTotalVisible)
}

func (r *modelRun) changeVisibility(p *modelPair) {
	h, text, want := r.handle(p)
	d := r.timeout(h)
	r.note(p, "change visibility %s to %v", r.tell(h), d)
	byDelivery := want == nil && r.one(2)
	ctx, ended := r.context()
	if ended != nil {
		want = ended
	}
	if want == nil {
		want = p.model.changeVisibility(h.modelReceipt, d)
	}
	if byDelivery {
		r.same(want, h.delivery.ChangeVisibility(ctx, d))
		return
	}
	r.same(want, p.engine.ChangeVisibility(ctx, text, d))
}

func (r *modelRun) changeVisibilityBatch(p *modelPair) {
	n, wrong := r.length()
	ctx, want := r.context()
	if want == nil {
		want = wrong
	}
	changes := make([]VisibilityChange, n)
	errs := make([]error, n)
	for i := range n {
		var h modelHandle
		h, changes[i].ReceiptHandle, errs[i] = r.handle(p)
		changes[i].Timeout = r.timeout(h)
		r.note(p, "change visibility batch %s to %v", r.tell(h), changes[i].Timeout)
		if errs[i] == nil && want == nil {
			errs[i] = p.model.changeVisibility(h.modelReceipt, changes[i].Timeout)
		}
	}
	err := p.engine.ChangeVisibilityBatch(ctx, changes)
	if want != nil {
		r.same(want, err)
		return
	}
	r.sameBatch(errs, err)
}

func (r *modelRun) extendAll(p *modelPair) {
	ctx, want := r.context()
	d := r.timeout(modelHandle{})
	if want == nil && d != Zero && (d < 0 || d > modelTotalVisible && !r.setup.unlimited) {
		want = ErrInvalidParameter // of the call, not of an entry
	}
	ds, errs := r.deliveries(p, fmt.Sprintf("extend all by %v", d), want != nil,
		func(rc modelReceipt) error { return p.model.changeVisibility(rc, d) })
	err := p.engine.ExtendAll(ctx, ds, d)
	if want != nil {
		r.same(want, err)
		return
	}
	r.sameBatch(errs, err)
}

func (r *modelRun) giveBack(p *modelPair) {
	h, text, want := r.handle(p)
	d := modelPick(r, 0, 0, Zero, time.Second, 5*time.Second, maxDelay)
	if r.one(15) {
		d = modelPick(r, -1, maxDelay+1)
	}
	r.note(p, "return %s with %v", r.tell(h), d)
	byDelivery := want == nil && r.one(2)
	ctx, ended := r.context()
	if ended != nil {
		want = ended
	}
	if want == nil {
		want = p.model.giveBack(h.modelReceipt, d)
	}
	if byDelivery {
		r.same(want, h.delivery.Return(ctx, d))
		return
	}
	r.same(want, p.engine.Return(ctx, text, d))
}

func (r *modelRun) bury(p *modelPair) {
	h, text, want := r.handle(p)
	r.note(p, "bury %s", r.tell(h))
	byDelivery := want == nil && r.one(2)
	ctx, ended := r.context()
	if ended != nil {
		want = ended
	}
	if want == nil {
		want = p.model.bury(h.modelReceipt, "hopeless")
	}
	if byDelivery {
		r.same(want, h.delivery.Bury(ctx, "hopeless"))
		return
	}
	r.same(want, p.engine.Bury(ctx, text, "hopeless"))
}
