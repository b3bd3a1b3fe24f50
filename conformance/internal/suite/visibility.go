package suite

import "time"

// visibility is section 4, delete and visibility.
var visibility = Chapter{
	Cases: []Case{
		{"DEL-1", "a deleted message is gone, and only that", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2", "m3")
				ms := q.Receive(3)
				q.DeleteAll(ms[1])
				t.Equal([3]int{0, 2, 0}, q.Counts())
				t.NoError(q.Change(ms[2].ReceiptHandle, 0))
				t.NoError(q.Change(ms[0].ReceiptHandle, 0))
				t.Equal([]string{"m1", "m3"}, q.Bodies(10))
			}
		}},
		{"DEL-1", "a delete answers with nothing", HTTP | JSON, func(t *T) {
			q := t.Standard()
			q.Send("m")
			reply := t.Exchange(t.Request("POST", "/", `{"QueueUrl":"`+q.URL+`","ReceiptHandle":"`+q.One().ReceiptHandle+`"}`,
				"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.DeleteMessage"))
			t.Equal(200, reply.Status)
			t.Equal("{}", reply.Body)
		}},
		{"DEL-1", "a delete is refused for a malformed handle", 0, func(t *T) {
			for _, q := range either(t) {
				t.Refused(q.Delete("x"), "ReceiptHandleIsInvalid", `The input receipt handle "x" is not a valid receipt handle.`)
			}
		}},
		{"DEL-1", "a delete is refused in a queue that does not exist", 0, func(t *T) {
			q := t.Standard()
			q.Send("m")
			handle := q.One().ReceiptHandle
			t.NoError(q.Drop())
			t.Refused(q.Delete(handle), "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist...")
		}},
		{"DEL-1", "a delete is refused for an expired handle of a FIFO queue", 0, func(t *T) {
			q := t.FIFO()
			handle := lapsed(q)
			t.Refused(q.Delete(handle), "InvalidParameterValue", expiredHandle(handle))
		}},
		{"DEL-2", "a message can be deleted while another consumer has it", 0, func(t *T) {
			q := t.Standard()
			older, latest := received2(q)
			t.Equal([3]int{0, 1, 0}, q.Counts())
			t.NoError(q.Delete(older))
			t.Equal([3]int{}, q.Counts())
			t.Refused(q.Change(latest, 0), "InvalidParameterValue", notAvailable(latest))
		}},
		{"DEL-3", "good and bad handles in one batch", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ms := q.Receive(2)
				var out DeleteBatchResult
				t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{
					{Id: "good", ReceiptHandle: ms[0].ReceiptHandle}, {Id: "bad", ReceiptHandle: "x"},
					{Id: "good-too", ReceiptHandle: ms[1].ReceiptHandle}, {Id: "again", ReceiptHandle: ms[0].ReceiptHandle},
				}}, &out)
				t.Equal([]Done{{"good"}, {"good-too"}, {"again"}}, out.Successful)
				t.Len(out.Failed, 1)
				t.Failed(out.Failed[0], "bad", "ReceiptHandleIsInvalid")
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"DEL-3", "an expired handle of a FIFO queue fails its entry", 0, func(t *T) {
			q := t.FIFO()
			var out DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: lapsed(q)}}}, &out)
			t.Empty(out.Successful)
			t.Len(out.Failed, 1)
			t.Failed(out.Failed[0], "a", "ReceiptHandleIsInvalid") // (SQS: CAP-8)
		}},
		{"DEL-3", "a batch of a wrong number of entries is refused as a whole", 0, func(t *T) {
			q := t.Standard()
			q.Send("m")
			entries := make([]DeleteMessage, 11)
			for i := range entries {
				entries[i] = DeleteMessage{Id: string(rune('a' + i)), ReceiptHandle: "x"}
			}
			entries[0].ReceiptHandle = q.One().ReceiptHandle
			t.Refused(t.Call("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, entries}, nil),
				"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11.")
			t.Refused(t.Call("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{}}, nil),
				"AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one DeleteMessageBatchRequestEntry in the request.")
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"DEL-3", "a batch with a bad or a repeated id is refused as a whole", Members, func(t *T) {
			q := t.Standard()
			q.Send("m")
			handle := q.One().ReceiptHandle
			for id, code := range map[string]string{"a": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "a.b": "AWS.SimpleQueueService.InvalidBatchEntryId"} {
				err := t.Call("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: handle}, {Id: id, ReceiptHandle: handle}}}, nil)
				t.Refused(err, code, "")
			}
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"DEL-4", "deleting the last in flight unlocks a group", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3")
			ms := q.Receive(2)
			q.DeleteAll(ms[1])
			q.Empty()
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			q.DeleteAll(ms[0])
			p := <-poll
			t.NoError(p.Err)
			t.Equal([]string{"m3"}, Bodies(p.Messages))
		}},
		{"DEL-4", "it wakes a long poll at once", Time, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2")
			m := q.One()
			poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.Sleep(3 * time.Second)
			q.DeleteAll(m)
			p := <-poll
			t.NoError(p.Err)
			t.Equal([]string{"m2"}, Bodies(p.Messages))
			t.Equal(3*time.Second, p.Took)
		}},
		{"VIS-1", "a change counts from now, not from the old deadline", Time, func(t *T) {
			for _, seconds := range []int{2, 60} {
				for _, q := range either(t, "VisibilityTimeout", "30") {
					q.SendAny("m")
					m := q.One()
					t.Sleep(10 * time.Second)
					t.NoError(q.Change(m.ReceiptHandle, seconds))
					t.Sleep(time.Duration(seconds)*time.Second - time.Millisecond)
					t.Equal([3]int{0, 1, 0}, q.Counts())
					t.Sleep(time.Millisecond)
					t.Equal([3]int{1, 0, 0}, q.Counts())
				}
			}
		}},
		{"VIS-1", "0 makes the message visible at once", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				t.NoError(q.Change(q.One().ReceiptHandle, 0))
				t.Equal("2", q.One().Attributes["ApproximateReceiveCount"])
			}
		}},
		{"VIS-2", "the next receive has the usual timeout", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "5")
			q.Send("m")
			t.NoError(q.Change(q.One().ReceiptHandle, 20))
			t.Sleep(20 * time.Second)
			q.One()
			t.Sleep(5*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			_, err := q.Take(ReceiveMessage{VisibilityTimeout: Int(8)})
			t.NoError(err)
			t.Sleep(8*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			q.One()
		}},
		{"VIS-2", "a change does not apply to the next receive", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				t.NoError(q.Change(q.One().ReceiptHandle, 0))
				q.One()
				q.Empty()
			}
		}},
		{"VIS-3", "a timeout out of range is refused", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				for _, seconds := range []int{-1, 43201} {
					t.Refused(q.Change(handle, seconds), "InvalidParameterValue", "")
				}
				t.Equal([3]int{0, 1, 0}, q.Counts())
			}
		}},
		{"VIS-3", "the total from the receive is bound to 12 hours", Time, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Change(handle, 43200))
				t.Sleep(time.Second)
				t.Refused(q.Change(handle, 43200), "InvalidParameterValue",
					"Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
				t.NoError(q.Change(handle, 43199))
				t.Sleep(time.Hour)
				t.Refused(q.Change(handle, 39600), "InvalidParameterValue", "")
				t.NoError(q.Change(handle, 39599))
				t.Sleep(39599*time.Second - time.Millisecond)
				t.Equal([3]int{0, 1, 0}, q.Counts())
				t.Sleep(time.Millisecond)
				t.Equal([3]int{1, 0, 0}, q.Counts())
			}
		}},
		{"VIS-3", "the bound counts from the latest receive", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "10")
			q.Send("m")
			q.One()
			t.Sleep(10 * time.Second)
			t.NoError(q.Change(q.One().ReceiptHandle, 43200))
		}},
		{"VIS-4", "a message extended again and again stays hidden", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "2")
			q.Send("m")
			m := q.One()
			for range 8 {
				t.Sleep(time.Second)
				t.NoError(q.Change(m.ReceiptHandle, 2))
			}
			t.Sleep(2*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			q.One()
		}},
		{"VIS-5", "after a delete a change is refused", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Delete(handle))
				for _, seconds := range []int{0, 30} {
					t.Refused(q.Change(handle, seconds), "InvalidParameterValue", notAvailable(handle))
				}
			}
		}},
		{"VIS-6", "a malformed handle is refused", 0, func(t *T) {
			for _, q := range either(t) {
				t.Refused(q.Change("x", 30), "ReceiptHandleIsInvalid", `The input receipt handle "x" is not a valid receipt handle.`)
			}
		}},
		{"VIS-6", "no refusal is MessageNotInflight", Texts, func(t *T) {
			q := t.Standard()
			handle := lapsed(q)
			t.NoError(q.Change(handle, 30))
			t.NoError(q.Delete(handle))
			t.Refused(q.Change(handle, 30), "InvalidParameterValue", notAvailable(handle))
			fifo := t.FIFO()
			handle = lapsed(fifo)
			t.Refused(fifo.Change(handle, 30), "InvalidParameterValue", expiredHandle(handle))
		}},
		{"VIS-7", "changing one message leaves the others of its group alone", Time, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "5")
			q.SendTo("g", "m1", "m2", "m3")
			ms := q.Receive(3)
			t.NoError(q.Change(ms[2].ReceiptHandle, 9))
			t.Sleep(5*time.Second - time.Millisecond)
			t.Equal([3]int{0, 3, 0}, q.Counts())
			t.Sleep(time.Millisecond)
			t.Equal([3]int{2, 1, 0}, q.Counts())
			t.Sleep(4 * time.Second)
			t.Equal([3]int{3, 0, 0}, q.Counts())
		}},
		{"VIS-7", "giving one message back leaves the others in flight", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2", "m3")
			ms := q.Receive(3)
			t.NoError(q.Change(ms[1].ReceiptHandle, 0))
			t.Equal([3]int{1, 2, 0}, q.Counts())
			q.Empty()
		}},
		{"VIS-8", "each entry of a batch has its own timeout and its own failure", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m1", "m2")
				ms := q.Receive(2)
				out := q.changeBatch(
					ChangeMessageVisibility{Id: "a", ReceiptHandle: ms[0].ReceiptHandle, VisibilityTimeout: Int(0)},
					ChangeMessageVisibility{Id: "b", ReceiptHandle: "x", VisibilityTimeout: Int(30)},
					ChangeMessageVisibility{Id: "c", ReceiptHandle: ms[1].ReceiptHandle, VisibilityTimeout: Int(43201)},
					ChangeMessageVisibility{Id: "d", ReceiptHandle: ms[1].ReceiptHandle, VisibilityTimeout: Int(600)},
				)
				t.Equal([]Done{{"a"}, {"d"}}, out.Successful)
				t.Len(out.Failed, 2)
				t.Failed(out.Failed[0], "b", "ReceiptHandleIsInvalid")
				t.Failed(out.Failed[1], "c", "InvalidParameterValue")
				t.Equal([3]int{1, 1, 0}, q.Counts())
			}
		}},
		{"VIS-8", "the timeouts of a batch count from now", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "600")
			q.Send("m1", "m2")
			ms := q.Receive(2)
			q.changeBatch(
				ChangeMessageVisibility{Id: "a", ReceiptHandle: ms[0].ReceiptHandle, VisibilityTimeout: Int(9)},
				ChangeMessageVisibility{Id: "b", ReceiptHandle: ms[1].ReceiptHandle, VisibilityTimeout: Int(4)},
			)
			t.Sleep(4 * time.Second)
			t.Equal([]string{"m2"}, q.Bodies(10))
			t.Sleep(5 * time.Second)
			t.Equal([]string{"m1"}, q.Bodies(10))
		}},
		{"VIS-8", "a batch of a wrong number of entries is refused as a whole", 0, func(t *T) {
			q := t.Standard()
			entries := make([]ChangeMessageVisibility, 11)
			for i := range entries {
				entries[i] = ChangeMessageVisibility{Id: string(rune('a' + i)), ReceiptHandle: "x", VisibilityTimeout: Int(0)}
			}
			t.Refused(t.Call("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, entries}, nil),
				"AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 11.")
			t.Refused(t.Call("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{}}, nil),
				"AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one ChangeMessageVisibilityBatchRequestEntry in the request.")
		}},
		{"VIS-8", "a batch with a bad or a repeated id is refused as a whole", Members, func(t *T) {
			q := t.Standard()
			q.Send("m")
			handle := q.One().ReceiptHandle
			for id, code := range map[string]string{"a": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "a.b": "AWS.SimpleQueueService.InvalidBatchEntryId"} {
				err := t.Call("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{
					{Id: "a", ReceiptHandle: handle, VisibilityTimeout: Int(0)}, {Id: id, ReceiptHandle: handle, VisibilityTimeout: Int(0)},
				}}, nil)
				t.Refused(err, code, "")
			}
			t.Equal([3]int{0, 1, 0}, q.Counts())
		}},
		{"VIS-8", "an entry without a timeout fails", Members | Unchecked, func(t *T) {
			q := t.Standard()
			q.Send("m1", "m2")
			ms := q.Receive(2)
			out := q.changeBatch(
				ChangeMessageVisibility{Id: "a", ReceiptHandle: ms[0].ReceiptHandle, VisibilityTimeout: Int(0)},
				ChangeMessageVisibility{Id: "b", ReceiptHandle: ms[1].ReceiptHandle},
			)
			t.Equal([]Done{{"a"}}, out.Successful)
			t.Len(out.Failed, 1)
			t.Failed(out.Failed[0], "b", "MissingParameter")
			if t.Has(Texts) {
				t.Equal("The request must contain the parameter ChangeMessageVisibilityBatchRequestEntry.2.VisibilityTimeout.", out.Failed[0].Message)
			}
			t.Equal([3]int{1, 1, 0}, q.Counts())
		}},
		{"VIS-9", "a receive given back counts, and the next receive moves the message", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 2)
			q.Send("m")
			for range 2 {
				t.NoError(q.Change(q.One().ReceiptHandle, 0))
				t.Equal([3]int{1, 0, 0}, q.Counts())
				t.Equal([3]int{}, dead.Counts())
			}
			q.Empty()
			t.Equal([3]int{}, q.Counts())
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
		{"VIS-9", "a timeout counts, and nothing moves before the next receive", Time, func(t *T) {
			q, dead := t.FIFO("VisibilityTimeout", "5"), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g", "m")
			q.One()
			t.Sleep(time.Hour)
			t.Equal([3]int{1, 0, 0}, q.Counts())
			q.Empty()
			t.Equal([]string{"m"}, dead.Bodies(10))
		}},
	},
}

// changeBatch changes the visibility of several receives.
func (q *Q) changeBatch(entries ...ChangeMessageVisibility) (out VisibilityBatchResult) {
	q.t.Helper()
	q.t.Must("ChangeMessageVisibilityBatch", Batch[ChangeMessageVisibility]{q.URL, entries}, &out)
	return out
}
