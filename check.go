package inq

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxAttributes     = 10
	maxNameLength     = 256
	maxTypeLength     = 256
	maxIDLength       = 128
	maxTextLength     = 2048 // of a trace header, a sender id, and the name of a key
	maxNumberDigits   = 38
	maxNumberExponent = 126
	minNumberExponent = -128
)

// checkBody applies SQS: MSG-3, MSG-4. A queue without limits takes any bytes, and none too.
func checkBody(body string, s *settings) error {
	if s.unlimited {
		return nil
	}
	if body == "" {
		return &ParamError{Err: ErrMissingParameter, Param: "MessageBody", Value: "", Reason: "must not be empty" + liftedText}
	}
	if i := invalidText(body); i >= 0 {
		return &ParamError{Err: ErrInvalidMessageContents, Param: "MessageBody", Reason: invalidTextReason(body, i) + liftedText}
	}
	return nil
}

// check validates m against what a queue demands of every message, and returns its size (SQS:
// MSG-1).
func (m *Message) check(s *settings) (size int, err error) {
	if err := checkBody(m.Body, s); err != nil {
		return 0, err
	}
	size = len(m.Body)
	if len(m.Attributes) != 0 {
		n, err := checkAttributes(m.Attributes)
		if err != nil {
			return 0, err
		}
		size += n
	}
	if m.GroupID != "" {
		if err := checkID("MessageGroupId", m.GroupID); err != nil {
			return 0, err
		}
	}
	if m.TraceHeader != "" { // (SQS: MSG-13)
		if err := checkText("AWSTraceHeader", m.TraceHeader); err != nil {
			return 0, err
		}
	}
	if m.SenderID != "" {
		if err := checkText("SenderId", m.SenderID); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// checkText refuses a text that is kept with a message and does not count towards its size, where it
// is too long or has characters that no body can have.
func checkText(param, text string) error {
	if len(text) > maxTextLength {
		return &ParamError{Err: ErrInvalidParameter, Param: param, Value: len(text), Max: maxTextLength,
			Reason: "must not be longer than 2048 bytes"}
	}
	if i := invalidText(text); i >= 0 {
		return &ParamError{Err: ErrInvalidParameter, Param: param, Reason: invalidTextReason(text, i)}
	}
	return nil
}

// checkAttributes returns the sum of the sizes of names, types and values (SQS: MSG-1). The names
// are looked at in order, so that the same map is always refused for the same reason.
func checkAttributes(attrs map[string]Attribute) (size int, err error) {
	if len(attrs) > maxAttributes {
		return 0, &ParamError{Err: ErrInvalidParameter, Param: "MessageAttributes", Value: len(attrs), Max: maxAttributes,
			Reason: "number of message attributes"}
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		if err := checkAttributeName(name); err != nil {
			return 0, err
		}
		if err := a.check(name); err != nil {
			return 0, err
		}
		size += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
	}
	return size, nil
}

// checkAttributeName applies SQS: MSG-6.
func checkAttributeName(name string) error {
	refuse := func(reason string) error {
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageAttributes", Value: name, Reason: reason}
	}
	if !utf8.ValidString(name) {
		return refuse("a name must be valid UTF-8")
	}
	if n := utf8.RuneCountInString(name); n == 0 || n > maxNameLength {
		return refuse("a name must have 1 to 256 characters")
	}
	for _, r := range name {
		if r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !('0' <= r && r <= '9') {
			return refuse("a name can include letters, digits, underscores, hyphens and periods")
		}
	}
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return refuse("a name must not start or end with a period or have two in a row")
	}
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return refuse(`a name must not start with "AWS." or "Amazon."`)
	}
	return nil
}

// check applies SQS: MSG-7..11 to the type and the value.
func (a Attribute) check(name string) error {
	refuse := func(value any, reason string) error {
		return &ParamError{Err: ErrInvalidParameter, Param: "MessageAttributes." + name, Value: value, Reason: reason}
	}
	base, label, labelled := strings.Cut(a.Type, ".")
	switch {
	case a.Type == "":
		return refuse("", "the type must not be empty")
	case len(a.Type) > maxTypeLength:
		return refuse(len(a.Type), "the type must have at most 256 bytes")
	case base != "String" && base != "Number" && base != "Binary", labelled && label == "":
		return refuse(a.Type, "the type must be String, Number or Binary, optionally with a label after a dot")
	case invalidText(a.Type) >= 0:
		return refuse(a.Type, "the type must be text")
	}
	if base == "Binary" {
		if a.Value != "" {
			return refuse(a.Type, "a value of type Binary must be given in Binary, not in Value")
		}
		if len(a.Binary) == 0 {
			return refuse(a.Type, "the value must not be empty")
		}
		return nil
	}
	if len(a.Binary) != 0 {
		return refuse(a.Type, "only a value of type Binary can be given in Binary")
	}
	if a.Value == "" {
		return refuse(a.Type, "the value must not be empty")
	}
	if i := invalidText(a.Value); i >= 0 {
		return refuse(a.Type, invalidTextReason(a.Value, i))
	}
	if base == "Number" {
		if reason := checkNumber(a.Value); reason != "" {
			return refuse(a.Value, reason)
		}
	}
	return nil
}

// checkNumber returns why v is not a number of SQS, or "" (SQS: MSG-10).
func checkNumber(v string) string {
	const notNumber = "the value must be a decimal number"
	s := strings.TrimLeft(v, "+-")
	if len(v)-len(s) > 1 {
		return notNumber
	}
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		e := strings.TrimLeft(s[i+1:], "+-")
		if len(s)-i-1-len(e) > 1 || e == "" || strings.Trim(e, "0123456789") != "" {
			return notNumber
		}
		for _, c := range e {
			exponent = min(exponent*10+int(c-'0'), 1_000_000)
		}
		if s[i+1] == '-' {
			exponent = -exponent
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return notNumber
	}
	// Zeros in front and behind carry no precision; what is left of the point counts into the
	// magnitude.
	trimmed := strings.TrimLeft(digits, "0")
	leading := len(digits) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return ""
	}
	if len(trimmed) > maxNumberDigits {
		return "a number has at most 38 significant digits"
	}
	if magnitude := len(whole) - leading - 1 + exponent; magnitude > maxNumberExponent ||
		magnitude < minNumberExponent || magnitude == maxNumberExponent && trimmed != "1" {
		return "the magnitude of a number must be from 1e-128 to 1e+126"
	}
	return ""
}

// checkID applies the alphabet and length of group, deduplication and attempt ids (SQS: section
// 1.2, NAM-3).
func checkID(param, id string) error {
	if len(id) < 1 || len(id) > maxIDLength || !printable(id) {
		return &ParamError{Err: ErrInvalidParameter, Param: param, Value: id,
			Reason: "must have 1 to 128 alphanumeric or punctuation characters, no spaces"}
	}
	return nil
}

// printable reports whether all of s is ASCII from '!' to '~': eight bytes at a time, some of the last
// eight twice where the length is no multiple of that.
func printable(s string) bool {
	const (
		high  = 0x8080808080808080
		first = 0x2121212121212121 // a byte below '!' less this has its high bit set,
		one   = 0x0101010101010101 // one above '~' and this, and those of other alphabets in one of both
	)
	if len(s) < 8 {
		for i := range len(s) {
			if s[i] < '!' || s[i] > '~' {
				return false
			}
		}
		return true
	}
	w := word(s[len(s)-8:])
	bad := (w - first) | (w + one)
	for ; len(s) > 8; s = s[8:] {
		w = word(s[:8])
		bad |= (w - first) | (w + one)
	}
	return bad&high == 0
}

// invalidText returns the index of the first byte that does not belong to a character SQS takes, or
// -1 (SQS: MSG-3). It runs for every body sent: eight bytes at a time as long as they are printable
// ASCII, 64 where there are as many, which costs a tenth of a loop over runes.
func invalidText(text string) int {
	const (
		high = 0x8080808080808080
		low  = 0x2020202020202020
	)
	// A byte below 0x20 borrows in the subtraction and shows up in its high bit. A borrow can also
	// reach the byte above it; that only sends valid text to the careful part, never the reverse.
	s := text
	for len(s) >= 8 {
		if len(s) >= 64 {
			w, x, y, z := word(s[0:8]), word(s[8:16]), word(s[16:24]), word(s[24:32])
			bad := w | x | y | z | (w - low) | (x - low) | (y - low) | (z - low)
			w, x, y, z = word(s[32:40]), word(s[40:48]), word(s[48:56]), word(s[56:64])
			bad |= w | x | y | z | (w - low) | (x - low) | (y - low) | (z - low)
			if bad&high == 0 {
				s = s[64:]
				continue
			}
		}
		if w := word(s[:8]); (w|(w-low))&high == 0 {
			s = s[8:]
			continue
		}
		n := invalidRun(s, 8)
		if n < 0 {
			return len(text) - len(s) - n - 1
		}
		s = s[n:]
	}
	for len(s) > 0 {
		n := invalidRun(s, 1)
		if n < 0 {
			return len(text) - len(s) - n - 1
		}
		s = s[n:]
	}
	return -1
}

// word returns the first eight bytes of s as a number; the compiler makes one load of it.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// invalidRun checks whole characters of s until at least n bytes are done and returns how many
// were, or -1-i where the character at byte i is invalid.
func invalidRun(s string, n int) int {
	i := 0
	for i < n && i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
				return -1 - i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
			return -1 - i
		}
		i += size
	}
	return i
}

// invalidTextReason describes the character that invalidText found at byte i.
func invalidTextReason(s string, i int) string {
	const allowed = "valid are tab, line feed, carriage return, U+0020 to U+D7FF, U+E000 to U+FFFD and U+10000 to U+10FFFF"
	r, size := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && size <= 1 {
		return fmt.Sprintf("invalid UTF-8 at byte %d; %s", i, allowed)
	}
	return fmt.Sprintf("invalid character %U at byte %d; %s", r, i, allowed)
}
