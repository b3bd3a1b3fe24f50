package sqsapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

// Limits that the texts of section 1.3 speak of; the queue has the same ones.
const (
	maxAttributes = 10
	maxTypeLength = 256
)

// toAttributes turns message attributes into those of a message. It refuses the first wrong one by
// name (SQS: MSG-5, MSG-7..9, MSG-11, MSG-12); names and numbers are left to the queue.
func toAttributes(in wire.Attributes, operation string) (map[string]inq.Attribute, error) {
	if len(in.Named) == 0 {
		return nil, nil
	}
	attributes := make(map[string]inq.Attribute, len(in.Named))
	for name, v := range in.Named {
		if v.StringListValues || v.BinaryListValues {
			return nil, wire.Faultf(kindUnsupportedOperation, textListValues, operation)
		}
		attributes[name] = unchecked(v)
	}
	if n := len(in.Named) + in.Left; n > maxAttributes {
		return attributes, wire.Faultf(kindInvalidParameter, "Number of message attributes [%d] exceeds the allowed maximum [%d].", n, maxAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(in.Named)) {
		if err := checkAttribute(name, in.Named[name]); err != nil {
			return attributes, err
		}
	}
	return attributes, nil
}

func attributeTwice(name string) *fault {
	return wire.Faultf(kindInvalidParameter, "Message (user) attribute '%s' is given more than once.", wire.Shown(name))
}

// unchecked has what the value says, be it right or wrong.
func unchecked(v wire.Attribute) (a inq.Attribute) {
	if v.DataType != nil {
		a.Type = *v.DataType
	}
	if v.StringValue != nil {
		a.Value = *v.StringValue
	}
	a.Binary = v.BinaryValue
	return a
}

func checkAttribute(name string, v wire.Attribute) error {
	a := unchecked(v)
	base, label, labelled := strings.Cut(a.Type, ".")
	field := "String"
	if base == "Binary" {
		field = "Binary"
	}
	switch {
	case name == "": // (SQS: CAP-5)
		return wire.Faultf(kindInvalidParameter, "The request must contain non-empty message attribute name.")
	case a.Type == "":
		return wire.Faultf(kindInvalidParameter, "The message (user) attribute '%s' must contain a non-empty message attribute type.", wire.Shown(name))
	case base != "String" && base != "Number" && base != "Binary", labelled && label == "", !validText(label):
		return wire.Faultf(kindInvalidParameter, "The type of message (user) attribute '%s' is invalid. "+
			"You must use only the following supported type prefixes: Binary, Number, String.", wire.Shown(name))
	case len(a.Type) > maxTypeLength:
		return wire.Faultf(kindInvalidParameter, "The type of message (user) attribute '%s' must not be longer than %d bytes.", wire.Shown(name), maxTypeLength)
	case v.StringValue != nil && v.BinaryValue != nil:
		return wire.Faultf(kindInvalidParameter, "Message (user) attribute '%s' must have a single value.", wire.Shown(name))
	case field == "Binary" && v.StringValue != nil || field == "String" && v.BinaryValue != nil:
		return wire.Faultf(kindInvalidParameter, "Message (user) attribute '%s' with type '%s' must use field '%s'.", wire.Shown(name), base, field)
	case len(a.Value)+len(a.Binary) == 0:
		return wire.Faultf(kindInvalidParameter, "Message (user) attribute '%s' must contain a non-empty value of type '%s'.", wire.Shown(name), base)
	case !validText(a.Value): // (SQS: MSG-9)
		return &fault{Kind: kindInvalidParameter, Message: textCharacters}
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
func toTraceHeader(in wire.Attributes, operation string) (header, digest string, err error) {
	if len(in.Named) == 0 {
		return "", "", nil
	}
	for _, name := range slices.Sorted(maps.Keys(in.Named)) {
		if name != traceHeader {
			return "", "", wire.Faultf(kindInvalidParameter, "Message system attribute name '%s' is invalid.", wire.Shown(name))
		}
	}
	v := in.Named[traceHeader]
	a := unchecked(v)
	switch {
	case bool(v.StringListValues || v.BinaryListValues):
		return "", "", wire.Faultf(kindUnsupportedOperation, textListValues, operation)
	case a.Type != "String" || v.BinaryValue != nil:
		return "", "", wire.Faultf(kindInvalidParameter, "Message system attribute '%s' must be of type 'String'.", traceHeader)
	case a.Value == "":
		return "", "", wire.Faultf(kindInvalidParameter, "Message system attribute '%s' must contain a non-empty value of type 'String'.", traceHeader)
	case !validText(a.Value):
		return "", "", &fault{Kind: kindInvalidParameter, Message: textCharacters}
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
func (f *attributeFilter) pick(attributes map[string]inq.Attribute) (values map[string]wire.AttributeValue, digest string) {
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
	values = make(map[string]wire.AttributeValue, len(picked))
	for name, a := range picked {
		v := wire.AttributeValue{DataType: &a.Type}
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
