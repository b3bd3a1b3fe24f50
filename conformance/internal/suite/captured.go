package suite

// captured is section 13, what clients captured of the service. What fits a rule of another section
// is proven there too.
var captured = Chapter{
	Cases: []Case{
		{"CAP-1", "setting no attributes", Account | Texts, func(t *T) {
			err := t.Call("SetQueueAttributes", map[string]any{"QueueUrl": t.Standard().URL, "Attributes": map[string]string{}}, nil)
			t.Refused(err, "MissingParameter", "The request must contain the parameter Attribute.Name.")
		}},
		{"CAP-2", "an attempt id whose message was deleted", 0, func(t *T) {
			q := t.FIFO()
			q.SendTo("g", "m1", "m2")
			q.DeleteAll(q.attempt("a", nil)[0])
			q.notRetryable("a")
		}},
		{"CAP-3", "tags under the names of their members", HTTP, func(t *T) {
			q := t.Standard()
			ok(t, q.URL, "Action", "TagQueue", "Tags.1.Key", "a", "Tags.1.Value", "1", "Tags.2.Key", "b", "Tags.2.Value", "2")
			ok(t, q.URL, "Action", "UntagQueue", "TagKeys.1", "a")
			t.Equal("b", ok(t, q.URL, "Action", "ListQueueTags").all("Tag")[0].text("Key"))
			ok(t, "/", "Action", "CreateQueue", "QueueName", "tagged", "Tags.1.Key", "c", "Tags.1.Value", "3")
			tags := ok(t, t.Base+"/000000000000/tagged", "Action", "ListQueueTags").all("Tag")
			t.Len(tags, 1)
			t.Equal("c 3", tags[0].text("Key")+" "+tags[0].text("Value"))
		}},
		{"CAP-4", "an allow policy comes back without nulls and blanks", Account, func(t *T) {
			q := t.Standard()
			source := `"` + q.ARN() + `"`
			for given, shown := range map[string]string{
				`{ "sourceQueueArns": null, "redrivePermission": "denyAll" }`:               `{"redrivePermission":"denyAll"}`,
				`{"sourceQueueArns" : [ ` + source + ` ], "redrivePermission" : "byQueue"}`: `{"redrivePermission":"byQueue","sourceQueueArns":[` + source + `]}`,
			} {
				t.NoError(q.Set("RedriveAllowPolicy", given))
				t.Equal(shown, q.Attribute("RedriveAllowPolicy"))
			}
		}},
		{"CAP-5", "an attribute without a name", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "x", MessageAttributes: valued("", Text("v"))})
			t.Refused(err, "InvalidParameterValue", textNameless)
			q.Empty()
		}},
		{"CAP-5", "an attribute whose name is wrongly spelled", HTTP, func(t *T) {
			q := t.Standard()
			for _, list := range []string{"MessageAttribute", "MessageAttributes"} {
				failsQuery(t, askQuery(t, q.URL, "Action", "SendMessage", "MessageBody", "b", list+".1.key", "k",
					list+".1.Value.DataType", "String", list+".1.Value.StringValue", "v"), 400, "InvalidParameterValue", textNameless)
			}
			q.Empty()
		}},
		{"CAP-6", "a character that no body may have", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "ring \a"})
			t.Refused(err, "InvalidMessageContents", "Invalid binary character '#x7' was found in the message body, the set of allowed characters is "+
				"#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF].")
			out, err := q.SendBatch(SendMessage{MessageBody: "fine"}, SendMessage{MessageBody: "\uFFFE"})
			t.NoError(err)
			t.Len(out.Failed, 1)
			t.failedWith(out.Failed[0], "1", "InvalidMessageContents", textForbidden('\uFFFE'))
		}},
		{"CAP-7", "an entry with a deduplication id to a standard queue", 0, func(t *T) {
			out, err := t.Standard().SendBatch(SendMessage{MessageBody: "x", MessageDeduplicationId: "d"})
			t.NoError(err)
			t.Len(out.Failed, 1)
			t.failedWith(out.Failed[0], "0", "InvalidParameterValue", "The request include parameter that is not valid for this queue type")
		}},
		{"CAP-8", "an expired handle of a FIFO queue", 0, func(t *T) {
			q := t.FIFO()
			handle := lapsed(q)
			t.Refused(q.Delete(handle), "InvalidParameterValue", expiredHandle(handle))
			t.Refused(q.Change(handle, 60), "InvalidParameterValue", expiredHandle(handle))
			var deleted DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: handle}}}, &deleted)
			t.Len(deleted.Failed, 1)
			t.failedWith(deleted.Failed[0], "a", "ReceiptHandleIsInvalid", "The receipt handle has expired")
			changed := q.changeBatch(ChangeMessageVisibility{Id: "a", ReceiptHandle: handle, VisibilityTimeout: Int(60)})
			t.Len(changed.Failed, 1)
			t.failedWith(changed.Failed[0], "a", "ReceiptHandleIsInvalid", "The receipt handle has expired")
			t.Equal([3]int{1, 0, 0}, q.Counts())
		}},
		{"CAP-9", "an entry that changes the visibility of a message that is gone", 0, func(t *T) {
			for _, q := range either(t) {
				q.SendAny("m")
				handle := q.One().ReceiptHandle
				t.NoError(q.Delete(handle))
				out := q.changeBatch(ChangeMessageVisibility{Id: "a", ReceiptHandle: handle, VisibilityTimeout: Int(60)})
				t.Len(out.Failed, 1)
				t.failedWith(out.Failed[0], "a", "ReceiptHandleIsInvalid", "Message does not exist or is not available for visibility timeout change")
				t.Refused(q.Change(handle, 60), "InvalidParameterValue", notAvailable(handle))
			}
		}},
		{"CAP-10", "a handle of another queue", 0, func(t *T) {
			q, other := t.Standard(), t.Standard()
			other.Send("m")
			handle := other.One().ReceiptHandle
			text := `The receipt handle "` + handle + `" is not valid for this queue.`
			t.Refused(q.Delete(handle), "ReceiptHandleIsInvalid", text)
			var out DeleteBatchResult
			t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: handle}}}, &out)
			t.Len(out.Failed, 1)
			t.failedWith(out.Failed[0], "a", "ReceiptHandleIsInvalid", text)
		}},
		{"CAP-11", "a redrive policy without its members, and with capitalised ones", Account, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			for _, policy := range []string{`{}`, `{"DeadLetterTargetArn":"` + dead.ARN() + `","MaxReceiveCount":1}`} {
				t.Refused(q.Set("RedrivePolicy", policy), "InvalidParameterValue",
					"Value "+policy+" for parameter RedrivePolicy is invalid. Reason: Redrive policy does not contain mandatory attribute: maxReceiveCount.")
			}
		}},
		{"CAP-12", "an entry without an id", Texts | Unchecked, func(t *T) {
			q := t.Standard()
			for operation, entry := range map[string]map[string]any{
				"SendMessageBatch": {"MessageBody": "x"}, "DeleteMessageBatch": {"ReceiptHandle": "x"}, "ChangeMessageVisibilityBatch": {"ReceiptHandle": "x", "VisibilityTimeout": 0},
			} {
				t.Refused(t.Call(operation, map[string]any{"QueueUrl": q.URL, "Entries": []any{entry}}, nil), "MissingParameter",
					"The request must contain the parameter "+operation+"RequestEntry.1.Id.")
			}
			q.Empty()
		}},
		{"CAP-13", "a string for an integer", HTTP, func(t *T) {
			r := askJSON(t, "SendMessage", `{"QueueUrl":"`+t.Standard().URL+`","MessageBody":"b","DelaySeconds":"5"}`)
			failsJSON(t, r, 400, framework+"SerializationException", "MalformedInput", "STRING_VALUE can not be converted to an Integer")
		}},
		{"CAP-14", "a short poll with too much in flight", Engine, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			fill(t, q, 120_001, nil)
			drain(t, q, 120_000)
			_, err := q.Take(ReceiveMessage{})
			t.Refused(err, "OverLimit", "Too many messages have been received without being deleted. "+
				"Please delete your received messages or let them timeout before receiving more.")
		}},
		{"CAP-15", "a queue URL whose host is a region alone", HTTP, func(t *T) {
			q := t.Standard()
			at := func(name string) QueueURL { return QueueURL{"https://us-east-1.amazonaws.com/000000000000/" + name} }
			t.Equal(200, askJSON(t, "ListQueueTags", at(q.Name)).Status)
			failsJSON(t, askJSON(t, "ListQueueTags", at("nobody")), 400, modelled+"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
				"The specified queue does not exist.")
		}},
		{"CAP-16", "two operations answer JSON without a body", HTTP, func(t *T) {
			q := t.Standard()
			for _, r := range []Reply{
				askJSON(t, "SetQueueAttributes", SetQueueAttributes{q.URL, Pairs("DelaySeconds", "1")}),
				askJSON(t, "DeleteQueue", QueueURL{q.URL}),
			} {
				t.Equal(200, r.Status)
				t.Empty(r.Body)
				t.Equal("0", r.Header.Get("Content-Length"))
			}
		}},
		{"CAP-17", "no tags and no keys", Account | Texts, func(t *T) {
			q := t.Standard()
			t.Refused(t.Call("TagQueue", TagQueue{q.URL, StringMap{}}, nil), "MissingParameter", "The request must contain the parameter Tags.")
			t.Refused(t.Call("UntagQueue", UntagQueue{q.URL, []string{}}, nil), "MissingParameter", "The request must contain the parameter TagKeys.")
		}},
	},
}

const textNameless = "The request must contain non-empty message attribute name."

// failedWith is Failed with the text of the failure, where the harness carries texts.
func (t *T) failedWith(f BatchFailure, id, code, text string) {
	t.Helper()
	t.Failed(f, id, code)
	if t.Has(Texts) {
		t.Equal(text, f.Message)
	}
}
