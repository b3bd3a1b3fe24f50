package inqtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"example.com/inq"
	"example.com/inq/topic"
)

// SNSBody returns the body that a queue gets when m is published to a topic of that name: the JSON
// envelope of SNS, byte for byte as package topic makes it, for tests of what reads it. A name that ends
// in ".fifo" is that of a FIFO topic. What a topic refuses ends the test.
//
// To test with a topic that lives, publish to one of [Server.Topics].
func SNSBody(tb TB, topicName string, m topic.Message) string {
	tb.Helper()
	body, err := snsBody(topicName, m)
	if err != nil {
		tb.Fatalf("inqtest: SNSBody: %v", err)
	}
	return body
}

func snsBody(name string, m topic.Message) (body string, err error) {
	ctx := context.Background()
	account, err := topic.NewAccount()
	if err != nil {
		return "", err
	}
	defer account.Close()
	q, err := inq.NewStandard("envelope")
	if err != nil {
		return "", err
	}
	defer q.Close()
	var attributes map[string]string
	if strings.HasSuffix(name, ".fifo") {
		attributes = map[string]string{"FifoTopic": "true"}
	}
	t, err := account.CreateTopic(ctx, name, attributes, nil)
	if err != nil {
		return "", err
	}
	if _, err = t.Subscribe(topic.Queue(q)); err != nil {
		return "", err
	}
	if _, err = t.Publish(ctx, m); err != nil {
		return "", err
	}
	ds, err := q.Receive(ctx, inq.ReceiveInput{})
	if err == nil && len(ds) == 0 {
		err = fmt.Errorf("the queue refused the envelope of %d bytes of message", len(m.Body))
	}
	if err != nil {
		return "", err
	}
	return ds[0].Body, nil
}

// An S3Object is what an event notification of S3 is about. Bucket and Key are needed; the rest may be
// zero.
type S3Object struct {
	Bucket string
	Key    string // as it is; the notification has it encoded as in a query, with slashes, as S3 does
	Size   int64
	ETag   string
	Event  string    // such as "ObjectRemoved:Delete"; "": "ObjectCreated:Put"
	Region string    // "": "us-east-1"
	Time   time.Time // zero: now
}

// S3Event returns the body of the message that S3 sends to a queue about objects, in version 2.1 of its
// event notifications.
func S3Event(objects ...S3Object) string {
	event := s3Event{Records: make([]s3Record, len(objects))}
	for i, o := range objects {
		if o.Event == "" {
			o.Event = "ObjectCreated:Put"
		}
		if o.Region == "" {
			o.Region = "us-east-1"
		}
		if o.Time.IsZero() {
			o.Time = time.Now()
		}
		r := &event.Records[i]
		r.EventVersion, r.EventSource, r.AWSRegion, r.EventName = "2.1", "aws:s3", o.Region, o.Event
		r.EventTime = o.Time.UTC().Format("2006-01-02T15:04:05.000Z")
		r.UserIdentity.PrincipalID = "inqtest"
		r.RequestParameters = map[string]string{"sourceIPAddress": "127.0.0.1"}
		r.ResponseElements = map[string]string{"x-amz-id-2": "inqtest", "x-amz-request-id": fmt.Sprintf("%016X", i+1)}
		r.S3.SchemaVersion, r.S3.ConfigurationID = "1.0", "inqtest"
		r.S3.Bucket.Name, r.S3.Bucket.ARN = o.Bucket, "arn:aws:s3:::"+o.Bucket
		r.S3.Bucket.OwnerIdentity.PrincipalID = "inqtest"
		r.S3.Object.Key = strings.ReplaceAll(url.QueryEscape(o.Key), "%2F", "/")
		if !strings.HasPrefix(o.Event, "ObjectRemoved:") { // which say nothing of what was in it
			r.S3.Object.Size, r.S3.Object.ETag = &o.Size, o.ETag
		}
		r.S3.Object.Sequencer = fmt.Sprintf("%016X", i+1)
	}
	body, err := json.Marshal(event)
	if err != nil {
		panic("bug: an S3 event has no JSON: " + err.Error())
	}
	return string(body)
}

// s3Event is an event notification of S3, with the members in its order.
type s3Event struct {
	Records []s3Record
}

type s3Record struct {
	EventVersion      string            `json:"eventVersion"`
	EventSource       string            `json:"eventSource"`
	AWSRegion         string            `json:"awsRegion"`
	EventTime         string            `json:"eventTime"`
	EventName         string            `json:"eventName"`
	UserIdentity      s3Identity        `json:"userIdentity"`
	RequestParameters map[string]string `json:"requestParameters"`
	ResponseElements  map[string]string `json:"responseElements"`
	S3                struct {
		SchemaVersion   string `json:"s3SchemaVersion"`
		ConfigurationID string `json:"configurationId"`
		Bucket          struct {
			Name          string     `json:"name"`
			OwnerIdentity s3Identity `json:"ownerIdentity"`
			ARN           string     `json:"arn"`
		} `json:"bucket"`
		Object struct {
			Key       string `json:"key"`
			Size      *int64 `json:"size,omitempty"`
			ETag      string `json:"eTag,omitempty"`
			Sequencer string `json:"sequencer"`
		} `json:"object"`
	} `json:"s3"`
}

type s3Identity struct {
	PrincipalID string `json:"principalId"`
}
