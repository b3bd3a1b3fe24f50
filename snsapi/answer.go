package snsapi

import (
	"reflect"
	"time"

	"example.com/inq/internal/wire"
)

// Answer is what became of a request, see Options.Answered. It holds nothing of a message.
type Answer struct {
	Operation string // such as "Publish"; "" where the request names none that exists
	// Resource is what the request is about: an ARN, or the name of what it creates, cut where it is too
	// long for one. "" where the request is about nothing, or cannot be read.
	Resource string
	// Region is the one the request is about; "" where the request names no operation.
	Region       string
	Status       int    // of HTTP
	Code         string // of the error; "" for success
	RequestBytes int64  // size of the request's body; -1 where the client did not tell it before
	Bytes        int    // size of the answer's body
	Duration     time.Duration
}

// maxResource is longer than any ARN.
const maxResource = 512

// describeAnswer tells what a request was about, as far as that was understood.
func describeAnswer(w *wire.Answer) (a Answer) {
	a = Answer{Status: w.Status, Code: w.Code, RequestBytes: w.RequestBytes, Bytes: w.Bytes, Duration: w.Duration}
	if r, ok := w.Call.Own.(*region); ok {
		a.Region = r.account.Region()
	}
	if w.Operation == nil {
		return a
	}
	a.Operation = w.Operation.Name
	if w.In == nil {
		return a
	}
	members := reflect.ValueOf(w.In).Elem()
	for _, name := range []string{"TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn", "EndpointArn", "PlatformApplicationArn", "Name"} {
		if field := members.FieldByName(name); field.IsValid() {
			if s, ok := field.Interface().(*string); ok && s != nil {
				a.Resource = wire.Cut(*s, maxResource)
				break
			}
		}
	}
	return a
}
