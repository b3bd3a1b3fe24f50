package topic

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

func TestCONF_Tokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w, ctx := newWorld(t, WithTransport(e)), t.Context()
		topic := w.standard("a")
		s := w.subscribe(topic, URL("http://app.example/"))
		require.Same(t, s, w.subscribe(topic, URL("http://app.example/"))) // SUB-25
		synctest.Wait()
		requests := e.take()
		require.Len(t, requests, 2)
		token := verify(t, requests[0].body, Certificate())["Token"]
		second := verify(t, requests[1].body, Certificate())["Token"]
		require.NotEqual(t, token, second)
		confirm := func(arn, token string) error {
			_, err := w.ConfirmSubscription(ctx, arn, token, false)
			return err
		}
		refused(t, confirm(topic.ARN(), "no hex"), ErrInvalidParameter, "Invalid token")
		refused(t, confirm(topic.ARN(), ""), ErrInvalidParameter, "Invalid token")
		refused(t, confirm(topic.ARN(), "abcd"), ErrInvalidParameter, "Invalid parameter: Token")
		refused(t, confirm("a", token), ErrInvalidParameter, "Invalid parameter: Topic")
		refused(t, confirm("arn:aws:sns:eu-west-1:123456789012:a", token), ErrInvalidParameter, "Invalid parameter: Topic")
		require.True(t, s.Pending())
		require.True(t, w.IssuedToken(token))
		require.False(t, w.IssuedToken("abcd"))
		require.NoError(t, confirm(topic.ARN()+"-wrong-name", token)) // CONF-4
		require.False(t, s.Pending())
		require.NoError(t, confirm(topic.ARN(), token)) // CONF-5
		time.Sleep(tokenLife - 1)
		require.NoError(t, confirm(topic.ARN(), second))
		time.Sleep(time.Nanosecond)
		require.False(t, w.IssuedToken(second))
		refused(t, confirm(topic.ARN(), second), ErrInvalidParameter, "Invalid parameter: Token") // CONF-1
		w.subscribe(topic, URL("http://other.example/"))
		require.Len(t, w.tokens.valid, 1, "old ones are forgotten")
	})
}

// Who subscribes an endpoint again and again neither fills the memory nor has it asked without end.
func TestCONF_AskingAgainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		e.answer = func(received) (int, error) { return 503, nil }
		w := newWorld(t, WithTransport(e), WithWaiting(5, 1<<20))
		topic := w.standard("a")
		for range 20 {
			w.subscribe(topic, URL("http://app.example/"))
			synctest.Wait()
		}
		require.Len(t, e.take(), 5)
		require.Equal(t, 15, w.log.count("too much waits"))
		var many tokens
		s := &Subscription{}
		for range maxTokens + 10 {
			many.forget(time.Now(), &durable.Batch{})
			many.add(newToken(), token{of: s, at: time.Now()})
		}
		require.Equal(t, maxTokens, s.tokens)
		require.Len(t, many.valid, maxTokens)
		require.Len(t, many.order, maxTokens)
	})
}

func TestCONF6_7_UnsubscribeByLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w := newWorld(t, WithTransport(e))
		topic := w.standard("a")
		w.subscribe(topic, URL("http://app.example/"), WithFilter(`{"a":["b"]}`), WithRawDelivery())
		s := w.confirm(e)
		arn := s.ARN()
		match := Message{Body: "x", Attributes: map[string]inq.Attribute{"a": inq.String("b")}}
		link := "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + arn
		status, body := w.visit(link)
		require.Equal(t, http.StatusOK, status)
		require.Regexp(t, `^<UnsubscribeResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ResponseMetadata><RequestId>[0-9a-f-]{36}</RequestId></ResponseMetadata></UnsubscribeResponse>$`, body)
		synctest.Wait()
		r := e.take()[0]
		fields := verify(t, r.body, Certificate())
		require.Equal(t, "UnsubscribeConfirmation", fields["Type"])
		require.Equal(t, "You have chosen to deactivate subscription "+arn+".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.", fields["Message"])
		require.Equal(t, []string{"UnsubscribeConfirmation", fields["MessageId"], topic.ARN(), arn},
			[]string{r.header.Get("x-amz-sns-message-type"), r.header.Get("x-amz-sns-message-id"), r.header.Get("x-amz-sns-topic-arn"), r.header.Get("x-amz-sns-subscription-arn")})
		require.NotContains(t, r.header, "X-Amz-Sns-Rawdelivery") // ENV-8
		status, _ = w.visit(link)
		require.Equal(t, http.StatusOK, status)
		w.publish(topic, match)
		synctest.Wait()
		require.Empty(t, e.take())

		status, _ = w.visit(fields["SubscribeURL"]) // restores it
		require.Equal(t, http.StatusOK, status)
		again, err := w.Subscription(arn)
		require.NoError(t, err)
		w.publish(topic, match)
		w.publish(topic, Message{Body: "filtered"})
		synctest.Wait()
		require.Equal(t, "x", e.take()[0].body)
		status, _ = w.visit(fields["SubscribeURL"])
		require.Equal(t, http.StatusOK, status)
		same, _ := w.Subscription(arn)
		require.Same(t, again, same)

		// The owner's own call sends nothing.
		require.NoError(t, w.Unsubscribe(t.Context(), arn))
		synctest.Wait()
		require.Empty(t, e.take())

		// With a guard, a link does not do it.
		w.subscribe(topic, URL("http://app.example/"))
		synctest.Wait()
		token := verify(t, e.take()[0].body, Certificate())["Token"]
		s, err = w.ConfirmSubscription(t.Context(), topic.ARN(), token, true)
		require.NoError(t, err)
		status, body = w.visit("/?Action=Unsubscribe&SubscriptionArn=" + s.ARN())
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, body, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: SubscriptionArn`)
		require.NoError(t, w.Unsubscribe(t.Context(), s.ARN()))
	})
}

func TestCONF7_RestoredIntoWhatChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoints()
		w := newWorld(t, WithTransport(e))
		topic := w.standard("a")
		leave := func() string {
			w.subscribe(topic, URL("http://app.example/"))
			s := w.confirm(e)
			require.NoError(t, w.UnsubscribeByLink(t.Context(), s.ARN()))
			synctest.Wait()
			return verify(t, e.take()[0].body, Certificate())["Token"]
		}
		token := leave()
		anew := w.subscribe(topic, URL("http://app.example/"))
		got, err := w.ConfirmSubscription(t.Context(), topic.ARN(), token, false)
		require.NoError(t, err)
		require.Same(t, anew, got)
		require.False(t, anew.Pending())
		require.NoError(t, anew.Unsubscribe())
		synctest.Wait()
		e.take()
		token = leave()
		require.NoError(t, w.DeleteTopic(t.Context(), topic.ARN()))
		_, err = w.ConfirmSubscription(t.Context(), topic.ARN(), token, false)
		refused(t, err, ErrTopicDoesNotExist, "Topic does not exist")
	})
}

func TestSUB8_AQueueOfAnotherAccountConfirms(t *testing.T) {
	other, err := inq.NewBroker(inq.WithAccount("999999999999"))
	require.NoError(t, err)
	defer other.Close()
	q, err := other.CreateStandard("q")
	require.NoError(t, err)
	w := newWorld(t, WithQueues(func(arn string) (inq.Queue, error) { return other.ByARN(arn) }))
	topic := w.standard("a")
	s, err := w.Subscribe(context.Background(), topic.ARN(), "sqs", q.ARN(), attributes{"RawMessageDelivery": "true"})
	require.NoError(t, err)
	require.True(t, s.Pending())
	require.NoError(t, s.pipe.wait(context.Background()))
	w.publish(topic, Message{Body: "too early"})
	all := bodies(t, q)
	require.Len(t, all, 1)
	fields := verify(t, all[0], Certificate())
	require.Equal(t, "SubscriptionConfirmation", fields["Type"])
	_, err = w.ConfirmSubscription(context.Background(), topic.ARN(), fields["Token"], false)
	require.NoError(t, err)
	w.publish(topic, Message{Body: "x"})
	require.Equal(t, []string{"x"}, bodies(t, q))
}
