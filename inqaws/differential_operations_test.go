package inqaws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// whole rounds up to seconds, as the API of SQS demands.
func whole(d time.Duration) time.Duration {
	if d <= 0 || d > inq.Forever-time.Second {
		return d
	}
	return (d + time.Second - 1) / time.Second * time.Second
}

// message draws a message; one in five has a fault.
func (r *twinRun) message(p *twins) inq.Message {
	r.sends++
	m := inq.Message{Body: fmt.Sprint("body ", r.sends)}
	if p.fifo || r.one(3) {
		m.GroupID = pick(r, "g", "h", "i")
	}
	if p.fifo && !r.one(4) {
		m.DeduplicationID = fmt.Sprint("d", r.draw.IntN(30))
	}
	if p.fifo && r.one(4) {
		m.Body = pick(r, "same", "equal") // by its content a duplicate
	}
	if !p.fifo || r.one(20) {
		m.Delay = pick(r, 0, 0, 0, inq.Zero, time.Second, 1500*time.Millisecond, 15*time.Minute)
	}
	if r.one(3) {
		m.TraceHeader = "Root=1-5759e988"
	}
	if r.one(3) {
		m.Attributes = map[string]inq.Attribute{"n": inq.Number("1.50"), "s": inq.String("ü<&\"\t"), "b": inq.Binary([]byte{0, 255}), "l": {Type: "Binary.png", Binary: []byte("x")}}
	}
	if r.one(5) {
		m.Delay = 0 // one fault at a time: which of two is named is not told
		fault := r.draw.IntN(17)
		if r.unlimited {
			fault = max(3, fault)
		}
		switch fault {
		case 0:
			m.Body = ""
		case 1:
			m.Body = pick(r, "\x00", "\x1f", "\ufffe")
		case 2:
			m.Body = "a\xff"
		case 3:
			m.Body = strings.Repeat("x", 1020+r.draw.IntN(8))
			m.Attributes = nil
		case 4:
			m.GroupID = pick(r, "", "a b", "ü", strings.Repeat("g", 129))
		case 5:
			m.DeduplicationID = pick(r, "", "a b", "ü", strings.Repeat("d", 129))
		case 6:
			m.Delay = pick(r, -1, -time.Second, 15*time.Minute+1, time.Hour)
		case 7:
			m.TraceHeader = pick(r, "\x01", "a\xff")
		case 8:
			m.Attributes = manyAttributes(pick(r, 10, 11))
		case 9:
			m.Attributes = map[string]inq.Attribute{pick(r, "", "a b", "a..b", ".a", "AWS.a", "a\xff", strings.Repeat("n", 257)): inq.String("v")}
		case 10:
			m.Attributes = map[string]inq.Attribute{"a": {Type: pick(r, "", "string", "String.", "Text", "String.a\xff", "String."+strings.Repeat("l", 256)), Value: "v"}}
		case 11:
			m.Attributes = map[string]inq.Attribute{"a": inq.String(pick(r, "", "\x01", "a\xff"))}
		case 12:
			m.Attributes = map[string]inq.Attribute{"a": inq.Number(pick(r, "", "one", "1e127", strings.Repeat("1", 39)))}
		case 13:
			m.Attributes = map[string]inq.Attribute{"a": {Type: "Binary", Binary: pick(r, nil, []byte{})}}
		case 14:
			m.Attributes = map[string]inq.Attribute{"a": {Type: pick(r, "Binary", "String"), Value: "v", Binary: []byte("b")}}
		case 15:
			m.Attributes = map[string]inq.Attribute{"a": {Type: "String", Binary: []byte("b")}}
		case 16:
			m.Attributes = map[string]inq.Attribute{}
		}
	}
	if p.fifo && checkMessage(&m) != nil { // a missing id would refuse a whole batch
		m.GroupID, m.DeduplicationID = "g", fmt.Sprint("d", r.draw.IntN(30))
	}
	return m
}

// here is m as the queue in the process is given it.
func here(m inq.Message) inq.Message {
	m.Delay = whole(m.Delay)
	return m
}

// inShort is what a message has.
func inShort(m inq.Message) string {
	return fmt.Sprintf("%.20q (%d bytes, %d attributes %.60q) in %v, group %.20q, id %.20q, trace %q",
		m.Body, len(m.Body), len(m.Attributes), fmt.Sprint(m.Attributes), m.Delay, m.GroupID, m.DeduplicationID, m.TraceHeader)
}

func (r *twinRun) send(p *twins) error {
	m := r.message(p)
	r.note(p, "send %s", inShort(m))
	want, localErr := p.local.Send(r.t.Context(), here(m))
	got, remoteErr := p.remote.Send(r.t.Context(), m)
	r.sameSent(p, want, got)
	return r.same(localErr, remoteErr)
}

func (r *twinRun) sameSent(p *twins, want, got inq.Sent) {
	r.t.Helper()
	r.sameID(want.ID(), got.ID())
	r.sameNumber(p, want.SequenceNumber(), got.SequenceNumber())
	require.False(r.t, got.Duplicate())
}

func (r *twinRun) sendBatch(p *twins) error {
	ms := make([]inq.Message, pick(r, 0, 1, 2, 3, 5, 9, 10))
	for i := range ms {
		ms[i] = r.message(p)
	}
	if p.fifo && !r.one(8) { // where one has no group, SQS refuses the whole batch
		for i := range ms {
			ms[i].GroupID = "g"
		}
	}
	local := slices.Clone(ms)
	r.note(p, "send batch of %d", len(ms))
	for i := range local {
		local[i] = here(ms[i])
		r.note(p, "  %s", inShort(ms[i]))
	}
	want, localErr := p.local.SendBatch(r.t.Context(), local)
	got, remoteErr := p.remote.SendBatch(r.t.Context(), ms)
	require.Len(r.t, got, len(want))
	for i := range want {
		r.sameSent(p, want[i], got[i])
	}
	return r.same(localErr, remoteErr)
}

// receiveInput draws a receive; one in eight has a fault.
func (r *twinRun) receiveInput(p *twins) inq.ReceiveInput {
	in := inq.ReceiveInput{
		Max:               pick(r, 0, 1, 2, 10, 10),
		Wait:              pick(r, 0, inq.Zero, inq.Zero, time.Second, 1500*time.Millisecond, 20*time.Second),
		VisibilityTimeout: pick(r, 0, 0, 0, inq.Zero, time.Second, 10*time.Second, 10500*time.Millisecond, 12*time.Hour),
	}
	if r.one(4) {
		in.AttemptID = pick(r, "a", "b", "c")
	}
	if p.again != nil && r.one(2) {
		in, p.again = *p.again, nil
	} else if in.AttemptID != "" {
		again := in
		p.again = &again
	}
	if r.one(8) {
		switch r.draw.IntN(4) {
		case 0:
			in.Max = pick(r, -1, 11, 1000)
		case 1:
			in.Wait = pick(r, -1, -time.Second, 20*time.Second+1, time.Minute)
		case 2:
			in.VisibilityTimeout = pick(r, -1, -time.Hour, 12*time.Hour+1, 13*time.Hour)
		case 3:
			in.AttemptID = pick(r, "a b", "ü", "a\xff", strings.Repeat("a", 129))
		}
	}
	return in
}

func (r *twinRun) receive(p *twins) error {
	return r.receives(p, r.t.Context(), r.receiveInput(p))
}

// receives takes messages on both sides at once.
func (r *twinRun) receives(p *twins, ctx context.Context, in inq.ReceiveInput) error {
	r.note(p, "receive %+v", in)
	type answer struct {
		ds  []inq.Delivery
		err error
		at  time.Time
	}
	left := time.Now()
	ours, theirs := make(chan answer, 1), make(chan answer, 1)
	go func() {
		exact := in
		exact.Wait, exact.VisibilityTimeout = whole(in.Wait), whole(in.VisibilityTimeout)
		ds, err := p.local.Receive(ctx, exact)
		ours <- answer{ds, err, time.Now()}
	}()
	go func() {
		ds, err := p.remote.Receive(ctx, in)
		theirs <- answer{ds, err, time.Now()}
	}()
	want, got := <-ours, <-theirs
	require.Equal(r.t, want.at, got.at, "how long it took")
	require.Len(r.t, got.ds, len(want.ds))
	for i := range want.ds {
		d := twinDelivery{want.ds[i], got.ds[i], want.at.After(left)}
		r.sameDelivery(p, &d, left, in.VisibilityTimeout)
		p.held = append(p.held, d)
	}
	if ctx.Err() != nil && want.err != nil {
		require.Equal(r.t, want.err, got.err, "the bare error of the context")
	}
	return r.same(want.err, got.err)
}

// sameDelivery compares what two deliveries tell.
func (r *twinRun) sameDelivery(p *twins, d *twinDelivery, left time.Time, timeout time.Duration) {
	r.t.Helper()
	a, b := &d.local, &d.remote
	r.note(p, "  got %.20q, %d times", a.Body, a.ReceiveCount)
	r.sameID(a.ID(), b.ID())
	r.sameNumber(p, a.SequenceNumber(), b.SequenceNumber())
	r.sameDeduplicationID(a.DeduplicationID(), b.DeduplicationID())
	require.Equal(r.t, a.Body, b.Body)
	require.Equal(r.t, a.GroupID, b.GroupID)
	require.Equal(r.t, a.ReceiveCount, b.ReceiveCount)
	require.Equal(r.t, a.Attributes(), b.Attributes())
	require.Equal(r.t, a.TraceHeader(), b.TraceHeader())
	require.Equal(r.t, a.SenderID(), b.SenderID())
	require.Equal(r.t, a.DeadLetterSourceARN(), b.DeadLetterSourceARN())
	require.Equal(r.t, a.SentAt().UnixMilli(), b.SentAt().UnixMilli())
	require.Equal(r.t, a.FirstReceivedAt().UnixMilli(), b.FirstReceivedAt().UnixMilli())
	again, copied := a.Message(), b.Message()
	again.SenderID = copied.SenderID // which SQS always tells
	require.Equal(r.t, again, copied)
	switch {
	case timeout == 0:
		require.True(r.t, b.VisibleAt().IsZero())
	default:
		require.True(r.t, left.Add(max(0, whole(timeout))).Equal(b.VisibleAt()))
		require.False(r.t, b.VisibleAt().After(a.VisibleAt()), "never late")
	}
}

// receiveWithCompany receives while others send, or until a context ends.
func (r *twinRun) receiveWithCompany(p *twins) error {
	in := r.receiveInput(p)
	at := time.Duration(r.draw.Int64N(int64(25*time.Second))) | 1 // at no other time than a deadline
	ctx, cancel := context.WithCancel(r.t.Context())
	defer cancel()
	m := r.message(p)
	m.Delay = 0
	ends := r.one(3)
	done := make(chan func())
	go func() {
		time.Sleep(at)
		if ends {
			cancel()
			done <- func() {}
			return
		}
		want, localErr := p.local.Send(r.t.Context(), m)
		got, remoteErr := p.remote.Send(r.t.Context(), m)
		done <- func() {
			r.sameSent(p, want, got)
			_ = r.same(localErr, remoteErr)
		}
	}()
	r.note(p, "after %v: ends %t, else send %.200q", at, ends, m.Body)
	err := r.receives(p, ctx, in)
	(<-done)()
	return err
}

// handle draws a delivery of the queue, or a handle that is none.
func (r *twinRun) handle(p *twins) (local, remote string, d *twinDelivery) {
	if len(p.held) == 0 || r.one(16) {
		bad := pick(r, "", "no handle", "a\xff", strings.Repeat("h", 2000))
		return bad, bad, nil
	}
	from := max(0, len(p.held)-pick(r, 3, 10)) // what was received lately
	d = &p.held[from+r.draw.IntN(len(p.held)-from)]
	if other := r.pairs[r.draw.IntN(len(r.pairs))]; other != p && len(other.held) != 0 && r.one(8) {
		d = &other.held[0]
		return d.local.ReceiptHandle(), d.remote.ReceiptHandle(), nil
	}
	return d.local.ReceiptHandle(), d.remote.ReceiptHandle(), d
}

func (r *twinRun) delete(p *twins) error {
	local, remote, d := r.handle(p)
	r.note(p, "delete %s", told(d, local))
	if d != nil && r.one(2) {
		return r.same(d.local.Delete(r.t.Context()), d.remote.Delete(r.t.Context()))
	}
	return r.same(p.local.Delete(r.t.Context(), local), p.remote.Delete(r.t.Context(), remote))
}

func told(d *twinDelivery, handle string) string {
	if d == nil {
		return fmt.Sprintf("handle %.20q", handle)
	}
	return fmt.Sprintf("%q of receive %d", d.local.Body, d.local.ReceiveCount)
}

// entryHandle is handle for a batch, whose limits hold for what is sent: for what the SDK would not
// alter.
func (r *twinRun) entryHandle(p *twins) (local, remote string, d *twinDelivery) {
	for {
		if local, remote, d = r.handle(p); utf8.ValidString(local) {
			return local, remote, d
		}
	}
}

func (r *twinRun) deleteBatch(p *twins) error {
	var local, remote, what []string
	for range pick(r, 0, 1, 2, 5, 10, 11) {
		l, m, d := r.entryHandle(p)
		local, remote, what = append(local, l), append(remote, m), append(what, told(d, l))
	}
	r.note(p, "delete batch %v", what)
	return r.same(p.local.DeleteBatch(r.t.Context(), local), p.remote.DeleteBatch(r.t.Context(), remote))
}

// doubt notes that a message's visibility is changed by a delivery. By an old one, that is no longer
// change of which the latest one is told.
func (r *twinRun) doubt(p *twins, by *twinDelivery) {
	for i := range p.held {
		if d := &p.held[i]; by != nil && d.local.ID() == by.local.ID() && d.local.ReceiptHandle() != by.local.ReceiptHandle() {
			d.early = true
		}
	}
}

// timeout draws a new visibility timeout; one in eight is out of range.
func (r *twinRun) timeout() time.Duration {
	if r.one(8) {
		return pick(r, -1, -time.Second, 12*time.Hour, 12*time.Hour+1, 13*time.Hour)
	}
	return pick(r, 0, 0, inq.Zero, time.Second, 5*time.Second, 10500*time.Millisecond, time.Minute, time.Hour)
}

func (r *twinRun) change(p *twins) error {
	local, remote, d := r.handle(p)
	timeout := r.timeout()
	r.note(p, "change %s to %v", told(d, local), timeout)
	r.doubt(p, d)
	if d != nil && r.one(2) {
		return r.same(d.local.ChangeVisibility(r.t.Context(), whole(timeout)), d.remote.ChangeVisibility(r.t.Context(), timeout))
	}
	return r.same(p.local.ChangeVisibility(r.t.Context(), local, whole(timeout)), p.remote.ChangeVisibility(r.t.Context(), remote, timeout))
}

func (r *twinRun) changeBatch(p *twins) error {
	var local, remote []inq.VisibilityChange
	var what []string
	for range pick(r, 0, 1, 2, 5, 10, 11) {
		l, m, d := r.entryHandle(p)
		timeout := r.timeout()
		local = append(local, inq.VisibilityChange{ReceiptHandle: l, Timeout: whole(timeout)})
		remote = append(remote, inq.VisibilityChange{ReceiptHandle: m, Timeout: timeout})
		what = append(what, fmt.Sprint(told(d, l), " to ", timeout))
		r.doubt(p, d)
	}
	r.note(p, "change batch %v", what)
	return r.same(p.local.ChangeVisibilityBatch(r.t.Context(), local), p.remote.ChangeVisibilityBatch(r.t.Context(), remote))
}

// asks is a queue whose Return does no more than find out whether it would be refused.
type asks struct{ inq.Queue }

func (asks) ChangeVisibility(context.Context, string, time.Duration) error { return nil }

// holds tells whether the receive of a local delivery still has its message.
func holds(ctx context.Context, p *twins, d inq.Delivery) error {
	d.Rebind(asks{p.local})
	return d.Return(ctx, 0)
}

// giveBack returns a delivery. Over SQS that is a change of the visibility, and so it is here. It is
// not sent where the receive is over; where the receive had to wait, its end is known as an early
// one only.
func (r *twinRun) giveBack(p *twins) error {
	_, _, d := r.handle(p)
	if d == nil {
		return nil
	}
	delay := r.timeout()
	truth := holds(r.t.Context(), p, d.local)
	err := d.remote.Return(r.t.Context(), delay)
	r.note(p, "return %s with %v: %v, and in truth %v", told(d, ""), delay, err, truth)
	if isExpired(err) {
		if truth == nil {
			require.True(r.t, d.early, "refused for nothing")
		}
		return err
	}
	require.False(r.t, isExpired(truth), "sent though the receive is over: %v", err)
	return r.same(p.local.ChangeVisibility(r.t.Context(), d.local.ReceiptHandle(), whole(delay)), err)
}

// counted is a queue in the process as a consumer over SQS sees it: it has no Return, and with its
// first empty receive a loop ends.
type counted struct {
	inq.Queue
	stop context.CancelFunc
	bind bool
}

func (q *counted) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	ds, err := q.Queue.Receive(ctx, in)
	if len(ds) == 0 {
		q.stop()
	}
	for i := range ds {
		if q.bind {
			ds[i].Rebind(q)
		}
	}
	return ds, err
}

// loop is a consumer that takes some messages, perhaps too slowly, and leaves.
func (r *twinRun) loop(p *twins) error {
	in := inq.ReceiveInput{Max: pick(r, 1, 3, 10), Wait: inq.Zero, VisibilityTimeout: pick(r, 0, 0, 20*time.Second)}
	take, slow, panics := 1+r.draw.IntN(4), pick(r, 0, 0, time.Second+7, 40*time.Second+7), r.one(4) // 7 ns: at no deadline
	r.note(p, "loop over %+v, take %d, each in %v, panic %t", in, take, slow, panics)
	consume := func(q inq.Queue, bind bool, done chan<- []string) {
		ctx, cancel := context.WithCancel(r.t.Context())
		var saw []string
		defer func() {
			_ = recover()
			cancel()
			done <- append(saw, fmt.Sprint(time.Now()))
		}()
		for d, err := range inq.Deliveries(ctx, &counted{q, cancel, bind}, in) {
			saw = append(saw, fmt.Sprintf("%.20s %d %v", d.Body, d.ReceiveCount, err))
			if err != nil {
				return
			}
			time.Sleep(slow)
			err = d.Delete(r.t.Context())
			saw = append(saw, fmt.Sprint(isExpired(err), err == nil))
			if len(saw) >= 2*take && panics {
				panic("enough")
			} else if len(saw) >= 2*take {
				return
			}
		}
	}
	ours, theirs := make(chan []string, 1), make(chan []string, 1)
	go consume(p.local, true, ours)
	go consume(p.remote, false, theirs)
	require.Equal(r.t, <-ours, <-theirs)
	return nil
}

func isExpired(err error) bool { return errors.Is(err, inq.ErrReceiptHandleExpired) }

func (r *twinRun) purge(p *twins) error {
	r.note(p, "purge")
	err := r.same(p.local.Purge(r.t.Context()), p.remote.Purge(r.t.Context()))
	if r.one(2) {
		err = r.same(p.local.Purge(r.t.Context()), p.remote.Purge(r.t.Context()))
	}
	return err
}

// configure changes both queues behind the program's back.
func (r *twinRun) configure(p *twins) error {
	name := pick(r, "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "MessageRetentionPeriod", "MaximumMessageSize", "ContentBasedDeduplication", "Nothing")
	value := map[string]string{
		"DelaySeconds": strconv.Itoa(r.draw.IntN(3)), "ReceiveMessageWaitTimeSeconds": strconv.Itoa(r.draw.IntN(3)),
		"MessageRetentionPeriod": strconv.Itoa(60 * (1 + r.draw.IntN(60))), "MaximumMessageSize": pick(r, "1024", "2048", "-1"),
		"ContentBasedDeduplication": strconv.FormatBool(r.one(2)), "Nothing": "x"}[name]
	r.note(p, "set %s to %s", name, value)
	var errs [2]error
	for i, b := range r.brokers {
		errs[i] = b.SetAttributes(r.t.Context(), p.local.Name(), map[string]string{name: value})
	}
	require.Equal(r.t, errs[0] == nil, errs[1] == nil)
	return errs[0]
}

func (r *twinRun) sleep(p *twins) error {
	d := pick(r, 0, 1, time.Second-1, time.Second, 1500*time.Millisecond, 10*time.Second, 30*time.Second, 31*time.Second, time.Minute, 5*time.Minute, time.Hour)
	if r.one(30) {
		d = 13 * time.Hour
	}
	r.note(p, "sleep %v", d)
	time.Sleep(d)
	return nil
}
