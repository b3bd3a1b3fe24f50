package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/inq"
)

// queueSpec is a queue to be created at the start.
type queueSpec struct {
	text       string // as it was given
	name       string
	attributes map[string]string
}

const (
	fifoQueue     = "FifoQueue"
	redrivePolicy = "RedrivePolicy"
)

// settable are the attributes that CreateQueue takes.
var settable = []string{"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", fifoQueue, "FifoThroughputLimit",
	"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "Policy",
	"ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", redrivePolicy, "SqsManagedSseEnabled", "VisibilityTimeout"}

// parseQueue reads name,Attribute=value,Attribute=value and so on. Spaces around names and values
// are dropped. A value that begins with { is one JSON object, in which commas separate nothing;
// any other ends before the next comma. FifoQueue is true where the name ends in .fifo and the text
// does not say. Values are not checked beyond that, because the broker does.
func parseQueue(text string) (queueSpec, error) {
	name, rest, more := strings.Cut(text, ",")
	q := queueSpec{text: text, name: strings.TrimSpace(name), attributes: map[string]string{}}
	if q.name == "" {
		return queueSpec{}, errors.New("must begin with the name of a queue")
	}
	if strings.Contains(q.name, "=") {
		return queueSpec{}, fmt.Errorf("must begin with the name of a queue, which %q cannot be", q.name)
	}
	for more {
		part, _, _ := strings.Cut(rest, ",")
		attribute, _, found := strings.Cut(part, "=")
		if !found {
			return queueSpec{}, fmt.Errorf("%q must be Attribute=value", strings.TrimSpace(part))
		}
		var value string
		var err error
		if value, rest, more, err = cutValue(rest[len(attribute)+1:]); err != nil {
			return queueSpec{}, fmt.Errorf("the value of %s %w", strings.TrimSpace(attribute), err)
		}
		attribute = strings.TrimSpace(attribute)
		if !slices.Contains(settable, attribute) {
			return queueSpec{}, fmt.Errorf("there is no attribute %q to set, only %s", attribute, strings.Join(settable, ", "))
		}
		if _, twice := q.attributes[attribute]; twice {
			return queueSpec{}, fmt.Errorf("%s is given twice", attribute)
		}
		q.attributes[attribute] = value
	}
	if _, said := q.attributes[fifoQueue]; !said && strings.HasSuffix(q.name, ".fifo") {
		q.attributes[fifoQueue] = "true"
	}
	return q, nil
}

// cutValue splits text behind the value it begins with. more tells whether a comma follows, and
// rest is what stands behind it.
func cutValue(text string) (value, rest string, more bool, err error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		value, rest, more = strings.Cut(text, ",")
		return strings.TrimSpace(value), rest, more, nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	var object json.RawMessage
	if err := d.Decode(&object); err != nil {
		return "", "", false, fmt.Errorf("begins with { and must be JSON: %w", err)
	}
	end := d.InputOffset()
	between, rest, more := strings.Cut(text[end:], ",")
	if between = strings.TrimSpace(between); between != "" {
		return "", "", false, fmt.Errorf("is JSON and must be followed by a comma or nothing, not by %q", between)
	}
	return text[:end], rest, more, nil
}

// brokerOptions are those of the broker of any region.
func (c *config) brokerOptions(region string) []inq.BrokerOption {
	options := []inq.BrokerOption{inq.WithRegion(region), inq.WithQueueLimit(c.maxQueues), inq.WithQueueDefaults(inq.WithCapacity(c.maxMessages, c.maxBytes))}
	if c.account != "" {
		options = append(options, inq.WithAccount(c.account))
	}
	if c.journal != nil {
		options = append(options, inq.WithBrokerJournal(c.journal))
	}
	if c.relaxed {
		options = append(options, inq.WithoutCooldowns())
	}
	return options
}

// newBroker makes the broker of the first region with the queues that the arguments ask for. Redrive policies come
// last, so that they may name any of the queues.
func (c *config) newBroker(ctx context.Context) (*inq.Broker, error) {
	b, err := inq.NewBroker(c.brokerOptions(c.region)...)
	if err != nil {
		return nil, err
	}
	for _, q := range c.queues {
		attributes := maps.Clone(q.attributes)
		delete(attributes, redrivePolicy)
		if _, err := b.CreateQueue(ctx, q.name, attributes, nil); err != nil {
			return nil, q.refused(err)
		}
	}
	for _, q := range c.queues {
		if policy, ok := q.attributes[redrivePolicy]; ok {
			if err := b.SetAttributes(ctx, q.name, map[string]string{redrivePolicy: policy}); err != nil {
				return nil, q.refused(err)
			}
		}
	}
	return b, nil
}

// refused is the error of a queue that the broker does not create. It reads like those of package
// flag.
func (q *queueSpec) refused(err error) error {
	return &usageError{fmt.Errorf("invalid value %q for flag -queue: %w", q.text, err)}
}

// firstQueue is the queue to show in examples, "" for none. A FIFO queue would need more than they
// say.
func firstQueue(queues []queueSpec) string {
	for _, q := range queues {
		if !strings.HasSuffix(q.name, ".fifo") {
			return q.name
		}
	}
	return ""
}
