package inqaws

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"example.com/inq"
)

// The JSON of a request can hold valid UTF-8 only. The SDK puts another character where it meets
// something else, sends that, and SQS takes it: a body, attribute or trace header would arrive
// altered. So it is refused here, in the words of a queue in the process.

// checkMessage refuses a message that the SDK would alter.
func checkMessage(m *inq.Message) error {
	if reason := invalid(m.Body); reason != "" {
		return &inq.ParamError{Err: inq.ErrInvalidMessageContents, Param: "MessageBody", Reason: reason}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) { // in order: always refused for the same reason
		a := m.Attributes[name]
		if !utf8.ValidString(name) {
			return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "MessageAttributes", Value: name, Reason: "a name must be valid UTF-8"}
		}
		for _, text := range []string{a.Type, a.Value} {
			if reason := invalid(text); reason != "" {
				return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: "MessageAttributes." + name, Value: a.Type, Reason: reason}
			}
		}
	}
	for _, p := range []struct{ name, value string }{
		{"MessageGroupId", m.GroupID}, {"MessageDeduplicationId", m.DeduplicationID}, {"AWSTraceHeader", m.TraceHeader},
	} {
		if reason := invalid(p.value); reason != "" {
			return &inq.ParamError{Err: inq.ErrInvalidParameter, Param: p.name, Value: p.value, Reason: reason}
		}
	}
	return nil
}

// checkHandle refuses a handle that the SDK would alter: SQS has given none of its kind.
func checkHandle(receiptHandle string) error {
	if reason := invalid(receiptHandle); reason != "" {
		return &inq.ParamError{Err: inq.ErrReceiptHandleInvalid, Param: "ReceiptHandle", Value: receiptHandle, Reason: reason}
	}
	return nil
}

// invalid says where text is not valid UTF-8, "" if it is.
func invalid(text string) string {
	if utf8.ValidString(text) {
		return ""
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return fmt.Sprintf("invalid UTF-8 at byte %d", i)
			}
		}
	}
	return ""
}
