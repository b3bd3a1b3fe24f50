package inq

import (
	"encoding/json"
	"unicode/utf8"
)

// This file keeps bodies whole in JSON, whose text is Unicode: encoding/json would put U+FFFD in
// the place of every byte of a binary body that is none. Such a body, which only a queue
// WithoutSQSLimits takes, stands in base64 in a member of its own.

// plainMessage and plainLetter are the types without their methods.
type (
	plainMessage Message
	plainLetter  DeadLetter
)

// MarshalJSON writes the members of m. A body that is not valid UTF-8 is in the member "bodyBase64"
// in place of "body".
func (m Message) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(m.Body) {
		return json.Marshal(plainMessage(m))
	}
	return json.Marshal(struct {
		Body       string `json:"body,omitempty"` // hides the other, and is left out
		BodyBase64 []byte `json:"bodyBase64"`
		plainMessage
	}{BodyBase64: []byte(m.Body), plainMessage: plainMessage(m)})
}

// UnmarshalJSON reads what MarshalJSON has written. Members that are not there leave their fields
// as they are.
func (m *Message) UnmarshalJSON(text []byte) error {
	in := struct {
		BodyBase64 []byte `json:"bodyBase64"`
		*plainMessage
	}{plainMessage: (*plainMessage)(m)}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if in.BodyBase64 != nil {
		m.Body = string(in.BodyBase64)
	}
	return nil
}

// MarshalJSON writes the members of d, as that of [Message] does.
func (d DeadLetter) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(d.Body) {
		return json.Marshal(plainLetter(d))
	}
	return json.Marshal(struct {
		Body       string `json:"body,omitempty"`
		BodyBase64 []byte `json:"bodyBase64"`
		plainLetter
	}{BodyBase64: []byte(d.Body), plainLetter: plainLetter(d)})
}

// UnmarshalJSON reads what MarshalJSON has written, as that of [Message] does.
func (d *DeadLetter) UnmarshalJSON(text []byte) error {
	in := struct {
		BodyBase64 []byte `json:"bodyBase64"`
		*plainLetter
	}{plainLetter: (*plainLetter)(d)}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	if in.BodyBase64 != nil {
		d.Body = string(in.BodyBase64)
	}
	return nil
}
