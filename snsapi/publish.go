package snsapi

import (
	"fmt"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

// publishMembers are common to Publish and the entries of its batch.
type publishMembers struct {
	Message, Subject, MessageStructure     *string
	MessageAttributes                      wire.Attributes `query:"MessageAttributes.entry,Name,Value"`
	MessageDeduplicationId, MessageGroupId *string
}

type publishRequest struct {
	TopicArn, TargetArn, PhoneNumber *string
	publishMembers
}

type publishResult struct{ MessageId, SequenceNumber string }

func (c call) publish(in *publishRequest) (*publishResult, error) {
	targets := 0
	for _, target := range []*string{in.TopicArn, in.TargetArn, in.PhoneNumber} {
		if target != nil {
			targets++
		}
	}
	switch {
	case targets == 0:
		return nil, missing("TopicArn or TargetArn")
	case targets > 1:
		return nil, invalid("TopicArn", "only one of TopicArn, TargetArn and PhoneNumber can be given")
	case in.PhoneNumber != nil && c.missing: // what is sent must be found in the region's outbox
		r, err := c.find(c.account.Region(), true)
		if err != nil {
			return nil, err
		}
		c.region = r
	case in.TopicArn != nil: // which comes before what is wrong with the message
		if _, err := c.account.ByARN(*in.TopicArn); err != nil {
			return nil, err
		}
	}
	m, err := in.message(c)
	arn := text(in.TopicArn) + text(in.TargetArn)
	if err != nil && strings.Contains(arn, ":endpoint/") {
		// An endpoint that takes nothing comes before the message (SNS: PLAT-10).
		if _, first := c.account.Publish(c.Context(), arn, topic.Message{}); toFault(first).Kind != kindInvalidParameter {
			err = first
		}
	}
	if err != nil {
		return nil, err
	}
	var published topic.Published
	if in.PhoneNumber != nil {
		published, err = c.account.PublishSMS(c.Context(), *in.PhoneNumber, m)
	} else {
		published, err = c.account.Publish(c.Context(), arn, m)
	}
	if err != nil {
		return nil, err
	}
	return &publishResult{published.MessageID(), published.SequenceNumber()}, nil
}

// message is what a request asks to publish. What can be said wrong over the wire alone is refused.
func (in *publishMembers) message(c call) (m topic.Message, err error) {
	if in.Message == nil {
		return m, missing("Message")
	}
	if in.Subject != nil && *in.Subject == "" { // (SNS: PUB-3)
		return m, wire.Faultf(kindInvalidParameter, "Invalid parameter: Subject")
	}
	if in.MessageStructure != nil && *in.MessageStructure == "" {
		return m, invalid("MessageStructure", `must be "json" if it is given`)
	}
	m = topic.Message{Body: *in.Message, Subject: text(in.Subject), Structure: text(in.MessageStructure), GroupID: text(in.MessageGroupId),
		DeduplicationID: text(in.MessageDeduplicationId), TraceHeader: traceOf(c)}
	m.Attributes, err = messageAttributes(in.MessageAttributes)
	return m, err
}

// messageAttributes are those of a request. All but the members that SNS does not have is the topic's to
// check.
func messageAttributes(in wire.Attributes) (map[string]inq.Attribute, error) {
	if len(in.Named) == 0 {
		return nil, nil
	}
	if in.Left > 0 { // no form has as many
		return nil, wire.Faultf(kindInvalidParameter, "Invalid parameter: Message too long")
	}
	out := make(map[string]inq.Attribute, len(in.Named))
	for name, v := range in.Named {
		if v.StringListValues || v.BinaryListValues {
			return nil, wire.Faultf(kindParameterValueInvalid, "The message attribute '%s' has a list of values, which is not supported.", wire.Shown(name))
		}
		out[name] = inq.Attribute{Type: text(v.DataType), Value: text(v.StringValue), Binary: v.BinaryValue}
	}
	return out, nil
}

// traceOf returns the trace header that a request carries (SNS: FAN-7). One that no message can have is
// ignored.
func traceOf(c call) string {
	header := c.Request.Header.Get("X-Amzn-Trace-Id")
	for i := range len(header) {
		if header[i] < ' ' || header[i] > '~' {
			return ""
		}
	}
	return header
}

type publishEntry struct {
	Id *string
	publishMembers
}

type publishBatchRequest struct {
	TopicArn                   *string
	PublishBatchRequestEntries []publishEntry `query:"PublishBatchRequestEntries.member"`
}

type publishBatchResult struct {
	Successful []publishedEntry `query:"Successful.member"`
	Failed     []failedEntry    `query:"Failed.member"` // none ever (SNS: BAT-6)
}

type publishedEntry struct{ Id, MessageId, SequenceNumber string }

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

// maxEntries is how many entries a batch has at most (SNS: BAT-1).
const maxEntries = 10

func (c call) publishBatch(in *publishBatchRequest) (*publishBatchResult, error) {
	t, err := c.topic("TopicArn", in.TopicArn)
	if err != nil {
		return nil, err
	}
	entries := in.PublishBatchRequestEntries
	if len(entries)+c.Left() > maxEntries {
		return nil, wire.Faultf(kindTooManyEntries, "The batch request contains more entries than permissible.")
	}
	if err := checkIDs(entries); err != nil {
		return nil, err
	}
	ms := make([]topic.Message, len(entries))
	for i := range entries {
		if entries[i].Message == nil {
			return nil, null(fmt.Sprintf("publishBatchRequestEntries.%d.member.message", i+1))
		}
		if ms[i], err = entries[i].message(c); err != nil {
			return nil, err
		}
	}
	published, err := t.PublishBatch(c.Context(), ms)
	if err != nil {
		return nil, err
	}
	out := &publishBatchResult{Successful: make([]publishedEntry, len(ms)), Failed: []failedEntry{}}
	for i, p := range published {
		out.Successful[i] = publishedEntry{*entries[i].Id, p.MessageID(), p.SequenceNumber()}
	}
	return out, nil
}

// checkIDs checks the ids of a batch (SNS: BAT-2, BAT-3).
func checkIDs(entries []publishEntry) error {
	seen := make(map[string]bool, len(entries))
	for i, e := range entries {
		switch {
		case e.Id == nil:
			return null(fmt.Sprintf("publishBatchRequestEntries.%d.member.id", i+1))
		case seen[*e.Id]:
			return wire.Faultf(kindIdsNotDistinct, "Two or more batch entries in the request have the same Id.")
		}
		seen[*e.Id] = true
	}
	for _, e := range entries {
		switch id := *e.Id; {
		case len(id) > 80:
			return wire.Faultf(kindInvalidBatchEntryID, "The Id of a batch entry in the batch request is too long: %s", wire.Shown(id))
		case id == "" || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "":
			return wire.Faultf(kindInvalidBatchEntryID, "The Id of a batch entry in the batch request contains an impermissible character: %s", wire.Shown(id))
		}
	}
	return nil
}
