package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

var policy = redriveTo("dead")

func redriveTo(name string) string {
	return `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:` + name + `","maxReceiveCount":3}`
}

func TestParseQueue(t *testing.T) {
	type attributes map[string]string
	for _, tt := range []struct {
		text, name string
		want       attributes
	}{
		{"jobs", "jobs", attributes{}},
		{" jobs ", "jobs", attributes{}},
		{"jobs,VisibilityTimeout=10", "jobs", attributes{"VisibilityTimeout": "10"}},
		{"jobs, VisibilityTimeout = 10 , DelaySeconds= 5", "jobs", attributes{"VisibilityTimeout": "10", "DelaySeconds": "5"}},
		{"jobs,KmsMasterKeyId=a=b", "jobs", attributes{"KmsMasterKeyId": "a=b"}},
		{"jobs,Policy=", "jobs", attributes{"Policy": ""}},
		{"jobs,Policy=,DelaySeconds=1", "jobs", attributes{"Policy": "", "DelaySeconds": "1"}},
		{"jobs,RedrivePolicy=" + policy, "jobs", attributes{"RedrivePolicy": policy}},
		{"jobs,RedrivePolicy= " + policy + " , DelaySeconds=1", "jobs", attributes{"RedrivePolicy": policy, "DelaySeconds": "1"}},
		{`jobs,Policy={"a":{"b":["},{",1]}},DelaySeconds=1`, "jobs", attributes{"Policy": `{"a":{"b":["},{",1]}}`, "DelaySeconds": "1"}},
		{`jobs,Policy={"a":"\"},DelaySeconds=2"}`, "jobs", attributes{"Policy": `{"a":"\"},DelaySeconds=2"}`}},
		{"a.fifo", "a.fifo", attributes{"FifoQueue": "true"}},
		{"a.fifo,FifoQueue=false", "a.fifo", attributes{"FifoQueue": "false"}},
		{"a.fifo,FifoQueue=true,ContentBasedDeduplication=true", "a.fifo", attributes{"FifoQueue": "true", "ContentBasedDeduplication": "true"}},
	} {
		got, err := parseQueue(tt.text)
		require.NoError(t, err, tt.text)
		assert.Equal(t, queueSpec{text: tt.text, name: tt.name, attributes: tt.want}, got)
	}
}

func TestParseQueue_Refusals(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "must begin with the name of a queue"},
		{",DelaySeconds=1", "must begin with the name of a queue"},
		{"DelaySeconds=1", `must begin with the name of a queue, which "DelaySeconds=1" cannot be`},
		{"a,", `"" must be Attribute=value`},
		{"a,DelaySeconds=1,", `"" must be Attribute=value`},
		{"a,b,DelaySeconds=1", `"b" must be Attribute=value`},
		{"a,DelaySeconds=1,DelaySeconds=1", "DelaySeconds is given twice"},
		{"a,delayseconds=1", `there is no attribute "delayseconds" to set, only ContentBasedDeduplication, DeduplicationScope, DelaySeconds, FifoQueue, `},
		{"a,QueueArn=x", `there is no attribute "QueueArn" to set, only `},
		{"a,Policy={", "the value of Policy begins with { and must be JSON: unexpected EOF"},
		{"a,Policy={'a':1}", "the value of Policy begins with { and must be JSON: invalid character"},
		{"a, Policy ={}x,DelaySeconds=1", `the value of Policy is JSON and must be followed by a comma or nothing, not by "x"`},
	} {
		_, err := parseQueue(tt.text)
		assert.ErrorContains(t, err, tt.want, tt.text)
	}
}

func TestSettable_IsWhatTheBrokerTakes(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	for _, name := range settable {
		_, err := b.CreateQueue(t.Context(), "q.fifo", map[string]string{"FifoQueue": "true", name: "no such value"}, nil)
		assert.NotErrorIs(t, err, inq.ErrInvalidAttributeName, name)
	}
	_, err = b.CreateQueue(t.Context(), "q.fifo", map[string]string{"FifoQueue": "true"}, nil)
	require.NoError(t, err)
	shown, err := b.Attributes(t.Context(), "q.fifo", "All")
	require.NoError(t, err)
	for name := range shown {
		err := b.SetAttributes(t.Context(), "q.fifo", map[string]string{name: "no such value"})
		assert.Equal(t, !errors.Is(err, inq.ErrInvalidAttributeName), slices.Contains(settable, name), "%s: %v", name, err)
	}
	assert.True(t, slices.IsSorted(settable))
}

// broker makes the broker that these -queue flags ask for.
func broker(t *testing.T, queues ...string) (*inq.Broker, error) {
	t.Helper()
	var args []string
	for _, q := range queues {
		args = append(args, "-queue", q)
	}
	c, err := parseFlags(args, io.Discard)
	require.NoError(t, err)
	return c.newBroker(t.Context())
}

func TestNewBroker_CreatesQueuesInAnyOrderOfTheirRedrivePolicies(t *testing.T) {
	for _, queues := range [][]string{
		{"dead", "jobs,VisibilityTimeout=7,RedrivePolicy=" + policy},
		{"jobs,VisibilityTimeout=7,RedrivePolicy=" + policy, "dead"},
		{"jobs,VisibilityTimeout=7,RedrivePolicy=" + policy, "dead,RedrivePolicy=" + redriveTo("jobs")},
		{"jobs,VisibilityTimeout=7,RedrivePolicy=" + policy, `dead,RedriveAllowPolicy={"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:jobs"]}`},
		{"jobs,VisibilityTimeout=7,RedrivePolicy=" + policy, "dead", "self,RedrivePolicy=" + redriveTo("self")},
	} {
		b, err := broker(t, queues...)
		require.NoError(t, err, queues)
		got, err := b.Attributes(t.Context(), "jobs", "VisibilityTimeout", "RedrivePolicy")
		require.NoError(t, err)
		assert.Equal(t, "7", got["VisibilityTimeout"])
		assert.JSONEq(t, policy, got["RedrivePolicy"])
		require.NoError(t, b.Close())
	}
}

func TestNewBroker_RefusalsNameFlagValueAndWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct{ queue, want string }{
		{"jobs,VisibilityTimeout=43201", `VisibilityTimeout "43201": must be from 0 to 43200`},
		{"jobs,RedrivePolicy=" + policy, "Dead letter target does not exist"},
		{"jobs.fifo,FifoQueue=false", "jobs.fifo"},
		{"jobs,FifoQueue=true", "jobs"},
		{"j!", `QueueName "j!": can only include alphanumeric characters, hyphens, or underscores`},
	} {
		_, err := broker(t, "other", tt.queue)
		var usage *usageError
		require.ErrorAs(t, err, &usage, tt.queue)
		text, marshalErr := json.Marshal(tt.queue)
		require.NoError(t, marshalErr)
		assert.ErrorContains(t, err, "invalid value "+string(text)+" for flag -queue: ")
		assert.ErrorContains(t, err, tt.want)
	}
}

func TestNewBroker_FlagsOfTheAccount(t *testing.T) {
	for _, relaxed := range []bool{false, true} {
		c := &config{region: "eu-west-1", account: "123456789012", relaxed: relaxed, queues: []queueSpec{{name: "q"}}}
		b, err := c.newBroker(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "eu-west-1", b.Region())
		assert.Equal(t, "123456789012", b.Account())
		require.NoError(t, b.DeleteQueue(t.Context(), "q"))
		_, err = b.CreateStandard("q")
		if relaxed {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, inq.ErrQueueDeletedRecently)
		}
		require.NoError(t, b.Close())
	}
}

func TestFirstQueue_IsOneThatPlainExamplesWorkOn(t *testing.T) {
	assert.Equal(t, "b", firstQueue([]queueSpec{{name: "a.fifo"}, {name: "b"}, {name: "c"}}))
	assert.Equal(t, "", firstQueue([]queueSpec{{name: "a.fifo"}}))
}

func FuzzParseQueue(f *testing.F) {
	f.Add("jobs,VisibilityTimeout=10,RedrivePolicy=" + policy + ",DelaySeconds=1")
	f.Add(`a.fifo, FifoQueue=true,Policy={"a":"\"},"}, KmsMasterKeyId=`)
	f.Add("a,,b=,={")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := parseQueue(text)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			assert.Equal(t, queueSpec{}, q)
			return
		}
		// What was understood can be written plainly, and means the same then.
		assert.NotEmpty(t, q.name)
		assert.NotContains(t, q.name, ",")
		plain := q.name
		for _, name := range slices.Sorted(maps.Keys(q.attributes)) {
			value := q.attributes[name]
			assert.Contains(t, settable, name)
			if strings.HasPrefix(value, "{") {
				assert.True(t, json.Valid([]byte(value)), value)
			} else {
				assert.NotContains(t, value, ",")
			}
			if name != fifoQueue || value != "true" || strings.Contains(text, fifoQueue) {
				assert.Contains(t, text, value)
			}
			plain += "," + name + "=" + value
		}
		again, err := parseQueue(plain)
		require.NoError(t, err)
		again.text = q.text
		assert.Equal(t, q, again)
	})
}
