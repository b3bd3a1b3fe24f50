package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kind is one row of the error vocabulary of a service.
type Kind struct {
	Shape     string // its name in AWS JSON, without the namespace
	Code      string // its name in the Query protocol
	Status    int    // of HTTP
	Framework bool   // not a shape of the service's model: another namespace in AWS JSON
	Receiver  bool   // the fault is the service's, not the sender's
	QueryText string // what the Query protocol says in the place of the message, if not ""
}

// What is no request at all is refused alike by all services (SQS: WIRE-8, WIRE-11).
var (
	KindUnknownOperation = &Kind{Shape: "UnknownOperationException", Code: "InvalidAction", Status: 400, Framework: true}
	KindSerialization    = &Kind{Shape: "SerializationException", Code: "MalformedInput", Status: 400, Framework: true}
	KindAccessDenied     = &Kind{Shape: "AccessDeniedException", Code: "AccessDenied", Status: 403, Framework: true}
	KindTooLarge         = &Kind{Shape: "RequestEntityTooLargeException", Code: "RequestEntityTooLarge", Status: http.StatusRequestEntityTooLarge, Framework: true}
	KindRequestTimeout   = &Kind{Shape: "RequestTimeoutException", Code: "RequestTimeout", Status: http.StatusRequestTimeout, Framework: true}
)

// Fault is an error as it goes over the wire.
type Fault struct {
	Kind    *Kind
	Message string
	Cause   error // what the service said; nil for what the front end refuses itself
	unread  bool  // the request was not read to its end
}

func (f *Fault) Error() string { return f.Kind.Code + ": " + f.Message }
func (f *Fault) Unwrap() error { return f.Cause }

// Faultf makes a fault with a text.
func Faultf(k *Kind, format string, args ...any) *Fault {
	return &Fault{Kind: k, Message: fmt.Sprintf(format, args...)}
}

func (f *Fault) side() string {
	if f.Kind.Receiver {
		return "Receiver"
	}
	return "Sender"
}

// Bounds of error texts in bytes: what they repeat of a request, and the whole.
const (
	MaxShown   = 2048
	MaxMessage = 2 * MaxShown
)

// Shown is a value as error texts repeat it: durations as seconds, long ones cut.
func Shown(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Duration:
		return strconv.FormatInt(int64(v/time.Second), 10)
	case string:
		return Cut(v, MaxShown)
	}
	return fmt.Sprint(value)
}

// Cut shortens text to at most so many bytes of whole characters.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}
