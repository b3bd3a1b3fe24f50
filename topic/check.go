package topic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/inq"
	"example.com/inq/topic/internal/filter"
)

// checkContext refuses what every call refuses.
func checkContext(ctx context.Context) error {
	if ctx == nil {
		return &ParamError{Err: ErrMissingValue, Param: "ctx", Reason: "must not be nil"}
	}
	return ctx.Err()
}

// check validates a message against what the topic demands, and reads its structure (SNS: sections
// 5 and 10). A message that is nothing but a body on a Standard topic takes the short way through it.
func (t *Topic) check(m *Message, s *topicSettings) (texts, *ParamError) {
	if m.Body == "" {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Message", Value: "", Reason: "must not be empty", Text: "Invalid parameter: Empty message"}
	}
	if size := m.size(); size > maxMessageSize && !t.account.unlimited {
		return nil, &ParamError{Err: ErrInvalidParameter, Param: "Message", Value: size,
			Reason: fmt.Sprintf("bytes of message and attributes must be at most %d", maxMessageSize), Text: "Invalid parameter: Message too long"}
	}
	if !utf8.ValidString(m.Body) {
		return nil, invalid("Message", nil, "must be valid UTF-8")
	}
	if m.Subject != "" && !isSubject(m.Subject) {
		return nil, invalidName("Subject", m.Subject, "must have at most 100 characters, none of them a line break or another control character")
	}
	var parts texts
	switch m.Structure {
	case "":
	case StructureJSON:
		var err *ParamError
		if parts, err = structured(m.Body); err != nil {
			return nil, err
		}
	default:
		return nil, invalid("MessageStructure", m.Structure, `must be "json" if it is given`)
	}
	if len(m.Attributes) != 0 {
		if err := checkAttributes(m.Attributes); err != nil {
			return nil, err
		}
	}
	if m.TraceHeader != "" && !isText(m.TraceHeader) {
		return nil, invalid("AWSTraceHeader", m.TraceHeader, "must be text without control characters")
	}
	return parts, t.checkIDs(m, s)
}

// checkIDs checks group and deduplication id (SNS: PUB-5 to PUB-8).
func (t *Topic) checkIDs(m *Message, s *topicSettings) *ParamError {
	if m.GroupID == "" && t.fifo != nil {
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageGroupId", Value: "", Reason: "required on a FIFO topic",
			Text: "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"}
	}
	if m.GroupID != "" && !isID(m.GroupID) {
		return invalid("MessageGroupId", m.GroupID, "must have 1 to 128 alphanumeric or punctuation characters")
	}
	switch {
	case m.DeduplicationID != "" && t.fifo == nil:
		return invalid("MessageDeduplicationId", m.DeduplicationID,
			"The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case m.DeduplicationID != "" && !isID(m.DeduplicationID):
		return invalid("MessageDeduplicationId", m.DeduplicationID, "must have 1 to 128 alphanumeric or punctuation characters")
	case m.DeduplicationID == "" && t.fifo != nil && !s.contentDedup:
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageDeduplicationId", Value: "",
			Reason: "required on a FIFO topic without content-based deduplication",
			Text:   "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}
	}
	return nil
}

// isID tells the alphabet of group and deduplication ids.
func isID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return id != "" && len(id) <= maxIDLength
}

// isText tells what a queue takes as text: no control characters but white space.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}

func isSubject(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxSubject && !strings.ContainsFunc(s, unicode.IsControl)
}

// checkAttributes looks at message attributes in the order of their names, so that the same map is
// always refused for the same reason.
func checkAttributes(attributes map[string]inq.Attribute) *ParamError {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := checkAttributeName(name); err != nil {
			return err
		}
		if err := checkAttribute(name, attributes[name]); err != nil {
			return err
		}
	}
	return nil
}

// badAttribute is the refusal of a message attribute.
func badAttribute(name string, value any, format string, args ...any) *ParamError {
	return &ParamError{Err: ErrInvalidMessageAttribute, Param: "MessageAttributes." + name, Value: value, Text: fmt.Sprintf(format, args...)}
}

// checkAttributeName applies SNS: PUB-15 to PUB-18, PUB-20.
func checkAttributeName(name string) *ParamError {
	refuse := func(format string, args ...any) *ParamError {
		return &ParamError{Err: ErrInvalidMessageAttribute, Param: "MessageAttributes", Value: name, Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case name == "":
		return refuse("Length of message attribute name must be greater than 0.")
	case len(name) > maxNameLength:
		return refuse("Length of message attribute name must be less than 256 bytes.")
	}
	for _, r := range name {
		if r != '_' && r != '-' && r != '.' && !('0' <= r && r <= '9') && !('a' <= r && r <= 'z') && !('A' <= r && r <= 'Z') {
			return refuse("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
				"Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
		}
	}
	lower := strings.ToLower(name)
	switch {
	case name[0] == '.':
		return refuse("Invalid message attribute name starting with character '.' was found.")
	case name[len(name)-1] == '.':
		return refuse("Invalid message attribute name ending with character '.' was found.")
	case strings.Contains(name, ".."):
		return refuse("Message attribute name can not have successive '.' character.")
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return refuse("Message attribute name can not start with 'AWS.' or 'Amazon.'.")
	}
	return nil
}

// checkAttribute applies SNS: PUB-11 to PUB-14, PUB-19.
func checkAttribute(name string, a inq.Attribute) *ParamError {
	base, label, labelled := strings.Cut(a.Type, ".")
	switch {
	case a.Type == "":
		return &ParamError{Err: ErrMissingValue, Param: "MessageAttributes." + name, Value: "", Reason: "the type must not be empty",
			Text: "1 validation error detected: Value null at 'messageAttributes." + name + ".member.dataType' failed to satisfy constraint: Member must not be null"}
	case base != "String" && base != "Number" && base != "Binary", labelled && label == "", len(a.Type) > maxNameLength, !isText(a.Type):
		return badAttribute(name, a.Type, "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	}
	field, given, other := "String", len(a.Value), len(a.Binary)
	if base == "Binary" {
		field, given, other = "Binary", other, given
	}
	switch {
	case other > 0:
		return badAttribute(name, a.Type, "The message attribute '%s' with type '%s' must use field '%s'.", name, a.Type, field)
	case given == 0:
		return badAttribute(name, a.Type, "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.Type)
	case !isText(a.Value):
		return badAttribute(name, nil, "The message attribute '%s' must contain valid text.", name)
	case base == "Number" && !filter.IsNumber(a.Value):
		return badAttribute(name, a.Value, "Could not cast message attribute '%s' value to number.", name)
	}
	return nil
}
