package inqaws

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

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
	in := &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: make([]types.SendMessageBatchRequestEntry, 0, len(ms))}
	results := newOutcome(len(ms))
	zeros := map[string]bool{}
	for i := range ms {
		if results.refused(i, checkMessage(&ms[i])) {
			continue
		}
		entry, zero := q.entry(&ms[i], strconv.Itoa(i))
		in.Entries = append(in.Entries, entry)
		if zero {
			zeros[*entry.Id] = true
		}
	}
	if results.nothingLeft() {
		return make([]inq.Sent, len(ms)), results.err()
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
	if out == nil {
		out = new(sqs.SendMessageBatchOutput)
	}
	sent := make([]inq.Sent, len(ms))
	for _, r := range out.Successful {
		if aws.ToString(r.MessageId) == "" {
			results.refused(results.index(r.Id), lacks("MessageId"))
			continue
		}
		if i := results.succeeded(r.Id); i >= 0 {
			sent[i] = inq.NewSent(inq.SentFields{ID: *r.MessageId, SequenceNumber: aws.ToString(r.SequenceNumber)})
		}
	}
	results.failed(sending, out.Failed)
	return sent, results.err()
}

// DeleteBatch is Delete for 1 to 10 handles; failed entries are in an [*inq.BatchError].
func (q *Queue) DeleteBatch(ctx context.Context, receiptHandles []string) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	entries := make([]types.DeleteMessageBatchRequestEntry, 0, len(receiptHandles))
	results := newOutcome(len(receiptHandles))
	for i, handle := range receiptHandles {
		if !results.refused(i, checkHandle(handle)) {
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: &handle})
		}
	}
	if results.nothingLeft() {
		return results.err()
	}
	out, err := q.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	if err != nil {
		return q.translate(ctx, other, err)
	}
	if out == nil {
		out = new(sqs.DeleteMessageBatchOutput)
	}
	for _, r := range out.Successful {
		if i := results.succeeded(r.Id); i >= 0 {
			q.leases.deleted(receiptHandles[i])
		}
	}
	results.failed(other, out.Failed)
	return results.err()
}

// ChangeVisibilityBatch is ChangeVisibility for 1 to 10 receives; failed entries are in an
// [*inq.BatchError].
func (q *Queue) ChangeVisibilityBatch(ctx context.Context, changes []inq.VisibilityChange) error {
	if err := q.check(ctx); err != nil {
		return err
	}
	entries := make([]types.ChangeMessageVisibilityBatchRequestEntry, 0, len(changes))
	results := newOutcome(len(changes))
	for i, c := range changes {
		if !results.refused(i, checkHandle(c.ReceiptHandle)) {
			entries = append(entries, types.ChangeMessageVisibilityBatchRequestEntry{
				Id:                aws.String(strconv.Itoa(i)),
				ReceiptHandle:     &c.ReceiptHandle,
				VisibilityTimeout: seconds(c.Timeout),
			})
		}
	}
	if results.nothingLeft() {
		return results.err()
	}
	left := time.Now()
	out, err := q.client.ChangeMessageVisibilityBatch(ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &q.url, Entries: entries})
	if err == nil && out == nil {
		out = new(sqs.ChangeMessageVisibilityBatchOutput)
	}
	if err != nil {
		err = q.translate(ctx, other, err)
	} else {
		for _, r := range out.Successful {
			results.succeeded(r.Id)
		}
		results.failed(other, out.Failed)
	}
	for i, c := range changes {
		entryErr := err
		if err == nil && !results.done[i] {
			entryErr = results.why[i]
		}
		q.leases.changed(c.ReceiptHandle, left, time.Duration(seconds(c.Timeout))*time.Second, entryErr)
	}
	if err != nil {
		return err
	}
	return results.err()
}

// outcome is what became of the entries of a batch.
type outcome struct {
	done []bool
	why  []error // what is not done failed for
}

func newOutcome(n int) *outcome { return &outcome{done: make([]bool, n), why: make([]error, n)} }

// refused notes why an entry failed, if it did.
func (o *outcome) refused(i int, err error) bool {
	if i >= 0 && err != nil {
		o.why[i] = err
	}
	return err != nil
}

// nothingLeft reports whether all entries are refused. An empty batch is for the other side to
// refuse.
func (o *outcome) nothingLeft() bool {
	return len(o.why) != 0 && !slices.Contains(o.why, nil)
}

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

// failed notes what the answer says of entries that were not carried out.
func (o *outcome) failed(by caller, entries []types.BatchResultErrorEntry) {
	for _, f := range entries {
		fault := smithy.FaultServer
		if f.SenderFault {
			fault = smithy.FaultClient
		}
		o.refused(o.index(f.Id), translated(by, &smithy.GenericAPIError{Code: aws.ToString(f.Code), Message: aws.ToString(f.Message), Fault: fault}))
	}
}

// errNotAnswered is why an entry failed of which the answer says nothing.
var errNotAnswered = errors.New("inqaws: the answer does not tell what became of this entry")

// err collects the entries that were not carried out.
func (o *outcome) err() error {
	var all []inq.BatchFailure
	for i, done := range o.done {
		switch {
		case done:
		case o.why[i] != nil:
			all = append(all, inq.BatchFailure{Index: i, Err: o.why[i]})
		default:
			all = append(all, inq.BatchFailure{Index: i, Err: errNotAnswered})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &inq.BatchError{Failed: all}
}
