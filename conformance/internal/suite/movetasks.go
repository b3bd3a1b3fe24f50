package suite

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"testing/synctest"
	"time"
)

// buried makes a queue and its dead-letter queue, which holds so many messages: "0", "1", ...
func (t *T) buried(kind func(...string) *Q, n int) (q, dead *Q) {
	t.Helper()
	q, dead = kind(), kind()
	q.Redrive(dead, 1)
	q.fail(n)
	return q, dead
}

// fail sends so many messages and makes dead letters of them.
func (q *Q) fail(n int) {
	q.t.Helper()
	for i := range n {
		_, err := q.Post(q.letter(strconv.Itoa(i)))
		q.t.NoError(err)
	}
	q.bury(q.Receive(n)...)
}

// start starts a move task at a rate, 0 for none, to a destination, nil for none.
func (q *Q) start(to *Q, rate int) (handle string) {
	q.t.Helper()
	in := StartMessageMoveTask{SourceArn: q.ARN()}
	if to != nil {
		in.DestinationArn = to.ARN()
	}
	if rate != 0 {
		in.MaxNumberOfMessagesPerSecond = &rate
	}
	var out TaskHandle
	q.t.Must("StartMessageMoveTask", in, &out)
	return out.TaskHandle
}

// tasks lists the move tasks of q.
func (q *Q) tasks(most int) []MoveTask {
	q.t.Helper()
	var out MoveTasks
	q.t.Must("ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: q.ARN(), MaxResults: &most}, &out)
	return out.Results
}

// task is the newest one.
func (q *Q) task() MoveTask {
	q.t.Helper()
	tasks := q.tasks(1)
	q.t.Len(tasks, 1)
	return tasks[0]
}

// ended waits until the newest task, which has no rate or was cancelled, has ended.
func (q *Q) ended() MoveTask {
	q.t.Helper()
	if q.t.Has(Time) {
		synctest.Wait()
	}
	for try := range 120 {
		task := q.task()
		if task.Status != "RUNNING" && task.Status != "CANCELLING" {
			return task
		}
		runtime.Gosched()
		if try > 100 { // it has had its chance: give it seconds, by what every service has
			_, err := q.t.Standard().Take(ReceiveMessage{WaitTimeSeconds: Int(1)})
			q.t.NoError(err)
		}
	}
	q.t.failed(nil, "the task does not end")
	return MoveTask{}
}

func (t *T) cancel(handle string) (moved int, err error) {
	var out Cancelled
	err = t.Call("CancelMessageMoveTask", TaskHandle{handle}, &out)
	return out.ApproximateNumberOfMessagesMoved, err
}

// noResource is the text of MOV-3.
func noResource(parameter string) string {
	return "The resource that you specified for the " + parameter + " parameter doesn't exist."
}

// moveTasks is section 6, move tasks.
var moveTasks = Chapter{
	Needs: Account,
	Cases: []Case{
		{"MOV-1", "the messages of a dead-letter queue move to a destination", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				_, dead := t.buried(kind, 12)
				to := kind()
				t.NotEmpty(dead.start(to, 0))
				task := dead.ended()
				t.Equal("COMPLETED", task.Status)
				t.Equal(12, task.ApproximateNumberOfMessagesMoved)
				t.Equal([3]int{}, dead.Counts())
				t.ElementsMatch([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}, to.Bodies(20))
			}
		}},
		{"MOV-1", "the handle is base64 of the task and its source", Members, func(t *T) {
			_, dead := t.buried(t.Standard, 0)
			text, err := base64.StdEncoding.DecodeString(dead.start(nil, 0))
			t.NoError(err)
			t.Regexp(`^\{"taskId":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}","sourceArn":`+strconv.Quote(dead.ARN())+`\}$`, string(text))
		}},
		{"MOV-2", "a queue that is no dead-letter queue is refused", 0, func(t *T) {
			q, dead := t.buried(t.Standard, 1)
			for _, not := range []*Q{q, t.Standard(), t.FIFO()} {
				t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: not.ARN()}, nil),
					"InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
			}
			t.NoError(q.Set("RedrivePolicy", ""))
			t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), DestinationArn: q.ARN()}, nil),
				"InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
			t.Equal([3]int{1, 0, 0}, dead.Counts())
		}},
		{"MOV-3", "a source that does not exist is not found", 0, func(t *T) {
			missing := t.Standard().ARN() + "-not"
			t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: missing}, nil), "ResourceNotFoundException", noResource("SourceArn"))
			t.Refused(t.Call("ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: missing}, nil), "ResourceNotFoundException", noResource("SourceArn"))
		}},
		{"MOV-3", "a destination that does not exist is not found", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 1)
			t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), DestinationArn: dead.ARN() + "-not"}, nil),
				"ResourceNotFoundException", noResource("DestinationArn"))
			t.Empty(dead.tasks(10))
			t.Equal([3]int{1, 0, 0}, dead.Counts())
		}},
		{"MOV-4", "a second task is refused while one is active", 0, func(t *T) {
			q, dead := t.buried(t.Standard, 3)
			handle := dead.start(nil, 1)
			t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), DestinationArn: q.ARN()}, nil), "InvalidParameterValue",
				"There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
			_, err := t.cancel(handle)
			t.NoError(err)
			dead.ended()
			dead.start(nil, 0)
			t.Equal("COMPLETED", dead.ended().Status)
			t.Len(q.Receive(10), 3)
		}},
		{"MOV-4", "queues have tasks at the same time", 0, func(t *T) {
			var handles []string
			for range 3 {
				_, dead := t.buried(t.Standard, 2)
				handles = append(handles, dead.start(nil, 1))
				t.Equal("RUNNING", dead.task().Status)
			}
			for _, handle := range handles {
				_, err := t.cancel(handle)
				t.NoError(err)
			}
		}},
		{"MOV-5", "without a destination each message returns where it came from", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				a, dead := t.buried(kind, 2)
				b := kind()
				b.Redrive(dead, 1)
				b.fail(3)
				dead.start(nil, 0)
				t.Equal("COMPLETED", dead.ended().Status)
				t.ElementsMatch([]string{"0", "1", "2"}, b.Bodies(10))
				t.Equal([3]int{}, dead.Counts())
				t.ElementsMatch([]string{"0", "1"}, a.Bodies(10))
			}
		}},
		{"MOV-5", "a destination of the other type is refused", 0, func(t *T) {
			_, standard := t.buried(t.Standard, 1)
			_, fifo := t.buried(t.FIFO, 1)
			for _, pair := range [][2]*Q{{standard, fifo}, {fifo, standard}} {
				t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: pair[0].ARN(), DestinationArn: pair[1].ARN()}, nil), "InvalidParameterValue", "")
				t.Empty(pair[0].tasks(10))
			}
		}},
		{"MOV-5", "the task fails where the original source is gone", 0, func(t *T) {
			gone, dead := t.buried(t.Standard, 1)
			q := t.Standard()
			q.Redrive(dead, 1)
			q.fail(1)
			t.NoError(gone.Drop())
			dead.start(nil, 0)
			task := dead.ended()
			t.Equal("FAILED", task.Status)
			t.Zero(task.ApproximateNumberOfMessagesMoved)
			if t.Has(Texts) {
				t.Equal("AWS.SimpleQueueService.NonExistentQueue", task.FailureReason)
			}
			q.Empty()
			t.Len(dead.Receive(10), 2)
		}},
		{"MOV-5", "a message that was sent to the dead-letter queue has no way back", 0, func(t *T) {
			q, dead := t.buried(t.Standard, 0)
			dead.Send("m")
			dead.start(nil, 0)
			task := dead.ended()
			t.Equal("FAILED", task.Status)
			t.NotEmpty(task.FailureReason)
			t.Equal([3]int{1, 0, 0}, dead.Counts())
			dead.start(q, 0)
			t.Equal("COMPLETED", dead.ended().Status)
			t.Equal([]string{"m"}, q.Bodies(10))
		}},
		{"MOV-6", "a rate bounds the messages of a second", Time, func(t *T) {
			q, dead := t.buried(t.Standard, 4)
			dead.start(nil, 1)
			t.Wait()
			for moved := 1; moved < 4; moved++ {
				t.Equal([3]int{moved, 0, 0}, q.Counts())
				t.Equal("RUNNING", dead.task().Status)
				t.Sleep(time.Second)
			}
			t.Equal("COMPLETED", dead.task().Status)
			t.Len(q.Receive(10), 4)
		}},
		{"MOV-6", "the highest rate moves 500 messages a second", Time, func(t *T) {
			q, dead := t.buried(t.Standard, 600)
			dead.start(nil, 500)
			t.Sleep(time.Second - time.Millisecond)
			t.LessOrEqual(q.Counts()[0], 500)
			t.Sleep(200 * time.Millisecond)
			t.Equal(600, q.Counts()[0])
		}},
		{"MOV-6", "a rate out of range is refused", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 1)
			rates := []int{-1, 501}
			if t.Has(Zeros | Members) {
				rates = append(rates, 0)
			}
			for _, rate := range rates {
				t.Refused(t.Call("StartMessageMoveTask", StartMessageMoveTask{SourceArn: dead.ARN(), MaxNumberOfMessagesPerSecond: &rate}, nil), "InvalidParameterValue", "")
			}
			t.Empty(dead.tasks(10))
			t.Equal([3]int{1, 0, 0}, dead.Counts())
		}},
		{"MOV-7", "a task is running, and then completed", Time, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			dead.start(nil, 1)
			t.Sleep(time.Second - time.Millisecond)
			t.Equal("RUNNING", dead.task().Status)
			t.Sleep(time.Millisecond)
			t.Equal("COMPLETED", dead.task().Status)
		}},
		{"MOV-7", "a task is cancelling until it is cancelled", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			_, err := t.cancel(dead.start(nil, 1))
			t.NoError(err)
			t.Contains([]string{"CANCELLING", "CANCELLED"}, dead.task().Status)
			t.Equal("CANCELLED", dead.ended().Status)
		}},
		{"MOV-7", "a task fails when its destination is deleted midway", Time, func(t *T) {
			_, dead := t.buried(t.Standard, 4)
			to := t.Standard()
			dead.start(to, 1)
			t.Sleep(time.Second)
			t.Len(to.Receive(10), 2)
			t.NoError(to.Drop())
			t.Equal("RUNNING", dead.task().Status)
			t.Sleep(time.Second)
			task := dead.task()
			t.Equal("FAILED", task.Status)
			t.Equal(2, task.ApproximateNumberOfMessagesMoved)
			if t.Has(Texts) {
				t.Equal("AWS.SimpleQueueService.NonExistentQueue", task.FailureReason)
			}
			t.Equal([]string{"2", "3"}, dead.Bodies(10))
		}},
		{"MOV-8", "tasks are listed from the newest, one unless more are asked for", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 0)
			t.Empty(dead.tasks(10))
			for rate := 1; rate <= 11; rate++ { // the rate tells them apart
				dead.start(nil, rate)
				t.Equal("COMPLETED", dead.ended().Status)
			}
			var only MoveTasks
			t.Must("ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: dead.ARN()}, &only)
			t.Len(only.Results, 1)
			t.Equal(11, *only.Results[0].MaxNumberOfMessagesPerSecond)
			tasks := dead.tasks(10)
			t.Len(tasks, 10)
			for i, task := range tasks {
				t.Equal(11-i, *task.MaxNumberOfMessagesPerSecond)
			}
			t.Equal(tasks[:3], dead.tasks(3))
		}},
		{"MOV-8", "MaxResults is from 1 to 10", Members, func(t *T) {
			_, dead := t.buried(t.Standard, 0)
			for _, most := range []int{-1, 0, 11} {
				t.Refused(t.Call("ListMessageMoveTasks", ListMessageMoveTasks{SourceArn: dead.ARN(), MaxResults: &most}, nil), "InvalidParameterValue", "")
			}
		}},
		{"MOV-8", "a running task shows its handle and what it was started with", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 3)
			to := t.Standard()
			handle := dead.start(to, 1)
			task := dead.task()
			t.Equal("RUNNING", task.Status)
			t.Equal(handle, task.TaskHandle)
			t.Equal(dead.ARN(), task.SourceArn)
			t.Equal(to.ARN(), task.DestinationArn)
			t.Equal(1, *task.MaxNumberOfMessagesPerSecond)
			t.Equal(3, *task.ApproximateNumberOfMessagesToMove)
			t.Greater(task.StartedTimestamp, int64(0))
			t.Empty(task.FailureReason)
			_, err := t.cancel(handle)
			t.NoError(err)
			task = dead.ended()
			t.Empty(task.TaskHandle)
			t.Empty(task.FailureReason)
		}},
		{"MOV-8", "a task that was started with nothing shows nothing of it", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			dead.start(nil, 0)
			task := dead.ended()
			t.Equal("COMPLETED", task.Status)
			t.Empty(task.TaskHandle)
			t.Empty(task.DestinationArn)
			t.Nil(task.MaxNumberOfMessagesPerSecond)
			t.Empty(task.FailureReason)
			t.Equal(dead.ARN(), task.SourceArn)
			t.Equal(2, task.ApproximateNumberOfMessagesMoved)
			t.Equal(2, *task.ApproximateNumberOfMessagesToMove)
		}},
		{"MOV-8", "the members of an ended task in JSON", HTTP | JSON, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			dead.start(nil, 0)
			started := dead.ended().StartedTimestamp
			t.Equal(fmt.Sprintf(`{"Results":[{"Status":"COMPLETED","SourceArn":%q,"ApproximateNumberOfMessagesMoved":2,`+
				`"ApproximateNumberOfMessagesToMove":2,"StartedTimestamp":%d}]}`, dead.ARN(), started),
				t.Exchange(t.Request("POST", "/", fmt.Sprintf(`{"SourceArn":%q}`, dead.ARN()),
					"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.ListMessageMoveTasks")).Body)
		}},
		{"MOV-8", "a task knows its start, and how many messages there were then", Time, func(t *T) {
			_, dead := t.buried(t.Standard, 3)
			t.Sleep(1234 * time.Millisecond)
			began := time.Now().UnixMilli()
			dead.start(nil, 1)
			t.Wait()
			dead.Send("later")
			t.Sleep(time.Second)
			task := dead.task()
			t.Equal(began, task.StartedTimestamp)
			t.Equal(2, task.ApproximateNumberOfMessagesMoved)
			t.Equal(3, *task.ApproximateNumberOfMessagesToMove)
		}},
		{"MOV-9", "a cancelled task has moved what it says", Time, func(t *T) {
			q, dead := t.buried(t.Standard, 5)
			handle := dead.start(nil, 1)
			t.Sleep(time.Second)
			moved, err := t.cancel(handle)
			t.NoError(err)
			t.Equal(2, moved)
			t.Sleep(time.Minute)
			t.Equal("CANCELLED", dead.task().Status)
			t.Equal(2, dead.task().ApproximateNumberOfMessagesMoved)
			t.Equal([]string{"0", "1"}, q.Bodies(10))
			t.Equal([]string{"2", "3", "4"}, dead.Bodies(10))
		}},
		{"MOV-9", "after a cancel every message is in one place", 0, func(t *T) {
			q, dead := t.buried(t.Standard, 5)
			moved, err := t.cancel(dead.start(nil, 1))
			t.NoError(err)
			task := dead.ended()
			t.Equal("CANCELLED", task.Status)
			t.LessOrEqual(moved, task.ApproximateNumberOfMessagesMoved)
			t.Len(q.Receive(10), task.ApproximateNumberOfMessagesMoved)
			t.Len(dead.Receive(10), 5-task.ApproximateNumberOfMessagesMoved)
		}},
		{"MOV-9", "a handle that says nothing is refused", Members, func(t *T) {
			for _, handle := range []string{"nonsense", "=", base64.StdEncoding.EncodeToString([]byte("nonsense")), base64.StdEncoding.EncodeToString([]byte("{}"))} {
				_, err := t.cancel(handle)
				t.Refused(err, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
			}
		}},
		{"MOV-9", "the handle of a task whose queue is gone is refused", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			handle := dead.start(nil, 1)
			t.NoError(dead.Drop())
			_, err := t.cancel(handle)
			t.Refused(err, "ResourceNotFoundException", noResource("SourceArn"))
		}},
		{"MOV-9", "an unknown task is not found", Members, func(t *T) {
			_, dead := t.buried(t.Standard, 0)
			text, err := json.Marshal(map[string]string{"taskId": "0a1b2c3d-0000-4000-8000-000000000000", "sourceArn": dead.ARN()})
			t.NoError(err)
			_, err = t.cancel(base64.StdEncoding.EncodeToString(text))
			t.Refused(err, "ResourceNotFoundException", "Task does not exist.")
		}},
		{"MOV-9", "a task that has ended cannot be cancelled", 0, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			completed := dead.start(nil, 0)
			t.Equal("COMPLETED", dead.ended().Status)
			dead.Send("a", "b")
			failed := dead.start(nil, 0)
			t.Equal("FAILED", dead.ended().Status)
			cancelled := dead.start(t.Standard(), 1)
			_, err := t.cancel(cancelled)
			t.NoError(err)
			for _, handle := range []string{completed, failed, cancelled} {
				_, err := t.cancel(handle)
				t.Refused(err, "InvalidParameterValue", "")
			}
		}},
		{"MOV-10", "a moved message is new, with what its sender gave it", 0, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			const trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
			sent, err := q.Post(SendMessage{MessageBody: "m", MessageAttributes: map[string]AttributeValue{"a": Text("b")},
				MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(trace)}, MessageGroupId: "g"})
			t.NoError(err)
			q.bury(q.One())
			dead.back(dead.One())
			dead.start(nil, 0)
			dead.ended()
			m := q.One()
			t.NotEqual(sent.MessageId, m.MessageId)
			t.Equal("m", m.Body)
			t.Equal(ValueMap{"a": Text("b")}, m.MessageAttributes)
			t.Equal("1", m.Attributes["ApproximateReceiveCount"])
			t.Equal(trace, m.Attributes["AWSTraceHeader"])
			t.Equal("g", m.Attributes["MessageGroupId"])
			t.NotContains(m.Attributes, "DeadLetterQueueSourceArn")
			q.bury(m)
			t.Equal("2", dead.One().Attributes["ApproximateReceiveCount"])
		}},
		{"MOV-10", "the oldest message moves first", Time, func(t *T) {
			q, dead := t.Standard(), t.Standard()
			q.Redrive(dead, 1)
			for _, body := range []string{"a", "b", "c"} {
				q.Send(body)
				t.Sleep(time.Second)
			}
			ms := q.Receive(3)
			q.back(ms[2])
			q.Empty()
			q.back(ms[0])
			q.Empty()
			q.back(ms[1])
			q.Empty()
			dead.start(nil, 1)
			for _, body := range []string{"a", "b", "c"} {
				t.Wait()
				t.Equal([]string{body}, q.Bodies(10))
				t.Sleep(time.Second)
			}
		}},
		{"MOV-10", "a group moves in its order", 0, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("g", "c", "a", "b")
			q.bury(q.Receive(3)...)
			dead.start(nil, 0)
			dead.ended()
			t.Equal([]string{"c", "a", "b"}, q.Bodies(10))
		}},
		{"MOV-10", "groups move in turn", Time, func(t *T) {
			q, dead := t.FIFO(), t.FIFO()
			q.Redrive(dead, 1)
			q.SendTo("a", "a1", "a2")
			q.SendTo("b", "b1", "b2")
			q.bury(q.Receive(4)...)
			dead.start(nil, 1)
			for _, body := range []string{"a1", "b1", "a2", "b2"} {
				t.Wait()
				ms := q.Receive(10)
				t.Equal([]string{body}, Bodies(ms))
				q.DeleteAll(ms...)
				t.Sleep(time.Second)
			}
		}},
		{"MOV-10", "the times of a moved message begin anew", Time, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				q, dead := t.buried(kind, 1)
				t.Sleep(48 * time.Hour)
				began := time.Now().UnixMilli()
				dead.start(nil, 0)
				t.Sleep(96*time.Hour - time.Millisecond)
				m := q.One()
				t.Equal(began, t.millis(m, "SentTimestamp"))
				t.Equal(time.Now().UnixMilli(), t.millis(m, "ApproximateFirstReceiveTimestamp"))
				t.Sleep(time.Millisecond)
				t.Equal([3]int{}, q.Counts())
			}
		}},
		{"MOV-10", "a moved message is no duplicate of itself", 0, func(t *T) {
			for _, content := range []string{"true", "false"} {
				q, dead := t.FIFO("ContentBasedDeduplication", content), t.FIFO()
				q.Redrive(dead, 1)
				sent := q.sendUnder("id", "g", "m")
				q.bury(q.One())
				dead.start(nil, 0)
				t.Equal(1, dead.ended().ApproximateNumberOfMessagesMoved)
				m := q.One()
				t.NotEqual(sent.MessageId, m.MessageId)
				t.Equal("g", m.Attributes["MessageGroupId"])
				t.Greater(m.Attributes["SequenceNumber"], sent.SequenceNumber)
			}
		}},
		{"MOV-10", "the delay of the destination does not hold moved messages back", 0, func(t *T) {
			for _, kind := range []func(...string) *Q{t.Standard, t.FIFO} {
				_, dead := t.buried(kind, 2)
				to := kind("DelaySeconds", "900")
				dead.start(to, 0)
				dead.ended()
				t.Len(to.Receive(10), 2)
			}
		}},
		{"MOV-11", "messages in flight are not moved", 0, func(t *T) {
			q, dead := t.buried(t.Standard, 3)
			held := dead.One()
			dead.start(nil, 0)
			task := dead.ended()
			t.Equal("COMPLETED", task.Status)
			t.Equal(2, task.ApproximateNumberOfMessagesMoved)
			t.Equal(2, *task.ApproximateNumberOfMessagesToMove)
			t.Len(q.Receive(10), 2)
			t.Equal([3]int{0, 1, 0}, dead.Counts())
			dead.back(held)
			t.Equal([]string{held.Body}, dead.Bodies(10))
		}},
		{"MOV-11", "a task moves as many messages as there were", Time, func(t *T) {
			_, dead := t.buried(t.Standard, 2)
			dead.start(nil, 1)
			t.Wait()
			later := t.Standard()
			later.Redrive(dead, 1)
			later.fail(1)
			dead.Send("more")
			t.Sleep(time.Second)
			t.Equal("COMPLETED", dead.task().Status)
			t.Equal(2, dead.task().ApproximateNumberOfMessagesMoved)
			t.Sleep(time.Minute)
			t.Equal([3]int{2, 0, 0}, dead.Counts())
		}},
	},
	Differs: map[string]string{
		"MOV-10": "Standard queues are drained oldest first. On FIFO queues the groups take turns, each in its own order, so that a task " +
			"costs the same however many groups there are; all else of the rule is kept.",
	},
}
