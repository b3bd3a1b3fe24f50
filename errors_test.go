package inq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireParamError returns the ParamError that err is.
func requireParamError(t testing.TB, err error) *ParamError {
	t.Helper()
	var p *ParamError
	require.ErrorAs(t, err, &p)
	return p
}

// sentinels are all errors a program can match.
var sentinels = map[string]error{
	"ErrClosed": ErrClosed, "ErrQueueDoesNotExist": ErrQueueDoesNotExist, "ErrQueueExists": ErrQueueExists,
	"ErrQueueDeletedRecently": ErrQueueDeletedRecently, "ErrPurgeInProgress": ErrPurgeInProgress, "ErrFull": ErrFull,
	"ErrOverLimit": ErrOverLimit, "ErrInvalidParameter": ErrInvalidParameter, "ErrMissingParameter": ErrMissingParameter,
	"ErrInvalidMessageContents": ErrInvalidMessageContents, "ErrInvalidAttributeName": ErrInvalidAttributeName,
	"ErrInvalidAttributeValue": ErrInvalidAttributeValue, "ErrEmptyBatch": ErrEmptyBatch, "ErrTooManyEntries": ErrTooManyEntries,
	"ErrBatchTooLong": ErrBatchTooLong, "ErrReceiptHandleInvalid": ErrReceiptHandleInvalid,
	"ErrReceiptHandleExpired": ErrReceiptHandleExpired, "ErrNotInFlight": ErrNotInFlight,
	"ErrNoDeadLetterTarget": ErrNoDeadLetterTarget, "ErrNotDeadLetterQueue": ErrNotDeadLetterQueue,
	"ErrTaskRunning": ErrTaskRunning, "ErrNoSource": ErrNoSource,
	"ErrThrottled": ErrThrottled, "ErrUnavailable": ErrUnavailable, "ErrAttemptNotRetryable": ErrAttemptNotRetryable,
}

// requireRefusal demands that err matches want and no other sentinel.
func requireRefusal(t testing.TB, err, want error) {
	t.Helper()
	require.Error(t, err)
	for name, s := range sentinels {
		require.Equal(t, s == want, errors.Is(err, s), "%s: %v", name, err)
	}
}

// call is one exported method of a queue or a Delivery with arguments that are fine.
type call struct {
	name string
	do   func(ctx context.Context) error
}

// callsWithContext are all methods that take a context. d is a delivery in flight, o one made for
// other queues that goes through s.
func callsWithContext(s steps, d, o *Delivery) []call {
	q := s.q
	return []call{
		{"Send", func(ctx context.Context) error { _, err := q.Send(ctx, s.message("g-x")); return err }},
		{"SendBatch", func(ctx context.Context) error { _, err := q.SendBatch(ctx, []Message{s.message("g-y")}); return err }},
		{"Receive", func(ctx context.Context) error { _, err := q.Receive(ctx, ReceiveInput{Max: 2}); return err }},
		{"Receive, plain", func(ctx context.Context) error { _, err := q.Receive(ctx, ReceiveInput{}); return err }},
		{"Receive, waiting", func(ctx context.Context) error { _, err := q.Receive(ctx, ReceiveInput{Wait: maxWait}); return err }},
		{"ReceiveInto", func(ctx context.Context) error {
			_, err := q.ReceiveInto(ctx, make([]Delivery, 1), ReceiveInput{})
			return err
		}},
		{"Deliveries", func(ctx context.Context) (err error) {
			n := 0
			for got, e := range Deliveries(ctx, q, ReceiveInput{}) {
				require.Empty(s, got.Body)
				err = e
				n++
			}
			require.Equal(s, 1, n)
			return err
		}},
		{"Delete", func(ctx context.Context) error { return q.Delete(ctx, d.ReceiptHandle()) }},
		{"Delete, bad handle", func(ctx context.Context) error { return q.Delete(ctx, "junk") }},
		{"DeleteBatch", func(ctx context.Context) error { return q.DeleteBatch(ctx, []string{d.ReceiptHandle()}) }},
		{"DeleteAll", func(ctx context.Context) error { return q.DeleteAll(ctx, []Delivery{*d}) }},
		{"DeleteAll, none", func(ctx context.Context) error { return q.DeleteAll(ctx, nil) }},
		{"ChangeVisibility", func(ctx context.Context) error { return q.ChangeVisibility(ctx, d.ReceiptHandle(), 1) }},
		{"ChangeVisibility, bad handle", func(ctx context.Context) error { return q.ChangeVisibility(ctx, "", 1) }},
		{"ChangeVisibilityBatch", func(ctx context.Context) error {
			return q.ChangeVisibilityBatch(ctx, []VisibilityChange{{d.ReceiptHandle(), 1}})
		}},
		{"ExtendAll", func(ctx context.Context) error { return q.ExtendAll(ctx, []Delivery{*d}, 1) }},
		{"ExtendAll, none", func(ctx context.Context) error { return q.ExtendAll(ctx, nil, 1) }},
		{"Return", func(ctx context.Context) error { return q.Return(ctx, d.ReceiptHandle(), 0) }},
		{"Return, bad handle", func(ctx context.Context) error { return q.Return(ctx, "junk", 0) }},
		{"Bury", func(ctx context.Context) error { return q.Bury(ctx, d.ReceiptHandle(), "") }},
		{"Bury, bad handle", func(ctx context.Context) error { return q.Bury(ctx, "junk", "") }},
		{"Purge", q.Purge},
		{"Counts", func(ctx context.Context) error { _, err := q.Counts(ctx); return err }},
		{"Redrive", func(ctx context.Context) error { _, err := q.Redrive(ctx, RedriveInput{}); return err }},
		{"DeadLetter", func(ctx context.Context) error { return q.DeadLetter(ctx, DeadLetter{Body: "b", GroupID: "g"}) }},
		{"Delivery.Delete", d.Delete},
		{"Delivery.ChangeVisibility", func(ctx context.Context) error { return d.ChangeVisibility(ctx, 1) }},
		{"Delivery.Return", func(ctx context.Context) error { return d.Return(ctx, 0) }},
		{"Delivery.Bury", func(ctx context.Context) error { return d.Bury(ctx, "") }},
		{"foreign Delivery.Delete", o.Delete},
		{"foreign Delivery.ChangeVisibility", func(ctx context.Context) error { return o.ChangeVisibility(ctx, 1) }},
		{"foreign Delivery.Return", func(ctx context.Context) error { return o.Return(ctx, 0) }},
		{"foreign Delivery.Bury", func(ctx context.Context) error { return o.Bury(ctx, "") }},
	}
}

// forAllCalls runs f with every method that takes a context, on a queue with one message ready, one
// in flight and a dead-letter target.
func forAllCalls(t *testing.T, f func(s steps, c call)) {
	onBothTypes(t, func(s steps) {
		if s.q.fifo != nil {
			var p patch
			WithDeadLetter(testFIFO(s), 5).applyFIFO(&p)
			require.NoError(s, s.q.configure(&p))
		} else {
			var p patch
			WithDeadLetter(testStandard(s), 5).applyStandard(&p)
			require.NoError(s, s.q.configure(&p))
		}
		s.send("g-1", "h-1")
		d := s.one(time.Hour)
		o := NewDelivery(s.q, DeliveryFields{ReceiptHandle: d.ReceiptHandle()})
		for _, c := range callsWithContext(s, d, &o) {
			f(s, c)
		}
	})
}

// look is everything a queue tells of itself and its messages.
func look(q *queue) (Stats, []Snapshot, Config) {
	var all []Snapshot
	for s := range q.Messages() {
		all = append(all, s)
	}
	return q.Stats(), all, q.Config()
}

func TestContext_NilAndEndedContextsAreRefusedByEveryMethodAndNothingIsDone(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	forAllCalls(t, func(s steps, c call) {
		stats, messages, config := look(s.q)
		err := c.do(nil)
		requireRefusal(s, err, ErrMissingParameter)
		require.Equal(s, "ctx", requireParamError(s, err).Param, c.name)
		require.Equal(s, context.Canceled, c.do(ended), c.name) // bare
		require.Equal(s, context.DeadlineExceeded, c.do(late), c.name)
		stats2, messages2, config2 := look(s.q)
		require.Equal(s, stats, stats2, c.name)
		require.Equal(s, messages, messages2, c.name)
		require.Equal(s, config.comparable(), config2.comparable(), c.name)
	})
}

func TestClose_EveryMethodReturnsErrClosed(t *testing.T) {
	forAllCalls(t, func(s steps, c call) {
		require.NoError(s, s.q.Close())
		require.Equal(s, ErrClosed, c.do(context.Background()), c.name)
	})
	onBothTypes(t, func(s steps) {
		ctx := context.Background()
		s.send("g-1", "h-1")
		d := s.one(0)
		require.NoError(s, s.q.Close())
		require.NoError(s, s.q.Close())
		// Also where something else is wrong.
		_, err := s.q.Send(ctx, Message{})
		require.Equal(s, ErrClosed, err)
		_, err = s.q.Send(ctx, Message{Body: "\x00", Attributes: map[string]Attribute{"": {}}})
		require.Equal(s, ErrClosed, err)
		for _, n := range []int{0, 11} {
			_, err = s.q.SendBatch(ctx, make([]Message, n))
			require.Equal(s, ErrClosed, err)
			require.Equal(s, ErrClosed, s.q.DeleteBatch(ctx, make([]string, n)))
			require.Equal(s, ErrClosed, s.q.ChangeVisibilityBatch(ctx, make([]VisibilityChange, n)))
		}
		_, err = s.q.Receive(ctx, ReceiveInput{Max: -1})
		require.Equal(s, ErrClosed, err)
		_, err = s.q.ReceiveInto(ctx, nil, ReceiveInput{})
		require.Equal(s, ErrClosed, err)
		require.Equal(s, ErrClosed, d.ChangeVisibility(ctx, -1))
		require.Equal(s, ErrClosed, d.Return(ctx, -1))
		require.Equal(s, ErrClosed, s.q.ExtendAll(ctx, nil, -1))
		_, err = s.q.Redrive(ctx, RedriveInput{PerSecond: -1})
		require.Equal(s, ErrClosed, err)
		require.Equal(s, ErrClosed, s.q.DeadLetter(ctx, DeadLetter{}))
		for _, o := range []Option{WithDelay(1), WithDelay(-1), WithSenderID("x"), WithoutSQSLimits()} {
			var p patch
			o.applyFIFO(&p)
			require.Equal(s, ErrClosed, s.q.configure(&p))
		}
		// What needs no queue still answers.
		require.NotEmpty(s, s.q.Name())
		require.NotEmpty(s, s.q.ARN())
		require.Equal(s, s.q.Name(), s.q.Config().Name)
		require.Empty(s, s.q.MoveTasks())
		for range s.q.Messages() {
			require.Fail(s, "a closed queue has no messages")
		}
		stats := s.q.Stats()
		require.Equal(s, uint64(2), stats.Sent)
		require.Equal(s, Counts{}, stats.Counts)
		require.Zero(s, stats.Bytes)
		require.Zero(s, stats.OldestAge)
		require.NotEmpty(s, d.ID())
		require.Len(s, d.ReceiptHandle(), 32)
		require.Equal(s, "g-1", d.Body)
	})
}

// refusedCall is a call that is refused, with the whole text of its error.
type refusedCall struct {
	want error
	text string
	do   func(s steps, d *Delivery) error
}

// refusedCalls provoke each sentinel that a queue without a broker can return.
func refusedCalls() []refusedCall {
	ctx := context.Background()
	send := func(change func(m *Message)) func(steps, *Delivery) error {
		return func(s steps, _ *Delivery) error {
			m := s.message("g-new")
			change(&m)
			_, err := s.q.Send(ctx, m)
			return err
		}
	}
	configure := func(o Option) func(steps, *Delivery) error {
		return func(s steps, _ *Delivery) error {
			var p patch
			o.applyFIFO(&p)
			return s.q.configure(&p)
		}
	}
	return []refusedCall{
		{ErrMissingParameter, `inq: missing parameter: MessageBody (Message.Body) "": must not be empty` + liftedText, send(func(m *Message) { m.Body = "" })},
		{ErrInvalidMessageContents, `inq: invalid message contents: MessageBody (Message.Body): invalid character U+0007 at byte 1; ` +
			`valid are tab, line feed, carriage return, U+0020 to U+D7FF, U+E000 to U+FFFD and U+10000 to U+10FFFF` + liftedText,
			send(func(m *Message) { m.Body = "a\a" })},
		{ErrInvalidParameter, `inq: invalid parameter value: MessageSize 2000: must be at most 1024: bytes of body and attributes`,
			send(func(m *Message) { m.Body = strings.Repeat("x", 2000) })},
		{ErrInvalidParameter, `inq: invalid parameter value: DelaySeconds (Message.Delay or delay of Return) -1s: must be from 0s to 15m0s`,
			send(func(m *Message) { m.Delay = -time.Second })},
		{ErrInvalidParameter, `inq: invalid parameter value: MessageGroupId (Message.GroupID) "a b": must have 1 to 128 alphanumeric or punctuation characters, no spaces`,
			send(func(m *Message) { m.GroupID = "a b" })},
		{ErrInvalidParameter, `inq: invalid parameter value: MessageGroupId (Message.GroupID) "` + strings.Repeat("x", 64) +
			`...": must have 1 to 128 alphanumeric or punctuation characters, no spaces`, send(func(m *Message) { m.GroupID = strings.Repeat("x", 129) })},
		{ErrInvalidParameter, `inq: invalid parameter value: MessageAttributes (Message.Attributes) "a b": a name can include letters, digits, underscores, hyphens and periods`,
			send(func(m *Message) { m.Attributes = map[string]Attribute{"a b": String("v")} })},
		{ErrInvalidParameter, `inq: invalid parameter value: MessageAttributes.n "ten": the value must be a decimal number`,
			send(func(m *Message) { m.Attributes = map[string]Attribute{"n": Number("ten")} })},
		{ErrFull, `inq: queue is full: holds 2 of 2 messages`, send(func(m *Message) {})},
		{ErrEmptyBatch, `inq: empty batch: SendMessageBatch (SendBatch) 0: must be from 1 to 10: entries`,
			func(s steps, _ *Delivery) error { _, err := s.q.SendBatch(ctx, nil); return err }},
		{ErrTooManyEntries, `inq: too many entries in batch: DeleteMessageBatch (DeleteBatch) 11: must be from 1 to 10: entries; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, _ *Delivery) error { return s.q.DeleteBatch(ctx, make([]string, 11)) }},
		{ErrBatchTooLong, `inq: batch too long: SendMessageBatch (SendBatch) 1048577: must be at most 1048576: bytes in sum; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, _ *Delivery) error {
				_, err := s.q.SendBatch(ctx, []Message{{Body: strings.Repeat("x", 1<<20+1)}})
				return err
			}},
		{ErrInvalidParameter, `inq: invalid parameter value: MaxNumberOfMessages (ReceiveInput.Max) 11: must be from 1 to 10; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, _ *Delivery) error { _, err := s.q.Receive(ctx, ReceiveInput{Max: 11}); return err }},
		{ErrInvalidParameter, `inq: invalid parameter value: WaitTimeSeconds (ReceiveInput.Wait) 21s: must be from 0s to 20s; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, _ *Delivery) error {
				_, err := s.q.Receive(ctx, ReceiveInput{Wait: 21 * time.Second})
				return err
			}},
		{ErrInvalidParameter, `inq: invalid parameter value: dst 0: must be at least 1: room for deliveries`,
			func(s steps, _ *Delivery) error { _, err := s.q.ReceiveInto(ctx, nil, ReceiveInput{}); return err }},
		{ErrMissingParameter, `inq: missing parameter: ReceiptHandle "": must not be empty`,
			func(s steps, _ *Delivery) error { return s.q.Delete(ctx, "") }},
		{ErrReceiptHandleInvalid, `inq: receipt handle is invalid: ReceiptHandle "junk": not a handle of this queue`,
			func(s steps, _ *Delivery) error { return s.q.Delete(ctx, "junk") }},
		{ErrReceiptHandleInvalid, "", func(s steps, _ *Delivery) error {
			var be *BatchError
			err := s.q.DeleteAll(ctx, []Delivery{NewDelivery(s.q, DeliveryFields{ReceiptHandle: "x"})})
			require.ErrorAs(s, err, &be)
			return err
		}},
		{ErrMissingParameter, `inq: missing parameter: ReceiptHandle "": the Delivery is empty`,
			func(s steps, _ *Delivery) error { var zero Delivery; return zero.Delete(ctx) }},
		{ErrMissingParameter, "", func(s steps, _ *Delivery) error { var zero Delivery; return zero.ChangeVisibility(ctx, 0) }},
		{ErrMissingParameter, "", func(s steps, _ *Delivery) error { var zero Delivery; return zero.Return(ctx, 0) }},
		{ErrMissingParameter, "", func(s steps, _ *Delivery) error { var zero Delivery; return zero.Bury(ctx, "") }},
		{ErrInvalidParameter, `inq: invalid parameter value: VisibilityTimeout 12h0m1s: must be from 0s to 12h0m0s; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, d *Delivery) error { return d.ChangeVisibility(ctx, 12*time.Hour+time.Second) }},
		{ErrInvalidParameter, `inq: invalid parameter value: VisibilityTimeout 12h0m0s: must be from 0s to 11h59m0s: ` +
			`the total since the receive must not be beyond 12 hours`, func(s steps, d *Delivery) error {
			return d.ChangeVisibility(ctx, 12*time.Hour)
		}},
		{ErrInvalidParameter, `inq: invalid parameter value: DelaySeconds (Message.Delay or delay of Return) 1h0m0s: must be from 0s to 15m0s; a limit of SQS, which WithoutSQSLimits lifts`,
			func(s steps, d *Delivery) error { return d.Return(ctx, time.Hour) }},
		{ErrNoDeadLetterTarget, `inq: queue has no dead-letter target: RedrivePolicy: set one with WithDeadLetter`,
			func(s steps, d *Delivery) error { return d.Bury(ctx, "") }},
		{ErrInvalidParameter, `inq: invalid parameter value: MaxNumberOfMessagesPerSecond (RedriveInput.PerSecond) 501: must be from 1 to 500`,
			func(s steps, _ *Delivery) error { _, err := s.q.Redrive(ctx, RedriveInput{PerSecond: 501}); return err }},
		{ErrInvalidAttributeValue, `inq: invalid attribute value: MessageRetentionPeriod (WithRetention) 1s: must be from 1m0s to 336h0m0s; a limit of SQS, which WithoutSQSLimits lifts`,
			configure(WithRetention(time.Second))},
		{ErrInvalidAttributeValue, `inq: invalid attribute value: MaximumMessageSize (WithMaxMessageSize) 1: must be from 1024 to 1048576; a limit of SQS, which WithoutSQSLimits lifts`, configure(WithMaxMessageSize(1))},
		{ErrInvalidParameter, `inq: invalid parameter value: maxReceiveCount (WithDeadLetter) 0: must be from 1 to 1000`, configure(WithDeadLetter(DeadLetterLog(nil, 0), 0))},
		{ErrInvalidParameter, `inq: invalid parameter value: Capacity (WithCapacity) -1: must be at least 0: messages`, configure(WithCapacity(-1, 0))},
		{ErrInvalidParameter, `inq: invalid parameter value: SenderId (Message.SenderID or WithSenderID) "me": cannot be changed on a live queue`, configure(WithSenderID("me"))},
	}
}

func TestErrors_EveryRefusalReadsWellMatchesOneSentinelAndChangesNothing(t *testing.T) {
	for i, c := range refusedCalls() {
		t.Run(fmt.Sprint(i, " ", c.want), func(t *testing.T) {
			onBothTypes(t, func(s steps) {
				s.send("g-1", "h-1")
				d := s.one(12 * time.Hour)
				time.Sleep(time.Minute)
				stats, messages, config := look(s.q)
				err := c.do(s, d)
				requireRefusal(s, err, c.want)
				if c.text != "" {
					require.Equal(s, c.text, err.Error())
					p := requireParamError(s, err)
					require.Equal(s, c.want, p.Err)
					require.True(s, p.Min != nil || p.Max != nil || p.Reason != "", "nothing is said of what is allowed")
				}
				stats2, messages2, config2 := look(s.q)
				require.Equal(s, stats, stats2)
				require.Equal(s, messages, messages2)
				require.Equal(s, config, config2)
			}, WithMaxMessageSize(1024), WithCapacity(2, 0))
		})
	}
}

func TestErrors_TheSentinelsAreDistinct(t *testing.T) {
	texts := map[string]bool{}
	for name, s := range sentinels {
		requireRefusal(t, s, s)
		require.True(t, strings.HasPrefix(s.Error(), "inq: "), name)
		require.False(t, texts[s.Error()], name)
		texts[s.Error()] = true
	}
}

func TestBatchError_TellsOfItsEntries(t *testing.T) {
	require.Equal(t, "inq: batch with no failed entries", (&BatchError{}).Error())
	e := &BatchError{Failed: []BatchFailure{{2, ErrFull}, {5, &ParamError{Err: ErrClosed, Param: "P"}}}}
	require.Equal(t, "inq: 2 batch entries failed, the first at index 2: queue is full", e.Error())
	require.Equal(t, "[batch entry at index 2: queue is full batch entry at index 5: queue is closed: P]", fmt.Sprint(e.Failed))
	require.Equal(t, "inq: 1 batch entry failed, at index 5: queue is closed: P", (&BatchError{Failed: e.Failed[1:]}).Error())
	require.Equal(t, "batch entry at index 1: <nil>", BatchFailure{Index: 1}.String())
	require.ErrorIs(t, e, ErrFull)
	require.ErrorIs(t, e, ErrClosed)
	require.NotErrorIs(t, e, ErrOverLimit)
	require.Equal(t, "P", requireParamError(t, e).Param)
}

func TestParamError_Texts(t *testing.T) {
	for text, e := range map[string]*ParamError{
		"inq: queue is full: P":                                         {Err: ErrFull, Param: "P"},
		`inq: queue is full: P "v"`:                                     {Err: ErrFull, Param: "P", Value: "v"},
		`inq: queue is full: P "a\nb"`:                                  {Err: ErrFull, Param: "P", Value: "a\nb"},
		"inq: queue is full: P 0: must be from 1 to 2":                  {Err: ErrFull, Param: "P", Value: 0, Min: 1, Max: 2},
		"inq: queue is full: P 1m0s: must be at least 1h0m0s":           {Err: ErrFull, Param: "P", Value: time.Minute, Min: time.Hour},
		"inq: queue is full: P 3: must be at most 2: things":            {Err: ErrFull, Param: "P", Value: 3, Max: 2, Reason: "things"},
		`inq: queue is full: P "` + strings.Repeat("x", 64) + `"`:       {Err: ErrFull, Param: "P", Value: strings.Repeat("x", 64)},
		`inq: queue is full: P "` + strings.Repeat("x", 64) + `..."`:    {Err: ErrFull, Param: "P", Value: strings.Repeat("x", 65)},
		`inq: queue is full: P "` + strings.Repeat("x", 64) + `...": r`: {Err: ErrFull, Param: "P", Value: strings.Repeat("x", 99), Reason: "r"},

		"inq: queue is full: P Forever: must be from Zero to just below Forever": {Err: ErrFull, Param: "P", Value: Forever, Min: Zero, Max: Forever - 1},
		"inq: queue is full: P [1]: must be at least [0]":                        {Err: ErrFull, Param: "P", Value: []int{1}, Min: []int{0}},
		"inq: over limit: P 2": {Err: ErrOverLimit, Param: "P", Value: 2},
		// The name in Go depends on whether the parameter is an attribute, and is left out where
		// that was given as text.
		"inq: invalid parameter value: DelaySeconds (Message.Delay or delay of Return) -1s": {
			Err: ErrInvalidParameter, Param: "DelaySeconds", Value: -time.Second},
		"inq: invalid attribute value: DelaySeconds (WithDelay) -1s": {Err: ErrInvalidAttributeValue, Param: "DelaySeconds", Value: -time.Second},
		`inq: invalid attribute value: DelaySeconds "-1"`:            {Err: ErrInvalidAttributeValue, Param: "DelaySeconds", Value: "-1"},
		"inq: invalid parameter value: VisibilityTimeout Forever: must be from 0s to 12h0m0s; a limit of SQS, which WithoutSQSLimits lifts": {
			Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: Forever, Min: time.Duration(0), Max: maxVisibility},
		// Only what lifting the limit would allow.
		"inq: invalid attribute value: MessageRetentionPeriod (WithRetention) 0s: must be from 1m0s to 336h0m0s": {
			Err: ErrInvalidAttributeValue, Param: "MessageRetentionPeriod", Value: time.Duration(0), Min: minRetention, Max: maxRetention},
		"inq: invalid parameter value: VisibilityTimeout 2h0m0s: must be at most 1h0m0s": {
			Err: ErrInvalidParameter, Param: "VisibilityTimeout", Value: 2 * time.Hour, Max: time.Hour},
	} {
		require.Equal(t, text, e.Error())
	}
}

func TestErrors_ARefusalSaysWhatIsThereAndWhatItTakes(t *testing.T) {
	ctx := context.Background()
	text := func(err error) string { require.Error(t, err); return err.Error() }

	_, err := NewStandard("jobs.fifo")
	require.Equal(t, `inq: invalid parameter value: QueueName "jobs.fifo": can only include alphanumeric characters, hyphens, `+
		`or underscores, 1 to 80 in length; a name that ends in .fifo is for NewFIFO`, text(err))
	_, err = NewStandard("jobs", WithVisibilityTimeout(Forever))
	require.Contains(t, text(err), "VisibilityTimeout (WithVisibilityTimeout) Forever: must be from 0s to 12h0m0s; ")

	large := Message{Body: strings.Repeat("x", 1<<20+1)}
	_, err = testStandard(t).Send(ctx, large)
	require.Contains(t, text(err), "MessageSize 1048577: must be at most 1048576: bytes of body and attributes; a limit of SQS, which")
	_, err = testStandard(t, WithoutSQSLimits(), WithMaxMessageSize(1<<20)).Send(ctx, large)
	require.NotContains(t, text(err), "WithoutSQSLimits", "it is lifted already")

	q := testStandard(t, WithCapacity(0, 10))
	_, err = q.Send(ctx, Message{Body: "four"})
	require.NoError(t, err)
	_, err = q.Send(ctx, Message{Body: "sixsix!"})
	require.Equal(t, "inq: queue is full: holds 4 of 10 bytes, and the message has 7", text(err))

	ds, err := q.Receive(ctx, ReceiveInput{})
	require.NoError(t, err)
	require.NoError(t, ds[0].Delete(ctx))
	require.Contains(t, text(ds[0].ChangeVisibility(ctx, 0)), ": the message is gone: ")
	require.Contains(t, text(ds[0].Return(ctx, 0)), ": the message is gone: ")

	q = testStandard(t)
	q.limit = 1
	_, err = q.Send(ctx, Message{Body: "b"})
	require.NoError(t, err)
	_, err = q.Receive(ctx, ReceiveInput{})
	require.NoError(t, err)
	_, err = q.Receive(ctx, ReceiveInput{})
	require.Equal(t, "inq: over limit: 1 messages are in flight; delete some before receiving more", text(err))

	f := testFIFO(t)
	_, err = f.Send(ctx, Message{Body: "b", GroupID: "g", DeduplicationID: "1"})
	require.NoError(t, err)
	ds, err = f.Receive(ctx, ReceiveInput{VisibilityTimeout: Zero})
	require.NoError(t, err)
	require.Contains(t, text(ds[0].ChangeVisibility(ctx, 0)), ": the message is no longer in flight for this receive")
}
