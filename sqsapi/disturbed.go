package sqsapi

import (
	"reflect"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/disturbance"
	"example.com/inq/internal/wire"
)

// This file is the way in for tests that have the API misbehave, see package inqtest.

func init() {
	disturbance.Disturb = func(h any, f disturbance.Around) { h.(*Handler).around = f }
}

// disturbed is an operation that goes through the handler's disturbance, where it has one.
func disturbed(o *wire.Operation) *wire.Operation {
	run := o.Run
	o.Run = func(c *wire.Call, in any) (any, error) {
		r, _ := c.Own.(*region)
		if r == nil || r.around == nil {
			return run(c, in)
		}
		return r.around(c.Request.Context(), o.Name, about(c, in), func(wrap func(any) any) (any, error) {
			if wrap != nil {
				c.Own = &region{r.Handler, r.broker, wrap}
			}
			return run(c, in)
		})
	}
	return o
}

// about is the name of the queue that a request is about, "" for none.
func about(c *wire.Call, in any) string {
	v := reflect.ValueOf(in).Elem()
	for _, member := range []string{"QueueUrl", "QueueName", "SourceArn"} {
		text, _ := valueOf(v.FieldByName(member)).(*string)
		switch {
		case text == nil:
		case member == "QueueUrl":
			name, _ := splitQueueURL(*text)
			return name
		default:
			return (*text)[strings.LastIndexByte(*text, ':')+1:]
		}
	}
	return c.Path
}

func valueOf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// wrapped is a queue as the disturbance of the call has it.
func (r *region) wrapped(q inq.Local, err error) (inq.Local, error) {
	if err != nil || r.wrap == nil {
		return q, err
	}
	return r.wrap(q).(inq.Local), nil
}
