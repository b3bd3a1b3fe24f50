package inqaws

import (
	"context"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"example.com/inq"
)

// Ids of entries are their indices.

// SendBatch adds messages in the order of the slice, as [Queue.Send] does. It is one call, and the
// limits of a batch hold for it: 10 messages and 1 MiB in sum.
func (q *Queue) SendBatch(ctx context.Context, ms []inq.Message) ([]inq.Sent, error) {
	if err := q.check(ctx); err != nil {
		return nil, err
	}
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: make([]types.SendMessageBatchRequestEntry, len(ms))}
	zeros := map[string]bool{}
	for i := range ms {
		entry, zero := q.entry(&ms[i], strconv.Itoa(i))
		in.Entries[i] = entry
		if zero {
			zeros[*entry.Id] = true
		}
	}
	var opts []func(*sqs.Options)
	if len(zeros) > 0 {
		opts = append(opts, written(func(in *sqs.SendMessageBatchInput) smithy.Serializable {
			return explicitSendBatch{in, zeros}
		}))
	}
	out, err := q.client.SendMessageBatch(ctx, in, opts...)
	if err != nil {
		return nil, q.translate(ctx, sending, err)
	}
	sent := make([]inq.Sent, len(ms))
	results := newOutcome(len(ms))
	for _, r := range out.Successful {
		if i := results.succeeded(r.Id); i >= 0 {
			sent[i] = inq.NewSent(inq.SentFields{ID: aws.ToString(r.MessageId), SequenceNumber: aws.ToString(r.SequenceNumber)})
		}
	}
	return sent, results.err(sending, out.Failed)
}

// DeleteBatch is Delete for 1 to 10 handles; failed entries are in an [*inq.BatchError].
func (q *Queue) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, len(receiptHandles))
	for i, handle := range receiptHandles {
		entries[i] = types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &handle}
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return q.translate(ctx, other, err)
	}
	results := newOutcome(len(entries))
	for _, r := range out.Successful {
		results.succeeded(r.Id)
	}
	return results.err(other, out.Failed)
}

// ChangeVisibilityBatch is ChangeVisibility for 1 to 10 receives; failed entries are in an
// [*inq.BatchError].
func (q *Queue) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, len(changes))
	for i, c := range changes {
		entries[i] = types.ChangeMessageVisibilityBatchRequestEntry{
			Id:                aws.String(strconv.Itoa(i)),
			ReceiptHandle:     &c.ReceiptHandle,
			VisibilityTimeout: seconds(c.Timeout),
		}
	}
	out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return q.translate(ctx, other, err)
	}
	results := newOutcome(len(entries))
	for _, r := range out.Successful {
		results.succeeded(r.Id)
	}
	return results.err(other, out.Failed)
}

// outcome is what an answer says became of the entries of a batch.
type outcome struct{ done []bool }

func newOutcome(n int) *outcome { return &outcome{done: make([]bool, n)} }

// index is the entry that an id names, -1 for an id that was not sent.
func (o *outcome) index(id *string) int {
	if i, err := strconv.Atoi(aws.ToString(id)); err == nil && i >= 0 && i < len(o.done) {
		return i
	}
	return -1
}

// succeeded notes an entry as carried out.
func (o *outcome) succeeded(id *string) int {
	i := o.index(id)
	if i >= 0 {
		o.done[i] = true
	}
	return i
}

// errNotAnswered is why an entry failed of which the answer says nothing.
var errNotAnswered = errors.New("inqaws: the answer does not tell what became of this entry")

// err collects the entries that were not carried out.
func (o *outcome) err(by caller, failed []types.BatchResultErrorEntry) error {
	why := make([]error, len(o.done))
	for _, f := range failed {
		i := o.index(f.Id)
		if i < 0 {
			continue
		}
		fault := smithy.FaultServer
		if f.SenderFault {
			fault = smithy.FaultClient
		}
		why[i] = translated(by, &smithy.GenericAPIError{Code: aws.ToString(f.Code), Message: aws.ToString(f.Message), Fault: fault})
	}
	var all []inq.BatchFailure
	for i, done := range o.done {
		switch {
		case done:
		case why[i] != nil:
			all = append(all, inq.BatchFailure{Index: i, Err: why[i]})
		default:
			all = append(all, inq.BatchFailure{Index: i, Err: errNotAnswered})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &inq.BatchError{Failed: all}
}
