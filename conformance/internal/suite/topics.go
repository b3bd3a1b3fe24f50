package suite

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// The cases about SNS stand in chapters of their own, which follow the sections of docs/sns.md. They are
// run by RunTopics, over a Service that has Topics beside API.

// TopicChapters returns all chapters about SNS.
func TopicChapters() []Chapter {
	return []Chapter{
		topicWire, topicLives, subscriptionLives, publishing, publishBatches, fanOut, envelopes, fifoTopics, topicDeadLetters,
		topicRetries, filterPolicies, topicTags, topicRecords, traps,
	}
}

// traps is section 17.
var traps = Chapter{Unobservable: func() map[string]string {
	why := map[string]string{}
	for i := range 15 {
		why[fmt.Sprint("TRAP-", i+1)] = "A note on what others do; the rules it is about have cases of their own."
	}
	return why
}()}

// M is a request of SNS: its members by their names.
type M map[string]any

// Results of SNS have the members that cases look at.
type (
	// TopicARN is the answer of CreateTopic, and an element of that of ListTopics.
	TopicARN struct{ TopicArn string }

	// TopicList is the answer of ListTopics.
	TopicList struct {
		Topics    []TopicARN `xml:"Topics>member"`
		NextToken string
	}

	// SubscriptionARN is the answer of Subscribe and ConfirmSubscription.
	SubscriptionARN struct{ SubscriptionArn string }

	// SubscriptionList is the answer of ListSubscriptions and ListSubscriptionsByTopic.
	SubscriptionList struct {
		Subscriptions []ListedSubscription `xml:"Subscriptions>member"`
		NextToken     string
	}

	// ListedSubscription is one subscription of a list.
	ListedSubscription struct{ SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string }

	// TopicAttributes is the answer of all operations that get attributes.
	TopicAttributes struct {
		Attributes EntryMap `xml:"Attributes"`
	}

	// Published is the answer of Publish and, with an Id, an entry of that of PublishBatch.
	Published struct{ Id, MessageId, SequenceNumber string }

	// PublishedBatch is the answer of PublishBatch.
	PublishedBatch struct {
		Successful []Published    `xml:"Successful>member"`
		Failed     []BatchFailure `xml:"Failed>member"`
	}

	// TopicTag is a tag, and TopicTags the answer of ListTagsForResource.
	TopicTag  struct{ Key, Value string }
	TopicTags struct {
		Tags []TopicTag `xml:"Tags>member"`
	}

	// ProtectionPolicy is the answer of GetDataProtectionPolicy.
	ProtectionPolicy struct{ DataProtectionPolicy string }

	// Envelope is what SNS puts around a message.
	Envelope struct {
		Type, MessageId, SequenceNumber, TopicArn, Subject, Message, Timestamp, UnsubscribeURL string
		MessageAttributes                                                                      map[string]struct{ Type, Value string }
	}
)

// EntryMap is a map of text, which SNS spells in XML as entries with a key and a value each.
type EntryMap map[string]string

// UnmarshalXML reads all entries.
func (m *EntryMap) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var all struct {
		Entries []struct {
			Key   string `xml:"key"`
			Value string `xml:"value"`
		} `xml:"entry"`
	}
	if err := d.DecodeElement(&all, &start); err != nil {
		return err
	}
	*m = EntryMap{}
	for _, e := range all.Entries {
		(*m)[e.Key] = e.Value
	}
	return nil
}

// Ask carries out an operation of SNS.
func (t *T) Ask(operation string, in M, out any) error {
	return t.Service.Topics.Call(t.Context(), operation, in, out)
}

// MustAsk is Ask for operations that have to succeed.
func (t *T) MustAsk(operation string, in M, out any) {
	t.Helper()
	t.NoError(t.Ask(operation, in, out), operation)
}

// RefusedBySNS checks that an operation is refused with this code and text; see T.Refused.
func (t *T) RefusedBySNS(code, text, operation string, in M) {
	t.Helper()
	t.Refused(t.Ask(operation, in, nil), code, text)
}

// Invalid is RefusedBySNS with InvalidParameter, whose text begins with "Invalid parameter: ".
func (t *T) Invalid(text, operation string, in M) {
	t.Helper()
	t.RefusedBySNS("InvalidParameter", "Invalid parameter: "+text, operation, in)
}

// Topic creates a topic with attributes "name", "value", ... and returns its ARN.
func (t *T) Topic(name string, attributes ...string) string {
	t.Helper()
	in := M{"Name": name}
	if attributes != nil {
		in["Attributes"] = Pairs(attributes...)
	}
	var out TopicARN
	t.MustAsk("CreateTopic", in, &out)
	return out.TopicArn
}

// FIFOTopic creates a FIFO topic.
func (t *T) FIFOTopic(attributes ...string) string {
	t.Helper()
	return t.Topic("topic.fifo", append(slices.Clip(attributes), "FifoTopic", "true")...)
}

// subscribe is the request to subscribe a queue with attributes "name", "value", ...
func subscribe(topic string, q *Q, attributes ...string) M {
	in := M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": q.ARN(), "ReturnSubscriptionArn": true}
	if attributes != nil {
		in["Attributes"] = Pairs(attributes...)
	}
	return in
}

// Subscribe subscribes a queue and returns the ARN of the subscription.
func (t *T) Subscribe(topic string, q *Q, attributes ...string) string {
	t.Helper()
	var out SubscriptionARN
	t.MustAsk("Subscribe", subscribe(topic, q, attributes...), &out)
	return out.SubscriptionArn
}

// Raw subscribes a new queue that gets messages as they are.
func (t *T) Raw(topic string, attributes ...string) *Q {
	t.Helper()
	q := t.Standard()
	t.Subscribe(topic, q, append(slices.Clip(attributes), "RawMessageDelivery", "true")...)
	return q
}

// Publish publishes a message.
func (t *T) Publish(topic, message string, more ...M) Published {
	t.Helper()
	in := M{"TopicArn": topic, "Message": message}
	for _, m := range more {
		maps.Copy(in, m)
	}
	var out Published
	t.MustAsk("Publish", in, &out)
	return out
}

// With is the message attributes of a request: of type String, by "name", "value", ...
func With(attributes ...string) M {
	values := map[string]AttributeValue{}
	for name, value := range Pairs(attributes...) {
		values[name] = Text(value)
	}
	return M{"MessageAttributes": values}
}

// Attribute is one message attribute of a request.
func Attribute(name, dataType, value string) M {
	return M{"MessageAttributes": map[string]AttributeValue{name: {DataType: dataType, StringValue: value}}}
}

// Envelopes receives messages and reads them.
func (q *Q) Envelopes(n int) (list []Envelope) {
	q.t.Helper()
	for _, body := range q.Bodies(n) {
		var e Envelope
		q.t.NoError(json.Unmarshal([]byte(body), &e), body)
		list = append(list, e)
	}
	return list
}

// AttributesOf gets the attributes of a topic or a subscription.
func (t *T) AttributesOf(arn string) map[string]string {
	t.Helper()
	operation, in := "GetTopicAttributes", M{"TopicArn": arn}
	if isSubscription(arn) {
		operation, in = "GetSubscriptionAttributes", M{"SubscriptionArn": arn}
	}
	var out TopicAttributes
	t.MustAsk(operation, in, &out)
	return out.Attributes
}

func isSubscription(arn string) bool {
	colons := 0
	for _, c := range arn {
		if c == ':' {
			colons++
		}
	}
	return colons == 6
}

// set is the request to set an attribute of a topic or a subscription, and its operation.
func set(arn, name, value string) (operation string, in M) {
	operation, in = "SetTopicAttributes", M{"TopicArn": arn, "AttributeName": name, "AttributeValue": value}
	if isSubscription(arn) {
		operation, in = "SetSubscriptionAttributes", M{"SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value}
	}
	return operation, in
}

// SetOf sets an attribute of a topic or a subscription.
func (t *T) SetOf(arn, name, value string) {
	t.Helper()
	operation, in := set(arn, name, value)
	t.MustAsk(operation, in, nil)
}

// FormOfTopics writes a request of SNS as parameters (SNS: WIRE-3).
func FormOfTopics(operation string, in any) (url.Values, error) {
	members := map[string]any{}
	if err := Copy(&members, in); err != nil {
		return nil, err
	}
	form := url.Values{"Action": {operation}, "Version": {"2010-03-31"}}
	writeTopicForm(form, "", members)
	return form, nil
}

func writeTopicForm(form url.Values, prefix string, members map[string]any) {
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case []any:
			for i, element := range v {
				at := fmt.Sprintf("%s%s.member.%d", prefix, name, i+1)
				if inner, ok := element.(map[string]any); ok {
					writeTopicForm(form, at+".", inner)
				} else {
					form.Set(at, fmt.Sprint(element))
				}
			}
			if len(v) == 0 {
				form.Set(prefix+name, "")
			}
		case map[string]any:
			for i, key := range slices.Sorted(maps.Keys(v)) {
				at := fmt.Sprintf("%s%s.entry.%d.", prefix, name, i+1)
				if inner, ok := v[key].(map[string]any); ok {
					form.Set(at+"Name", key)
					writeTopicForm(form, at+"Value.", inner)
				} else {
					form.Set(at+"key", key)
					form.Set(at+"value", fmt.Sprint(v[key]))
				}
			}
		default:
			form.Set(prefix+name, fmt.Sprint(v))
		}
	}
}
