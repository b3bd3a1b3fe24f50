package sqsapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

type createQueueRequest struct {
	QueueName  *string
	Attributes map[string]*string `query:"Attribute,Name,Value"`
	Tags       map[string]*string `json:"tags" query:"Tag,Key,Value"`
}

type queueURLResult struct{ QueueUrl string }

func (c call) createQueue(in *createQueueRequest) (*queueURLResult, error) {
	switch { // (SQS: NAM-0)
	case in.QueueName == nil:
		return nil, wire.Faultf(kindInvalidParameter, "Value for parameter QueueName is invalid. Reason: Must specify a queue name.")
	case *in.QueueName == "":
		return nil, wire.Faultf(kindInvalidParameter, "Queue name cannot be empty")
	}
	attributes := plain(in.Attributes)
	q, err := c.broker.CreateQueue(c.Context(), *in.QueueName, attributes, plain(in.Tags))
	if err != nil {
		var p *inq.ParamError
		if errors.As(err, &p) && p.Err == inq.ErrInvalidParameter && p.Param == "QueueName" {
			text := textStandardName // (SQS: NAM-1)
			if strings.EqualFold(attributes["FifoQueue"], "true") {
				text = textFIFOName // (SQS: NAM-2)
			}
			return nil, &fault{Kind: kindInvalidParameter, Message: text}
		}
		return nil, err
	}
	return &queueURLResult{c.queueURL(q.Name())}, nil
}

// plain drops members that are null, which means absent (SQS: WIRE-4).
func plain(values map[string]*string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	given := make(map[string]string, len(values))
	for name, v := range values {
		if v != nil {
			given[name] = *v
		}
	}
	return given
}

type getQueueURLRequest struct {
	QueueName              *string
	QueueOwnerAWSAccountId *string
}

func (c call) getQueueURL(in *getQueueURLRequest) (*queueURLResult, error) {
	if in.QueueName == nil || *in.QueueName == "" {
		return nil, missing("QueueName")
	}
	if in.QueueOwnerAWSAccountId != nil && *in.QueueOwnerAWSAccountId != c.broker.Account() {
		return nil, inq.ErrQueueDoesNotExist
	}
	q, err := c.broker.Queue(*in.QueueName)
	if err != nil {
		return nil, err
	}
	return &queueURLResult{c.queueURL(q.Name())}, nil
}

// maxPage is how many queues a page has at most, and without MaxResults (SQS: MGT-5).
const maxPage = 1000

// page is which part of a list is asked for.
type page struct {
	after string // the last name of the page before
	size  int
	ask   int // one more, to know whether another page follows; size where no token may tell
}

// maxTokenLength is longer than any token or task handle of this package.
const maxTokenLength = 1024

// tokenMark makes a token of a name recognisable as one of this list.
func tokenMark(list string) string { return list + ":" }

// newPage checks MaxResults and NextToken.
func newPage(list string, maxResults *int32, token *string) (p page, err error) {
	p.size, p.ask = maxPage, maxPage
	if maxResults != nil {
		p.size = int(*maxResults)
		p.ask = p.size + 1
		if p.size < 1 || p.size > maxPage {
			return p, badMaxResults(maxPage)
		}
	}
	if token != nil {
		text, err := base64.RawURLEncoding.DecodeString((*token)[:min(len(*token), maxTokenLength)])
		after, ok := strings.CutPrefix(string(text), tokenMark(list))
		if err != nil || !ok || len(*token) > maxTokenLength {
			return p, wire.Faultf(kindInvalidParameter, "Invalid or expired next token.")
		}
		p.after = after
	}
	return p, nil
}

func badMaxResults(most int) error {
	return wire.Faultf(kindInvalidParameter, "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and %d.", most)
}

// urls turns the names that were found into a page of URLs and the token for the next one.
func (p *page) urls(c call, list string, names []string) (urls []string, token string) {
	if len(names) > p.size {
		names = names[:p.size]
		token = base64.RawURLEncoding.EncodeToString([]byte(tokenMark(list) + names[p.size-1]))
	}
	urls = make([]string, len(names))
	for i, name := range names {
		urls[i] = c.queueURL(name)
	}
	return urls, token
}

type listQueuesRequest struct {
	QueueNamePrefix *string
	MaxResults      *int32
	NextToken       *string
}

type listQueuesResult struct {
	QueueUrls []string `json:",omitempty" query:"QueueUrl"`
	NextToken string   `json:",omitempty"`
}

func (c call) listQueues(in *listQueuesRequest) (*listQueuesResult, error) {
	p, err := newPage("queues", in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	prefix := ""
	if in.QueueNamePrefix != nil {
		prefix = *in.QueueNamePrefix
	}
	names, err := c.broker.List(prefix, p.after, p.ask)
	if err != nil {
		return nil, err
	}
	out := &listQueuesResult{}
	out.QueueUrls, out.NextToken = p.urls(c, "queues", names)
	return out, nil
}

type listDeadLetterSourceQueuesRequest struct {
	QueueUrl   *string
	MaxResults *int32
	NextToken  *string
}

type listDeadLetterSourceQueuesResult struct {
	QueueUrls []string `json:"queueUrls" query:"QueueUrl"` // (SQS: DLQ-9)
	NextToken string   `json:",omitempty"`
}

func (c call) listDeadLetterSourceQueues(in *listDeadLetterSourceQueuesRequest) (*listDeadLetterSourceQueuesResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	p, err := newPage("sources", in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	names, err := c.broker.DeadLetterSources(q.Name(), p.after, p.ask)
	if err != nil {
		return nil, err
	}
	out := &listDeadLetterSourceQueuesResult{}
	out.QueueUrls, out.NextToken = p.urls(c, "sources", names)
	return out, nil
}

type getQueueAttributesRequest struct {
	QueueUrl       *string
	AttributeNames []string `query:"AttributeName"`
}

type attributesResult struct {
	Attributes map[string]string `json:",omitempty" query:"Attribute,Name,Value"` // (SQS: MGT-6)
}

func (c call) getQueueAttributes(in *getQueueAttributesRequest) (*attributesResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	attributes, err := c.broker.Attributes(c.Context(), q.Name(), in.AttributeNames...)
	if err != nil {
		return nil, err
	}
	return &attributesResult{attributes}, nil
}

type setQueueAttributesRequest struct {
	QueueUrl   *string
	Attributes map[string]*string `query:"Attribute,Name,Value"`
}

func (c call) setQueueAttributes(in *setQueueAttributesRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if in.Attributes == nil && c.JSON() {
		return missing("Attributes")
	}
	if len(in.Attributes) == 0 { // (SQS: CAP-1); none is what an empty map is in Query
		return missing("Attribute.Name")
	}
	return c.broker.SetAttributes(c.Context(), q.Name(), plain(in.Attributes))
}

// queueRequest is a request that only names a queue.
type queueRequest struct{ QueueUrl *string }

func (c call) purgeQueue(in *queueRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	return q.Purge(c.Context())
}

func (c call) deleteQueue(in *queueRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	return c.broker.DeleteQueue(c.Context(), q.Name())
}

type tagsResult struct {
	Tags map[string]string `json:",omitempty" query:"Tag,Key,Value"` // (SQS: MGT-9)
}

func (c call) listQueueTags(in *queueRequest) (*tagsResult, error) {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	tags, err := c.broker.Tags(c.Context(), q.Name())
	if err != nil {
		return nil, err
	}
	return &tagsResult{tags}, nil
}

type tagQueueRequest struct {
	QueueUrl *string
	Tags     map[string]*string `query:"Tag,Key,Value"`
}

func (c call) tagQueue(in *tagQueueRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if len(in.Tags) == 0 { // (SQS: CAP-17)
		return missing("Tags")
	}
	return c.broker.SetTags(c.Context(), q.Name(), plain(in.Tags))
}

type untagQueueRequest struct {
	QueueUrl *string
	TagKeys  []string `query:"TagKey"`
}

func (c call) untagQueue(in *untagQueueRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if len(in.TagKeys) == 0 { // (SQS: CAP-17)
		return missing("TagKeys")
	}
	return c.broker.RemoveTags(c.Context(), q.Name(), in.TagKeys...)
}

// arn is the ARN of a queue of the broker.
func (c call) arn(name string) string {
	return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", c.broker.Region(), c.broker.Account(), name)
}
