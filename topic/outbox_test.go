package topic

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestOutbox(t *testing.T) {
	w, ctx := newWorld(t, WithOutboxSize(3)), context.Background()
	topic := w.standard("a")
	phone := w.subscribe(topic, SMS("+12/34"))
	mailbox := w.subscribe(topic, Email("a@example.com"))
	structured := w.subscribe(topic, EmailJSON("a@example.com"))
	require.NoError(t, mailbox.pipe.wait(ctx))
	require.NoError(t, structured.pipe.wait(ctx))
	for _, m := range w.Outbox().Take() {
		require.Equal(t, "SubscriptionConfirmation", m.Type)
		if m.Protocol == "email" {
			require.True(t, strings.HasPrefix(m.Body, "You have chosen to subscribe"))
		} else {
			require.Equal(t, m.Token, verify(t, m.Body, Certificate())["Token"])
		}
		_, err := w.ConfirmSubscription(ctx, topic.ARN(), m.Token, false)
		require.NoError(t, err)
	}
	p := w.publish(topic, Message{Body: "text", Subject: "S", Attributes: map[string]inq.Attribute{"a": inq.String("b")}})
	all := w.Outbox().Messages()
	require.Len(t, all, 3)
	for i, s := range []*Subscription{phone, mailbox, structured} {
		require.Equal(t, OutboxMessage{Protocol: s.Protocol(), Endpoint: s.Endpoint(), Type: "Notification", MessageID: p.MessageID(), TopicARN: topic.ARN(),
			SubscriptionARN: s.ARN(), Subject: "S", Body: all[i].Body, Attributes: map[string]inq.Attribute{"a": inq.String("b")}, Time: all[i].Time}, all[i])
	}
	require.Equal(t, []string{"text", "text"}, []string{all[0].Body, all[1].Body})
	require.Contains(t, all[2].Body, `"Message" : "text"`)

	p, err := w.PublishSMS(ctx, "+49-123", Message{Body: `{"default":"d","sms":"direct"}`, Structure: StructureJSON})
	require.NoError(t, err)
	require.NoError(t, uuid.Validate(p.MessageID()))
	all = w.Outbox().Messages()
	require.Equal(t, uint64(1), w.Outbox().Dropped())
	require.Len(t, all, 3)
	require.Equal(t, []string{"sms", "+49-123", "direct", ""}, []string{all[2].Protocol, all[2].Endpoint, all[2].Body, all[2].TopicARN})
	_, err = w.PublishSMS(ctx, "abc", Message{Body: "x"})
	refused(t, err, ErrInvalidParameter, "Invalid parameter: PhoneNumber Reason: abc is not valid to publish to") // SMS-3
	_, err = w.PublishSMS(ctx, "+123", Message{})
	refused(t, err, ErrInvalidParameter, "Invalid parameter: Empty message")

	// SMS-7
	w.Outbox().Take()
	require.NoError(t, w.OptOut("1234"))
	out, err := w.OptedOut("+1-234")
	require.NoError(t, err)
	require.True(t, out)
	numbers, err := w.OptedOutNumbers()
	require.NoError(t, err)
	require.Equal(t, []string{"+1234"}, numbers)
	_, err = w.PublishSMS(ctx, "+1234", Message{Body: "x"})
	require.NoError(t, err)
	w.publish(topic, Message{Body: "x"})
	require.Len(t, w.Outbox().Take(), 2)
	require.Equal(t, SubscriptionStats{Delivered: 1, Failed: 1}, phone.Stats())
	require.Equal(t, 2, w.log.count("lost"))
	require.NoError(t, w.OptIn("+1234"))
	require.NoError(t, w.OptIn("+1234"))
	out, _ = w.OptedOut("1234")
	require.False(t, out)
	const text = "Invalid parameter: PhoneNumber Reason: input incorrectly formatted"
	refused(t, w.OptIn("x"), ErrInvalidParameter, text)
	refused(t, w.OptOut("x"), ErrInvalidParameter, text)
	_, err = w.OptedOut("x")
	refused(t, err, ErrInvalidParameter, text)
}

func TestSMS5_6_Settings(t *testing.T) {
	w := newWorld(t)
	show := func(names ...string) attributes {
		values, err := w.SMSAttributes(names...)
		require.NoError(t, err)
		return values
	}
	require.Equal(t, attributes{"MonthlySpendLimit": "1"}, show())
	refused(t, w.SetSMSAttributes(attributes{"DefaultSendID": "x", "DefaultSMSType": "x"}), ErrInvalidParameter, "DefaultSendID is not a valid attribute")
	refused(t, w.SetSMSAttributes(attributes{"DefaultSMSType": "x", "DefaultSenderID": "y"}), ErrInvalidParameter, "DefaultSMSType is invalid")
	require.Equal(t, attributes{"MonthlySpendLimit": "1"}, show())
	require.NoError(t, w.SetSMSAttributes(attributes{"DefaultSMSType": "Transactional", "MonthlySpendLimit": "2"}))
	require.NoError(t, w.SetSMSAttributes(attributes{"DefaultSenderID": "me"}))
	require.Equal(t, attributes{"MonthlySpendLimit": "2", "DefaultSMSType": "Transactional", "DefaultSenderID": "me"}, show())
	require.Equal(t, attributes{"DefaultSenderID": "me"}, show("DefaultSenderID", "UsageReportS3Bucket"))
}

func TestPLAT_ApplicationsAndEndpoints(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	secrets := attributes{"PlatformPrincipal": "p", "PlatformCredential": "c", "SuccessFeedbackSampleRate": "50"}
	const missing = "1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null"
	for _, c := range []struct {
		name, platform string
		attributes     attributes
		is             error
		text           string
	}{
		{"app", "GCM", nil, ErrMissingValue, missing},
		{"", "GCM", secrets, ErrInvalidParameter, "Invalid parameter:  Reason: cannot be empty"},
		{strings.Repeat("x", 257), "GCM", secrets, ErrInvalidParameter, "Invalid parameter: " + strings.Repeat("x", 257) + " Reason: must be at most 256 characters long"},
		{"a b", "GCM", secrets, ErrInvalidParameter, "Invalid parameter: a b Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"},
		{"app", "Pigeon", secrets, ErrInvalidParameter, "Invalid parameter: Platform Reason: Pigeon is not supported"},
		{"app", "ADM", attributes{"PlatformPrincipal": "p"}, ErrInvalidParameter, "Invalid parameter: Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential"},
		{"app", "ADM", attributes{"PlatformCredential": "p"}, ErrInvalidParameter, "Invalid parameter: Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal"},
	} {
		_, err := w.CreatePlatformApplication(c.name, c.platform, c.attributes)
		refused(t, err, c.is, c.text)
	}
	app, err := w.CreatePlatformApplication("app", "GCM", attributes{"PlatformCredential": "c"})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:sns:us-east-1:123456789012:app/GCM/app", app)
	require.NoError(t, w.SetPlatformApplicationAttributes(app, secrets))
	values, err := w.PlatformApplicationAttributes(app)
	require.NoError(t, err)
	require.Equal(t, attributes{"Enabled": "true", "SuccessFeedbackSampleRate": "50"}, values) // PLAT-4
	list, next, err := w.PlatformApplications("")
	require.NoError(t, err)
	require.Equal(t, []PlatformResource{{app, values}}, list)
	require.Empty(t, next)

	for arn, want := range map[string]struct {
		is   error
		text string
	}{
		"x":       {ErrInvalidParameter, "Invalid parameter: PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1"},
		app + "x": {ErrPlatformApplicationDoesNotExist, "PlatformApplication does not exist"},
	} {
		_, err := w.PlatformApplicationAttributes(arn)
		refused(t, err, want.is, want.text)
		refused(t, w.SetPlatformApplicationAttributes(arn, secrets), want.is, want.text)
		refused(t, w.SetPlatformApplicationAttributes(arn, nil), ErrMissingValue, missing)
		_, err = w.CreatePlatformEndpoint(arn, "t", nil)
		refused(t, err, want.is, want.text)
		_, _, err = w.Endpoints(arn, "")
		refused(t, err, want.is, want.text)
	}
	require.NoError(t, w.DeletePlatformApplication(app+"x"))

	e, err := w.CreatePlatformEndpoint(app, "token", attributes{"CustomUserData": "data"})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(e, "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/"))
	again, err := w.CreatePlatformEndpoint(app, "token", attributes{"CustomUserData": "data", "Enabled": "true"})
	require.NoError(t, err)
	require.Equal(t, e, again) // PLAT-8
	_, err = w.CreatePlatformEndpoint(app, "token", nil)
	refused(t, err, ErrInvalidParameter, "Invalid parameter: Token Reason: Endpoint "+e+" already exists with the same Token, but different attributes.")
	_, err = w.CreatePlatformEndpoint(app, "", nil)
	require.ErrorIs(t, err, ErrInvalidParameter)
	values, err = w.EndpointAttributes(e)
	require.NoError(t, err)
	require.Equal(t, attributes{"Enabled": "true", "Token": "token", "CustomUserData": "data"}, values)
	for _, c := range []struct {
		attributes attributes
		text       string
	}{
		{attributes{"Nothing": "x"}, "Invalid parameter: Attributes Reason: Invalid attribute name: Nothing"},
		{attributes{"CustomUserData": strings.Repeat("x", 2049)}, "Invalid parameter: Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding"},
		{attributes{"Enabled": "maybe"}, "Invalid parameter: Attributes Reason: Invalid value for attribute: Enabled: must be true or false"},
		{attributes{"Token": ""}, "Invalid parameter: Attributes Reason: Invalid value for attribute: Token: must not be empty"},
	} {
		refused(t, w.SetEndpointAttributes(e, c.attributes), ErrInvalidParameter, c.text)
		_, err = w.CreatePlatformEndpoint(app, "t2", c.attributes)
		refused(t, err, ErrInvalidParameter, c.text)
	}
	refused(t, w.SetEndpointAttributes(e, nil), ErrMissingValue, missing)
	refused(t, w.SetEndpointAttributes(e+"x", attributes{"Enabled": "false"}), ErrEndpointDoesNotExist, "Endpoint does not exist")
	_, err = w.EndpointAttributes(e + "x")
	refused(t, err, ErrEndpointDoesNotExist, "Endpoint does not exist")
	other, err := w.CreatePlatformEndpoint(app, "other", nil)
	require.NoError(t, err)
	require.ErrorIs(t, w.SetEndpointAttributes(other, attributes{"Token": "token"}), ErrInvalidParameter)
	require.NoError(t, w.SetEndpointAttributes(other, attributes{"Token": "next"}))
	endpoints, _, err := w.Endpoints(app, "")
	require.NoError(t, err)
	require.Len(t, endpoints, 2)

	// PLAT-10, OUT-3, and messages to one of them.
	m := Message{Structure: StructureJSON, Body: `{"default":"d","GCM":"push"}`}
	_, err = w.Publish(ctx, e+"x", m)
	refused(t, err, ErrInvalidParameter, "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified")
	_, err = w.Publish(ctx, e, m)
	require.NoError(t, err)
	topic := w.standard("a")
	s := w.subscribe(topic, Application(e)) // PLAT-11
	require.False(t, s.Pending())
	w.publish(topic, m)
	for _, got := range w.Outbox().Take() {
		require.Equal(t, []string{"application", e, "push"}, []string{got.Protocol, got.Endpoint, got.Body})
	}
	require.NoError(t, w.SetEndpointAttributes(e, attributes{"Enabled": "false"}))
	_, err = w.Publish(ctx, e, Message{})
	refused(t, err, ErrEndpointDisabled, "Endpoint is disabled")
	w.publish(topic, m)
	require.Equal(t, SubscriptionStats{Delivered: 1, Failed: 1}, s.Stats())
	require.NoError(t, w.DeleteEndpoint(e))
	require.NoError(t, w.DeleteEndpoint(e))
	w.publish(topic, m)
	require.Equal(t, SubscriptionStats{Delivered: 1, Failed: 2}, s.Stats())

	p, err := w.Publish(ctx, topic.ARN(), Message{Body: "to the topic"}) // PUB-1
	require.NoError(t, err)
	require.NotEmpty(t, p.MessageID())
	require.NoError(t, w.DeletePlatformApplication(app)) // PLAT-6
	_, err = w.EndpointAttributes(other)
	require.ErrorIs(t, err, ErrEndpointDoesNotExist)
	require.ErrorIs(t, w.DeleteEndpoint("x"), ErrInvalidParameter)
	require.ErrorIs(t, w.DeletePlatformApplication("x"), ErrInvalidParameter)
}
