package worker_test

import (
	"context"
	"errors"
	"testing"

	"example.com/inq"
	"example.com/inq/worker"
)

// FuzzMux_Handle: whatever a message says, a Mux handles it, buries it or fails, and does not panic.
func FuzzMux_Handle(f *testing.F) {
	for _, body := range []string{"", "null", "{", `{"picture":"cat.png"}`, `{"picture":7}`, `{"Type":"Notification"}`,
		`{"Type":"Notification","Message":"{}","MessageAttributes":{"kind":{"Type":"String","Value":"resize"}}}`,
		`{"Type":"Notification","Message":7,"MessageAttributes":[]}`} {
		f.Add("resize", body)
		f.Add("", body)
		f.Add("other", body)
	}
	mux := worker.NewMux(worker.WithSNSEnvelopes())
	handled := false
	worker.NewKind[Resize]("resize").Handle(mux, func(_ context.Context, j worker.Job[Resize]) error {
		handled = true
		return nil
	})
	f.Fuzz(func(t *testing.T, kind, body string) {
		d := inq.NewDelivery(nil, inq.DeliveryFields{Body: body, Attributes: map[string]inq.Attribute{"kind": inq.String(kind)}})
		handled = false
		err := mux.Handle(t.Context(), &d)
		if (err == nil) != handled {
			t.Fatalf("handled %t, error %v", handled, err)
		}
		if kind == "resize" && err != nil && !errors.As(err, new(*worker.BuryError)) {
			t.Fatalf("a body that does not decode is to be buried, not %v", err)
		}
	})
}
