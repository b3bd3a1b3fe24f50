package sqsapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/snsapi"
	"example.com/inq/sqsapi"
	"example.com/inq/topic"
)

func TestAFullJournalIsAServiceThatIsUnavailableUntilThereIsRoom(t *testing.T) {
	synctest.Test(t, untilThereIsRoom)
}

func untilThereIsRoom(t *testing.T) {
	j, err := inq.OpenJournal("dir", inq.InMemory(), inq.WithSync(inq.SyncOS), inq.WithMaxDisk(1<<20), inq.WithSegmentSize(64<<10))
	require.NoError(t, err)
	b, err := inq.NewBroker(inq.WithBrokerJournal(j))
	require.NoError(t, err)
	a, err := topic.NewAccount(topic.WithBroker(b))
	require.NoError(t, err)
	_, err = b.CreateStandard("q")
	require.NoError(t, err)
	top, err := a.CreateStandard("t")
	require.NoError(t, err)
	post := func(h http.Handler, target, body string) (int, map[string]any) {
		r, err := http.NewRequest(http.MethodPost, "http://sqs.test/", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		resp, err := sqsapi.NewRoundTripper(h).RoundTrip(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		out := map[string]any{}
		if len(text) > 0 && text[0] == '{' {
			require.NoError(t, json.Unmarshal(text, &out))
		} else {
			out["text"] = string(text)
		}
		return resp.StatusCode, out
	}
	api := sqsapi.NewHandler(b, sqsapi.Options{})
	send := func(size int) (int, map[string]any) {
		return post(api, "AmazonSQS.SendMessage", `{"QueueUrl":"q","MessageBody":"`+strings.Repeat("x", size)+`"}`)
	}
	sent, status, answer := 0, 0, map[string]any{}
	for before := -1; before != sent; { // until it has nothing to make room with
		before = sent
		for _, size := range []int{10_000, 100, 1} {
			for status, answer = send(size); status == 200; status, answer = send(size) {
				sent++
				require.Less(t, sent, 5000)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
	}
	require.Equal(t, 503, status)
	require.Equal(t, "The disk is full, or what the service may take of it is used up. Nothing was changed.", answer["message"])
	status, _ = post(api, "AmazonSQS.SetQueueAttributes", `{"QueueUrl":"q","Attributes":{"DelaySeconds":"5"}}`)
	require.Equal(t, 503, status)
	q, err := b.Queue("q")
	require.NoError(t, err)
	require.Zero(t, q.Config().Delay)
	require.ErrorIs(t, b.SetTags(t.Context(), "q", map[string]string{"a": "b"}), inq.ErrJournalFull)
	tags, err := b.Tags(t.Context(), "q")
	require.NoError(t, err)
	require.Empty(t, tags)
	_, err = b.CreateStandard("another")
	require.ErrorIs(t, err, inq.ErrJournalFull)
	_, err = b.Queue("another")
	require.ErrorIs(t, err, inq.ErrQueueDoesNotExist)
	r, err := http.NewRequest(http.MethodPost, "http://sns.test/", strings.NewReader("Action=Publish&Message=m&TopicArn="+top.ARN()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := snsapi.NewRoundTripper(snsapi.NewHandler(a, snsapi.Options{})).RoundTrip(r)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode, string(text))
	require.Contains(t, string(text), "<Code>ServiceUnavailable</Code>")

	for range sent { // receives and deletes go on
		ds, err := q.Receive(context.Background(), inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.NoError(t, q.DeleteAll(context.Background(), ds))
	}
	time.Sleep(2 * time.Second)
	status, answer = send(10_000)
	require.Equal(t, 200, status, "sends go on by themselves: %v", answer)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	require.NoError(t, j.Close())
}
