package inqaws

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestDeadLetterQueue_IsThatOfTheRedrivePolicy(t *testing.T) {
	b := newBroker(t)
	dead, _ := standard(t, b, "dead")
	_, q := standard(t, b, "jobs", inq.WithDeadLetter(dead, 3))
	target, err := q.DeadLetterQueue(t.Context())
	require.NoError(t, err)
	require.Equal(t, "dead", target.Name())
	require.Equal(t, b.QueueURL(DefaultEndpoint, "dead"), target.(*Queue).URL())
	send(t, target, "letter")
	require.Equal(t, 1, dead.Stats().Visible)

	// Whatever else is in the URL stays out of it.
	arn := policies{text: `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":3}`}
	target, err = NewQueue(arn, "https://sqs.eu-west-1.amazonaws.com/1/jobs/?x=y#z").DeadLetterQueue(t.Context())
	require.NoError(t, err)
	require.Equal(t, "https://sqs.eu-west-1.amazonaws.com/1/dead", target.(*Queue).URL())
}

// policies answers with a redrive policy.
type policies struct {
	API
	text string
	none bool
}

func (p policies) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	if p.none {
		return nil, nil
	}
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"RedrivePolicy": p.text}}, nil
}

func TestDeadLetterQueue_Refusals(t *testing.T) {
	b := newBroker(t)
	_, q := standard(t, b, "jobs")
	_, err := q.DeadLetterQueue(t.Context())
	require.ErrorIs(t, err, inq.ErrNoDeadLetterTarget)
	_, err = NewQueue(NewClient(b), b.QueueURL(DefaultEndpoint, "other")).DeadLetterQueue(t.Context())
	require.ErrorIs(t, err, inq.ErrQueueDoesNotExist)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = q.DeadLetterQueue(ended)
	require.Equal(t, context.Canceled, err)
	_, err = NewQueue(nil, "jobs").DeadLetterQueue(t.Context())
	require.ErrorIs(t, err, inq.ErrMissingParameter)
	for _, text := range []string{"{", "{}", `{"deadLetterTargetArn": 7}`} {
		_, err = NewQueue(policies{text: text}, "https://x/1/jobs").DeadLetterQueue(t.Context())
		require.ErrorContains(t, err, "names no queue")
	}
	_, err = NewQueue(policies{none: true}, "https://x/1/jobs").DeadLetterQueue(t.Context())
	require.Error(t, err)
}
