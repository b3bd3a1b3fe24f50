package suite

import (
	"strings"
	"time"
)

// receiptHandles is section 3, receipt handles.
var receiptHandles = Chapter{
	Tables: map[string]string{"TABLE-HANDLES": "Receipt handles"},
	Cases: []Case{
		{"TABLE-HANDLES", "delete with the latest handle, in flight", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				t.NoError(q.Delete(q.One().ReceiptHandle))
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "delete with the latest of several handles", 0, func(t *T) {
			for _, q := range either(t) {
				_, latest := received2(q)
				t.NoError(q.Delete(latest))
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "delete with a lapsed handle, standard", 0, func(t *T) {
			q := t.Standard()
			t.NoError(q.Delete(lapsed(q)))
			t.Equal([3]int{}, q.Counts())
		}},
		{"TABLE-HANDLES", "delete with a lapsed handle, FIFO", 0, func(t *T) {
			q := t.FIFO()
			handle := lapsed(q)
			t.Refused(q.Delete(handle), "InvalidParameterValue", expiredHandle(handle))
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"TABLE-HANDLES", "delete after the timeout", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "5") {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.Sleep(5 * time.Second)
				if q.isFIFO() {
					t.Refused(q.Delete(handle), "InvalidParameterValue", expiredHandle(handle))
					t.Equal([3]int{1, 0, 0}, q.Counts())
				} else {
					t.NoError(q.Delete(handle))
					t.Equal([3]int{}, q.Counts())
				}
			}
		}},
		{"TABLE-HANDLES", "delete at the last moment", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "5")
			q.SendTo("g", "m")
			handle := q.One().ReceiptHandle
			t.Sleep(5*time.Second - time.Millisecond)
			t.NoError(q.Delete(handle))
			t.Equal([3]int{}, q.Counts())
		}},
		{"TABLE-HANDLES", "delete with an older handle, standard", 0, func(t *T) {
			q := t.Standard()
			older, _ := received2(q)
			t.NoError(q.Delete(older))
			t.Equal([3]int{}, q.Counts())
		}},
		{"TABLE-HANDLES", "delete with an older handle, FIFO", 0, func(t *T) {
			q := t.FIFO()
			older, _ := received2(q)
			t.Refused(q.Delete(older), "InvalidParameterValue", expiredHandle(older))
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"TABLE-HANDLES", "delete again with a used handle", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				for range 3 {
					t.NoError(q.Delete(handle))
				}
				q.SendAny("m2")
				t.NoError(q.Delete(handle))
				t.Equal([3]int{1, 0, 0}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "delete inside an extension", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "5") {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Change(handle, 10))
				t.Sleep(10*time.Second - time.Millisecond)
				t.NoError(q.Delete(handle))
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "delete after an extension was made", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Change(handle, 600))
				t.NoError(q.Delete(handle))
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "malformed handle", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				real := q.One().ReceiptHandle
				for _, handle := range []string{"x", "not a handle", real[1:], real + "A", strings.Repeat("A", 1025)} {
					text := `The input receipt handle "` + handle + `" is not a valid receipt handle.`
					t.Refused(q.Delete(handle), "ReceiptHandleIsInvalid", text)
					t.Refused(q.Change(handle, 5), "ReceiptHandleIsInvalid", text)
				}
				// One that was altered may look like that of another queue.
				t.Refused(q.Delete(real[1:]+real[:1]), "ReceiptHandleIsInvalid", "")
				t.Equal([3]int{0, 1, 0}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "a refused handle is answered with 404", HTTP, func(t *T) {
			reply := t.Exchange(t.Request("POST", "/", "Action=DeleteMessage&ReceiptHandle=x&QueueUrl="+t.Standard().URL,
				"Content-Type", "application/x-www-form-urlencoded"))
			t.Equal(404, reply.Status)
		}},
		{"TABLE-HANDLES", "handle of another queue", 0, func(t *T) {
			for i, q := range either(t) {
				other := either(t)[i]
				q.SendAny("m")
				other.SendAny("m")
				handle := other.One().ReceiptHandle
				q.One()
				text := `The receipt handle "` + handle + `" is not valid for this queue.` // (SQS: CAP-10)
				t.Refused(q.Delete(handle), "ReceiptHandleIsInvalid", text)
				t.Refused(q.Change(handle, 0), "ReceiptHandleIsInvalid", text)
				t.Equal([3]int{0, 1, 0}, q.Counts())
				t.Equal([3]int{0, 1, 0}, other.Counts())
			}
		}},
		{"TABLE-HANDLES", "handle of a message that expired", Time, func(t *T) {
			for _, q := range either(t, "MessageRetentionPeriod", "60", "VisibilityTimeout", "600") {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.Sleep(time.Minute)
				t.NoError(q.Delete(handle))
				t.Refused(q.Change(handle, 5), "InvalidParameterValue", notAvailable(handle))
			}
		}},
		{"TABLE-HANDLES", "handle of a message that was purged", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Purge())
				t.NoError(q.Delete(handle))
				t.Refused(q.Change(handle, 5), "InvalidParameterValue", notAvailable(handle))
			}
		}},
		{"TABLE-HANDLES", "change with a lapsed handle, standard", 0, func(t *T) {
			q := t.Standard()
			handle := lapsed(q)
			t.NoError(q.Change(handle, 600))
			t.Equal([3]int{1, 0, 0}, q.Counts())
			q.One()
		}},
		{"TABLE-HANDLES", "change with a lapsed handle, FIFO", 0, func(t *T) {
			q := t.FIFO()
			handle := lapsed(q)
			t.Refused(q.Change(handle, 600), "InvalidParameterValue", expiredHandle(handle)) // (SQS: CAP-8)
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"TABLE-HANDLES", "change after the timeout", Time, func(t *T) {
			for _, q := range either(t, "VisibilityTimeout", "5") {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.Sleep(5 * time.Second)
				if q.isFIFO() {
					t.Refused(q.Change(handle, 5), "InvalidParameterValue", expiredHandle(handle))
				} else {
					t.NoError(q.Change(handle, 5))
				}
				t.Equal([3]int{1, 0, 0}, q.Counts())
			}
		}},
		{"TABLE-HANDLES", "change with an older handle, standard", 0, func(t *T) {
			q := t.Standard()
			older, latest := received2(q)
			t.NoError(q.Change(older, 0))
			t.Equal([3]int{1, 0, 0}, q.Counts())
			t.NoError(q.Delete(latest))
		}},
		{"TABLE-HANDLES", "change with an older handle extends the current receive, standard", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "5")
			older, _ := received2(q)
			t.NoError(q.Change(older, 20))
			t.Sleep(20*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			q.One()
		}},
		{"TABLE-HANDLES", "change with an older handle, FIFO", 0, func(t *T) {
			q := t.FIFO()
			older, _ := received2(q)
			t.Refused(q.Change(older, 0), "InvalidParameterValue", expiredHandle(older))
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"TABLE-HANDLES", "change after the delete", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Delete(handle))
				t.Refused(q.Change(handle, 5), "InvalidParameterValue", notAvailable(handle))
			}
		}},
	},
}

// lapsed returns the handle of a receive that is over: its message is ready again.
func lapsed(q *Q) string {
	q.t.Helper()
	q.SendAny("m")
	handle := q.One().ReceiptHandle
	q.t.NoError(q.Change(handle, 0))
	return handle
}

// received2 receives a message twice and returns the handles of both receives; it is in flight.
func received2(q *Q) (older, latest string) {
	q.t.Helper()
	older = lapsed(q)
	latest = q.One().ReceiptHandle
	return older, latest
}

func expiredHandle(handle string) string {
	return "Value " + handle + " for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
}

// notAvailable is the text of VIS-5.
func notAvailable(handle string) string {
	return "Value " + handle + " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
}
