package inqaws

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"example.com/inq"
	"example.com/inq/worker"
)

// longestTimeout is the most that a visibility can be changed to (SQS: VIS-1).
const longestTimeout = 12 * time.Hour

// Lambda makes a function for AWS Lambda of a handler for [worker.NewBatch], with partial batch
// responses:
//
//	lambda.Start(inqaws.Lambda(nil, handle))
//
// The event source mapping needs ReportBatchItemFailures among its FunctionResponseTypes. WITHOUT
// IT LAMBDA DELETES WHAT HAS FAILED.
//
// When h returns nil, Lambda deletes all messages. An [*inq.BatchError] names those that failed, by
// their index, and Lambda deletes the others. Any other error, and a panic, is that of all, and of
// the invocation. On FIFO everything behind a failure in its group fails with it, since it has to come
// again after it. A failed message comes again when the visibility timeout of the queue is over,
// and is a dead letter after as many receives as the redrive policy says.
//
// q is the queue that the events come from, for the methods of the deliveries: ChangeVisibility and
// Delete. With it a message whose error is a [worker.RetryAfter] or [worker.Snooze] comes again after
// that delay, where this call succeeds, and its receive counts. It may be nil; then these are failures
// like any other, as is [worker.Bury] always, and those methods return [inq.ErrMissingParameter].
//
// A nil h is refused by each call with [inq.ErrMissingParameter].
func Lambda(q *Queue, h func(ctx context.Context, ds []inq.Delivery) error) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (answer events.SQSEventResponse, err error) {
		if h == nil {
			return answer, &inq.ParamError{Err: inq.ErrMissingParameter, Param: "h", Reason: "must not be nil"}
		}
		if len(event.Records) == 0 {
			return answer, nil
		}
		ds := make([]inq.Delivery, len(event.Records))
		for i := range ds {
			ds[i] = recorded(q, &event.Records[i])
		}
		err = h(ctx, ds)
		failed, known := failures(err, len(ds))
		if !known {
			return answer, err
		}
		blocked := make(map[string]bool) // groups of FIFO with a failure
		for i, m := range event.Records {
			behind := blocked[ds[i].GroupID]
			if failed[i] == nil && !behind {
				continue
			}
			if strings.HasSuffix(m.EventSourceARN, ".fifo") {
				blocked[ds[i].GroupID] = true
			}
			if !behind {
				postpone(ctx, &ds[i], q, failed[i])
			}
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
		return answer, nil
	}
}

// failures returns the errors of the messages of a batch, and whether they are known one by one.
func failures(err error, n int) (failed []error, known bool) {
	failed = make([]error, n)
	if err == nil {
		return failed, true
	}
	var batch *inq.BatchError
	if !errors.As(err, &batch) || batch == nil {
		return nil, false
	}
	for _, f := range batch.Failed {
		if f.Index < 0 || f.Index >= n {
			return nil, false // which message is meant nobody knows
		}
		if failed[f.Index] = f.Err; f.Err == nil {
			failed[f.Index] = err
		}
	}
	return failed, true
}

// postpone has a failed message come again after the delay that its error asks for. Where that does
// not work out, it comes again after the visibility timeout.
func postpone(ctx context.Context, d *inq.Delivery, q *Queue, err error) {
	var again *worker.RetryError
	var snoozed *worker.SnoozeError
	var delay time.Duration
	switch {
	case q == nil:
		return
	case errors.As(err, &snoozed):
		delay = snoozed.Delay
	case errors.As(err, &again):
		delay = again.Delay
	default:
		return
	}
	_ = d.ChangeVisibility(ctx, min(max(delay, 0), longestTimeout))
}

// recorded makes a delivery of a message as Lambda hands it over.
func recorded(q *Queue, m *events.SQSMessage) inq.Delivery {
	var through inq.Queue
	if q != nil {
		through = q
	}
	var attributes map[string]inq.Attribute
	if len(m.MessageAttributes) > 0 {
		attributes = make(map[string]inq.Attribute, len(m.MessageAttributes))
	}
	for name, a := range m.MessageAttributes {
		v := inq.Attribute{Type: a.DataType, Binary: a.BinaryValue}
		if a.StringValue != nil {
			v.Value = *a.StringValue
		}
		attributes[name] = v
	}
	receives, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return inq.NewDelivery(through, inq.DeliveryFields{
		ID:                  m.MessageId,
		Body:                m.Body,
		ReceiptHandle:       m.ReceiptHandle,
		GroupID:             m.Attributes["MessageGroupId"],
		DeduplicationID:     m.Attributes["MessageDeduplicationId"],
		SequenceNumber:      m.Attributes["SequenceNumber"],
		TraceHeader:         m.Attributes["AWSTraceHeader"],
		SenderID:            m.Attributes["SenderId"],
		DeadLetterSourceARN: m.Attributes["DeadLetterQueueSourceArn"],
		Attributes:          attributes,
		ReceiveCount:        receives,
		SentAt:              milliseconds(m.Attributes["SentTimestamp"]),
		FirstReceivedAt:     milliseconds(m.Attributes["ApproximateFirstReceiveTimestamp"]),
	})
}
