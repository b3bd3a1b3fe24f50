package inq

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// calls is a queue of somebody else, without methods beyond SQS: it notes what deliveries ask of
// it.
type calls struct {
	Queue
	log []string
	err error
}

func (c *calls) Delete(_ context.Context, h string) error {
	c.log = append(c.log, "Delete "+h)
	return c.err
}

func (c *calls) ChangeVisibility(_ context.Context, h string, timeout time.Duration) error {
	c.log = append(c.log, "ChangeVisibility "+h+" "+timeout.String())
	return c.err
}

// allCalls has the methods beyond SQS too.
type allCalls struct{ calls }

func (c *allCalls) Return(_ context.Context, h string, delay time.Duration) error {
	c.log = append(c.log, "Return "+h+" "+delay.String())
	return c.err
}

func (c *allCalls) Bury(_ context.Context, h, reason string) error {
	c.log = append(c.log, "Bury "+h+" "+reason)
	return c.err
}

// said is everything a delivery tells, as the fields it could be made of.
func said(d *Delivery) DeliveryFields {
	return DeliveryFields{
		ID: d.ID(), Body: d.Body, ReceiptHandle: d.ReceiptHandle(), GroupID: d.GroupID, DeduplicationID: d.DeduplicationID(),
		SequenceNumber: d.SequenceNumber(), TraceHeader: d.TraceHeader(), SenderID: d.SenderID(), DeadLetterSourceARN: d.DeadLetterSourceARN(),
		Attributes: d.Attributes(), ReceiveCount: d.ReceiveCount, SentAt: d.SentAt(), FirstReceivedAt: d.FirstReceivedAt(), VisibleAt: d.VisibleAt(),
	}
}

// foreignFields has a value for everything.
func foreignFields() DeliveryFields {
	return DeliveryFields{
		ID: "id", Body: "body", ReceiptHandle: "handle", GroupID: "group", DeduplicationID: "dedup", SequenceNumber: "7", TraceHeader: "trace",
		SenderID: "sender", DeadLetterSourceARN: "arn", Attributes: map[string]Attribute{"a": Binary([]byte{0, 255})}, ReceiveCount: 3,
		SentAt: time.Unix(1, 0), FirstReceivedAt: time.Unix(2, 0), VisibleAt: time.Unix(3, 0),
	}
}

func TestDelivery_TellsWhatItsQueueKnows(t *testing.T) {
	ctx := context.Background()
	attrs := map[string]Attribute{"s": String("v"), "b": Binary([]byte{0, 255})}
	scene(t, "standard, nothing but a body", func(t *testing.T) {
		q := testStandard(t, WithSenderID("us"), WithVisibilityTimeout(time.Minute))
		begin := time.Now()
		sent, err := q.Send(ctx, Message{Body: "b"})
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		f := said(&ds[0])
		require.Len(t, f.ReceiptHandle, 32)
		f.ReceiptHandle = ""
		require.WithinDuration(t, begin, f.SentAt, 0)
		require.WithinDuration(t, begin.Add(5*time.Second), f.FirstReceivedAt, 0)
		require.WithinDuration(t, begin.Add(65*time.Second), f.VisibleAt, 0)
		f.SentAt, f.FirstReceivedAt, f.VisibleAt = time.Time{}, time.Time{}, time.Time{}
		require.Equal(t, DeliveryFields{ID: sent.ID(), Body: "b", SenderID: "us", ReceiveCount: 1}, f)
		require.NoError(t, uuid.Validate(f.ID))
	})
	scene(t, "standard, everything", func(t *testing.T) {
		q := testStandard(t)
		_, err := q.Send(ctx, Message{Body: "b", Attributes: attrs, GroupID: "g", TraceHeader: "trace", SenderID: "them"})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		f := said(&ds[0])
		require.Equal(t, []any{attrs, "g", "trace", "them", "", "", ""},
			[]any{f.Attributes, f.GroupID, f.TraceHeader, f.SenderID, f.SequenceNumber, f.DeduplicationID, f.DeadLetterSourceARN})
	})
	scene(t, "fifo, everything", func(t *testing.T) {
		q := testFIFO(t)
		sent, err := q.Send(ctx, Message{Body: "b", Attributes: attrs, GroupID: "g", DeduplicationID: "d", TraceHeader: "trace"})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		f := said(&ds[0])
		require.Equal(t, []any{sent.ID(), sent.SequenceNumber(), attrs, "g", "trace", "inq", "d"},
			[]any{f.ID, f.SequenceNumber, f.Attributes, f.GroupID, f.TraceHeader, f.SenderID, f.DeduplicationID})
	})
	scene(t, "fifo, deduplicated by content", func(t *testing.T) {
		q := testFIFO(t, WithContentBasedDeduplication(true))
		_, err := q.Send(ctx, Message{Body: "b", GroupID: "g"})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		sum := sha256.Sum256([]byte("b"))
		require.Equal(t, hex.EncodeToString(sum[:]), ds[0].DeduplicationID())
	})
	scene(t, "it does not change afterwards", func(t *testing.T) {
		q := testStandard(t)
		_, err := q.Send(ctx, Message{Body: "b"})
		require.NoError(t, err)
		ds, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		before := said(&ds[0])
		require.NoError(t, ds[0].ChangeVisibility(ctx, time.Hour))
		require.Equal(t, before, said(&ds[0]))
		require.NoError(t, ds[0].Delete(ctx))
		require.Equal(t, before, said(&ds[0]))
		require.NoError(t, q.Close())
		require.Equal(t, before, said(&ds[0]))
	})
}

func TestDelivery_ForeignOneTellsWhatItWasMadeOf(t *testing.T) {
	d := NewDelivery(&calls{}, foreignFields())
	require.Equal(t, foreignFields(), said(&d))
	d.Rebind(&allCalls{})
	require.Equal(t, foreignFields(), said(&d))
	d = NewDelivery(&calls{}, DeliveryFields{})
	require.Equal(t, DeliveryFields{}, said(&d))
}

func TestDelivery_ZeroOneSaysNothingAndIsRefused(t *testing.T) {
	ctx := context.Background()
	var d Delivery
	require.Equal(t, DeliveryFields{}, said(&d))
	require.Equal(t, Message{}, d.Message())
	without := NewDelivery(nil, foreignFields())
	for _, d := range []*Delivery{&d, &without} {
		require.ErrorIs(t, d.Delete(ctx), ErrMissingParameter)
		require.ErrorIs(t, d.ChangeVisibility(ctx, time.Second), ErrMissingParameter)
		require.ErrorIs(t, d.Return(ctx, 0), ErrMissingParameter)
		require.ErrorIs(t, d.Bury(ctx, ""), ErrMissingParameter)
	}
}

func TestDelivery_MethodsGoToTheQueueItWasBoundTo(t *testing.T) {
	ctx := context.Background()
	use := func(d *Delivery) (errs []error) {
		return []error{d.Delete(ctx), d.ChangeVisibility(ctx, 5*time.Second), d.Return(ctx, 2*time.Second), d.Bury(ctx, "why")}
	}
	want := func(h string) []string {
		return []string{"Delete " + h, "ChangeVisibility " + h + " 5s", "Return " + h + " 2s", "Bury " + h + " why"}
	}
	t.Run("foreign, with methods beyond SQS", func(t *testing.T) {
		q := &allCalls{}
		d := NewDelivery(q, foreignFields())
		require.Equal(t, []error{nil, nil, nil, nil}, use(&d))
		require.Equal(t, want("handle"), q.log)
	})
	t.Run("foreign, errors come back as they are", func(t *testing.T) {
		q := &allCalls{calls{err: ErrFull}}
		d := NewDelivery(q, foreignFields())
		require.Equal(t, []error{ErrFull, ErrFull, ErrFull, ErrFull}, use(&d))
	})
	t.Run("foreign, SQS methods only", func(t *testing.T) {
		q := &calls{}
		d := NewDelivery(q, foreignFields())
		errs := use(&d)
		require.Equal(t, []error{nil, nil, nil}, errs[:3])
		requireRefusal(t, errs[3], ErrNoDeadLetterTarget)
		require.ErrorIs(t, errs[3], errors.ErrUnsupported)
		require.EqualError(t, errs[3], "inq: *inq.calls has no Bury, which is beyond SQS: the message stays in its queue")
		require.Equal(t, []string{"Delete handle", "ChangeVisibility handle 5s", "ChangeVisibility handle 2s"}, q.log)
	})
	t.Run("rebound, own and foreign", func(t *testing.T) {
		s := standardSteps(t)
		s.send("a")
		own := s.one(time.Minute)
		before := said(own)
		first := &allCalls{}
		foreign := NewDelivery(first, foreignFields())
		for _, d := range []*Delivery{own, &foreign} {
			q := &allCalls{}
			d.Rebind(&calls{})
			d.Rebind(q)
			require.Equal(t, []error{nil, nil, nil, nil}, use(d))
			require.Equal(t, want(d.ReceiptHandle()), q.log)
		}
		require.Empty(t, first.log)
		require.Equal(t, before, said(own))
		s.counts(0, 1, 0) // the wrapper did not pass anything on
		own.Rebind(nil)
		require.ErrorIs(t, own.Delete(ctx), ErrMissingParameter)
		s.counts(0, 1, 0)
		own.Rebind(s.q.self)
		require.NoError(t, own.Delete(ctx))
		s.counts(0, 0, 0)
	})
	t.Run("rebound to a wrapper around its own queue", func(t *testing.T) {
		type wrapper struct{ *Standard }
		took := ""
		q := testStandard(t, WithDeadLetter(DeadLetterFunc(func(_ context.Context, d DeadLetter) error {
			took = d.Body
			return nil
		}), 5))
		s := steps{t, &q.queue}
		s.send("a")
		d := s.one(time.Minute)
		d.Rebind(wrapper{q})
		require.NoError(t, d.Return(ctx, 0))
		s.counts(1, 0, 0)
		d = s.one(time.Minute)
		require.Equal(t, 1, d.ReceiveCount)
		d.Rebind(wrapper{q})
		require.NoError(t, d.Bury(ctx, "why"))
		require.Equal(t, "a", took)
		s.counts(0, 0, 0)
	})
	t.Run("rebound to a plain Queue, where a return counts as a receive", func(t *testing.T) {
		type wrapper struct{ Queue }
		s := standardSteps(t)
		s.send("a")
		d := s.one(time.Minute)
		d.Rebind(wrapper{s.q.self})
		require.NoError(t, d.Return(ctx, 0))
		require.Equal(t, 2, s.one(time.Minute).ReceiveCount)
	})
}

func TestDelivery_MessageSendsItOnceMore(t *testing.T) {
	ctx := context.Background()
	s := fifoSteps(t, WithSenderID("us"))
	m := Message{Body: "b", Attributes: map[string]Attribute{"b": Binary([]byte{1})}, GroupID: "g", DeduplicationID: "d", TraceHeader: "trace",
		SenderID: "them"}
	_, err := s.q.Send(ctx, m)
	require.NoError(t, err)
	d := s.one(time.Minute)
	again := d.Message()
	want := m
	want.DeduplicationID = ""
	require.Equal(t, want, again)
	again.Attributes["b"].Binary[0] = 2
	again.Attributes["c"] = String("more")
	require.Equal(t, m.Attributes, d.Attributes(), "the copy is the caller's to change")

	again.DeduplicationID = "e"
	sent, err := s.q.Send(ctx, again)
	require.NoError(t, err)
	require.False(t, sent.Duplicate())

	plain := standardSteps(t, WithSenderID("us"))
	plain.send("a")
	require.Equal(t, Message{Body: "a"}, plain.one(time.Minute).Message(), "the next queue says who sent it")

	foreign := NewDelivery(&calls{}, foreignFields())
	require.Equal(t, Message{Body: "body", Attributes: foreignFields().Attributes, GroupID: "group", TraceHeader: "trace", SenderID: "sender"},
		foreign.Message())
}

// TestMessage_OfADeadLetterNamesNoSenderThatItsSenderDidNotSet follows a message whose sender said
// nothing, and one whose sender did, over two dead-letter queues and a function, to where they are
// sent anew. They say who sent them all the way, and the next queue says it for the first of them.
func TestMessage_OfADeadLetterNamesNoSenderThatItsSenderDidNotSet(t *testing.T) {
	ctx := context.Background()
	for _, sender := range []string{"", "them", "first"} {
		scene(t, "sender "+sender, func(t *testing.T) {
			var letters []DeadLetter
			third := testStandard(t, WithSenderID("third"), WithVisibilityTimeout(0), WithDeadLetter(DeadLetterFunc(
				func(ctx context.Context, d DeadLetter) error { letters = append(letters, d); return nil }), 1))
			second := testStandard(t, WithSenderID("second"), WithVisibilityTimeout(0), WithDeadLetter(third, 1))
			first := testStandard(t, WithSenderID("first"), WithVisibilityTimeout(0), WithDeadLetter(second, 1))
			m := Message{Body: "b", GroupID: "g", TraceHeader: "t", SenderID: sender, Attributes: map[string]Attribute{"a": String("v")}}
			_, err := first.Send(ctx, m)
			require.NoError(t, err)
			says := sender
			if says == "" {
				says = "first"
			}
			for _, q := range []*Standard{first, second, third} {
				for s := range q.Messages() {
					require.Equal(t, says, s.SenderID)
					require.Equal(t, m, s.Message())
				}
				d := steps{t, &q.queue}.one(0)
				require.Equal(t, says, d.SenderID())
				require.Equal(t, m, d.Message())
				require.Empty(t, receiveBodies(t, q), "it is handed over")
			}
			synctest.Wait()
			require.Len(t, letters, 1)
			require.Equal(t, says, letters[0].SenderID)
			require.Equal(t, m, letters[0].Message())
			letters[0].Message().Attributes["a"] = String("other") // a copy

			// A function may pass the letter on, or change who sent it.
			dead := testStandard(t, WithSenderID("dead"))
			require.NoError(t, dead.DeadLetter(ctx, letters[0]))
			letters[0].SenderID = "somebody"
			require.Equal(t, "somebody", letters[0].Message().SenderID)
			require.NoError(t, dead.DeadLetter(ctx, letters[0]))
			ds, err := dead.Receive(ctx, ReceiveInput{Max: 2})
			require.NoError(t, err)
			require.Equal(t, []string{says, "somebody"}, []string{ds[0].SenderID(), ds[1].SenderID()})
			require.Equal(t, []string{sender, "somebody"}, []string{ds[0].Message().SenderID, ds[1].Message().SenderID})
		})
	}
}

// TestMove_ToAForeignQueueNamesNoSenderThatItsSenderDidNotSet has a destination that a task can only
// send to.
func TestMove_ToAForeignQueueNamesNoSenderThatItsSenderDidNotSet(t *testing.T) {
	ctx := context.Background()
	s := standardSteps(t)
	s.send("nobody")
	_, err := s.q.Send(ctx, Message{Body: "somebody", SenderID: "them"})
	require.NoError(t, err)
	to := &wrapping{Standard: testStandard(t)}
	task, err := s.q.Redrive(ctx, RedriveInput{Destination: to})
	require.NoError(t, err)
	<-task.Done()
	require.Equal(t, []Message{{Body: "nobody"}, {Body: "somebody", SenderID: "them"}}, to.sent)
}

func TestSent_ForeignOneTellsWhatItWasMadeOf(t *testing.T) {
	s := NewSent(SentFields{ID: "id", SequenceNumber: "7", Duplicate: true})
	require.Equal(t, []any{"id", "7", true}, []any{s.ID(), s.SequenceNumber(), s.Duplicate()})
	s = NewSent(SentFields{})
	require.Equal(t, []any{"", "", false}, []any{s.ID(), s.SequenceNumber(), s.Duplicate()})
	s = Sent{}
	require.Equal(t, []any{"", "", false}, []any{s.ID(), s.SequenceNumber(), s.Duplicate()})
}

func TestSent_OfAStandardQueueHasNoSequenceNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, err := testStandard(t).Send(context.Background(), Message{Body: "b"})
		require.NoError(t, err)
		require.NoError(t, uuid.Validate(sent.ID()))
		require.Empty(t, sent.SequenceNumber())
		require.False(t, sent.Duplicate())
	})
}
