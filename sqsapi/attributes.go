package sqsapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/inq"
)

// attributeValue is MessageAttributeValue in an answer.
type attributeValue struct {
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"` // base64 on the wire
	DataType    *string `json:",omitempty"`
}

// attributeInput is MessageAttributeValue in a request.
type attributeInput struct {
	StringValue      *string
	BinaryValue      []byte
	DataType         *string
	StringListValues reserved `query:"StringListValue"`
	BinaryListValues reserved `query:"BinaryListValue"`
}

// reserved is a member that no request may have; true where it is there.
type reserved bool

// attributeInputs are MessageAttributes or MessageSystemAttributes of a request, as far as they are
// kept. "" is the name of those that have none.
type attributeInputs struct {
	named     map[string]attributeInput
	left      int // how many are not kept, since there are too many in any case
	leftBytes int // of these, at least
}

// Limits that the texts of section 1.3 speak of; the queue has the same ones.
const (
	maxAttributes = 10
	maxTypeLength = 256
)

// toAttributes turns message attributes into those of a message. It refuses the first wrong one by
// name (SQS: MSG-5, MSG-7..9, MSG-11, MSG-12); names and numbers are left to the queue.
func toAttributes(in attributeInputs, operation string) (map[string]inq.Attribute, error) {
	if len(in.named) == 0 {
		return nil, nil
	}
	attributes := make(map[string]inq.Attribute, len(in.named))
	for name, v := range in.named {
		if v.StringListValues || v.BinaryListValues {
			return nil, faultf(kindUnsupportedOperation, textListValues, operation)
		}
		attributes[name] = v.unchecked()
	}
	if n := len(in.named) + in.left; n > maxAttributes {
		return attributes, faultf(kindInvalidParameter, "Number of message attributes [%d] exceeds the allowed maximum [%d].", n, maxAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(in.named)) {
		if err := in.named[name].check(name); err != nil {
			return attributes, err
		}
	}
	return attributes, nil
}

func attributeTwice(name string) error {
	return faultf(kindInvalidParameter, "Message (user) attribute '%s' is given more than once.", shown(name))
}

// unchecked has what the value says, be it right or wrong.
func (v attributeInput) unchecked() (a inq.Attribute) {
	if v.DataType != nil {
		a.Type = *v.DataType
	}
	if v.StringValue != nil {
		a.Value = *v.StringValue
	}
	a.Binary = v.BinaryValue
	return a
}

func (v attributeInput) check(name string) error {
	a := v.unchecked()
	base, label, labelled := strings.Cut(a.Type, ".")
	field := "String"
	if base == "Binary" {
		field = "Binary"
	}
	switch {
	case name == "": // (SQS: CAP-5)
		return faultf(kindInvalidParameter, "The request must contain non-empty message attribute name.")
	case a.Type == "":
		return faultf(kindInvalidParameter, "The message (user) attribute '%s' must contain a non-empty message attribute type.", shown(name))
	case base != "String" && base != "Number" && base != "Binary", labelled && label == "", !validText(label):
		return faultf(kindInvalidParameter, "The type of message (user) attribute '%s' is invalid. "+
			"You must use only the following supported type prefixes: Binary, Number, String.", shown(name))
	case len(a.Type) > maxTypeLength:
		return faultf(kindInvalidParameter, "The type of message (user) attribute '%s' must not be longer than %d bytes.", shown(name), maxTypeLength)
	case v.StringValue != nil && v.BinaryValue != nil:
		return faultf(kindInvalidParameter, "Message (user) attribute '%s' must have a single value.", shown(name))
	case field == "Binary" && v.StringValue != nil || field == "String" && v.BinaryValue != nil:
		return faultf(kindInvalidParameter, "Message (user) attribute '%s' with type '%s' must use field '%s'.", shown(name), base, field)
	case len(a.Value)+len(a.Binary) == 0:
		return faultf(kindInvalidParameter, "Message (user) attribute '%s' must contain a non-empty value of type '%s'.", shown(name), base)
	case !validText(a.Value): // (SQS: MSG-9)
		return &fault{kind: kindInvalidParameter, message: textCharacters}
	}
	return nil
}

// validText reports whether text has only characters that SQS takes (SQS: MSG-3).
func validText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !validRune(r) })
}

func validRune(r rune) bool {
	return (r >= ' ' || r == '\t' || r == '\n' || r == '\r') && r != 0xFFFE && r != 0xFFFF
}

const traceHeader = "AWSTraceHeader"

// toTraceHeader returns the trace header among the system attributes, and its digest (SQS: MSG-13,
// MD5-4).
func toTraceHeader(in attributeInputs, operation string) (header, digest string, err error) {
	if len(in.named) == 0 {
		return "", "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(in.named)) {
		if name != traceHeader {
			return "", "", faultf(kindInvalidParameter, "Message system attribute name '%s' is invalid.", shown(name))
		}
	}
	v := in.named[traceHeader]
	a := v.unchecked()
	switch {
	case bool(v.StringListValues || v.BinaryListValues):
		return "", "", faultf(kindUnsupportedOperation, textListValues, operation)
	case a.Type != "String" || v.BinaryValue != nil:
		return "", "", faultf(kindInvalidParameter, "Message system attribute '%s' must be of type 'String'.", traceHeader)
	case a.Value == "":
		return "", "", faultf(kindInvalidParameter, "Message system attribute '%s' must contain a non-empty value of type 'String'.", traceHeader)
	case !validText(a.Value):
		return "", "", &fault{kind: kindInvalidParameter, message: textCharacters}
	}
	return a.Value, attributesDigest(map[string]inq.Attribute{traceHeader: a}), nil
}

// traceOf returns the trace header that a request itself carries (SQS: section 2.3). One that no
// message can have is ignored.
func traceOf(r *http.Request) string {
	if header := r.Header.Get("X-Amzn-Trace-Id"); validText(header) {
		return header
	}
	return ""
}

// attributeFilter is MessageAttributeNames (SQS: RCV-11).
type attributeFilter struct {
	all      bool
	names    map[string]bool
	prefixes []string
}

func newAttributeFilter(names []string) (f attributeFilter) {
	for _, name := range names {
		prefix, wild := strings.CutSuffix(name, ".*")
		switch {
		case name == "All" || name == "*" || name == ".*":
			f.all = true
		case wild:
			f.prefixes = append(f.prefixes, prefix)
		default:
			if f.names == nil {
				f.names = make(map[string]bool, len(names))
			}
			f.names[name] = true
		}
	}
	return f
}

// pick returns the attributes that are asked for, as they go over the wire, and their digest (SQS:
// RCV-12).
func (f *attributeFilter) pick(attributes map[string]inq.Attribute) (values map[string]attributeValue, digest string) {
	if len(attributes) == 0 || !f.all && f.names == nil && f.prefixes == nil {
		return nil, ""
	}
	picked := attributes
	if !f.all {
		picked = make(map[string]inq.Attribute, len(attributes))
		for name, a := range attributes {
			if f.names[name] || slices.ContainsFunc(f.prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				picked[name] = a
			}
		}
	}
	if len(picked) == 0 {
		return nil, ""
	}
	values = make(map[string]attributeValue, len(picked))
	for name, a := range picked {
		v := attributeValue{DataType: &a.Type}
		if isBinary(a.Type) {
			v.BinaryValue = a.Binary
		} else {
			v.StringValue = &a.Value
		}
		values[name] = v
	}
	return values, attributesDigest(picked)
}

// systemAttributes are those a receive can ask for (SQS: section 2.3). "" does not apply to the
// message, and is left out (SQS: SYS-1).
var systemAttributes = []struct {
	name string
	of   func(d *inq.Delivery) string
}{
	{"SenderId", (*inq.Delivery).SenderID},
	{"SentTimestamp", func(d *inq.Delivery) string { return strconv.FormatInt(d.SentAt().UnixMilli(), 10) }},
	{"ApproximateReceiveCount", func(d *inq.Delivery) string { return strconv.Itoa(d.ReceiveCount) }},
	{"ApproximateFirstReceiveTimestamp", func(d *inq.Delivery) string { return strconv.FormatInt(d.FirstReceivedAt().UnixMilli(), 10) }},
	{"SequenceNumber", (*inq.Delivery).SequenceNumber},
	{"MessageDeduplicationId", (*inq.Delivery).DeduplicationID},
	{"MessageGroupId", func(d *inq.Delivery) string { return d.GroupID }},
	{traceHeader, (*inq.Delivery).TraceHeader},
	{"DeadLetterQueueSourceArn", (*inq.Delivery).DeadLetterSourceARN},
}

// pickSystem returns the system attributes among names, nil where none applies. Names of either
// list count (SQS: RCV-10).
func pickSystem(d *inq.Delivery, names, deprecated []string) map[string]string {
	if len(names)+len(deprecated) == 0 {
		return nil
	}
	asked := func(name string) bool { return slices.Contains(names, name) || slices.Contains(deprecated, name) }
	all := asked("All")
	var values map[string]string
	for _, a := range systemAttributes {
		if !all && !asked(a.name) {
			continue
		}
		if value := a.of(d); value != "" {
			if values == nil {
				values = make(map[string]string, len(systemAttributes))
			}
			values[a.name] = value
		}
	}
	return values
}
