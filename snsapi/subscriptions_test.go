package snsapi

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq/topic"
)

func TestSubscriptions_FromSubscribeToUnsubscribe(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t")
	q := c.queue("q", nil)
	assert.Equal(t, `<SubscribeResponse`+xmlns+`><SubscribeResult><SubscriptionArn>`+arn+`t:{uuid}</SubscriptionArn></SubscribeResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></SubscribeResponse>`, c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+q).ok())
	sub := "SubscriptionArn=" + c.call("Subscribe", on, "Protocol=sqs", "Endpoint="+q).value("SubscriptionArn")
	member := `<member><SubscriptionArn>` + arn + `t:{uuid}</SubscriptionArn><Owner>123456789012</Owner><Protocol>sqs</Protocol><Endpoint>` + q +
		`</Endpoint><TopicArn>` + arn + `t</TopicArn></member>`
	assert.Contains(t, c.call("ListSubscriptions").ok(), `<Subscriptions>`+member+`</Subscriptions></ListSubscriptionsResult>`)
	assert.Contains(t, c.call("ListSubscriptionsByTopic", on).ok(), `<Subscriptions>`+member+`</Subscriptions></ListSubscriptionsByTopicResult>`)
	c.call("SetSubscriptionAttributes", sub, "AttributeName=FilterPolicy", `AttributeValue={"k":["v"]}`).ok()
	assert.Contains(t, c.call("GetSubscriptionAttributes", sub).ok(), `<key>FilterPolicy</key><value>{&quot;k&quot;:[&quot;v&quot;]}</value>`)
	c.call("SetSubscriptionAttributes", sub, "AttributeName=FilterPolicy", `AttributeValue={"k":"v"}`).status400(t)
	assert.Equal(t, `<UnsubscribeResponse`+xmlns+`><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></UnsubscribeResponse>`, c.call("Unsubscribe", sub).ok())
	c.call("Unsubscribe", sub).ok()
	c.call("GetSubscriptionAttributes", sub).fails(404, "NotFound", "Subscription does not exist")
	c.call("Unsubscribe").invalid("Invalid parameter: SubscriptionArn Reason: no value for required parameter")
	c.call("Unsubscribe", "SubscriptionArn=pending confirmation").invalid("Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1")
	c.call("Unsubscribe", "SubscriptionArn="+arn+"t").invalid("Invalid parameter: SubscriptionId")
}

func (r reply) status400(t *testing.T) {
	t.Helper()
	assert.Equal(t, 400, r.status, r.body)
}

func TestSubscriptions_WhatIsRefused(t *testing.T) {
	c := newClient(t)
	on := "TopicArn=" + c.topic("t")
	c.call("Subscribe", on).invalid("Invalid parameter: Protocol Reason: no value for required parameter")
	c.call("Subscribe", on, "Protocol=x", "Endpoint=y").invalid("Invalid parameter: Amazon SNS does not support this protocol string: x")
	c.call("Subscribe", on, "Protocol=sqs", "Endpoint=http://q").invalid("Invalid parameter: SQS endpoint ARN")
	c.call("Subscribe", "TopicArn="+arn+"none", "Protocol=x").fails(404, "NotFound", "Topic does not exist")
	c.call("Subscribe", on, "Protocol=sms", "Endpoint=+1555", "ReturnSubscriptionArn=maybe").invalid("Invalid parameter: ReturnSubscriptionArn Reason: must be true or false")
	assert.Contains(t, c.call("ListSubscriptions").ok(), "<Subscriptions/>")
}

func TestSubscriptions_PendingOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		on := "TopicArn=" + c.topic("t")
		assert.Equal(t, "pending confirmation", c.call("Subscribe", on, "Protocol=email", "Endpoint=a@example.com").value("SubscriptionArn"))
		shown := c.call("Subscribe", on, "Protocol=email", "Endpoint=a@example.com", "ReturnSubscriptionArn=true").value("SubscriptionArn")
		assert.Contains(t, shown, arn+"t:")
		assert.Equal(t, "PendingConfirmation", c.call("ListSubscriptions").value("SubscriptionArn"))
		token := c.token(c.account)
		c.call("ConfirmSubscription", on, "Token=zz").invalid("Invalid token")
		c.call("ConfirmSubscription", on, "Token=ab").invalid("Invalid parameter: Token")
		c.call("ConfirmSubscription", "TopicArn=arn:aws:sns:eu-west-1:123456789012:t", "Token="+token).invalid("Invalid parameter: Topic")
		c.call("ConfirmSubscription", on, "Token="+token, "AuthenticateOnUnsubscribe=true").fails(403, "AuthorizationError", "AuthenticateOnUnsubscribe needs a signed request.")
		assert.Equal(t, shown, c.call("ConfirmSubscription", on, "Token="+token).value("SubscriptionArn"))
		c.region = "us-east-1"
		assert.Equal(t, shown, c.call("ConfirmSubscription", on, "Token="+token, "AuthenticateOnUnsubscribe=true").value("SubscriptionArn"))
		c.region = ""
		c.call("Unsubscribe", "SubscriptionArn="+shown).invalid("Invalid parameter: SubscriptionArn Reason: authentication is required to unsubscribe")
		c.region = "us-east-1"
		c.call("Unsubscribe", "SubscriptionArn="+shown).ok()
	})
}

func TestLinks_AreServedWhateverGetRequestsMayDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		c.rt = NewRoundTripper(NewHandler(c.account, Options{AllowGet: func(*http.Request) bool { return false }}))
		on := c.topic("t")
		get := func(query string) reply {
			req, err := http.NewRequest(http.MethodGet, base+query, nil)
			require.NoError(t, err)
			return c.do(req)
		}
		c.call("Subscribe", "TopicArn="+on, "Protocol=email-json", "Endpoint=a@example.com").ok()
		token := c.token(c.account)
		sub := get("/?Action=ConfirmSubscription&TopicArn=" + on + "&Token=" + token).value("SubscriptionArn")
		get("/?Action=Unsubscribe&SubscriptionArn=" + sub).ok()
		get("/?Action=DeleteTopic&TopicArn="+on).fails(403, "AccessDenied", "A GET request that changes something is refused: a page in a browser can make it send one. Use POST.")
		r := get(topic.CertificatePath())
		assert.Equal(t, 200, r.status)
		assert.Equal(t, string(topic.Certificate()), r.body)
		assert.Equal(t, 400, get("/SimpleNotificationService-00.pem").status)
		assert.Contains(t, get("/?Action=ListTopics").ok(), on)
	})
}
