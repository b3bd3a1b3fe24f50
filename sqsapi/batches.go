package sqsapi

import (
	"errors"
	"fmt"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

// Limits of a batch (SQS: BAT-1, BAT-3), unless the queue is without limits.
const (
	maxEntries    = 10
	maxBatchBytes = 1 << 20
)

// batchFailure is BatchResultErrorEntry.
type batchFailure struct {
	Id          string
	SenderFault bool // (SQS: ERR-5)
	Code        string
	Message     string
}

// checkEntries applies what fails a batch as a whole, in this order: how many entries there are,
// their ids, and that these differ (SQS: BAT-1, NAM-4, BAT-2, BAT-6).
func (c call) checkEntries(q inq.Local, operation string, ids []*string) error {
	switch n := len(ids) + c.Left(); {
	case n == 0:
		return toFault(&inq.ParamError{Err: inq.ErrEmptyBatch, Param: operation}, origin{batch: true})
	case n > maxEntries && hasLimits(q):
		return toFault(&inq.ParamError{Err: inq.ErrTooManyEntries, Param: operation, Value: n, Max: maxEntries}, origin{batch: true})
	}
	for i, id := range ids {
		if id == nil {
			return missingEntry(operation, i, "Id")
		}
		if len(*id) < 1 || len(*id) > 80 || strings.Trim(*id, entryIDCharacters) != "" {
			return wire.Faultf(kindInvalidBatchEntryID,
				"A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
	}
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if seen[*id] {
			return wire.Faultf(kindIdsNotDistinct, "Id %s repeated.", *id)
		}
		seen[*id] = true
	}
	return nil
}

// missingEntry refuses a batch, or an entry of it, for a member that the entry does not have (SQS:
// CAP-12).
func missingEntry(operation string, i int, name string) *fault {
	return missing(fmt.Sprintf("%sRequestEntry.%d.%s", operation, i+1, name))
}

const entryIDCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// hasLimits reports whether the limits of SQS hold for a queue.
func hasLimits(q inq.Local) bool { return q.Config().SQSLimits }

// outcome is what became of the entries of a batch: an error for each that failed, nil for the
// others.
type outcome []error

// add takes over what a queue says of a batch: of which entry tells the place in the outcome, and
// an error of another kind is returned.
func (o outcome) add(err error, entry func(i int) int) error {
	var some *inq.BatchError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &some):
		return toFault(err, origin{batch: true})
	}
	for _, f := range some.Failed {
		// An entry refused before stands for itself: what the queue says is about what stood in for
		// it.
		if i := entry(f.Index); o[i] == nil {
			o[i] = f.Err
		}
	}
	return nil
}

// failures lists the entries that failed.
func (o outcome) failures(ids []*string) (list []batchFailure) {
	for i, err := range o {
		if err != nil {
			f := toFault(err, origin{batch: true, entry: true})
			list = append(list, batchFailure{Id: *ids[i], SenderFault: !f.Kind.Receiver, Code: f.Kind.Code, Message: f.Message})
		}
	}
	return list
}

type sendEntry struct {
	Id *string
	sendMembers
}

type sendMessageBatchRequest struct {
	QueueUrl *string
	Entries  []sendEntry `query:"SendMessageBatchRequestEntry"`
}

type sendMessageBatchResult struct {
	Successful []sentEntry    `json:",omitempty" query:"SendMessageBatchResultEntry"` // (SQS: BAT-8)
	Failed     []batchFailure `json:",omitempty" query:"BatchResultErrorEntry"`
}

type sentEntry struct {
	Id                           string
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
	SequenceNumber               string `json:",omitempty"`
}

func (c call) sendMessageBatch(in *sendMessageBatchRequest) (*sendMessageBatchResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := idsOf(in.Entries, func(e *sendEntry) *string { return e.Id })
	if err := c.checkEntries(q, "SendMessageBatch", ids); err != nil {
		return nil, err
	}
	messages := make([]inq.Message, len(ids))
	digests := make([]string, len(ids))
	failed := make(outcome, len(ids))
	total := 0
	fifo, limits, trace := isFIFO(q), hasLimits(q), traceOf(c.Request)
	for i := range in.Entries {
		e := &in.Entries[i]
		messages[i], digests[i], failed[i] = e.message(fifo, trace, "SendMessageBatch")
		if f, ok := failed[i].(*fault); ok && f.Kind == kindUnsupportedOperation {
			return nil, f // (SQS: MSG-12)
		}
		if failed[i] == nil && !limits {
			failed[i] = checkBody(messages[i].Body)
		}
		total += size(&messages[i]) + e.MessageAttributes.LeftBytes
	}
	if total > maxBatchBytes && limits {
		return nil, toFault(&inq.ParamError{Err: inq.ErrBatchTooLong, Value: total, Max: maxBatchBytes}, origin{batch: true})
	}
	for i, err := range failed {
		if err != nil {
			// The queue fails an entry with a bad attribute alone, but a FIFO queue first looks at
			// ids and delays of all, which fail the whole batch (SQS: FIFO-4, BAT-7).
			messages[i].Body, messages[i].Attributes = "", badAttributes
		}
	}
	sent, err := q.SendBatch(c.Context(), messages)
	if err := failed.add(err, func(i int) int { return i }); err != nil {
		return nil, err
	}
	for i, err := range failed {
		if err != nil {
			failed[i] = aboutBody(err, messages[i].Body)
		}
	}
	out := &sendMessageBatchResult{Failed: failed.failures(ids)}
	for i, m := range messages {
		if failed[i] != nil {
			continue
		}
		out.Successful = append(out.Successful, sentEntry{
			Id:                           *ids[i],
			MessageId:                    sent[i].ID(),
			MD5OfMessageBody:             bodyDigest(m.Body),
			MD5OfMessageAttributes:       attributesDigest(m.Attributes),
			MD5OfMessageSystemAttributes: digests[i],
			SequenceNumber:               sent[i].SequenceNumber(),
		})
	}
	return out, nil
}

// badAttributes make every queue refuse a Message: an attribute needs a name.
var badAttributes = map[string]inq.Attribute{"": {}}

// size is the size of a message (SQS: MSG-1).
func size(m *inq.Message) int {
	n := len(m.Body)
	for name, a := range m.Attributes {
		n += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	return n
}

func idsOf[E any](entries []E, id func(*E) *string) []*string {
	ids := make([]*string, len(entries))
	for i := range entries {
		ids[i] = id(&entries[i])
	}
	return ids
}

type deleteEntry struct {
	Id            *string
	ReceiptHandle *string
}

type deleteMessageBatchRequest struct {
	QueueUrl *string
	Entries  []deleteEntry `query:"DeleteMessageBatchRequestEntry"`
}

type deleteMessageBatchResult struct {
	Successful []doneEntry    `json:",omitempty" query:"DeleteMessageBatchResultEntry"`
	Failed     []batchFailure `json:",omitempty" query:"BatchResultErrorEntry"`
}

// doneEntry is an entry that was carried out.
type doneEntry struct{ Id string }

func (c call) deleteMessageBatch(in *deleteMessageBatchRequest) (*deleteMessageBatchResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := idsOf(in.Entries, func(e *deleteEntry) *string { return e.Id })
	if err := c.checkEntries(q, "DeleteMessageBatch", ids); err != nil {
		return nil, err
	}
	handles := make([]string, len(ids)) // the queue refuses "" as missing
	failed := make(outcome, len(ids))
	for i, e := range in.Entries {
		if e.ReceiptHandle == nil {
			failed[i] = missingEntry("DeleteMessageBatch", i, "ReceiptHandle")
		} else {
			handles[i] = *e.ReceiptHandle
		}
	}
	if err := failed.add(q.DeleteBatch(c.Context(), handles), func(i int) int { return i }); err != nil {
		return nil, err
	}
	return &deleteMessageBatchResult{Successful: failed.done(ids), Failed: failed.failures(ids)}, nil
}

// done lists the entries that did not fail.
func (o outcome) done(ids []*string) (list []doneEntry) {
	for i, err := range o {
		if err == nil {
			list = append(list, doneEntry{*ids[i]})
		}
	}
	return list
}

type visibilityEntry struct {
	Id                *string
	ReceiptHandle     *string
	VisibilityTimeout *int32
}

type changeMessageVisibilityBatchRequest struct {
	QueueUrl *string
	Entries  []visibilityEntry `query:"ChangeMessageVisibilityBatchRequestEntry"`
}

type changeMessageVisibilityBatchResult struct {
	Successful []doneEntry    `json:",omitempty" query:"ChangeMessageVisibilityBatchResultEntry"`
	Failed     []batchFailure `json:",omitempty" query:"BatchResultErrorEntry"`
}

func (c call) changeMessageVisibilityBatch(in *changeMessageVisibilityBatchRequest) (*changeMessageVisibilityBatchResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	ids := idsOf(in.Entries, func(e *visibilityEntry) *string { return e.Id })
	if err := c.checkEntries(q, "ChangeMessageVisibilityBatch", ids); err != nil {
		return nil, err
	}
	// Entries without a timeout are not shown to the queue, for which no value means none (SQS:
	// VIS-8).
	failed := make(outcome, len(ids))
	var changes []inq.VisibilityChange
	var entries []int
	for i, e := range in.Entries {
		switch {
		case e.ReceiptHandle == nil:
			failed[i] = missingEntry("ChangeMessageVisibilityBatch", i, "ReceiptHandle")
		case e.VisibilityTimeout == nil:
			failed[i] = missingEntry("ChangeMessageVisibilityBatch", i, "VisibilityTimeout")
		default:
			changes = append(changes, inq.VisibilityChange{ReceiptHandle: *e.ReceiptHandle, Timeout: toDuration(*e.VisibilityTimeout)})
			entries = append(entries, i)
		}
	}
	if len(changes) != 0 {
		err := q.ChangeVisibilityBatch(c.Context(), changes)
		if err := failed.add(err, func(i int) int { return entries[i] }); err != nil {
			return nil, err
		}
	}
	return &changeMessageVisibilityBatchResult{Successful: failed.done(ids), Failed: failed.failures(ids)}, nil
}
