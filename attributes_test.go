package inq

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allAttributes reads what a queue shows.
func allAttributes(t testing.TB, b *Broker, name string) map[string]string {
	t.Helper()
	got, err := b.Attributes(context.Background(), name, "All")
	require.NoError(t, err)
	return got
}

// requireSet makes a change and demands exactly the given difference in what the queue shows; "" is
// an attribute that is not there.
func requireSet(t testing.TB, b *Broker, name string, change []string, difference ...string) {
	t.Helper()
	want := allAttributes(t, b, name)
	for n, v := range pairs(difference) {
		want[n] = v
		if v == "" {
			delete(want, n)
		}
	}
	require.NoError(t, b.SetAttributes(context.Background(), name, pairs(change)), change)
	got := allAttributes(t, b, name)
	want["LastModifiedTimestamp"] = got["LastModifiedTimestamp"] // a second may have begun
	require.Equal(t, want, got, change)
}

func TestBroker_LIM1_AFreshQueueShowsTheseAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBroker(t, WithRegion("eu-west-1"), WithAccount("123456789012"))
		mustCreate(t, b, "q")
		mustCreate(t, b, "q.fifo", "FifoQueue", "true")
		want := map[string]string{
			"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
			"CreatedTimestamp": "946684800", "LastModifiedTimestamp": "946684800", // a bubble starts at the start of 2000
			"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
			"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true", "QueueArn": "arn:aws:sqs:eu-west-1:123456789012:q",
		}
		require.Equal(t, want, allAttributes(t, b, "q"))
		want["QueueArn"] += ".fifo"
		maps.Copy(want, map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "queue",
			"FifoThroughputLimit": "perQueue"})
		require.Equal(t, want, allAttributes(t, b, "q.fifo"))
	})
}

func TestBroker_LIM1_EverySettableAttributeIsSetShownAndTakenBack(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "dlq.fifo", "FifoQueue", "true")
	given := map[string]string{
		"DelaySeconds": "900", "MaximumMessageSize": "1024", "MessageRetentionPeriod": "1209600", "ReceiveMessageWaitTimeSeconds": "20",
		"VisibilityTimeout": "43200", "Policy": `{"Version":"2012-10-17"}`, "RedrivePolicy": redrivePolicy("dlq.fifo", 10),
		"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`, "KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "60",
		"SqsManagedSseEnabled": "false", "FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
		"FifoThroughputLimit": "perMessageGroupId",
	}
	for name, a := range attributes {
		require.Equal(t, a.parse != nil, given[name] != "", name)
	}
	check := func(name string) {
		t.Helper()
		got := allAttributes(t, b, name)
		for n, v := range given {
			require.Equal(t, v, got[n], n)
		}
		require.Len(t, got, len(attributes))
	}
	q, err := b.CreateQueue(ctx, "made.fifo", given, nil)
	require.NoError(t, err)
	check("made.fifo")
	c := q.Config()
	require.Equal(t, 15*time.Minute, c.Delay)
	require.Equal(t, 12*time.Hour, c.VisibilityTimeout)
	require.Equal(t, 20*time.Second, c.ReceiveWait)
	require.Equal(t, 14*24*time.Hour, c.Retention)
	require.Equal(t, 1024, c.MaxMessageSize)

	mustCreate(t, b, "set.fifo", "FifoQueue", "true")
	require.NoError(t, b.SetAttributes(ctx, "set.fifo", given))
	check("set.fifo")
	again, err := b.CreateQueue(ctx, "set.fifo", given, nil)
	require.NoError(t, err)
	require.Equal(t, "set.fifo", again.Name())
}

func TestBroker_LIM2_BooleansAreTakenInAnyCase(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q.fifo", "FifoQueue", "TRUE", "ContentBasedDeduplication", "tRUE", "SqsManagedSseEnabled", "False")
	got := allAttributes(t, b, "q.fifo")
	require.Equal(t, "true", got["FifoQueue"])
	require.Equal(t, "true", got["ContentBasedDeduplication"])
	require.Equal(t, "false", got["SqsManagedSseEnabled"])
	for _, name := range []string{"ContentBasedDeduplication", "SqsManagedSseEnabled", "FifoQueue"} {
		for _, text := range []string{"", "1", "yes", " true", "true\n"} {
			err := b.SetAttributes(ctx, "q.fifo", map[string]string{name: text, "DelaySeconds": "1"})
			p := refusedAs(t, err, ErrInvalidAttributeValue)
			require.Equal(t, name, p.Param)
			require.Equal(t, text, p.Value)
		}
	}
	require.Equal(t, got, allAttributes(t, b, "q.fifo"))
}

func TestBroker_LIM3_AStandardQueueKnowsNoFIFOAttributes(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	before := allAttributes(t, b, "q")
	for _, c := range []struct{ name, value, reason string }{
		{"FifoQueue", "false", "Unknown Attribute FifoQueue."},
		{"FifoQueue", "true", "Unknown Attribute FifoQueue."},
		{"ContentBasedDeduplication", "false", "Unknown Attribute ContentBasedDeduplication."},
		{"DeduplicationScope", "queue", "You can specify the DeduplicationScope only when FifoQueue is set to true."},
		{"FifoThroughputLimit", "perQueue", "You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
	} {
		err := b.SetAttributes(ctx, "q", map[string]string{c.name: c.value, "VisibilityTimeout": "1"})
		p := refusedAs(t, err, ErrInvalidAttributeName)
		require.Equal(t, c.name, p.Param)
		require.Equal(t, c.reason, p.Reason)
		if c.value == "true" {
			continue
		}
		for _, name := range []string{"q", "new"} {
			_, err = b.CreateQueue(ctx, name, map[string]string{c.name: c.value}, nil)
			require.Equal(t, c.reason, refusedAs(t, err, ErrInvalidAttributeName).Reason)
		}
	}
	require.Equal(t, before, allAttributes(t, b, "q"))
	_, err := b.Queue("new")
	require.ErrorIs(t, err, ErrQueueDoesNotExist)
}

func TestBroker_LIM4_TheTypeOfAQueueStays(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q.fifo", "FifoQueue", "true")
	requireSet(t, b, "q.fifo", []string{"FifoQueue", "true"})
	p := refusedAs(t, b.SetAttributes(ctx, "q.fifo", map[string]string{"FifoQueue": "False"}), ErrInvalidAttributeValue)
	require.Equal(t, "FifoQueue", p.Param)
	require.Equal(t, "Modifying queue type is not supported.", p.Reason)
}

func TestBroker_TheNameOfAKeyIsShortText(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	longest := strings.Repeat("k", 2048)
	mustCreate(t, b, "q", "KmsMasterKeyId", longest)
	for _, key := range []string{longest + "k", "a\x00", "\xff"} {
		p := refusedAs(t, b.SetAttributes(ctx, "q", map[string]string{"KmsMasterKeyId": key}), ErrInvalidAttributeValue)
		require.Equal(t, "KmsMasterKeyId", p.Param)
	}
	requireSet(t, b, "q", nil, "KmsMasterKeyId", longest)
}

func TestBroker_LIM5_EmptyTextRemovesAPolicy(t *testing.T) {
	b := testBroker(t)
	mustCreate(t, b, "dlq")
	mustCreate(t, b, "q", "Policy", "", "RedrivePolicy", "", "RedriveAllowPolicy", "", "KmsMasterKeyId", "")
	mustCreate(t, b, "fresh")
	require.Len(t, allAttributes(t, b, "q"), 12)
	for _, name := range []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy"} {
		requireSet(t, b, "q", []string{name, ""})
		text := map[string]string{"Policy": `{"a":1}`, "RedrivePolicy": redrivePolicy("dlq", 1), "RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`}[name]
		requireSet(t, b, "q", []string{name, text}, name, text)
		requireSet(t, b, "q", []string{name, ""}, name, "")
	}
}

func TestBroker_LIM6_AKeySwitchesManagedEncryptionOff(t *testing.T) {
	b := testBroker(t)
	mustCreate(t, b, "q")
	requireSet(t, b, "q", []string{"KmsDataKeyReusePeriodSeconds", "86400"}, "KmsDataKeyReusePeriodSeconds", "86400")
	requireSet(t, b, "q", []string{"KmsMasterKeyId", "k"}, "KmsMasterKeyId", "k", "SqsManagedSseEnabled", "false")
	requireSet(t, b, "q", []string{"KmsMasterKeyId", "", "KmsDataKeyReusePeriodSeconds", "300"}, "KmsMasterKeyId", "", "KmsDataKeyReusePeriodSeconds", "")
	requireSet(t, b, "q", []string{"SqsManagedSseEnabled", "true"}, "SqsManagedSseEnabled", "true")
	requireSet(t, b, "q", []string{"KmsMasterKeyId", "k", "SqsManagedSseEnabled", "false"}, "KmsMasterKeyId", "k", "SqsManagedSseEnabled", "false")
	requireSet(t, b, "q", []string{"KmsMasterKeyId", "", "SqsManagedSseEnabled", "true"}, "KmsMasterKeyId", "", "SqsManagedSseEnabled", "true")
	mustCreate(t, b, "made", "KmsMasterKeyId", "k")
	require.Equal(t, "false", allAttributes(t, b, "made")["SqsManagedSseEnabled"])
}

func TestBroker_LIM7_OneKindOfEncryptionAtATime(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q", "VisibilityTimeout", "9")
	both := map[string]string{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "True", "VisibilityTimeout": "1"}
	const text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
	require.Equal(t, text, refusedAs(t, b.SetAttributes(ctx, "q", both), ErrInvalidAttributeName).Reason)
	_, err := b.CreateQueue(ctx, "new", both, nil)
	require.Equal(t, text, refusedAs(t, err, ErrInvalidAttributeName).Reason)
	_, err = b.CreateQueue(ctx, "q", both, nil)
	require.Equal(t, text, refusedAs(t, err, ErrInvalidAttributeName).Reason)
	require.Len(t, allAttributes(t, b, "q"), 12)
	require.Equal(t, "9", allAttributes(t, b, "q")["VisibilityTimeout"])
	// The same in two steps.
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"KmsMasterKeyId": "k"}))
	err = b.SetAttributes(ctx, "q", map[string]string{"SqsManagedSseEnabled": "true"})
	require.Equal(t, text, refusedAs(t, err, ErrInvalidAttributeName).Reason)
}

func TestBroker_LIM8_ChangesActAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := testBroker(t)
		q := mustCreate(t, b, "q")
		send(t, q, "m")
		time.Sleep(2 * time.Minute)
		require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"MessageRetentionPeriod": "60", "VisibilityTimeout": "7"}))
		require.Equal(t, "0", allAttributes(t, b, "q")["ApproximateNumberOfMessages"])
		send(t, q, "n")
		require.Equal(t, []string{"n"}, receiveBodies(t, q))
		time.Sleep(7*time.Second - 1)
		require.Empty(t, receiveBodies(t, q))
		time.Sleep(time.Nanosecond)
		require.Equal(t, []string{"n"}, receiveBodies(t, q))
	})
}

func TestBroker_LIM9_GroupThroughputNeedsGroupScope(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q.fifo", "FifoQueue", "true")
	err := b.SetAttributes(ctx, "q.fifo", map[string]string{"FifoThroughputLimit": "perMessageGroupId", "DelaySeconds": "1"})
	p := refusedAs(t, err, ErrInvalidAttributeValue)
	require.Equal(t, "FifoThroughputLimit", p.Param)
	require.Equal(t, "perMessageGroupId", p.Value)
	_, err = b.CreateQueue(ctx, "new.fifo", map[string]string{"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"}, nil)
	require.ErrorIs(t, err, ErrInvalidAttributeValue)
	require.Equal(t, "0", allAttributes(t, b, "q.fifo")["DelaySeconds"])

	requireSet(t, b, "q.fifo", []string{"DeduplicationScope", "messageGroup"}, "DeduplicationScope", "messageGroup")
	requireSet(t, b, "q.fifo", []string{"FifoThroughputLimit", "perMessageGroupId"}, "FifoThroughputLimit", "perMessageGroupId")
	require.ErrorIs(t, b.SetAttributes(ctx, "q.fifo", map[string]string{"DeduplicationScope": "queue"}), ErrInvalidAttributeValue)
	for name, text := range map[string]string{"FifoThroughputLimit": "PerQueue", "DeduplicationScope": ""} {
		err := b.SetAttributes(ctx, "q.fifo", map[string]string{name: text})
		require.Equal(t, name, refusedAs(t, err, ErrInvalidAttributeValue).Param)
	}
}

func TestBroker_LIM10_NumbersAreDigitsInTheirRange(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name     string
		min, max int64
	}{
		{"DelaySeconds", 0, 900},
		{"MaximumMessageSize", 1024, 1048576},
		{"MessageRetentionPeriod", 60, 1209600},
		{"ReceiveMessageWaitTimeSeconds", 0, 20},
		{"VisibilityTimeout", 0, 43200},
		{"KmsDataKeyReusePeriodSeconds", 60, 86400},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := testBroker(t)
			mustCreate(t, b, "q")
			low, high := fmt.Sprint(c.min), fmt.Sprint(c.max)
			for _, text := range []string{low, high} {
				requireSet(t, b, "q", []string{c.name, text}, c.name, text)
			}
			requireSet(t, b, "q", []string{c.name, "0" + low}, c.name, low)
			texts := []string{"", " ", " " + high, high + " ", high + ".0", "1e3", "+" + high, "-" + high, "-1", "0x20", "ten", "６０",
				"9223372036854775807", "9223372036854775808", "9223372037", "9223372036", fmt.Sprint(c.max + 1)}
			if c.min > 0 {
				texts = append(texts, fmt.Sprint(c.min-1), "0")
			}
			for _, text := range texts {
				err := b.SetAttributes(ctx, "q", map[string]string{c.name: text, "Policy": "{}"})
				p := refusedAs(t, err, ErrInvalidAttributeValue)
				require.Equal(t, c.name, p.Param)
				require.Equal(t, text, p.Value)
				if p.Min != nil {
					require.EqualValues(t, c.min, p.Min)
					require.EqualValues(t, c.max, p.Max)
				} else {
					require.NotEmpty(t, p.Reason)
				}
				require.Equal(t, low, allAttributes(t, b, "q")[c.name])
				_, err = b.CreateQueue(ctx, "new", map[string]string{c.name: text}, nil)
				require.ErrorIs(t, err, ErrInvalidAttributeValue)
				_, err = b.CreateQueue(ctx, "q", map[string]string{c.name: text}, nil)
				require.ErrorIs(t, err, ErrInvalidAttributeValue)
			}
			require.NotContains(t, allAttributes(t, b, "q"), "Policy")
			names, err := b.List("", "", 0)
			require.NoError(t, err)
			require.Equal(t, []string{"q"}, names)
		})
	}
}

func TestBroker_APolicyIsJSONOfLimitedSize(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	long := `{"a":"` + strings.Repeat("x", 8192-8) + `"}`
	requireSet(t, b, "q", []string{"Policy", long}, "Policy", long)
	for _, text := range []string{long + " ", "x", "[]", "null", "{", "{} {}", " "} {
		err := b.SetAttributes(ctx, "q", map[string]string{"Policy": text})
		require.Equal(t, "Policy", refusedAs(t, err, ErrInvalidAttributeValue).Param)
	}
	require.Equal(t, long, allAttributes(t, b, "q")["Policy"])
}

func TestBroker_MGT6_OnlyNamedAttributesAreReturned(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	for _, c := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"DelaySeconds"}, []string{"DelaySeconds"}},
		{[]string{"DelaySeconds", "DelaySeconds", "Policy", "VisibilityTimeout"}, []string{"DelaySeconds", "VisibilityTimeout"}},
		{[]string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}, nil},
		{[]string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}, nil},
	} {
		got, err := b.Attributes(ctx, "q", c.names...)
		require.NoError(t, err)
		require.NotNil(t, got)
		require.ElementsMatch(t, c.want, slices.Collect(maps.Keys(got)))
	}
	got, err := b.Attributes(ctx, "q", "DelaySeconds", "All")
	require.NoError(t, err)
	require.Len(t, got, 12)
	for _, name := range []string{"delaySeconds", "", "all", "X"} {
		_, err := b.Attributes(ctx, "q", "All", name)
		p := refusedAs(t, err, ErrInvalidAttributeName)
		require.Equal(t, name, p.Param)
		require.Equal(t, "Unknown Attribute "+name+".", p.Reason)
	}
}

func TestBroker_MGT7_ReadOnlyAttributesAreNotSet(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
		"CreatedTimestamp", "LastModifiedTimestamp", "QueueArn", "All", "Unknown", ""} {
		err := b.SetAttributes(ctx, "q", map[string]string{name: "0", "DelaySeconds": "5"})
		p := refusedAs(t, err, ErrInvalidAttributeName)
		require.Equal(t, name, p.Param)
		require.Equal(t, "Unknown Attribute "+name+".", p.Reason)
		_, err = b.CreateQueue(ctx, "new", map[string]string{name: "0"}, nil)
		require.ErrorIs(t, err, ErrInvalidAttributeName)
	}
	require.Equal(t, "0", allAttributes(t, b, "q")["DelaySeconds"])
}

func TestBroker_CountersAndTimesFollowTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := testBroker(t)
		q := mustCreate(t, b, "q")
		for _, delay := range []time.Duration{0, 0, 0, time.Minute} {
			_, err := q.Send(ctx, Message{Body: "m", Delay: delay})
			require.NoError(t, err)
		}
		_, err := q.Receive(ctx, ReceiveInput{})
		require.NoError(t, err)
		got := allAttributes(t, b, "q")
		require.Equal(t, "2", got["ApproximateNumberOfMessages"])
		require.Equal(t, "1", got["ApproximateNumberOfMessagesNotVisible"])
		require.Equal(t, "1", got["ApproximateNumberOfMessagesDelayed"])

		time.Sleep(time.Second - 1)
		require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"Policy": "{}"}))
		require.Equal(t, "946684800", allAttributes(t, b, "q")["LastModifiedTimestamp"])
		time.Sleep(time.Nanosecond)
		require.NoError(t, b.SetAttributes(ctx, "q", nil))
		require.NoError(t, b.SetTags(ctx, "q", map[string]string{"k": "v"}))
		require.Equal(t, "946684800", allAttributes(t, b, "q")["LastModifiedTimestamp"], "nothing changed")
		require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"DelaySeconds": "1"}))
		got = allAttributes(t, b, "q")
		require.Equal(t, "946684801", got["LastModifiedTimestamp"])
		require.Equal(t, "946684800", got["CreatedTimestamp"])
	})
}

func TestBroker_SettingsOfOptionsAreShownInWholeSeconds(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	_, err := b.CreateStandard("q", WithoutSQSLimits(), WithVisibilityTimeout(1), WithDelay(1001*time.Millisecond), WithReceiveWait(Forever-1))
	require.NoError(t, err)
	got := allAttributes(t, b, "q")
	require.Equal(t, "1", got["VisibilityTimeout"])
	require.Equal(t, "2", got["DelaySeconds"])
	require.Equal(t, "9223372036", got["ReceiveMessageWaitTimeSeconds"])
	require.Equal(t, "9223372036", got["MessageRetentionPeriod"])
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"ReceiveMessageWaitTimeSeconds": "9223372036"}))
	q, err := b.Queue("q")
	require.NoError(t, err)
	require.Equal(t, Forever, q.Config().ReceiveWait)
	mustCreate(t, b, "dlq")
	require.NoError(t, b.SetAttributes(ctx, "q", map[string]string{"RedrivePolicy": redrivePolicy("dlq", 1001)}))
	require.Equal(t, redrivePolicy("dlq", 1001), allAttributes(t, b, "q")["RedrivePolicy"])
}

// Two writers set two attributes each, always to the same value; whoever looks at the queue's
// settings sees a pair of equals.
func TestBroker_SetAttributesIsAllAtOnce(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	q := mustCreate(t, b, "q", "DelaySeconds", "60", "KmsDataKeyReusePeriodSeconds", "60").(*Standard)
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range 300 {
				n := fmt.Sprint(60 + 2*i + w)
				if err := b.SetAttributes(ctx, "q", map[string]string{"DelaySeconds": n, "KmsDataKeyReusePeriodSeconds": n}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 300 {
				got, err := b.Attributes(ctx, "q", "DelaySeconds", "KmsDataKeyReusePeriodSeconds")
				if err != nil || got["DelaySeconds"] != got["KmsDataKeyReusePeriodSeconds"] {
					t.Errorf("%v, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, q.Close())
}

func TestBroker_ReplacePolicy_ReplacesOnlyTheOldOne(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q")
	policy := func() string {
		got, err := b.Attributes(ctx, "q", "Policy")
		require.NoError(t, err)
		return got["Policy"]
	}
	for _, c := range []struct {
		old, policy string
		replaced    bool
	}{
		{"", `{"a":1}`, true}, {"", `{"a":2}`, false}, {`{"a": 1}`, `{"a":2}`, false}, {`{"a":1}`, `{"a":2}`, true}, {`{"a":1}`, "", false}, {`{"a":2}`, "", true}, {"", "", true},
	} {
		before := policy()
		replaced, err := b.ReplacePolicy(ctx, "q", c.old, c.policy)
		require.NoError(t, err)
		require.Equal(t, c.replaced, replaced)
		if !replaced {
			c.policy = before
		}
		require.Equal(t, c.policy, policy())
	}
	_, err := b.ReplacePolicy(ctx, "q", "", "[]")
	require.Equal(t, "Policy", refusedAs(t, err, ErrInvalidAttributeValue).Param)
	_, err = b.ReplacePolicy(ctx, "nobody", "", "")
	require.ErrorIs(t, err, ErrQueueDoesNotExist)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = b.ReplacePolicy(ended, "q", "", "{}")
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, policy())
}

func TestBroker_ReplacePolicy_LosesNoChange(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "q", "Policy", `{"n":0}`)
	const workers, rounds = 8, 100
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for done := 0; done < rounds; {
				got, err := b.Attributes(ctx, "q", "Policy")
				assert.NoError(t, err)
				var p struct {
					N int `json:"n"`
				}
				assert.NoError(t, json.Unmarshal([]byte(got["Policy"]), &p))
				replaced, err := b.ReplacePolicy(ctx, "q", got["Policy"], fmt.Sprintf(`{"n":%d}`, p.N+1))
				assert.NoError(t, err)
				if replaced {
					done++
				}
			}
		})
	}
	wg.Wait()
	got, err := b.Attributes(ctx, "q", "Policy")
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf(`{"n":%d}`, workers*rounds), got["Policy"])
}
