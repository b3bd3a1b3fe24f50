package suite

import (
	"encoding/xml"
	"strings"
)

// readTopicXML reads a whole answer of SNS.
func readTopicXML(t *T, text string) (root element) {
	t.Helper()
	t.NoError(xml.Unmarshal([]byte(text), &root), text)
	t.Equal("http://sns.amazonaws.com/doc/2010-03-31/", root.XMLName.Space)
	return root
}

// failsInXML checks an error of SNS.
func failsInXML(t *T, r Reply, status int, code, text string) {
	t.Helper()
	t.Equal(status, r.Status, r.Body)
	e := readTopicXML(t, r.Body)
	t.Equal("ErrorResponse", e.XMLName.Local)
	t.Equal(code, e.all("Error")[0].text("Code"))
	if text != "" {
		t.Equal(text, e.all("Error")[0].text("Message"))
	}
}

// topicWire is section 1.
var topicWire = Chapter{
	Needs: HTTP,
	Cases: []Case{
		{"WIRE-1", "a POST with the parameters in its body", 0, func(t *T) {
			r := askQuery(t, "/", "Action", "CreateTopic", "Version", "2010-03-31", "Name", "topic")
			t.Equal(200, r.Status, r.Body)
			t.Equal("CreateTopicResponse", readTopicXML(t, r.Body).XMLName.Local)
		}},
		{"WIRE-2", "parameters in the URL, of a POST and of a GET, without a version", 0, func(t *T) {
			t.Equal(200, t.Exchange(t.Request("POST", "/?"+form("Action", "CreateTopic", "Name", "topic"), "")).Status)
			r := t.Exchange(getQuery(t, "/", "Action", "ListTopics"))
			t.Equal(200, r.Status)
			t.True(strings.Contains(r.Body, ":topic<"), r.Body)
		}},
		{"WIRE-4", "a bare name is an empty list", 0, func(t *T) {
			r := askQuery(t, "/", "Action", "CreateTopic", "Name", "topic", "Tags", "")
			t.Equal(200, r.Status, r.Body)
		}},
		{"WIRE-5", "what stands around a result", 0, func(t *T) {
			r := askQuery(t, "/", "Action", "CreateTopic", "Name", "topic")
			t.Equal("text/xml", r.Header.Get("Content-Type"))
			root := readTopicXML(t, r.Body)
			t.Equal([]string{"CreateTopicResult", "ResponseMetadata"}, root.names())
			t.Regexp(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, root.all("ResponseMetadata")[0].text("RequestId"))
		}},
		{"WIRE-6", "an operation without a result", 0, func(t *T) {
			topic := t.Topic("topic")
			r := askQuery(t, "/", "Action", "DeleteTopic", "TopicArn", topic)
			t.Equal([]string{"ResponseMetadata"}, readTopicXML(t, r.Body).names())
			topic = t.Topic("topic")
			r = askQuery(t, "/", "Action", "UntagResource", "ResourceArn", topic, "TagKeys.member.1", "k")
			root := readTopicXML(t, r.Body)
			t.Equal([]string{"UntagResourceResult", "ResponseMetadata"}, root.names())
			t.Empty(root.Inner[0].Inner)
		}},
		{"WIRE-7", "empty lists are elements", 0, func(t *T) {
			for operation, list := range map[string]string{"ListTopics": "Topics", "ListSubscriptions": "Subscriptions", "ListPlatformApplications": "PlatformApplications"} {
				r := askQuery(t, "/", "Action", operation)
				t.True(strings.Contains(r.Body, "<"+list+"/>"), r.Body)
			}
			topic := t.Topic("topic")
			r := askQuery(t, "/", "Action", "PublishBatch", "TopicArn", topic, "PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.1.Message", "m")
			t.True(strings.Contains(r.Body, "<Failed/>"), r.Body)
		}},
		{"WIRE-8", "what stands around an error", 0, func(t *T) {
			r := askQuery(t, "/", "Action", "GetTopicAttributes", "TopicArn", "x")
			root := readTopicXML(t, r.Body)
			t.Equal([]string{"Error", "RequestId"}, root.names())
			t.Equal("Sender", root.all("Error")[0].text("Type"))
		}},
		{"WIRE-9", "codes are those of the wire", 0, func(t *T) {
			topic := t.Topic("topic")
			t.MustAsk("DeleteTopic", M{"TopicArn": topic}, nil)
			failsInXML(t, askQuery(t, "/", "Action", "Publish", "TopicArn", topic, "Message", "m"), 404, "NotFound", "Topic does not exist")
			failsInXML(t, askQuery(t, "/", "Action", "ListTagsForResource", "ResourceArn", topic), 404, "ResourceNotFound", "Resource does not exist")
		}},
		{"WIRE-11", "no action, and an unknown one", 0, func(t *T) {
			failsInXML(t, askQuery(t, "/", "Version", "2010-03-31"), 400, "MissingAction", "")
			failsInXML(t, askQuery(t, "/", "Action", "Nothing"), 400, "InvalidAction", "")
		}},
		{"WIRE-12", "a required value is missing", 0, func(t *T) {
			failsInXML(t, askQuery(t, "/", "Action", "Unsubscribe"), 400, "InvalidParameter", "Invalid parameter: SubscriptionArn Reason: no value for required parameter")
		}},
		{"WIRE-13", "a part of a structure is missing", 0, func(t *T) {
			failsInXML(t, askQuery(t, "/", "Action", "TagResource", "ResourceArn", t.Topic("topic"), "Tags.member.1.Value", "v"), 400, "ValidationError",
				"1 validation error detected: Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null")
		}},
		{"WIRE-15", "an error has a type, a code and a message", 0, func(t *T) {
			r := askQuery(t, "/", "Action", "GetTopicAttributes", "TopicArn", "x")
			t.Equal([]string{"Type", "Code", "Message"}, readTopicXML(t, r.Body).all("Error")[0].names())
		}},
		{"WIRE-16", "a required map that is empty was not sent", 0, func(t *T) {
			for _, request := range [][]string{
				{"Action", "CreatePlatformApplication", "Name", "a", "Platform", "GCM"},
				{"Action", "SetPlatformApplicationAttributes", "PlatformApplicationArn", "x"},
				{"Action", "SetEndpointAttributes", "EndpointArn", "x"},
			} {
				failsInXML(t, askQuery(t, "/", request...), 400, "ValidationError",
					"1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null")
			}
		}},
		{"SIG-3", "the certificate is served to anyone", 0, func(t *T) {
			q := t.Standard()
			topic := t.Topic("topic")
			t.Subscribe(topic, q)
			t.Publish(topic, "m")
			body := q.Bodies(1)[0]
			_, rest, found := strings.Cut(body, "/SimpleNotificationService-")
			t.True(found, body)
			name, _, _ := strings.Cut(rest, `"`)
			r := t.Exchange(t.Request("GET", "/SimpleNotificationService-"+name, ""))
			t.Equal(200, r.Status)
			t.Regexp("^-----BEGIN CERTIFICATE-----\n", r.Body)
		}},
		{"FAN-7", "the trace header of a request goes along", Account, func(t *T) {
			topic := t.Topic("topic")
			q := t.Raw(topic)
			t.Exchange(t.Request("POST", "/", form("Action", "Publish", "TopicArn", topic, "Message", "m"),
				"Content-Type", "application/x-www-form-urlencoded", "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"))
			ms, err := q.Take(ReceiveMessage{AttributeNames: []string{"All"}})
			t.NoError(err)
			t.Equal("Root=1-5759e988-bd862e3fe1be46a994272793", ms[0].Attributes["AWSTraceHeader"])
		}},
	},
}
