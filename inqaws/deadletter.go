package inqaws

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/inq"
)

// DeadLetterQueue returns the dead-letter queue that the queue's redrive policy names, by asking
// for the policy. It is how a worker buries: SQS has no call that does. Its URL is that of the queue
// with another name, since both are of one account and region (SQS: DLQ-3). A queue without a policy
// is refused with [inq.ErrNoDeadLetterTarget]; other errors are those of the call.
func (q *Queue) DeadLetterQueue(ctx context.Context) (inq.Queue, error) {
	if err := q.check(ctx); err != nil {
		return nil, err
	}
	const name = types.QueueAttributeNameRedrivePolicy
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return nil, q.translate(ctx, other, err)
	}
	if out == nil {
		return nil, lacks("Attributes")
	}
	text := out.Attributes[string(name)]
	if text == "" {
		return nil, &inq.ParamError{Err: inq.ErrNoDeadLetterTarget, Param: string(name), Reason: "the queue " + q.name + " has none"}
	}
	var policy struct {
		Target string `json:"deadLetterTargetArn"`
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil || policy.Target == "" {
		return nil, fmt.Errorf("inqaws: attribute %s of queue %s: %q names no queue", name, q.name, text)
	}
	path := strings.TrimSuffix(withoutQuery(q.url), q.name)
	return NewQueue(q.client, path+policy.Target[strings.LastIndexByte(policy.Target, ':')+1:]), nil
}

// withoutQuery returns a URL up to its path, without slashes at the end.
func withoutQuery(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	return strings.TrimRight(url, "/")
}
