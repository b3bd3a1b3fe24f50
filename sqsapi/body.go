package sqsapi

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"example.com/inq"
)

// checkBody refuses a body that is empty or holds what SQS does not take (SQS: MSG-3, MSG-4), for a
// queue without limits. Others do so by themselves, in their order of checks. One without them takes
// any bytes from the program it belongs to, but not from the wire: what SQS refuses, clients must
// see refused, and XML has no way to carry it.
func checkBody(body string) error {
	switch {
	case body == "":
		return &inq.ParamError{Err: inq.ErrMissingParameter, Param: "MessageBody"}
	case !isText(body):
		return aboutBody(&inq.ParamError{Err: inq.ErrInvalidMessageContents, Param: "MessageBody"}, body)
	}
	return nil
}

// aboutBody puts the character that a queue does not take into its refusal of a body (SQS: MSG-3).
func aboutBody(err error, body string) error {
	if !errors.Is(err, inq.ErrInvalidMessageContents) {
		return err
	}
	for i, r := range body {
		if validRune(r) && (r != utf8.RuneError || strings.HasPrefix(body[i:], "\uFFFD")) {
			continue
		}
		if r == utf8.RuneError {
			r = rune(body[i]) // no character at all
		}
		return &fault{Kind: kindInvalidMessageContents, Cause: err, Message: fmt.Sprintf("Invalid binary character '#x%X' was found in the message body, "+
			"the set of allowed characters is #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF].", r)}
	}
	return err
}

// shownBody is a body as clients see it: with U+FFFD in the place of each byte or character that SQS
// does not take. Only a message that was sent in the process to a queue without limits has such a
// body, wherever it is now. Its digest is that of what is shown, or clients would take it for
// damaged and refuse the answer, other messages and all.
func shownBody(body string) string {
	if isText(body) {
		return body
	}
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r // that of a byte that belongs to no character is U+FFFD already
	}, body)
}

// isText reports whether SQS takes all of a body. Eight bytes at a time are looked at as long as
// none is a control character, since every body that is received comes by here.
func isText(body string) bool {
	for i := 0; i < len(body); i++ {
		if len(body)-i >= 8 && !anyControl(body[i:i+8]) {
			i += 7
			continue
		}
		if c := body[i]; c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return utf8.ValidString(body) && !strings.Contains(body, "\uFFFE") && !strings.Contains(body, "\uFFFF")
}

// anyControl reports whether one of eight bytes is below 0x20: only then does taking 0x20 from it
// borrow and set a high bit that was not set before.
func anyControl(s string) bool {
	_ = s[7]
	w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (w-0x2020202020202020)&^w&0x8080808080808080 != 0
}
