package suite

import (
	"strconv"
	"strings"
	"time"

	"example.com/inq"
)

// quotas is section 1.5, quotas.
var quotas = Chapter{
	Tables: map[string]string{
		"TABLE-QUOTAS":     "Quotas: stored messages, waits, visibility, pages, tags, size of a policy, key reuse",
		"TABLE-IN-FLIGHT":  "Quotas: messages in flight",
		"TABLE-LOOK-AHEAD": "Quotas: look-ahead of FIFO queues",
		"TABLE-POLICY":     "Quotas: statements, principals, conditions and actions of a policy",
		"TABLE-THROUGHPUT": "Quotas: throughput of FIFO queues",
		"TABLE-MOVE-TASKS": "Quotas: move tasks of an account, and their duration",
	},
	Differs: map[string]string{
		"TABLE-LOOK-AHEAD": "Every group is found, however long the backlog of a locked one: a program that relies on not finding it is not known.",
		"TABLE-POLICY":     "A policy is kept and shown but not acted on, so that of one that is set only the size is bounded, not what stands in it. AddPermission keeps to the quotas of statements, principals and actions.",
		"TABLE-THROUGHPUT": "Calls are not throttled: a program under test should not have to wait.",
		"TABLE-MOVE-TASKS": "Neither the tasks of an account nor the duration of one are bounded; one per source queue and the rate are as in SQS (MOV-4, MOV-6).",
	},
	Cases: []Case{
		{"TABLE-QUOTAS", "stored messages and groups have no bound", Engine, func(t *T) {
			q, f := t.Standard(), t.FIFO()
			fill(t, q, 130_000, nil)
			t.Equal([3]int{130_000, 0, 0}, q.Counts())
			fill(t, f, 50_000, strconv.Itoa)
			t.Equal([3]int{50_000, 0, 0}, f.Counts())
			t.Len(q.Receive(20), 20)
			t.Len(f.Receive(20), 20)
		}},
		{"TABLE-QUOTAS", "a receive waits for 20 seconds at most", Time, func(t *T) {
			q := t.Standard("ReceiveMessageWaitTimeSeconds", "20")
			t.Equal(20*time.Second, (<-q.Poll(ReceiveMessage{})).Took)
			_, err := q.Take(ReceiveMessage{WaitTimeSeconds: Int(21)})
			t.Refused(err, "InvalidParameterValue", "")
		}},
		{"TABLE-QUOTAS", "a message stays with a receive for 43200 seconds at most", Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			q.Send("x")
			m := q.One()
			t.Sleep(time.Hour)
			t.Refused(q.Change(m.ReceiptHandle, 43200-3600+1), "InvalidParameterValue", "")
			t.NoError(q.Change(m.ReceiptHandle, 43200-3600))
			t.Sleep(11*time.Hour - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal("x", q.One().Body)
		}},
		{"TABLE-QUOTAS", "a page has 1000 queues at most", Members, func(t *T) {
			for range 1001 {
				t.Standard()
			}
			var all, page QueueURLs
			t.Must("ListQueues", ListQueues{}, &all)
			t.Equal(1000, len(all.QueueUrls))
			t.Empty(all.NextToken)
			t.Must("ListQueues", ListQueues{MaxResults: Int(1000)}, &page)
			t.Equal(1000, len(page.QueueUrls))
			t.NotEmpty(page.NextToken)
			t.Refused(t.Call("ListQueues", ListQueues{MaxResults: Int(1001)}, nil), "InvalidParameterValue", "")
		}},
		{"TABLE-QUOTAS", "a queue is created with 50 tags at most", Account, func(t *T) {
			tags := map[string]string{}
			for i := range 50 {
				tags[strconv.Itoa(i)] = "x"
			}
			t.Must("CreateQueue", CreateQueue{QueueName: "fifty", Tags: tags}, nil)
			tags["one more"] = "x"
			t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: "more", Tags: tags}, nil), "InvalidParameterValue", "")
		}},
		{"TABLE-QUOTAS", "a policy has 8192 bytes at most", Account, func(t *T) {
			q := t.Standard()
			policy := func(n int) string {
				const begin, end = `{"Version":"2012-10-17","Statement":[],"Id":"`, `"}`
				return begin + xs(n-len(begin)-len(end)) + end
			}
			t.NoError(q.Set("Policy", policy(8192)))
			t.Equal(policy(8192), q.Attribute("Policy"))
			t.Refused(q.Set("Policy", policy(8193)), "InvalidAttributeValue", "")
		}},
		{"TABLE-QUOTAS", "a data key is used for 60 to 86400 seconds", Account, func(t *T) {
			q := t.Standard()
			for _, period := range []string{"60", "86400"} {
				t.NoError(q.Set("KmsDataKeyReusePeriodSeconds", period))
				t.Equal(period, q.Attribute("KmsDataKeyReusePeriodSeconds"))
			}
			for _, period := range []string{"59", "86401"} {
				t.Refused(q.Set("KmsDataKeyReusePeriodSeconds", period), "InvalidAttributeValue", "")
			}
		}},

		{"TABLE-IN-FLIGHT", "a short poll of a standard queue beyond 120,000 is refused", Engine, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			fill(t, q, 120_010, nil)
			last := drain(t, q, 120_000)
			t.Equal([3]int{10, 120_000, 0}, q.Counts())
			_, err := q.Take(ReceiveMessage{})
			t.Refused(err, "OverLimit", "")
			t.NoError(q.Delete(last))
			t.Len(q.Receive(1), 1)
		}},
		{"TABLE-IN-FLIGHT", "a long poll of a standard queue beyond 120,000 finds nothing", Engine | Time, func(t *T) {
			q := t.Standard("VisibilityTimeout", "43200")
			fill(t, q, 120_010, nil)
			last := drain(t, q, 120_000)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(5)})
			t.NoError(p.Err)
			t.Empty(p.Messages)
			t.Equal(5*time.Second, p.Took)
			t.NoError(q.Delete(last))
			t.Len((<-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(5)})).Messages, 1)
		}},
		{"TABLE-IN-FLIGHT", "a short poll of a FIFO queue beyond 120,000 finds nothing", Engine, func(t *T) {
			q := t.FIFO("VisibilityTimeout", "43200")
			fill(t, q, 120_010, func(i int) string { return strconv.Itoa(i / 10) })
			last := drain(t, q, 120_000)
			t.Equal([3]int{10, 120_000, 0}, q.Counts())
			q.Empty()
			t.NoError(q.Delete(last))
			t.Len(q.Receive(1), 1)
		}},

		{"TABLE-LOOK-AHEAD", "a group behind a long backlog is found", Engine, func(t *T) {
			q := t.FIFO()
			fill(t, q, 120_010, func(int) string { return "locked" })
			q.SendTo("free", "x")
			t.Equal("locked", q.One().Attributes["MessageGroupId"])
			t.Equal("x", q.One().Body)
		}},
		{"TABLE-POLICY", "a policy of 21 statements, one of 51 principals, 11 conditions and 8 actions", Account, func(t *T) {
			statement := `{"Effect":"Deny","Principal":{"AWS":["` + strings.Repeat(`1","`, 50) + `2"]},"Action":["` + strings.Repeat(`SQS:*","`, 7) + `SQS:*"],"Resource":"*",` +
				`"Condition":{"Bool":{"a0":"true","a1":"true","a2":"true","a3":"true","a4":"true","a5":"true","a6":"true","a7":"true","a8":"true","a9":"true","b":"true"}}}`
			policy := `{"Version":"2012-10-17","Statement":[` + statement + strings.Repeat(`,{"Effect":"Deny"}`, 20) + `]}`
			q := t.Standard("Policy", policy)
			t.Equal(policy, q.Attribute("Policy"))
		}},
		{"TABLE-POLICY", "permissions make 20 statements of 50 principals and 7 actions at most", Members, func(t *T) {
			q := t.Standard()
			accounts := strings.Split(strings.Repeat("123456789012 ", 50)+"123456789012", " ")
			actions := []string{"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue", "*"}
			t.Refused(grant(q, "l", accounts, "SendMessage"), "OverLimit", "")
			t.Refused(grant(q, "l", accounts[:1], actions...), "OverLimit", "")
			t.NoError(grant(q, "l", accounts[:50], actions[:7]...))
			for i := range 19 {
				t.NoError(grant(q, "l"+strconv.Itoa(i), accounts[:1], "SendMessage"))
			}
			t.Refused(grant(q, "one-more", accounts[:1], "SendMessage"), "OverLimit", "")
			t.Equal(20, strings.Count(q.Attribute("Policy"), `"Sid"`))
		}},
		{"TABLE-THROUGHPUT", "301 calls and 3010 messages in no time", Time, func(t *T) {
			q := t.FIFO()
			for call := range 301 {
				entries := numbered(10)
				for i := range entries {
					entries[i].MessageGroupId, entries[i].MessageDeduplicationId = "g", strconv.Itoa(10*call+i)
				}
				out, err := q.SendBatch(entries...)
				t.NoError(err)
				t.Len(out.Successful, 10)
			}
			for range 301 {
				var deletes []DeleteMessage
				for i, m := range q.Receive(10) {
					deletes = append(deletes, DeleteMessage{Id: strconv.Itoa(i), ReceiptHandle: m.ReceiptHandle})
				}
				var out DeleteBatchResult
				t.Must("DeleteMessageBatch", Batch[DeleteMessage]{q.URL, deletes}, &out)
				t.Len(out.Successful, 10)
			}
		}},
		{"TABLE-MOVE-TASKS", "101 tasks run at once", Time, func(t *T) {
			to := t.Standard()
			for range 101 {
				dead := t.Standard()
				dead.Send("a", "b", "c")
				source := t.Standard()
				source.Redrive(dead, 1)
				t.Must("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), DestinationArn: to.ARN(), MaxNumberOfMessagesPerSecond: Int(1)}, nil)
			}
			t.Sleep(3 * time.Second)
			t.Equal([3]int{303, 0, 0}, to.Counts())
		}},
		{"TABLE-MOVE-TASKS", "a task runs for more than 36 hours", Time | Engine, func(t *T) {
			_, dead := t.buried(t.Standard, 0)
			const hours, perHour = 37, 3600
			fill(t, dead, hours*perHour, nil)
			dead.start(t.Standard(), 1)
			t.Sleep(hours*time.Hour - 2*time.Second)
			t.Equal("RUNNING", dead.task().Status)
			t.Sleep(time.Second)
			t.Equal("COMPLETED", dead.task().Status)
			t.Equal(hours*perHour, dead.task().ApproximateNumberOfMessagesMoved)
		}},
	},
}

// fill sends n messages, a multiple of ten, to the queue in this process: more than a case could
// send otherwise. group is nil for a standard queue.
func fill(t *T, q *Q, n int, group func(i int) string) {
	t.Helper()
	to, err := t.Broker.Queue(q.Name)
	t.NoError(err)
	ms := make([]inq.Message, 10)
	for i := 0; i < n; i += len(ms) {
		for j := range ms {
			ms[j].Body = strconv.Itoa(i + j)
			if group != nil {
				ms[j].GroupID, ms[j].DeduplicationID = group(i+j), ms[j].Body
			}
		}
		_, err := to.SendBatch(t.Context(), ms)
		t.NoError(err)
	}
}

// drain receives n messages from the queue in this process and returns the last receipt handle.
func drain(t *T, q *Q, n int) (last string) {
	t.Helper()
	from, err := t.Broker.Queue(q.Name)
	t.NoError(err)
	for n > 0 {
		ds, err := from.Receive(t.Context(), inq.ReceiveInput{Max: 10})
		t.NoError(err)
		t.Len(ds, 10)
		last = ds[9].ReceiptHandle()
		n -= len(ds)
	}
	return last
}
