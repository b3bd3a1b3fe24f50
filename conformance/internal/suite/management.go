package suite

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/inq"
)

// management is section 7, queue management.
var management = Chapter{
	Needs: Account,
	Differs: map[string]string{
		"MGT-3":  "SQS takes up to 60 seconds for a deletion, in which calls may still succeed. Here the queue is gone when DeleteQueue returns.",
		"MGT-15": "Nothing is encrypted: messages stand in memory, and in snapshots, as they are. The attributes of encryption are kept and shown.",
	},
	Cases: slices.Concat(createCases, deleteCases, purgeCases, listCases, queueAttributeCases, urlCases, tagCases),
}

var createCases = []Case{
	{"MGT-1", "without attributes the queue that exists is returned", 0, func(t *T) {
		q := t.Standard("VisibilityTimeout", "90", "DelaySeconds", "5")
		t.Equal(q.URL, t.Create(q.Name).URL)
		t.Equal("90", q.Attribute("VisibilityTimeout"))
		t.Equal("5", q.Attribute("DelaySeconds"))
	}},
	{"MGT-1", "a FIFO queue is found by its one mandatory attribute", 0, func(t *T) {
		q := t.FIFO("ContentBasedDeduplication", "true")
		t.Equal(q.URL, t.Create(q.Name, "FifoQueue", "true").URL)
		t.Equal("true", q.Attribute("ContentBasedDeduplication"))
	}},
	{"MGT-1", "only attributes that are given are compared", 0, func(t *T) {
		q := t.Standard("VisibilityTimeout", "90", "DelaySeconds", "5")
		t.Equal(q.URL, t.Create(q.Name, "VisibilityTimeout", "90").URL)
		t.Equal(q.URL, t.Create(q.Name, "DelaySeconds", "5", "MaximumMessageSize", "1048576").URL)
	}},
	{"MGT-1", "a different value is refused and changes nothing", 0, func(t *T) {
		q := t.Standard("VisibilityTimeout", "90")
		for _, attributes := range [][]string{
			{"VisibilityTimeout", "30"}, {"DelaySeconds", "0", "VisibilityTimeout", "91"}, {"VisibilityTimeout", "0"},
		} {
			err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs(attributes...)}, nil)
			t.Refused(err, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute VisibilityTimeout")
		}
		err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("MessageRetentionPeriod", "60")}, nil)
		t.Refused(err, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute MessageRetentionPeriod")
		t.Equal(map[string]string{"VisibilityTimeout": "90", "MessageRetentionPeriod": "345600"}, q.Attributes("VisibilityTimeout", "MessageRetentionPeriod"))
	}},
	{"MGT-1", "every attribute that can be set is compared", 0, func(t *T) {
		dead := t.FIFO()
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny"}]}`
		q := t.FIFO("Policy", policy, "RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`","maxReceiveCount":3}`, "KmsMasterKeyId", "alias/one",
			"RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`, "ReceiveMessageWaitTimeSeconds", "3")
		for name, other := range map[string]string{
			"DelaySeconds": "1", "MaximumMessageSize": "1024", "MessageRetentionPeriod": "60", "ReceiveMessageWaitTimeSeconds": "4", "VisibilityTimeout": "31",
			"Policy":         `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}`,
			"RedrivePolicy":  `{"deadLetterTargetArn":"` + dead.ARN() + `","maxReceiveCount":4}`,
			"KmsMasterKeyId": "alias/two", "KmsDataKeyReusePeriodSeconds": "60", "RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`,
			"ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup",
		} {
			err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("FifoQueue", "true", name, other)}, nil)
			t.Refused(err, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute "+name)
		}
		t.Equal(q.URL, t.Create(q.Name, "FifoQueue", "true", "Policy", policy, "KmsMasterKeyId", "alias/one", "ReceiveMessageWaitTimeSeconds", "3",
			"RedrivePolicy", q.Attribute("RedrivePolicy"), "RedriveAllowPolicy", q.Attribute("RedriveAllowPolicy")).URL)
	}},
	{"MGT-1", "the throughput limit and the managed encryption are compared as well", 0, func(t *T) {
		q, f := t.Standard(), t.FIFO("DeduplicationScope", "messageGroup")
		err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("SqsManagedSseEnabled", "false")}, nil)
		t.Refused(err, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute SqsManagedSseEnabled")
		t.Equal(q.URL, t.Create(q.Name, "SqsManagedSseEnabled", "true").URL)
		err = t.Call("CreateQueue", CreateQueue{QueueName: f.Name, Attributes: Pairs("FifoQueue", "true",
			"DeduplicationScope", "messageGroup", "FifoThroughputLimit", "perMessageGroupId")}, nil)
		t.Refused(err, "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute FifoThroughputLimit")
		t.Equal(f.URL, t.Create(f.Name, "FifoQueue", "true", "FifoThroughputLimit", "perQueue").URL)
	}},
	{"MGT-1", "the current values are compared and not those of the creation", 0, func(t *T) {
		q := t.Standard("VisibilityTimeout", "90")
		t.NoError(q.Set("VisibilityTimeout", "45"))
		err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("VisibilityTimeout", "90")}, nil)
		t.Refused(err, "QueueAlreadyExists", "")
		t.Equal(q.URL, t.Create(q.Name, "VisibilityTimeout", "45").URL)
	}},
	{"MGT-1", "counters and timestamps are not compared", Time, func(t *T) {
		q := t.Standard("DelaySeconds", "1")
		created := q.Attribute("CreatedTimestamp")
		q.Send("one", "two")
		t.Sleep(5 * time.Second)
		t.Len(q.Bodies(1), 1)
		t.Equal(q.URL, t.Create(q.Name, "DelaySeconds", "1").URL)
		t.Equal([3]int{1, 1, 0}, q.Counts())
		t.Equal(created, q.Attribute("CreatedTimestamp"))
	}},
	{"MGT-1", "tags are neither compared nor changed", 0, func(t *T) {
		t.Must("CreateQueue", CreateQueue{QueueName: "tagged", Tags: Pairs("k", "v")}, nil)
		var out QueueURL
		t.Must("CreateQueue", CreateQueue{QueueName: "tagged", Tags: Pairs("k", "other", "more", "")}, &out)
		t.Equal(StringMap{"k": "v"}, tagsOf(&Q{t: t, URL: out.QueueUrl}))
	}},
}

var deleteCases = []Case{
	{"MGT-2", "the name of a deleted queue is refused", 0, func(t *T) {
		q := t.Standard()
		t.NoError(q.Drop())
		for _, attributes := range []map[string]string{nil, Pairs("DelaySeconds", "1")} {
			err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: attributes}, nil)
			t.Refused(err, "AWS.SimpleQueueService.QueueDeletedRecently",
				"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
		}
		t.Create(q.Name + "-2")
	}},
	{"MGT-2", "the name is free again after 60 seconds", Time, func(t *T) {
		q := t.FIFO()
		t.NoError(q.Drop())
		t.Sleep(time.Minute - time.Millisecond)
		err := t.Call("CreateQueue", CreateQueue{QueueName: q.Name, Attributes: Pairs("FifoQueue", "true")}, nil)
		t.Refused(err, "AWS.SimpleQueueService.QueueDeletedRecently", "")
		t.Sleep(time.Millisecond)
		t.Equal(q.URL, t.Create(q.Name, "FifoQueue", "true").URL)
	}},
	{"MGT-2", "an option of the broker frees the name at once", Engine, func(t *T) {
		t.Reopen(inq.WithoutCooldowns())
		q := t.Standard()
		for range 3 {
			t.NoError(q.Drop())
			t.Create(q.Name)
		}
	}},
	{"MGT-3", "every later call fails", 0, func(t *T) {
		q := t.Standard()
		q.Send("lost")
		handle := q.One().ReceiptHandle
		t.NoError(q.Drop())
		for operation, in := range map[string]any{
			"SendMessage":                  SendMessage{QueueUrl: q.URL, MessageBody: "b"},
			"SendMessageBatch":             Batch[SendMessage]{q.URL, []SendMessage{{Id: "a", MessageBody: "b"}}},
			"ReceiveMessage":               ReceiveMessage{QueueUrl: q.URL},
			"DeleteMessage":                DeleteMessage{QueueUrl: q.URL, ReceiptHandle: handle},
			"DeleteMessageBatch":           Batch[DeleteMessage]{q.URL, []DeleteMessage{{Id: "a", ReceiptHandle: handle}}},
			"ChangeMessageVisibility":      ChangeMessageVisibility{QueueUrl: q.URL, ReceiptHandle: handle, VisibilityTimeout: Int(1)},
			"ChangeMessageVisibilityBatch": Batch[ChangeMessageVisibility]{q.URL, []ChangeMessageVisibility{{Id: "a", ReceiptHandle: handle, VisibilityTimeout: Int(1)}}},
			"PurgeQueue":                   QueueURL{q.URL},
			"GetQueueAttributes":           GetQueueAttributes{QueueUrl: q.URL, AttributeNames: []string{"All"}},
			"SetQueueAttributes":           SetQueueAttributes{q.URL, Pairs("DelaySeconds", "1")},
			"TagQueue":                     TagQueue{q.URL, StringMap{"k": "v"}},
			"UntagQueue":                   UntagQueue{q.URL, []string{"k"}},
			"ListQueueTags":                QueueURL{q.URL},
			"ListDeadLetterSourceQueues":   ListDeadLetterSourceQueues{QueueUrl: q.URL},
			"GetQueueUrl":                  GetQueueURL{q.Name},
			"DeleteQueue":                  QueueURL{q.URL},
		} {
			t.Refused(t.Call(operation, in, nil), "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist...")
		}
		t.Empty(listed(t, ListQueues{}).QueueUrls)
	}},
	{"MGT-3", "permissions of a deleted queue cannot be changed", Members, func(t *T) {
		q := t.Standard()
		t.NoError(q.Drop())
		t.Refused(t.Call("AddPermission", AddPermission{q.URL, "l", []string{"111111111111"}, []string{"SendMessage"}}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		t.Refused(t.Call("RemovePermission", RemovePermission{q.URL, "l"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
	}},
	{"MGT-3", "messages are lost", Engine, func(t *T) {
		t.Reopen(inq.WithoutCooldowns())
		q := t.Standard()
		q.Send("visible", "in flight")
		q.One()
		_, err := q.Post(SendMessage{MessageBody: "delayed", DelaySeconds: Int(900)})
		t.NoError(err)
		t.NoError(q.Drop())
		again := t.Create(q.Name)
		again.Empty()
		t.Equal([3]int{}, again.Counts())
	}},
	{"MGT-3", "a long poll ends with the queue", Time, func(t *T) {
		q := t.Standard()
		poll := q.Poll(ReceiveMessage{WaitTimeSeconds: Int(20)})
		t.Sleep(3 * time.Second)
		t.NoError(q.Drop())
		p := <-poll
		t.Refused(p.Err, "AWS.SimpleQueueService.NonExistentQueue", "")
		t.Equal(3*time.Second, p.Took)
	}},
	{"MGT-3", "a queue that does not exist cannot be deleted", 0, func(t *T) {
		q := t.Standard()
		t.Refused(t.Call("DeleteQueue", QueueURL{q.URL + "-2"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist...")
		t.Equal([]string{q.URL}, listed(t, ListQueues{}).QueueUrls)
	}},
}

var purgeCases = []Case{
	{"MGT-4", "visible, delayed and received messages are gone, later ones stay", 0, func(t *T) {
		q := t.Standard()
		q.Send("in flight", "visible")
		handle := q.One().ReceiptHandle
		_, err := q.Post(SendMessage{MessageBody: "delayed", DelaySeconds: Int(900)})
		t.NoError(err)
		t.Equal([3]int{1, 1, 1}, q.Counts())
		t.NoError(q.Purge())
		t.Equal([3]int{}, q.Counts())
		t.NoError(q.Delete(handle))
		q.Send("after")
		t.Equal([]string{"after"}, q.Bodies(10))
	}},
	{"MGT-4", "nothing that was purged comes back", Time, func(t *T) {
		q := t.Standard("VisibilityTimeout", "10")
		q.Send("in flight")
		q.One()
		_, err := q.Post(SendMessage{MessageBody: "delayed", DelaySeconds: Int(10)})
		t.NoError(err)
		t.NoError(q.Purge())
		q.Send("after")
		t.Sleep(time.Minute)
		t.Equal([]string{"after"}, q.Bodies(10))
		t.Equal([3]int{0, 1, 0}, q.Counts())
	}},
	{"MGT-4", "a group whose message was purged in flight is free", 0, func(t *T) {
		q := t.FIFO()
		q.SendTo("g", "first", "behind")
		q.One()
		t.NoError(q.Purge())
		q.SendTo("g", "after")
		t.Equal([]string{"after"}, q.Bodies(10))
	}},
	{"MGT-4", "a second purge is refused and removes nothing", 0, func(t *T) {
		q := t.Standard()
		t.NoError(q.Purge())
		q.Send("stays")
		t.Refused(q.Purge(), "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation on "+q.Name+" is allowed every 60 seconds.")
		t.Equal([]string{"stays"}, q.Bodies(10))
		t.NoError(t.Standard().Purge(), "of another queue")
	}},
	{"MGT-4", "a second purge is a 403", HTTP, func(t *T) {
		q := t.Standard()
		t.NoError(q.Purge())
		t.Equal(403, askJSON(t, "PurgeQueue", QueueURL{q.URL}).Status)
		t.Equal(403, askQuery(t, q.URL, "Action", "PurgeQueue").Status)
	}},
	{"MGT-4", "a queue can be purged again after 60 seconds", Time, func(t *T) {
		q := t.FIFO()
		t.NoError(q.Purge())
		t.Sleep(time.Minute - time.Millisecond)
		t.Refused(q.Purge(), "AWS.SimpleQueueService.PurgeQueueInProgress", "")
		q.SendTo("g", "one")
		t.Sleep(time.Millisecond)
		t.NoError(q.Purge(), "the refused one does not count")
		q.Empty()
	}},
	{"MGT-4", "an option of the broker allows purges at once", Engine, func(t *T) {
		t.Reopen(inq.WithoutCooldowns())
		q := t.Standard()
		for range 3 {
			q.Send("one")
			t.NoError(q.Purge())
			q.Empty()
		}
	}},
}

// listed is the answer of ListQueues.
func listed(t *T, in ListQueues) (out QueueURLs) {
	t.Helper()
	t.Must("ListQueues", in, &out)
	return out
}

// allPages lists page by page, of at most n queues each, and checks that each has what it must.
func allPages(t *T, prefix string, n int, sizes ...int) (urls []string) {
	t.Helper()
	var token string
	for i, size := range sizes {
		page := listed(t, ListQueues{QueueNamePrefix: prefix, MaxResults: &n, NextToken: token})
		t.Len(page.QueueUrls, size)
		t.Equal(i < len(sizes)-1, page.NextToken != "", "a token if and only if more remain")
		urls, token = append(urls, page.QueueUrls...), page.NextToken
	}
	return urls
}

var listCases = []Case{
	{"MGT-5", "without bounds all queues are listed, and no token", 0, func(t *T) {
		var urls []string
		for range 3 {
			urls = append(urls, t.Standard().URL, t.FIFO().URL)
		}
		out := listed(t, ListQueues{})
		t.ElementsMatch(urls, out.QueueUrls)
		t.Empty(out.NextToken)
	}},
	{"MGT-5", "the prefix is case sensitive", 0, func(t *T) {
		one, two := t.Create("Orders-1"), t.Create("Orders-2")
		t.Create("orders-3")
		t.Create("my-Orders-4")
		t.ElementsMatch([]string{one.URL, two.URL}, listed(t, ListQueues{QueueNamePrefix: "Orders"}).QueueUrls)
		t.Equal([]string{two.URL}, listed(t, ListQueues{QueueNamePrefix: "Orders-2"}).QueueUrls)
		t.Empty(listed(t, ListQueues{QueueNamePrefix: "ORDERS"}).QueueUrls)
	}},
	{"MGT-5", "pages have a token while more remain", 0, func(t *T) {
		var urls []string
		for i := range 6 {
			urls = append(urls, t.Create("a-"+strconv.Itoa(i)).URL)
			t.Create("b-" + strconv.Itoa(i))
		}
		t.ElementsMatch(urls, allPages(t, "a-", 4, 4, 2))
		t.ElementsMatch(urls, allPages(t, "a-", 3, 3, 3))
		t.ElementsMatch(urls, allPages(t, "a-", 6, 6))
		t.ElementsMatch(urls, allPages(t, "a-", 7, 6))
		t.ElementsMatch(urls, allPages(t, "a-", 1, 1, 1, 1, 1, 1, 1))
		t.Len(allPages(t, "", 5, 5, 5, 2), 12)
		t.Empty(allPages(t, "c-", 5, 0))
	}},
	{"MGT-5", "a page goes on where the one before ended, whatever was deleted", 0, func(t *T) {
		var queues []*Q
		for range 4 {
			queues = append(queues, t.Standard())
		}
		first := listed(t, ListQueues{MaxResults: Int(2)})
		for _, q := range queues {
			if q.URL == first.QueueUrls[1] {
				t.NoError(q.Drop())
			}
		}
		second := listed(t, ListQueues{MaxResults: Int(2), NextToken: first.NextToken})
		t.ElementsMatch([]string{queues[0].URL, queues[1].URL, queues[2].URL, queues[3].URL}, append(first.QueueUrls, second.QueueUrls...))
	}},
	{"MGT-5", "a list without MaxResults ends at 1000 and has no token", 0, func(t *T) {
		for i := range 1001 {
			t.Create(fmt.Sprintf("q%04d", i))
		}
		out := listed(t, ListQueues{})
		t.Len(out.QueueUrls, 1000)
		t.Empty(out.NextToken)
		t.Len(allPages(t, "q", 1000, 1000, 1), 1001)
	}},
	{"MGT-5", "MaxResults is from 1 to 1000", Members, func(t *T) {
		t.Standard()
		for _, n := range []int{-1, 0, 1001} {
			t.Refused(t.Call("ListQueues", ListQueues{MaxResults: &n}, nil), "InvalidParameterValue", "")
		}
		t.Len(listed(t, ListQueues{MaxResults: Int(1)}).QueueUrls, 1)
		t.Len(listed(t, ListQueues{MaxResults: Int(1000)}).QueueUrls, 1)
	}},
	{"MGT-5", "a token of something else is refused", Members, func(t *T) {
		t.Standard()
		for _, token := range []string{"x", "cXVldWVz", "!"} {
			t.Refused(t.Call("ListQueues", ListQueues{MaxResults: Int(1), NextToken: token}, nil), "InvalidParameterValue", "")
		}
	}},
	{"MGT-5", "QueueUrls is left out where no queue matches", HTTP, func(t *T) {
		t.JSONEq(`{}`, askJSON(t, "ListQueues", ListQueues{}).Body)
		t.Standard()
		t.JSONEq(`{}`, askJSON(t, "ListQueues", ListQueues{QueueNamePrefix: "none"}).Body)
		t.NotContains(askQuery(t, "/", "Action", "ListQueues", "QueueNamePrefix", "none").Body, "QueueUrl>")
	}},
}

var queueAttributeCases = []Case{
	{"MGT-6", "without names there are no attributes", 0, func(t *T) {
		var out AttributeMap
		t.Must("GetQueueAttributes", GetQueueAttributes{QueueUrl: t.Standard().URL}, &out)
		t.Empty(out.Attributes)
	}},
	{"MGT-6", "only the attributes that were named are returned", 0, func(t *T) {
		q := t.Standard()
		t.Equal(map[string]string{"DelaySeconds": "0", "VisibilityTimeout": "30"}, q.Attributes("VisibilityTimeout", "DelaySeconds", "DelaySeconds"))
	}},
	{"MGT-6", "an unknown name is refused", 0, func(t *T) {
		q := t.Standard()
		for _, names := range [][]string{{"Nonsense"}, {"All", "Nonsense"}, {"DelaySeconds", "Nonsense"}} {
			err := t.Call("GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL, AttributeNames: names}, nil)
			t.Refused(err, "InvalidAttributeName", "Unknown Attribute Nonsense.")
		}
		err := t.Call("GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL, AttributeNames: []string{"delayseconds"}}, nil)
		t.Refused(err, "InvalidAttributeName", "Unknown Attribute delayseconds.")
	}},
	{"MGT-6", "what is not set is left out", 0, func(t *T) {
		q := t.Standard()
		unset := []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}
		t.Empty(q.Attributes(unset...))
		t.Equal(map[string]string{"DelaySeconds": "0"}, q.Attributes(append(unset, "DelaySeconds")...))
	}},
	{"MGT-6", "the attributes of FIFO queues are left out for a standard one", 0, func(t *T) {
		t.Empty(t.Standard().Attributes("FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"))
	}},
	{"MGT-6", "Attributes is left out where there are none", HTTP, func(t *T) {
		q := t.Standard()
		t.JSONEq(`{}`, askJSON(t, "GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL}).Body)
		t.JSONEq(`{}`, askJSON(t, "GetQueueAttributes", GetQueueAttributes{QueueUrl: q.URL, AttributeNames: []string{"Policy"}}).Body)
		t.NotContains(askQuery(t, q.URL, "Action", "GetQueueAttributes").Body, "Attribute>")
	}},
	{"MGT-7", "attributes that can only be read are refused, and all that came with them", 0, func(t *T) {
		q := t.Standard()
		for _, name := range []string{
			"QueueArn", "CreatedTimestamp", "LastModifiedTimestamp",
			"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed",
		} {
			t.Refused(q.Set("DelaySeconds", "7", name, q.Attribute(name)), "InvalidAttributeName", "Unknown Attribute "+name+".")
		}
		t.Equal("0", q.Attribute("DelaySeconds"))
	}},
}

var urlCases = []Case{
	{"MGT-8", "the URL of a queue is that of its creation", 0, func(t *T) {
		for _, q := range []*Q{t.Standard(), t.FIFO()} {
			var out QueueURL
			t.Must("GetQueueUrl", GetQueueURL{q.Name}, &out)
			t.Equal(q.URL, out.QueueUrl)
		}
	}},
	{"MGT-8", "a queue that does not exist has no URL", 0, func(t *T) {
		t.Standard()
		t.Refused(t.Call("GetQueueUrl", GetQueueURL{"nobody"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist...")
	}},
	{"MGT-8", "the owner may be named, and is the account of the service", Members | Engine, func(t *T) {
		t.Reopen(inq.WithAccount("123456789012"))
		q := t.Standard()
		var out QueueURL
		t.Must("GetQueueUrl", map[string]string{"QueueName": q.Name, "QueueOwnerAWSAccountId": "123456789012"}, &out)
		t.Equal(q.URL, out.QueueUrl)
		err := t.Call("GetQueueUrl", map[string]string{"QueueName": q.Name, "QueueOwnerAWSAccountId": "999999999999"}, nil)
		t.Refused(err, "AWS.SimpleQueueService.NonExistentQueue", "")
	}},
	{"MGT-13", "names are case sensitive", 0, func(t *T) {
		upper, lower := t.Create("Mail"), t.Create("mail")
		upper.Send("to Mail")
		lower.Send("to mail")
		t.Equal([]string{"to Mail"}, upper.Bodies(10))
		t.Equal([]string{"to mail"}, lower.Bodies(10))
		t.Refused(t.Call("GetQueueUrl", GetQueueURL{"MAIL"}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
	}},
	{"MGT-13", "a queue is known by its URL, by legacy hosts and by its bare name", Members, func(t *T) {
		q := t.Create("known")
		for i, url := range []string{
			q.URL, "known", "https://sqs.us-east-1.amazonaws.com/000000000000/known", "https://us-east-1.queue.amazonaws.com/000000000000/known",
			"https://queue.amazonaws.com/000000000000/known",
		} {
			body := strconv.Itoa(i)
			t.Must("SendMessage", SendMessage{QueueUrl: url, MessageBody: body}, nil)
			t.Equal([]string{body}, q.Bodies(10), url)
		}
	}},
	{"MGT-13", "the host of another region is refused", Members | Texts | Engine, func(t *T) {
		t.Reopen(inq.WithRegion("eu-west-1"))
		t.Create("known")
		for _, host := range []string{"sqs.us-east-1.amazonaws.com", "sqs.nowhere-9.amazonaws.com", "queue.amazonaws.com", "us-east-1.queue.amazonaws.com"} {
			t.Refused(t.Call("ListQueueTags", QueueURL{"https://" + host + "/000000000000/known"}, nil), "InvalidAddress", "")
		}
		t.Must("ListQueueTags", QueueURL{"https://sqs.eu-west-1.amazonaws.com/000000000000/known"}, nil)
	}},
	{"MGT-13", "a URL that names no queue", Members, func(t *T) {
		q := t.Create("known")
		for _, url := range []string{q.URL + "/", "https://sqs.us-east-1.amazonaws.com", "https://sqs.us-east-1.amazonaws.com/", "unknown", strings.ToUpper(q.URL)} {
			t.Refused(t.Call("ListQueueTags", QueueURL{url}, nil), "AWS.SimpleQueueService.NonExistentQueue", "")
		}
	}},
	{"MGT-15", "a new queue has the encryption of SQS", 0, func(t *T) {
		t.Equal("true", t.Standard().Attribute("SqsManagedSseEnabled"))
		t.Equal("true", t.FIFO().Attribute("SqsManagedSseEnabled"))
	}},
	{"MGT-15", "messages are the same whatever the encryption of their queue", 0, func(t *T) {
		dead := t.Standard("VisibilityTimeout", "0")
		q := t.Standard("KmsMasterKeyId", "alias/one", "VisibilityTimeout", "0")
		q.Redrive(dead, 1)
		q.Send("under a key")
		t.NoError(q.Set("KmsMasterKeyId", ""))
		q.Send("under none")
		t.Equal([]string{"under a key"}, q.Bodies(1))
		t.Equal([]string{"under none"}, q.Bodies(1))
		q.Empty()
		t.ElementsMatch([]string{"under a key", "under none"}, dead.Bodies(2))
	}},
}

// tagsOf returns the tags of a queue, nil of none.
func tagsOf(q *Q) StringMap {
	q.t.Helper()
	var out TagQueue
	q.t.Must("ListQueueTags", QueueURL{q.URL}, &out)
	if len(out.Tags) == 0 {
		return nil
	}
	return out.Tags
}

// tag adds tags "key", "value", ...
func tag(q *Q, tags ...string) error {
	return q.t.Call("TagQueue", TagQueue{q.URL, Pairs(tags...)}, nil)
}

var tagCases = []Case{
	{"MGT-9", "tags are merged, and overwritten by key", 0, func(t *T) {
		q := t.Standard()
		t.Nil(tagsOf(q))
		t.NoError(tag(q, "team", "blue", "Team", "green"))
		t.NoError(tag(q, "team", "red", "empty", ""))
		t.Equal(StringMap{"team": "red", "Team": "green", "empty": ""}, tagsOf(q))
		t.NoError(tag(q, "Team", ""))
		t.Equal(StringMap{"team": "red", "Team": "", "empty": ""}, tagsOf(q))
	}},
	{"MGT-9", "unknown keys are ignored when tags are removed", 0, func(t *T) {
		q := t.FIFO()
		t.NoError(tag(q, "a", "1", "b", "2", "c", "3"))
		t.Must("UntagQueue", UntagQueue{q.URL, []string{"a", "A", "nobody", "c"}}, nil)
		t.Equal(StringMap{"b": "2"}, tagsOf(q))
		t.Must("UntagQueue", UntagQueue{q.URL, []string{"nobody"}}, nil)
		t.Must("UntagQueue", UntagQueue{q.URL, []string{"b"}}, nil)
		t.Nil(tagsOf(q))
	}},
	{"MGT-9", "a queue is created with tags", 0, func(t *T) {
		var out QueueURL
		t.Must("CreateQueue", CreateQueue{QueueName: "tagged", Tags: Pairs("team", "blue", "empty", "")}, &out)
		t.Equal(StringMap{"team": "blue", "empty": ""}, tagsOf(&Q{t: t, URL: out.QueueUrl}))
	}},
	{"MGT-9", "Tags is left out where there are none", HTTP, func(t *T) {
		q := t.Standard()
		t.JSONEq(`{}`, askJSON(t, "ListQueueTags", QueueURL{q.URL}).Body)
		t.NotContains(askQuery(t, q.URL, "Action", "ListQueueTags").Body, "<Tag>")
	}},
	{"MGT-9", "a key has 1 to 128 characters", 0, func(t *T) {
		q := t.Standard()
		long := strings.Repeat("ä", 128)
		for _, key := range []string{"", long + "x"} {
			t.Refused(tag(q, "good", "v", key, "v"), "InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
			t.Refused(t.Call("CreateQueue", CreateQueue{QueueName: "other", Tags: Pairs(key, "v")}, nil), "InvalidParameterValue",
				"Tag keys must be between 1 and 128 characters in length.")
		}
		t.Nil(tagsOf(q), "all or nothing")
		t.NoError(tag(q, long, "v", "x", "v"))
		t.Len(tagsOf(q), 2)
	}},
	{"MGT-9", "a value has up to 256 characters", 0, func(t *T) {
		q := t.Standard()
		long := strings.Repeat("ü", 256)
		t.Refused(tag(q, "k", long+"x"), "InvalidParameterValue", "")
		t.NoError(tag(q, "k", long))
		t.Equal(StringMap{"k": long}, tagsOf(q))
	}},
	{"MGT-9", "characters and prefixes of keys and values", 0, func(t *T) {
		q := t.Standard()
		good := "Größe 1_.:/=+-@ 世界"
		t.NoError(tag(q, good, good, "my-aws:x", "aws:y"))
		t.Equal(StringMap{good: good, "my-aws:x": "aws:y"}, tagsOf(q))
		for _, bad := range []string{"a!", "a*", "<a>", "a,b", `a"b`, "a#", "a&b", "a?"} {
			t.Refused(tag(q, bad, "v"), "InvalidParameterValue", "")
			t.Refused(tag(q, "k", bad), "InvalidParameterValue", "")
		}
		t.Refused(tag(q, "aws:mine", "v"), "InvalidParameterValue", "")
		t.Len(tagsOf(q), 2)
	}},
	{"MGT-9", "a queue has up to 50 tags", 0, func(t *T) {
		q := t.Standard()
		tooMany := "Too many tags added for queue " + q.Name + "."
		var fifty []string
		for i := range 50 {
			fifty = append(fifty, fmt.Sprintf("key-%d", i), "v")
		}
		t.Refused(tag(q, append(slices.Clone(fifty), "one", "more")...), "InvalidParameterValue", tooMany)
		t.Nil(tagsOf(q))
		t.NoError(tag(q, fifty...))
		t.Refused(tag(q, "one", "more"), "InvalidParameterValue", tooMany)
		t.NoError(tag(q, "key-7", "changed"))
		t.Len(tagsOf(q), 50)
		t.Must("UntagQueue", UntagQueue{q.URL, []string{"key-7"}}, nil)
		t.NoError(tag(q, "one", "more"))
	}},
}
