package behaviour

import "time"

// lifeCycle is section 2.1, states.
var lifeCycle = Chapter{
	Cases: []Case{
		{"LC-1", "the delay of a message overrides the queue's, an explicit 0 included", Time | Zeros, func(t *T) {
			q := t.Standard("DelaySeconds", "5")
			_, err := q.Post(SendMessage{MessageBody: "now", DelaySeconds: Int(0)})
			t.NoError(err)
			_, err = q.Post(SendMessage{MessageBody: "in 3", DelaySeconds: Int(3)})
			t.NoError(err)
			q.Send("in 5")
			t.Equal([]string{"now"}, q.Bodies(10))
			t.Sleep(3*time.Second - time.Millisecond)
			q.Empty()
			t.Sleep(time.Millisecond)
			t.Equal([]string{"in 3"}, q.Bodies(10))
			t.Sleep(2 * time.Second)
			t.Equal([]string{"in 5"}, q.Bodies(10))
		}},
		{"LC-2", "a delayed message ends a long poll when its delay ends", Time, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "late", DelaySeconds: Int(7)})
			t.NoError(err)
			p := <-q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
			t.NoError(p.Err)
			t.Equal([]string{"late"}, Bodies(p.Messages))
			t.Equal(7*time.Second, p.Took)
		}},
	},
}
