package inqaws_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
)

// This file is an example to copy from: unit tests of a program that uses SQS through the AWS SDK.
// Each opens a bubble of testing/synctest, in which hours and days pass at once and times can be
// compared exactly. The broker and its client are made in the bubble. Subtests cannot be started in
// one: open the bubble inside of t.Run, not around it.

// mailbox is the program: it hands mail from one side to the other.
type mailbox struct {
	client *sqs.Client
	url    string
}

func (m *mailbox) post(ctx context.Context, text string) error {
	_, err := m.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &m.url, MessageBody: &text})
	return err
}

// next waits up to 20 seconds for mail and puts it down for 12 hours.
func (m *mailbox) next(ctx context.Context) (*types.Message, error) {
	out, err := m.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &m.url, WaitTimeSeconds: 20, VisibilityTimeout: 12 * 60 * 60})
	if err != nil || len(out.Messages) == 0 {
		return nil, err
	}
	return &out.Messages[0], nil
}

// newMailbox is how the tests make one, in the bubble of t.
func newMailbox(t *testing.T, name string, attributes map[string]string) *mailbox {
	broker, err := inq.NewBroker()
	require.NoError(t, err)
	t.Cleanup(func() { _ = broker.Close() })
	client := inqaws.NewClient(broker)
	q, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	require.NoError(t, err)
	return &mailbox{client: client, url: *q.QueueUrl}
}

func TestMailThatIsNotDeletedComesBackAfter12Hours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox(t, "mail", nil)
		require.NoError(t, m.post(t.Context(), "hello"))
		first, err := m.next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, first)

		time.Sleep(12*time.Hour - 20*time.Second - 1)
		none, err := m.next(t.Context()) // waits until a nanosecond is left
		require.NoError(t, err)
		assert.Nil(t, none)
		began := time.Now()
		again, err := m.next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, again)
		assert.Equal(t, time.Duration(1), time.Since(began))
		assert.Equal(t, *first.MessageId, *again.MessageId)
	})
}

func TestWaitingForMailTakes20SecondsOrUntilItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox(t, "mail", nil)
		began := time.Now()
		none, err := m.next(t.Context())
		require.NoError(t, err)
		assert.Nil(t, none)
		assert.Equal(t, 20*time.Second, time.Since(began))

		go func() {
			time.Sleep(7 * time.Second)
			assert.NoError(t, m.post(t.Context(), "hello"))
		}()
		began = time.Now()
		mail, err := m.next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, mail)
		assert.Equal(t, 7*time.Second, time.Since(began))
	})
}

func TestTheSameMailIsTakenOnceIn5Minutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox(t, "mail.fifo", map[string]string{"FifoQueue": "true"})
		postTo := func(id string) string {
			out, err := m.client.SendMessage(t.Context(), &sqs.SendMessageInput{
				QueueUrl: &m.url, MessageBody: aws.String("hello"), MessageGroupId: aws.String("ann"), MessageDeduplicationId: &id})
			require.NoError(t, err)
			return *out.MessageId
		}
		first := postTo("letter")
		time.Sleep(5*time.Minute - 1)
		assert.Equal(t, first, postTo("letter"), "a duplicate has the id of the original")
		time.Sleep(time.Nanosecond)
		assert.NotEqual(t, first, postTo("letter"))
	})
}

func TestMailIsKeptFor14Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMailbox(t, "mail", map[string]string{"MessageRetentionPeriod": "1209600"})
		count := func() string {
			out, err := m.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
				QueueUrl: &m.url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages}})
			require.NoError(t, err)
			return out.Attributes["ApproximateNumberOfMessages"]
		}
		require.NoError(t, m.post(t.Context(), "hello"))
		time.Sleep(14*24*time.Hour - 1)
		assert.Equal(t, "1", count())
		time.Sleep(time.Nanosecond)
		assert.Equal(t, "0", count())
	})
}

// A test of what the program does about an error of SQS.
func TestMailThatIsTooLongIsRefused(t *testing.T) {
	for name, size := range map[string]int{"a byte too long": 1025, "much too long": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMailbox(t, "mail", map[string]string{"MaximumMessageSize": "1024"})
				require.NoError(t, m.post(t.Context(), strings.Repeat("x", 1024)))
				assert.ErrorContains(t, m.post(t.Context(), strings.Repeat("x", size)), "Message must be shorter than 1024 bytes.")
			})
		})
	}
}
