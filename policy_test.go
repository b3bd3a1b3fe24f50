package inq

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const brokerARN = "arn:aws:sqs:us-east-1:000000000000:"

func redrivePolicy(queue string, maxReceives int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s%s","maxReceiveCount":%d}`, brokerARN, queue, maxReceives)
}

// receiveBodies receives what is there at once. The messages stay in flight for the visibility
// timeout of the queue.
func receiveBodies(t testing.TB, q Queue) (bodies []string) {
	t.Helper()
	ds, err := q.Receive(context.Background(), ReceiveInput{Max: 10})
	require.NoError(t, err)
	for _, d := range ds {
		bodies = append(bodies, d.Body)
	}
	return bodies
}

func send(t testing.TB, q Queue, body string) {
	t.Helper()
	m := Message{Body: body}
	if strings.HasSuffix(q.Name(), ".fifo") {
		m.GroupID, m.DeduplicationID = "g", strings.ReplaceAll(body, " ", "-")
	}
	_, err := q.Send(context.Background(), m)
	require.NoError(t, err)
}

func TestBroker_DLQ1_ARedrivePolicyIsReadAndShown(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	dlq := mustCreate(t, b, "dlq")
	q := mustCreate(t, b, "q").(*Standard)
	for text, want := range map[string]int{
		redrivePolicy("dlq", 1):    1,
		redrivePolicy("dlq", 1000): 1000,
		` { "maxReceiveCount" : "17" , "deadLetterTargetArn" : "` + brokerARN + `dlq" } `: 17,
	} {
		require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"RedrivePolicy": text}))
		require.Equal(t, want, q.Config().MaxReceives)
		require.Same(t, dlq, q.Config().DeadLetter)
		got, err := b.Attributes(ctx, "q", "RedrivePolicy")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"RedrivePolicy": redrivePolicy("dlq", want)}, got)
	}
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"RedrivePolicy": ""}))
	require.Nil(t, q.Config().DeadLetter)
	require.Zero(t, q.Config().MaxReceives)
	got, err := b.Attributes(ctx, "q", "RedrivePolicy")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestBroker_DLQ2_ABadRedrivePolicyIsRefusedAndNothingChanges(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "dlq")
	mustCreate(t, b, "dlq.fifo", "FifoQueue", "true")
	mustCreate(t, b, "q", "RedrivePolicy", redrivePolicy("dlq", 4))
	const (
		noMap    = "Redrive policy is not a valid JSON map."
		noTarget = "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
		noCount  = "Redrive policy does not contain mandatory attribute: maxReceiveCount."
		others   = "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."
		noARN    = "Dead-letter target ARN should be fully qualified ARN."
		noQueue  = "Dead letter target does not exist."
		wrong    = "Dead-letter queue must be same type of queue as the source."
	)
	count := func(n string) string {
		return "Invalid value for maxReceiveCount: " + n + ", valid values are from 1 to 1000 both inclusive."
	}
	for _, c := range []struct{ policy, reason string }{
		{"no", noMap}, {"[]", noMap}, {"null", noMap}, {`"x"`, noMap}, {"{", noMap}, {redrivePolicy("dlq", 1) + "x", noMap}, {" ", noMap},
		{"{}", noCount}, // (SQS: CAP-11)
		{`{"DeadLetterTargetArn":"` + brokerARN + `dlq","MaxReceiveCount":1}`, noCount},
		{`{"maxReceiveCount":1}`, noTarget},
		{`{"maxReceiveCount":1,"deadLetterTargetArn":null}`, noTarget},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq"}`, noCount},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":1,"x":1}`, others},
		{redrivePolicy("dlq", 0), count("0")},
		{redrivePolicy("dlq", -1), count("-1")},
		{redrivePolicy("dlq", 1001), count("1001")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":1.0}`, count("1.0")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":1e1}`, count("1e1")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":""}`, count("")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":" 1"}`, count(" 1")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":true}`, count("true")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":[5]}`, count("[5]")},
		{`{"deadLetterTargetArn":"` + brokerARN + `dlq","maxReceiveCount":99999999999999999999}`, count("99999999999999999999")},
		{`{"deadLetterTargetArn":"dlq","maxReceiveCount":1}`, noARN},
		{`{"deadLetterTargetArn":"","maxReceiveCount":1}`, noARN},
		{`{"deadLetterTargetArn":7,"maxReceiveCount":1}`, noARN},
		{`{"deadLetterTargetArn":"arn:aws:sns:us-east-1:000000000000:dlq","maxReceiveCount":1}`, noARN},
		{`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:","maxReceiveCount":1}`, noARN},
		{`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000001:dlq","maxReceiveCount":1}`, noQueue},
		{`{"deadLetterTargetArn":"arn:aws:sqs:us-east-2:000000000000:dlq","maxReceiveCount":1}`, noQueue},
		{redrivePolicy("nowhere", 1), noQueue},
		{redrivePolicy("DLQ", 1), noQueue},
		{`{ "maxReceiveCount": "1", "deadLetterTargetArn": "` + brokerARN + `nowhere" }`, noQueue},
		{redrivePolicy("dlq.fifo", 1), wrong},
	} {
		before, err := b.Attributes(ctx, "q", "All")
		require.NoError(t, err)
		for _, err := range []error{
			b.SetAttributes(ctx, "q", map[string]string{"RedrivePolicy": c.policy, "DelaySeconds": "7"}),
			func() error {
				_, err := b.CreateQueue(ctx, "new", map[string]string{"RedrivePolicy": c.policy}, nil)
				return err
			}(),
		} {
			p := refusedAs(t, err, ErrInvalidParameter)
			require.Equal(t, "RedrivePolicy", p.Param)
			require.Equal(t, c.reason, p.Reason, c.policy)
			if c.reason == noMap {
				require.Nil(t, p.Value)
			} else {
				require.Equal(t, c.policy, p.Value)
			}
		}
		after, err := b.Attributes(ctx, "q", "All")
		require.NoError(t, err)
		require.Equal(t, before, after)
		_, err = b.Queue("new")
		require.ErrorIs(t, err, ErrQueueDoesNotExist)
	}
	// The other type, from a FIFO queue.
	err := b.SetAttributes(ctx, "dlq.fifo", map[string]string{"RedrivePolicy": redrivePolicy("dlq", 1)})
	require.Equal(t, wrong, refusedAs(t, err, ErrInvalidParameter).Reason)
}

func TestBroker_DLQ2_TheSameRulesHoldForOptions(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	dlq, err := b.CreateStandard("dlq")
	require.NoError(t, err)
	f, err := b.CreateFIFO("q.fifo")
	require.NoError(t, err)
	_, err = b.CreateFIFO("p.fifo", WithDeadLetter(dlq, 1))
	require.Equal(t, "RedrivePolicy", refusedAs(t, err, ErrInvalidParameter).Param)
	require.Equal(t, "RedrivePolicy", refusedAs(t, f.Configure(WithDeadLetter(dlq, 1)), ErrInvalidParameter).Param)
	q, err := b.CreateStandard("q", WithDeadLetter(dlq, 5))
	require.NoError(t, err)
	_, err = b.CreateStandard("p", WithDeadLetter(dlq, 1001))
	require.Equal(t, "maxReceiveCount", refusedAs(t, err, ErrInvalidParameter).Param)
	require.NoError(t, b.DeleteQueue(ctx, "dlq"))
	require.ErrorIs(t, q.Configure(WithDeadLetter(dlq, 6)), ErrInvalidParameter)
	require.Equal(t, 5, q.Config().MaxReceives)
	require.NotNil(t, q.Config().DeadLetter, "the policy stays while its queue is gone")
	var none *Standard
	require.ErrorIs(t, q.Configure(WithDeadLetter(none, 6)), ErrInvalidParameter)

	// A target that no bare queue of the other type may take.
	_, err = NewFIFO("bare.fifo", WithDeadLetter(q.Config().DeadLetter, 1))
	require.ErrorIs(t, err, ErrInvalidParameter)
}

func TestBroker_DLQ9_DeadLetterSourcesAreThoseWhosePolicyNamesTheQueue(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	dlq, err := b.CreateStandard("dlq")
	require.NoError(t, err)
	mustCreate(t, b, "other")
	for _, name := range []string{"s3", "s1", "s2"} {
		mustCreate(t, b, name, "RedrivePolicy", redrivePolicy("dlq", 2))
	}
	_, err = b.CreateStandard("s4", WithDeadLetter(dlq, 3))
	require.NoError(t, err)
	_, err = b.CreateStandard("logged", WithDeadLetter(DeadLetterFunc(func(context.Context, DeadLetter) error { return nil }), 3))
	require.NoError(t, err)
	got, err := b.Attributes(ctx, "s4", "RedrivePolicy")
	require.NoError(t, err)
	require.Equal(t, redrivePolicy("dlq", 3), got["RedrivePolicy"])
	got, err = b.Attributes(ctx, "logged", "RedrivePolicy")
	require.NoError(t, err)
	require.Empty(t, got)

	for _, c := range []struct {
		after string
		max   int
		want  []string
	}{
		{"", 0, []string{"s1", "s2", "s3", "s4"}}, {"", 2, []string{"s1", "s2"}}, {"s2", 2, []string{"s3", "s4"}}, {"s4", 2, nil}, {"s15", 1, []string{"s2"}},
	} {
		names, err := b.DeadLetterSources("dlq", c.after, c.max)
		require.NoError(t, err)
		require.Equal(t, c.want, names)
	}
	names, err := b.DeadLetterSources("other", "", 0)
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = b.DeadLetterSources("dlq", "", -1)
	require.ErrorIs(t, err, ErrInvalidParameter)

	require.NoError(t, b.SetAttributes(ctx, "s1", map[string]string{"RedrivePolicy": ""}))
	require.NoError(t, b.DeleteQueue(ctx, "s2"))
	require.NoError(t, b.DeleteQueue(ctx, "dlq"))
	mustCreate(t, b, "dlq")
	names, err = b.DeadLetterSources("dlq", "", 0)
	require.NoError(t, err)
	require.Equal(t, []string{"s3", "s4"}, names, "policies name the queue, whichever has the name")
}

func TestBroker_DLQ10_ABadAllowPolicyIsRefused(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	arns := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`"`+brokerARN+`s",`, n), ",")
	}
	const (
		none  = "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."
		extra = "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
		many  = "The maximum number of source queue ARNs you can specify is 10."
		kind  = "The redrivePermission must be allowAll, denyAll or byQueue."
	)
	for _, c := range []struct{ policy, reason string }{
		{`{"redrivePermission":"byQueue"}`, none},
		{`{"redrivePermission":"byQueue","sourceQueueArns":[]}`, none},
		{`{"redrivePermission":"allowAll","sourceQueueArns":[` + arns(1) + `]}`, extra},
		{`{"redrivePermission":"denyAll","sourceQueueArns":[` + arns(1) + `]}`, extra},
		{`{"redrivePermission":"byQueue","sourceQueueArns":[` + arns(11) + `]}`, many},
		{`{}`, kind}, {`{"redrivePermission":"all"}`, kind}, {`{"redrivePermission":1}`, kind},
		{`{"redrivePermission":"byQueue","sourceQueueArns":"x"}`, "The sourceQueueArns must be a list of ARNs."},
		{`{"redrivePermission":"byQueue","sourceQueueArns":["x"]}`, "The sourceQueueArns must be fully qualified ARNs of queues."},
		{`{"redrivePermission":"byQueue","sourceQueueArns":[7]}`, "The sourceQueueArns must be fully qualified ARNs of queues."},
		{`{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:` + strings.Repeat("x", 64) + `:0:q"]}`, "The sourceQueueArns must be fully qualified ARNs of queues."},
		{`{"redrivePermission":"byQueue","sourceQueueArns":["arn:a<b:sqs:r:0:q"]}`, "The sourceQueueArns must be fully qualified ARNs of queues."},
		{`{"redrivePermission":"allowAll","x":1}`, "Only following attributes are supported: [redrivePermission, sourceQueueArns]."},
	} {
		p := refusedAs(t, b.SetAttributes(ctx, "q", map[string]string{"RedriveAllowPolicy": c.policy}), ErrInvalidParameter)
		require.Equal(t, "RedriveAllowPolicy", p.Param)
		require.Equal(t, c.policy, p.Value)
		require.Equal(t, "Amazon SQS can't create the redrive allow policy. "+c.reason, p.Reason)
	}
	p := refusedAs(t, b.SetAttributes(ctx, "q", map[string]string{"RedriveAllowPolicy": "[]"}), ErrInvalidParameter)
	require.Nil(t, p.Value)
	got, err := b.Attributes(ctx, "q", "RedriveAllowPolicy")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}, got)

	ten := `{"redrivePermission":"byQueue","sourceQueueArns":[` + arns(10) + `]}`
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"RedriveAllowPolicy": ten}))
	got, err = b.Attributes(ctx, "q", "RedriveAllowPolicy")
	require.NoError(t, err)
	require.Equal(t, ten, got["RedriveAllowPolicy"])
}

func TestBroker_CAP4_TheAllowPolicyIsShownWithoutBlanksAndNulls(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	for given, shown := range map[string]string{
		"{ \"sourceQueueArns\" : null,\n\"redrivePermission\": \"denyAll\" }":        `{"redrivePermission":"denyAll"}`,
		`{"sourceQueueArns":[ "` + brokerARN + `s" ],"redrivePermission":"byQueue"}`: `{"redrivePermission":"byQueue","sourceQueueArns":["` + brokerARN + `s"]}`,
		`{"redrivePermission":"\u0061llowAll"}` + strings.Repeat(" ", 100):           `{"redrivePermission":"allowAll"}`,
	} {
		require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"RedriveAllowPolicy": given}))
		got, err := b.Attributes(ctx, "q", "RedriveAllowPolicy")
		require.NoError(t, err)
		require.Equal(t, shown, got["RedriveAllowPolicy"])
		mustCreate(t, b, "q", "RedriveAllowPolicy", shown) // and is the same to CreateQueue
	}
}

func TestBroker_DLQ10_TheAllowPolicyDecidesWhoMaySetARedrivePolicy(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name, policy string
		friend, foe  bool
	}{
		{"no policy", "", true, true},
		{"all", `{"redrivePermission":"allowAll"}`, true, true},
		{"none", `{"redrivePermission":"denyAll"}`, false, false},
		{"by queue", `{"redrivePermission":"byQueue","sourceQueueArns":["` + brokerARN + `friend"]}`, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := testBroker(t, WithoutCooldowns())
			dlq := mustCreate(t, b, "dlq", "RedriveAllowPolicy", c.policy).(*Standard)
			for name, allowed := range map[string]bool{"friend": c.friend, "foe": c.foe} {
				var errs []error
				_, err := b.CreateQueue(ctx, name, map[string]string{"RedrivePolicy": redrivePolicy("dlq", 3)}, nil)
				errs = append(errs, err)
				if err == nil {
					require.NoError(t, b.DeleteQueue(ctx, name))
				}
				_, err = b.CreateStandard(name, WithDeadLetter(dlq, 3))
				errs = append(errs, err)
				if err == nil {
					require.NoError(t, b.DeleteQueue(ctx, name))
				}
				q, err := b.CreateStandard(name)
				require.NoError(t, err)
				errs = append(errs, q.Configure(WithDeadLetter(dlq, 3)),
					b.SetAttributes(ctx, name, map[string]string{"RedrivePolicy": redrivePolicy("dlq", 4)}))
				for _, err := range errs {
					if allowed {
						require.NoError(t, err)
						continue
					}
					p := refusedAs(t, err, ErrInvalidParameter)
					require.Equal(t, "RedrivePolicy", p.Param)
					require.Contains(t, p.Reason, "does not admit")
				}
				require.Equal(t, allowed, q.Config().DeadLetter != nil)
			}
		})
	}
}

func TestBroker_DLQ10_AnAllowPolicyIsCheckedOnlyWhenASourceSetsItsPolicy(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "dlq")
	q := mustCreate(t, b, "q", "RedrivePolicy", redrivePolicy("dlq", 1), "VisibilityTimeout", "0")
	require.NoError(t, b.SetAttributes(ctx, "dlq", map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}))
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"DelaySeconds": "0"}))
	send(t, q, "m")
	require.Equal(t, []string{"m"}, receiveBodies(t, q))
	require.Empty(t, receiveBodies(t, q))
	dlq, err := b.Queue("dlq")
	require.NoError(t, err)
	require.Equal(t, []string{"m"}, receiveBodies(t, dlq))
}

func TestBroker_DLQ2_AQueueMayNameItself(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("queue"+suffix, func(t *testing.T) {
			ctx := context.Background()
			b := testBroker(t)
			attributes := []string{"VisibilityTimeout", "0"}
			if suffix != "" {
				attributes = append(attributes, "FifoQueue", "true")
			}
			q := mustCreate(t, b, "q"+suffix, attributes...)
			require.NoError(t, b.SetAttributes(ctx, q.Name(), map[string]string{"RedrivePolicy": redrivePolicy(q.Name(), 1)}))
			names, err := b.DeadLetterSources(q.Name(), "", 0)
			require.NoError(t, err)
			require.Equal(t, []string{q.Name()}, names)
			send(t, q, "m")
			for range 3 {
				require.Equal(t, []string{"m"}, receiveBodies(t, q))
				c, err := q.Counts(ctx)
				require.NoError(t, err)
				require.Equal(t, 1, c.Visible)
			}
			made := mustCreate(t, b, "new"+suffix, append(attributes, "RedrivePolicy", redrivePolicy("new"+suffix, 2))...)
			require.Equal(t, made, mustCreate(t, b, "new"+suffix, append(attributes, "RedrivePolicy", redrivePolicy("new"+suffix, 2))...))

			// Its own allow policy counts, as it will be.
			err = b.SetAttributes(ctx, q.Name(), map[string]string{"RedrivePolicy": redrivePolicy(q.Name(), 2), "RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`})
			require.Contains(t, refusedAs(t, err, ErrInvalidParameter).Reason, "does not admit")
		})
	}
}

func TestBroker_DLQ4_ChainsAndCyclesOfDeadLetterQueues(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("queue"+suffix, func(t *testing.T) {
			ctx := context.Background()
			b := testBroker(t)
			var qs []Local
			for _, name := range []string{"a", "b", "c"} {
				attributes := []string{"VisibilityTimeout", "0"}
				if suffix != "" {
					attributes = append(attributes, "FifoQueue", "true")
				}
				qs = append(qs, mustCreate(t, b, name+suffix, attributes...))
			}
			for i, q := range qs {
				require.NoError(t, b.SetAttributes(ctx, q.Name(), map[string]string{"RedrivePolicy": redrivePolicy(qs[(i+1)%3].Name(), 1)}))
			}
			send(t, qs[0], "m")
			for round := range 6 {
				at, next := qs[round%3], qs[(round+1)%3]
				require.Equal(t, []string{"m"}, receiveBodies(t, at), "round %d", round)
				require.Empty(t, receiveBodies(t, at))
				var source string
				for s := range next.Messages() {
					source = s.DeadLetterSourceARN
				}
				require.Equal(t, brokerARN+at.Name(), source)
			}
		})
	}
}

func TestBroker_DLQ8_WithoutItsDeadLetterQueueAMessageIsDeliveredAsUsual(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		for _, by := range []string{"attribute", "option"} {
			t.Run("queue"+suffix+" by "+by, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := context.Background()
					b := testBroker(t)
					dlqName, fifo := "dlq"+suffix, []string{}
					if suffix != "" {
						fifo = []string{"FifoQueue", "true"}
					}
					dlq := mustCreate(t, b, dlqName, fifo...)
					q := mustCreate(t, b, "q"+suffix, append(fifo, "VisibilityTimeout", "0")...)
					if by == "option" {
						option := WithDeadLetter(dlq, 1)
						if suffix == "" {
							require.NoError(t, q.(*Standard).Configure(option))
						} else {
							require.NoError(t, q.(*FIFO).Configure(option))
						}
					} else {
						require.NoError(t, b.SetAttributes(ctx, q.Name(), map[string]string{"RedrivePolicy": redrivePolicy(dlqName, 1)}))
					}
					send(t, q, "m")
					require.NoError(t, b.DeleteQueue(ctx, dlqName))
					for count := 1; count <= 4; count++ {
						ds, err := q.Receive(ctx, ReceiveInput{})
						require.NoError(t, err)
						require.Len(t, ds, 1)
						require.Equal(t, count, ds[0].ReceiveCount)
					}
					got, err := b.Attributes(ctx, q.Name(), "RedrivePolicy")
					require.NoError(t, err)
					require.Equal(t, redrivePolicy(dlqName, 1), got["RedrivePolicy"])

					time.Sleep(time.Minute)
					again := mustCreate(t, b, dlqName, fifo...)
					require.Empty(t, receiveBodies(t, q), "the new queue of that name takes it")
					require.Equal(t, []string{"m"}, receiveBodies(t, again))
				})
			})
		}
	}
}

func TestBroker_MOV2_OnlyADeadLetterQueueIsRedriven(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	dlq := mustCreate(t, b, "dlq").(*Standard)
	q := mustCreate(t, b, "q").(*Standard)
	_, err := dlq.Redrive(ctx, RedriveInput{})
	require.ErrorIs(t, err, ErrNotDeadLetterQueue)
	require.NoError(t, q.Configure(WithDeadLetter(dlq, 1)))
	task, err := dlq.Redrive(ctx, RedriveInput{})
	require.NoError(t, err)
	<-task.Done()
	require.Equal(t, MoveCompleted, task.Status())
	require.NoError(t, q.Configure(WithDeadLetter(nil, 0)))
	_, err = dlq.Redrive(ctx, RedriveInput{})
	require.ErrorIs(t, err, ErrNotDeadLetterQueue)
}

func TestBroker_MOV5_MessagesGoBackByARN(t *testing.T) {
	for _, suffix := range []string{"", ".fifo"} {
		t.Run("queue"+suffix, func(t *testing.T) {
			ctx := context.Background()
			b := testBroker(t, WithoutCooldowns())
			fifo := []string{"VisibilityTimeout", "0"}
			if suffix != "" {
				fifo = append(fifo, "FifoQueue", "true")
			}
			dlq := mustCreate(t, b, "dlq"+suffix, fifo...)
			redrive := func() *MoveTask {
				t.Helper()
				task, err := dlq.Redrive(ctx, RedriveInput{})
				require.NoError(t, err)
				<-task.Done()
				return task
			}
			source := append(fifo, "RedrivePolicy", redrivePolicy(dlq.Name(), 1))
			for _, name := range []string{"a", "b"} {
				q := mustCreate(t, b, name+suffix, source...)
				send(t, q, "from "+name)
				require.Len(t, receiveBodies(t, q), 1)
				require.Empty(t, receiveBodies(t, q))
			}
			require.NoError(t, b.DeleteQueue(ctx, "a"+suffix))
			task := redrive()
			require.Equal(t, MoveFailed, task.Status())
			require.ErrorIs(t, task.Err(), ErrQueueDoesNotExist)
			require.Zero(t, task.Moved())
			c, err := dlq.Counts(ctx)
			require.NoError(t, err)
			require.Equal(t, 2, c.Visible, "they stay")

			made := mustCreate(t, b, "a"+suffix, source...)
			task = redrive()
			require.Equal(t, MoveCompleted, task.Status())
			require.Equal(t, 2, task.Moved())
			require.Equal(t, []string{"from a"}, receiveBodies(t, made))
			other, err := b.Queue("b" + suffix)
			require.NoError(t, err)
			require.Equal(t, []string{"from b"}, receiveBodies(t, other))
		})
	}
}

func TestBroker_ADeadLetterQueueOfAnotherBrokerIsATargetLikeAnyOther(t *testing.T) {
	ctx := context.Background()
	b, far := testBroker(t), testBroker(t, WithRegion("eu-west-1"))
	dlq, err := far.CreateStandard("dlq")
	require.NoError(t, err)
	q, err := b.CreateStandard("q", WithDeadLetter(dlq, 1), WithVisibilityTimeout(Zero))
	require.NoError(t, err)
	require.Same(t, dlq, q.Config().DeadLetter)
	again, err := b.CreateStandard("q", WithDeadLetter(dlq, 1))
	require.NoError(t, err)
	require.Same(t, q, again)
	got, err := b.Attributes(ctx, "q", "RedrivePolicy")
	require.NoError(t, err)
	require.Equal(t, `{"deadLetterTargetArn":"`+dlq.ARN()+`","maxReceiveCount":1}`, got["RedrivePolicy"])
	names, err := far.DeadLetterSources("dlq", "", 0)
	require.NoError(t, err)
	require.Empty(t, names)
	send(t, q, "m")
	require.Len(t, receiveBodies(t, q), 1)
	require.Empty(t, receiveBodies(t, q))
	require.Equal(t, []string{"m"}, receiveBodies(t, dlq))
}

// requireSources checks that the sources the broker keeps are those that its queues name.
func requireSources(t *testing.T, b *Broker) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	want := map[string][]string{}
	for _, name := range b.names {
		if arn := sourceOf(b, b.queues[name].queue); arn != "" {
			want[arn] = append(want[arn], name)
		}
		require.Equal(t, sourceOf(b, b.queues[name].queue), b.queues[name].deadLetter)
	}
	require.Equal(t, want, b.sources)
}

func TestBroker_DLQ9_TheSourcesThatAreKeptAreThoseThereAre(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithoutCooldowns())
	for i := range 3 {
		mustCreate(t, b, fmt.Sprint("d", i))
	}
	requireSources(t, b)
	var calls sync.WaitGroup
	for seed := range 4 {
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		calls.Go(func() {
			for range 500 {
				name, policy := fmt.Sprint("s", r.IntN(5)), ""
				if n := r.IntN(4); n < 3 {
					policy = redrivePolicy(fmt.Sprint("d", n), 1+r.IntN(3))
				}
				switch r.IntN(4) {
				case 0:
					_, _ = b.CreateQueue(ctx, name, map[string]string{"RedrivePolicy": policy}, nil)
				case 1:
					_ = b.DeleteQueue(ctx, name)
				default: // refused where the queue is not there
					_ = b.SetAttributes(ctx, name, map[string]string{"RedrivePolicy": policy})
				}
			}
		})
	}
	calls.Wait()
	requireSources(t, b)
	q, err := b.CreateStandard("s9", WithDeadLetter(mustCreate(t, b, "d0").(*Standard), 1))
	require.NoError(t, err)
	requireSources(t, b)
	require.NoError(t, q.Configure(WithDeadLetter(nil, 0)))
	requireSources(t, b)
	require.NoError(t, q.Configure(WithDeadLetter(q, 1)), "itself")
	requireSources(t, b)
	for _, name := range []string{"s0", "s1", "s2", "s3", "s4", "s9"} {
		_ = b.DeleteQueue(ctx, name)
	}
	require.Empty(t, b.sources)
}

// BenchmarkBroker_DeadLetterSources asks for the sources of a queue that has few, in a broker of many
// queues.
func BenchmarkBroker_DeadLetterSources(b *testing.B) {
	broker, err := NewBroker()
	require.NoError(b, err)
	defer broker.Close()
	dlq, err := broker.CreateStandard("dlq")
	require.NoError(b, err)
	for i := range 40_000 {
		var opts []StandardOption
		if i%10_000 == 0 {
			opts = append(opts, WithDeadLetter(dlq, 1))
		}
		_, err := broker.CreateStandard(fmt.Sprint("q", i), opts...)
		require.NoError(b, err)
	}
	for b.Loop() {
		names, err := broker.DeadLetterSources("dlq", "", 1000)
		if err != nil || len(names) != 4 {
			b.Fatal(names, err)
		}
	}
}
