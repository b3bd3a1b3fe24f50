package suite

import (
	"fmt"
	"strings"
)

// topicLives is section 3, topics.
var topicLives = Chapter{Cases: []Case{
	{"TOP-1", "names", 0, func(t *T) {
		for _, name := range []string{"a", "A_b-9", strings.Repeat("x", 256)} {
			t.Regexp(`^arn:aws:sns:[a-z0-9-]+:[0-9]{12}:`+name+"$", t.Topic(name))
		}
		for _, name := range []string{"a b", "a:b", "a;b", "a!", "a@b", `a\b`, "a|b", "a^", "a%", strings.Repeat("x", 257), "a.fifo"} {
			t.Invalid("Topic Name", "CreateTopic", M{"Name": name})
		}
		t.Invalid("Topic Name", "CreateTopic", M{"Name": "plain", "Attributes": Pairs("FifoTopic", "true")})
	}},
	{"TOP-2", "creating again changes nothing", 0, func(t *T) {
		topic := t.Topic("topic", "DisplayName", "one")
		t.Equal(topic, t.Topic("topic"))
		t.Equal(topic, t.Topic("topic", "DisplayName", "one"))
		t.SetOf(topic, "DisplayName", "two")
		t.Equal(topic, t.Topic("topic"))
		t.Equal("two", t.AttributesOf(topic)["DisplayName"])
	}},
	{"TOP-3", "creating again with another attribute", 0, func(t *T) {
		t.Topic("topic", "DisplayName", "one")
		for _, attributes := range []map[string]string{Pairs("DisplayName", "two"), Pairs("DisplayName", "one", "SignatureVersion", "2")} {
			t.Invalid("Attributes Reason: Topic already exists with different attributes", "CreateTopic", M{"Name": "topic", "Attributes": attributes})
		}
		t.Topic("topic", "FifoTopic", "false")
	}},
	{"TOP-4", "creating again with tags", 0, func(t *T) {
		tags := func(pairs ...string) M {
			list := []TopicTag{}
			for i := 0; i < len(pairs); i += 2 {
				list = append(list, TopicTag{pairs[i], pairs[i+1]})
			}
			return M{"Name": "topic", "Tags": list}
		}
		var made TopicARN
		t.MustAsk("CreateTopic", tags("a", "1", "b", "2"), &made)
		t.MustAsk("CreateTopic", tags("a", "1"), nil)
		t.MustAsk("CreateTopic", M{"Name": "topic"}, nil)
		for _, other := range []M{tags("a", "2"), tags("c", "1")} {
			t.Invalid("Tags Reason: Topic already exists with different tags", "CreateTopic", other)
		}
		t.MustAsk("DeleteTopic", M{"TopicArn": made.TopicArn}, nil)
		t.MustAsk("CreateTopic", tags("c", "3"), nil)
		var out TopicTags
		t.MustAsk("ListTagsForResource", M{"ResourceArn": made.TopicArn}, &out)
		t.Equal([]TopicTag{{"c", "3"}}, out.Tags)
	}},
	{"TOP-5", "the name comes before what exists", 0, func(t *T) {
		t.Topic("topic")
		t.Invalid("Topic Name", "CreateTopic", M{"Name": "topic", "Attributes": Pairs("FifoTopic", "true")})
	}},
	{"TOP-6", "deleting again", 0, func(t *T) {
		topic := t.Topic("topic")
		for range 3 {
			t.MustAsk("DeleteTopic", M{"TopicArn": topic}, nil)
		}
	}},
	{"TOP-7", "what is deleted does not exist", 0, func(t *T) {
		q := t.Standard()
		topic := t.Topic("topic")
		sub := t.Subscribe(topic, q)
		t.MustAsk("DeleteTopic", M{"TopicArn": topic}, nil)
		for operation, in := range map[string]M{
			"GetTopicAttributes": {"TopicArn": topic}, "Publish": {"TopicArn": topic, "Message": "m"}, "Subscribe": subscribe(topic, q),
		} {
			t.RefusedBySNS("NotFound", "Topic does not exist", operation, in)
		}
		t.Equal(sub, t.AttributesOf(sub)["SubscriptionArn"], "which can be read for a while")
		t.Topic("topic")
		t.Publish(topic, "m")
		t.Empty(q.Bodies(10), "nothing is delivered to it")
	}},
	{"TOP-8", "what is no ARN", 0, func(t *T) {
		for _, operation := range []string{"GetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic"} {
			t.Invalid("TopicArn Reason: An ARN must have at least 6 elements, not 1", operation, M{"TopicArn": "x"})
			t.Invalid("TopicArn Reason: An ARN must have at least 6 elements, not 3", operation, M{"TopicArn": "a:b:c"})
		}
	}},
	{"TOP-9", "an ARN of another region", 0, func(t *T) {
		other := strings.Replace(t.Topic("topic"), "us-east-1", "eu-west-1", 1)
		for operation, in := range map[string]M{
			"GetTopicAttributes": {}, "DeleteTopic": {}, "ListSubscriptionsByTopic": {}, "Publish": {"Message": "m"},
			"SetTopicAttributes": {"AttributeName": "DisplayName", "AttributeValue": "x"}, "Subscribe": {"Protocol": "sms", "Endpoint": "+15551234"},
			"PublishBatch": {"PublishBatchRequestEntries": []M{{"Id": "a", "Message": "m"}}},
		} {
			in["TopicArn"] = other
			t.Invalid("TopicArn", operation, in)
		}
	}},
	{"TOP-10", "pages of a hundred", 0, func(t *T) {
		for i := range 101 {
			t.Topic(fmt.Sprint("topic-", i))
		}
		var first, second TopicList
		t.MustAsk("ListTopics", M{}, &first)
		t.Len(first.Topics, 100)
		t.MustAsk("ListTopics", M{"NextToken": first.NextToken}, &second)
		t.Len(second.Topics, 1)
		t.Empty(second.NextToken)
	}},
	{"TOP-11", "what cannot be set", 0, func(t *T) {
		topic := t.Topic("topic")
		for _, name := range []string{"FifoTopic", "Nonsense"} {
			operation, in := set(topic, name, "true")
			t.Invalid("AttributeName", operation, in)
		}
	}},
	{"TOP-12", "a delivery policy is replaced", 0, func(t *T) {
		topic := t.Topic("topic")
		t.SetOf(topic, "DeliveryPolicy", `{"http":{"defaultRequestPolicy":{"headerContentType":"application/json"}}}`)
		t.SetOf(topic, "DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":6,"numRetries":1}}}`)
		t.True(!strings.Contains(t.AttributesOf(topic)["DeliveryPolicy"], "application/json"), "it is gone")
		t.SetOf(topic, "DeliveryPolicy", "")
		_, has := t.AttributesOf(topic)["DeliveryPolicy"]
		t.True(!has, "removed")
	}},
	{"TOP-13", "booleans in any letter case", 0, func(t *T) {
		t.Equal("true", t.AttributesOf(t.Topic("topic.fifo", "FifoTopic", "True", "ContentBasedDeduplication", "TRUE"))["ContentBasedDeduplication"])
	}},
	{"TOP-14", "a data protection policy", 0, func(t *T) {
		topic := t.Topic("topic")
		const policy = `{"Name":"p","Version":"2021-06-01"}`
		t.MustAsk("PutDataProtectionPolicy", M{"ResourceArn": topic, "DataProtectionPolicy": policy}, nil)
		var out ProtectionPolicy
		t.MustAsk("GetDataProtectionPolicy", M{"ResourceArn": topic}, &out)
		t.JSONEq(policy, out.DataProtectionPolicy)
		_, shown := t.AttributesOf(topic)["DataProtectionPolicy"]
		t.True(!shown, "it is no attribute")
	}},
}}

// topicTags is section 14, tags and permissions.
var topicTags = Chapter{Cases: []Case{
	{"TAG-1", "tags are set, overwritten and removed", 0, func(t *T) {
		on := M{"ResourceArn": t.Topic("topic")}
		tag := func(pairs ...string) M {
			list := []TopicTag{}
			for i := 0; i < len(pairs); i += 2 {
				list = append(list, TopicTag{pairs[i], pairs[i+1]})
			}
			return M{"ResourceArn": on["ResourceArn"], "Tags": list}
		}
		t.MustAsk("TagResource", tag("a", "1", "b", "2", "A", "x"), nil)
		t.MustAsk("TagResource", tag("a", "3"), nil)
		t.MustAsk("UntagResource", M{"ResourceArn": on["ResourceArn"], "TagKeys": []string{"b", "none"}}, nil)
		var out TopicTags
		t.MustAsk("ListTagsForResource", on, &out)
		t.ElementsMatch([]TopicTag{{"a", "3"}, {"A", "x"}}, out.Tags)
	}},
	{"TAG-1", "a key that is given twice", Members, func(t *T) {
		t.Invalid("Duplicated keys are not allowed.", "TagResource", M{"ResourceArn": t.Topic("topic"), "Tags": []TopicTag{{"c", "1"}, {"c", "2"}}})
	}},
	{"TAG-2", "too many tags, and no topic", 0, func(t *T) {
		topic := t.Topic("topic")
		var list []TopicTag
		for i := range 51 {
			list = append(list, TopicTag{fmt.Sprint("k", i), "v"})
		}
		t.RefusedBySNS("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded", "TagResource", M{"ResourceArn": topic, "Tags": list})
		var out TopicTags
		t.MustAsk("ListTagsForResource", M{"ResourceArn": topic}, &out)
		t.Empty(out.Tags, "nothing changed")
		t.MustAsk("TagResource", M{"ResourceArn": topic, "Tags": list[:50]}, nil)
		t.RefusedBySNS("ResourceNotFound", "Resource does not exist", "ListTagsForResource", M{"ResourceArn": topic + "x"})
	}},
	{"PERM-1", "a permission is a statement", 0, func(t *T) {
		topic := t.Topic("topic")
		t.MustAsk("AddPermission", M{"TopicArn": topic, "Label": "l", "AWSAccountId": []string{"111111111111"}, "ActionName": []string{"Publish"}}, nil)
		policy := t.AttributesOf(topic)["Policy"]
		for _, part := range []string{`"Sid":"l"`, `"AWS":"arn:aws:iam::111111111111:root"`, `"SNS:Publish"`, topic} {
			t.True(strings.Contains(policy, part), policy)
		}
	}},
	{"PERM-2", "what no permission can be", 0, func(t *T) {
		add := func(label, action string) M {
			return M{"TopicArn": t.Topic("topic"), "Label": label, "AWSAccountId": []string{"111111111111"}, "ActionName": []string{action}}
		}
		t.MustAsk("AddPermission", add("l", "Publish"), nil)
		t.Invalid("Statement already exists", "AddPermission", add("l", "Subscribe"))
		t.Invalid("Policy statement action out of service scope!", "AddPermission", add("m", "Nonsense"))
		in := add("m", "Publish")
		in["TopicArn"] = in["TopicArn"].(string) + "x"
		t.RefusedBySNS("NotFound", "Topic does not exist", "AddPermission", in)
	}},
	{"PERM-3", "a permission is removed by its label", 0, func(t *T) {
		topic := t.Topic("topic")
		t.MustAsk("AddPermission", M{"TopicArn": topic, "Label": "l", "AWSAccountId": []string{"111111111111", "222222222222"}, "ActionName": []string{"Publish"}}, nil)
		for range 2 {
			t.MustAsk("RemovePermission", M{"TopicArn": topic, "Label": "l"}, nil)
		}
		t.True(!strings.Contains(t.AttributesOf(topic)["Policy"], "111111111111"), "it is gone")
		t.RefusedBySNS("NotFound", "Topic does not exist", "RemovePermission", M{"TopicArn": topic + "x", "Label": "l"})
	}},
}}
