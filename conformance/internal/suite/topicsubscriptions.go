package suite

import (
	"fmt"
	"strings"
)

// subscriptionLives is section 4, subscriptions.
var subscriptionLives = Chapter{
	Differs: map[string]string{
		"SUB-2": "The protocols lambda and firehose are refused like those that SNS does not know.",
	},
	Cases: []Case{
		{"SUB-1", "the ARN of a subscription", 0, func(t *T) {
			topic := t.Topic("topic")
			t.Regexp("^"+topic+":[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", t.Subscribe(topic, t.Standard()))
		}},
		{"SUB-2", "protocols there are not", 0, func(t *T) {
			topic := t.Topic("topic")
			for _, protocol := range []string{"x", "SQS", "lambda", "firehose"} {
				t.Invalid("Amazon SNS does not support this protocol string: "+protocol, "Subscribe", M{"TopicArn": topic, "Protocol": protocol, "Endpoint": "y"})
			}
		}},
		{"SUB-3", "a queue is named by its ARN, and need not exist", 0, func(t *T) {
			topic := t.Topic("topic")
			for _, endpoint := range []string{"word", "http://localhost/000000000000/q"} {
				t.Invalid("SQS endpoint ARN", "Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": endpoint})
			}
			t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sqs", "Endpoint": "arn:aws:sqs:us-east-1:000000000000:nowhere"}, nil)
		}},
		{"SUB-4", "a URL has the scheme of its protocol", 0, func(t *T) {
			topic := t.Topic("topic")
			t.Invalid("Endpoint must match the specified protocol", "Subscribe", M{"TopicArn": topic, "Protocol": "http", "Endpoint": "https://h.test"})
		}},
		{"SUB-5", "no FIFO queue on a standard topic", 0, func(t *T) {
			t.Invalid("Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics", "Subscribe", subscribe(t.Topic("topic"), t.FIFO()))
		}},
		{"SUB-6", "what a FIFO topic takes", 0, func(t *T) {
			topic := t.FIFOTopic()
			t.Subscribe(topic, t.Standard())
			t.Subscribe(topic, t.FIFO())
			for protocol, endpoint := range map[string]string{"sms": "+15551234", "email": "a@example.com", "http": "http://127.0.0.1:1"} {
				t.RefusedBySNS("InvalidParameter", "", "Subscribe", M{"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint})
			}
		}},
		{"SUB-7", "which wait to be confirmed", Members, func(t *T) {
			topic := t.Topic("topic")
			var out SubscriptionARN
			in := M{"TopicArn": topic, "Protocol": "email", "Endpoint": "a@example.com"}
			t.MustAsk("Subscribe", in, &out)
			t.Equal("pending confirmation", out.SubscriptionArn)
			in["ReturnSubscriptionArn"] = true
			t.MustAsk("Subscribe", in, &out)
			t.True(strings.HasPrefix(out.SubscriptionArn, topic+":"), out.SubscriptionArn)
			var list SubscriptionList
			t.MustAsk("ListSubscriptionsByTopic", M{"TopicArn": topic}, &list)
			t.Len(list.Subscriptions, 1)
			t.Equal("PendingConfirmation", list.Subscriptions[0].SubscriptionArn)
			t.Equal("false", t.AttributesOf(t.Subscribe(topic, t.Standard()))["PendingConfirmation"])
		}},
		{"SUB-9", "one subscription of a topic and an endpoint", 0, func(t *T) {
			topic, q := t.Topic("topic"), t.Standard()
			sub := t.Subscribe(topic, q, "RawMessageDelivery", "true")
			t.Equal(sub, t.Subscribe(topic, q))
			t.Equal(sub, t.Subscribe(topic, q, "RawMessageDelivery", "true", "FilterPolicyScope", "MessageAttributes"))
			t.Invalid("Attributes Reason: Subscription already exists with different attributes", "Subscribe", subscribe(topic, q, "RawMessageDelivery", "false"))
		}},
		{"SUB-10", "raw delivery is a boolean", 0, func(t *T) {
			topic := t.Topic("topic")
			sub := t.Subscribe(topic, t.Standard(), "RawMessageDelivery", "True")
			t.Equal("true", t.AttributesOf(sub)["RawMessageDelivery"])
			for _, value := range []string{"yes", ""} {
				operation, in := set(sub, "RawMessageDelivery", value)
				t.Invalid("RawMessageDelivery: Invalid value ["+value+"]. Must be true or false.", operation, in)
			}
			t.Invalid("Attributes Reason: RawMessageDelivery: Invalid value [x]. Must be true or false.", "Subscribe", subscribe(topic, t.Standard(), "RawMessageDelivery", "x"))
		}},
		{"SUB-12", "an unknown attribute", 0, func(t *T) {
			operation, in := set(t.Subscribe(t.Topic("topic"), t.Standard()), "Nonsense", "x")
			t.Invalid("AttributeName", operation, in)
		}},
		{"SUB-13", "scopes of a filter policy", 0, func(t *T) {
			operation, in := set(t.Subscribe(t.Topic("topic"), t.Standard()), "FilterPolicyScope", "x")
			t.Invalid("FilterPolicyScope: Invalid value [x]. Please use either MessageBody or MessageAttributes", operation, in)
		}},
		{"SUB-14", "a scope is hidden without a policy", 0, func(t *T) {
			sub := t.Subscribe(t.Topic("topic"), t.Standard(), "FilterPolicyScope", "MessageBody")
			_, shown := t.AttributesOf(sub)["FilterPolicyScope"]
			t.True(!shown, "hidden")
			t.SetOf(sub, "FilterPolicy", `{"a":{"b":["c"]}}`)
			t.Equal("MessageBody", t.AttributesOf(sub)["FilterPolicyScope"])
		}},
		{"SUB-15", "a filter policy is removed", 0, func(t *T) {
			topic := t.Topic("topic")
			q := t.Standard()
			sub := t.Subscribe(topic, q, "FilterPolicy", `{"k":["v"]}`, "RawMessageDelivery", "true")
			t.Publish(topic, "filtered")
			t.SetOf(sub, "FilterPolicy", "")
			_, has := t.AttributesOf(sub)["FilterPolicy"]
			t.True(!has, "removed")
			t.Publish(topic, "not filtered")
			t.Equal([]string{"not filtered"}, q.Bodies(10))
		}},
		{"SUB-16", "redrive policies that are none", 0, func(t *T) {
			sub := t.Subscribe(t.Topic("topic"), t.Standard())
			operation, in := set(sub, "RedrivePolicy", "x")
			t.Invalid("RedrivePolicy: failed to parse JSON....", operation, in)
			operation, in = set(sub, "RedrivePolicy", `{"deadLetterTargetArn":"x"}`)
			t.Invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn", operation, in)
			fifo := t.Subscribe(t.FIFOTopic(), t.FIFO())
			operation, in = set(fifo, "RedrivePolicy", `{"deadLetterTargetArn":"`+t.Standard().ARN()+`"}`)
			t.Invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.", operation, in)
		}},
		{"SUB-18", "a subscription that there is not", 0, func(t *T) {
			sub := t.Topic("topic") + ":00000000-0000-4000-8000-000000000000"
			t.RefusedBySNS("NotFound", "Subscription does not exist", "GetSubscriptionAttributes", M{"SubscriptionArn": sub})
			operation, in := set(sub, "RawMessageDelivery", "true")
			t.RefusedBySNS("NotFound", "Subscription does not exist", operation, in)
		}},
		{"SUB-19", "ending subscriptions", 0, func(t *T) {
			topic := t.Topic("topic")
			sub := t.Subscribe(topic, t.Standard())
			for range 2 {
				t.MustAsk("Unsubscribe", M{"SubscriptionArn": sub}, nil)
			}
			t.Invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1", "Unsubscribe", M{"SubscriptionArn": "pending confirmation"})
			t.Invalid("SubscriptionId", "Unsubscribe", M{"SubscriptionArn": topic})
		}},
		{"SUB-20", "nothing is kept for later subscribers", 0, func(t *T) {
			topic := t.Topic("topic")
			t.Publish(topic, "early")
			q := t.Raw(topic)
			t.Publish(topic, "late")
			t.Equal([]string{"late"}, q.Bodies(10))
		}},
		{"SUB-21", "attributes of a subscription", 0, func(t *T) {
			topic, q := t.Topic("topic"), t.Standard()
			sub := t.Subscribe(topic, q)
			got := t.AttributesOf(sub)
			for name, want := range map[string]string{"SubscriptionArn": sub, "TopicArn": topic, "Protocol": "sqs", "Endpoint": q.ARN(), "RawMessageDelivery": "false",
				"PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true"} {
				t.Equal(want, got[name], name)
			}
			t.Regexp("^arn:aws:iam::[0-9]{12}:user/", got["SubscriptionPrincipal"])
		}},
		{"SUB-23", "faults of the topic come first", 0, func(t *T) {
			t.RefusedBySNS("NotFound", "Topic does not exist", "Subscribe", M{"TopicArn": t.Topic("topic") + "x", "Protocol": "sms", "Endpoint": "x"})
		}},
		{"SUB-24", "attributes are checked for every protocol", 0, func(t *T) {
			t.Invalid(`Attributes Reason: FilterPolicy: "k" must be an object or an array...`, "Subscribe",
				M{"TopicArn": t.Topic("topic"), "Protocol": "sms", "Endpoint": "+15551234", "Attributes": Pairs("FilterPolicy", `{"k":"v"}`)})
		}},
		{"SUB-26", "policies are shown as they were set", 0, func(t *T) {
			const policy = `{ "k": ["v", 1] }`
			t.Equal(policy, t.AttributesOf(t.Subscribe(t.Topic("topic"), t.Standard(), "FilterPolicy", policy))["FilterPolicy"])
		}},
		{"CONF-2", "tokens that are none", 0, func(t *T) {
			topic := t.Topic("topic")
			t.RefusedBySNS("InvalidParameter", "Invalid token", "ConfirmSubscription", M{"TopicArn": topic, "Token": "zz"})
			t.Invalid("Token", "ConfirmSubscription", M{"TopicArn": topic, "Token": "abcdef"})
		}},
		{"CONF-3", "the topic of a confirmation", 0, func(t *T) {
			for _, topic := range []string{"x", strings.Replace(t.Topic("topic"), "us-east-1", "eu-west-1", 1)} {
				t.Invalid("Topic", "ConfirmSubscription", M{"TopicArn": topic, "Token": "abcdef"})
			}
		}},
	},
}

// topicRecords is section 15: phones, mailboxes and apps.
var topicRecords = Chapter{Cases: []Case{
	{"SMS-1", "a phone is confirmed at once", 0, func(t *T) {
		topic := t.Topic("topic")
		var out SubscriptionARN
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sms", "Endpoint": "+15551234567"}, &out)
		t.Equal("false", t.AttributesOf(out.SubscriptionArn)["PendingConfirmation"])
	}},
	{"SMS-2", "phone numbers", 0, func(t *T) {
		topic := t.Topic("topic")
		t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "sms", "Endpoint": "+12/34-567.890"}, nil)
		for _, number := range []string{"+12--34", "+1234.", ".1234", "12a4"} {
			t.RefusedBySNS("InvalidParameter", "Invalid SMS endpoint: "+number, "Subscribe", M{"TopicArn": topic, "Protocol": "sms", "Endpoint": number})
		}
	}},
	{"SMS-3", "publishing to a phone", 0, func(t *T) {
		var out Published
		t.MustAsk("Publish", M{"PhoneNumber": "+15551234567", "Message": "m"}, &out)
		t.NotEmpty(out.MessageId)
		t.Invalid("PhoneNumber Reason: 12a4 is not valid to publish to", "Publish", M{"PhoneNumber": "12a4", "Message": "m"})
	}},
	{"SMS-4", "those that are not confirmed count for pages", 0, func(t *T) {
		topic := t.Topic("topic")
		for i := range 101 {
			t.MustAsk("Subscribe", M{"TopicArn": topic, "Protocol": "email", "Endpoint": fmt.Sprintf("a%d@example.com", i)}, nil)
		}
		var list SubscriptionList
		t.MustAsk("ListSubscriptionsByTopic", M{"TopicArn": topic}, &list)
		t.Len(list.Subscriptions, 100)
		t.NotEmpty(list.NextToken)
	}},
	{"SMS-5", "settings for text messages", 0, func(t *T) {
		set := func(name, value string) M { return M{"attributes": Pairs(name, value)} }
		t.RefusedBySNS("InvalidParameter", "DefaultSendID is not a valid attribute", "SetSMSAttributes", set("DefaultSendID", "x"))
		t.RefusedBySNS("InvalidParameter", "DefaultSMSType is invalid", "SetSMSAttributes", set("DefaultSMSType", "x"))
		t.MustAsk("SetSMSAttributes", set("DefaultSMSType", "Promotional"), nil)
	}},
	{"SMS-7", "phones that opted out", 0, func(t *T) {
		t.MustAsk("OptInPhoneNumber", M{"phoneNumber": "+15551234567"}, nil)
		t.Invalid("PhoneNumber Reason: input incorrectly formatted", "OptInPhoneNumber", M{"phoneNumber": "x"})
	}},
	{"PLAT-1", "platforms", 0, func(t *T) {
		var out struct{ PlatformApplicationArn string }
		t.MustAsk("CreatePlatformApplication", application("app", "GCM"), &out)
		t.Regexp("^arn:aws:sns:[a-z0-9-]+:[0-9]{12}:app/GCM/app$", out.PlatformApplicationArn)
		t.Invalid("Platform Reason: X is not supported", "CreatePlatformApplication", application("app", "X"))
	}},
	{"PLAT-2", "names of applications", 0, func(t *T) {
		t.Invalid(" Reason: cannot be empty", "CreatePlatformApplication", application("", "GCM"))
		long := strings.Repeat("x", 257)
		t.Invalid(long+" Reason: must be at most 256 characters long", "CreatePlatformApplication", application(long, "GCM"))
		t.Invalid("a b Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'", "CreatePlatformApplication", application("a b", "GCM"))
	}},
	{"PLAT-3", "secrets come in pairs", 0, func(t *T) {
		t.Invalid("Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential", "CreatePlatformApplication",
			M{"Name": "a", "Platform": "ADM", "Attributes": Pairs("PlatformPrincipal", "x")})
	}},
	{"PLAT-5", "applications that there are not", 0, func(t *T) {
		t.Invalid("PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1", "GetPlatformApplicationAttributes", M{"PlatformApplicationArn": "x"})
		t.RefusedBySNS("NotFound", "PlatformApplication does not exist", "GetPlatformApplicationAttributes", M{"PlatformApplicationArn": "arn:aws:sns:us-east-1:000000000000:app/GCM/none"})
	}},
	{"PLAT-8", "a token is one endpoint", 0, func(t *T) {
		app := platformApplication(t)
		first, again := endpointOf(t, app, "token", ""), endpointOf(t, app, "token", "")
		t.Equal(first, again)
		t.Invalid("Token Reason: Endpoint "+first+" already exists with the same Token, but different attributes.", "CreatePlatformEndpoint",
			M{"PlatformApplicationArn": app, "Token": "token", "Attributes": Pairs("Enabled", "false")})
	}},
	{"PLAT-9", "attributes of endpoints", 0, func(t *T) {
		app := platformApplication(t)
		t.Invalid("Attributes Reason: Invalid attribute name: X", "CreatePlatformEndpoint", M{"PlatformApplicationArn": app, "Token": "t", "Attributes": Pairs("X", "y")})
		t.Invalid("Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding", "CreatePlatformEndpoint",
			M{"PlatformApplicationArn": app, "Token": "t", "CustomUserData": strings.Repeat("x", 2049)})
	}},
	{"PLAT-10", "publishing to endpoints", 0, func(t *T) {
		endpoint := endpointOf(t, platformApplication(t), "token", "")
		t.MustAsk("Publish", M{"TargetArn": endpoint, "Message": "m"}, nil)
		t.MustAsk("SetEndpointAttributes", M{"EndpointArn": endpoint, "Attributes": Pairs("Enabled", "false")}, nil)
		t.RefusedBySNS("EndpointDisabled", "Endpoint is disabled", "Publish", M{"TargetArn": endpoint, "Message": "m"})
		t.MustAsk("DeleteEndpoint", M{"EndpointArn": endpoint}, nil)
		t.Invalid("TargetArn Reason: No endpoint found for the target arn specified", "Publish", M{"TargetArn": endpoint, "Message": "m"})
		t.RefusedBySNS("NotFound", "Endpoint does not exist", "GetEndpointAttributes", M{"EndpointArn": endpoint})
	}},
}}

func application(name, platform string) M {
	return M{"Name": name, "Platform": platform, "Attributes": Pairs("PlatformCredential", "secret")}
}

func platformApplication(t *T) string {
	t.Helper()
	var out struct{ PlatformApplicationArn string }
	t.MustAsk("CreatePlatformApplication", application("app", "GCM"), &out)
	return out.PlatformApplicationArn
}

func endpointOf(t *T, application, token, userData string) string {
	t.Helper()
	in := M{"PlatformApplicationArn": application, "Token": token}
	if userData != "" {
		in["CustomUserData"] = userData
	}
	var out struct{ EndpointArn string }
	t.MustAsk("CreatePlatformEndpoint", in, &out)
	return out.EndpointArn
}
