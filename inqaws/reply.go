package inqaws

import (
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"example.com/inq"
)

// reply is what came of a request in place of a result: an answer of SQS or of what stands in front
// of it, or none that could be read.
type reply struct {
	code, text string // "" where the answer is none of SQS, such as that of a proxy
	status     int    // of HTTP, 0 where that is not known
	server     bool   // the fault is on the other side
}

// replyOf finds the reply of SQS in err, nil where there is none. A client of the SDK wraps it in
// the operation, and within that in the response; everything else in there is of those that were
// asked before the request could be sent, such as a provider of credentials. A fake may return the
// error itself.
func replyOf(err error) *reply { return search{}.in(err) }

// search is what was passed on the way down to a reply.
type search struct {
	operation bool
	response  *smithyhttp.ResponseError
}

// in finds the reply in err, below what s has passed.
func (s search) in(err error) *reply {
	all := err
	for !isNil(err) {
		switch e := err.(type) {
		case *smithy.OperationError:
			if s.operation || e.ServiceID != sqs.ServiceID {
				return nil
			}
			s.operation = true
		case *awshttp.ResponseError:
			s.response = e.ResponseError
		case *smithyhttp.ResponseError:
			s.response = e
		case *smithyhttp.RequestSendError:
			if s.operation && s.response != nil && !errors.As(err, new(*inq.ParamError)) { // which is of ours
				return &reply{server: true}
			}
		case smithy.APIError:
			if s.operation && s.response == nil || !toSQS(s.response) {
				return nil
			}
			return &reply{code: e.ErrorCode(), text: e.ErrorMessage(), status: statusOf(s.response), server: e.ErrorFault() == smithy.FaultServer}
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
			continue
		case interface{ Unwrap() []error }:
			for _, part := range e.Unwrap() {
				if r := s.in(part); r != nil {
					return r
				}
			}
		}
		break
	}
	if !s.operation || s.response == nil || !toSQS(s.response) {
		return nil
	}
	// Not an answer of SQS, or one that was cut off.
	torn := errors.Is(all, io.ErrUnexpectedEOF) || errors.As(all, new(net.Error))
	if status := statusOf(s.response); status >= http.StatusBadRequest || torn {
		return &reply{status: status, server: torn}
	}
	return nil
}

// statusOf returns the status of a response, 0 where that is not known.
func statusOf(e *smithyhttp.ResponseError) int {
	if e == nil || e.Response == nil || e.Response.Response == nil {
		return 0
	}
	return e.Response.StatusCode
}

// toSQS reports whether a response can be one of SQS, as far as it tells.
func toSQS(e *smithyhttp.ResponseError) bool {
	if statusOf(e) == 0 || e.Response.Request == nil {
		return true
	}
	return strings.HasPrefix(e.Response.Request.Header.Get("X-Amz-Target"), "AmazonSQS.")
}

// reason is the text behind the value and the parameter, where there are these. The value is what a
// caller sent, and can be any text (SQS: ERR-4).
func (r *reply) reason() string {
	if !strings.HasPrefix(r.text, "Value ") {
		return r.text
	}
	const mark = " is invalid. " + reasonMark
	i := strings.LastIndex(r.text, mark)
	if i < 0 {
		return ""
	}
	return r.text[i+len(mark):]
}

// isNil reports whether v is nil or holds a nil pointer or function.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return r.IsNil()
	}
	return false
}
