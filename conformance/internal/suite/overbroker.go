package suite

import (
	"context"
	"errors"
	"strings"
	"sync"

	"example.com/inq"
)

// OverBroker is a service over a broker, as far as the root package has its operations: all but
// AddPermission and RemovePermission. Every queue is wrapped once.
func OverBroker(b *inq.Broker, wrap func(inq.Queue) inq.Queue) Service {
	var mu sync.Mutex
	wrapped := map[inq.Queue]inq.Queue{}
	return Service{API: overBroker{b}, Broker: b, Queue: func(url string) (inq.Queue, error) {
		q, err := b.Queue(queueName(url))
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		if wrapped[q] == nil {
			wrapped[q] = wrap(q)
		}
		return wrapped[q], nil
	}}
}

type overBroker struct{ *inq.Broker }

// urlOf is what stands for a queue where there are no URLs.
func (b overBroker) urlOf(name string) string { return b.QueueURL("broker://", name) }

// Call implements API.
func (b overBroker) Call(ctx context.Context, operation string, in, out any) error {
	do, ok := map[string]func(ctx context.Context, in any) (any, error){
		"CreateQueue":                b.createQueue,
		"GetQueueUrl":                b.getQueueURL,
		"ListQueues":                 b.listQueues,
		"DeleteQueue":                b.deleteQueue,
		"GetQueueAttributes":         b.getQueueAttributes,
		"SetQueueAttributes":         b.setQueueAttributes,
		"TagQueue":                   b.tagQueue,
		"UntagQueue":                 b.untagQueue,
		"ListQueueTags":              b.listQueueTags,
		"ListDeadLetterSourceQueues": b.listDeadLetterSourceQueues,
		"StartMessageMoveTask":       b.startMessageMoveTask,
		"ListMessageMoveTasks":       b.listMessageMoveTasks,
		"CancelMessageMoveTask":      b.cancelMessageMoveTask,
	}[operation]
	if !ok {
		return unknown(operation)
	}
	result, err := do(ctx, in)
	if err != nil {
		return err
	}
	return Copy(out, result)
}

// decode reads a request.
func decode[R any](in any) (r R, err error) { err = Copy(&r, in); return r, err }

func (b overBroker) createQueue(ctx context.Context, in any) (any, error) {
	r, err := decode[CreateQueue](in)
	if err != nil {
		return nil, err
	}
	_, err = b.CreateQueue(ctx, r.QueueName, r.Attributes, r.Tags)
	return QueueURL{b.urlOf(r.QueueName)}, err
}

func (b overBroker) getQueueURL(_ context.Context, in any) (any, error) {
	r, err := decode[GetQueueURL](in)
	if err != nil {
		return nil, err
	}
	_, err = b.Queue(r.QueueName)
	return QueueURL{b.urlOf(r.QueueName)}, err
}

// listQueues takes the last name of a page for the token of the next.
func (b overBroker) listQueues(_ context.Context, in any) (any, error) {
	r, err := decode[ListQueues](in)
	if err != nil {
		return nil, err
	}
	most := pageSize(r.MaxResults)
	names, err := b.List(r.QueueNamePrefix, r.NextToken, oneMore(most))
	return b.page(names, most, r.MaxResults != nil), err
}

func (b overBroker) listDeadLetterSourceQueues(_ context.Context, in any) (any, error) {
	r, err := decode[ListDeadLetterSourceQueues](in)
	if err != nil {
		return nil, err
	}
	most := pageSize(r.MaxResults)
	names, err := b.DeadLetterSources(queueName(r.QueueUrl), r.NextToken, oneMore(most))
	return b.page(names, most, r.MaxResults != nil), err
}

func pageSize(maxResults *int) int {
	if maxResults == nil {
		return 1000
	}
	return *maxResults
}

// oneMore is how many names to ask for, so that a page tells whether another follows. What is no
// size stays what it is.
func oneMore(most int) int {
	if most < 1 {
		return most
	}
	return most + 1
}

func (b overBroker) page(names []string, most int, paged bool) (out QueueURLs) {
	more := most > 0 && len(names) > most
	if more {
		names = names[:most]
	}
	for _, name := range names {
		out.QueueUrls = append(out.QueueUrls, b.urlOf(name))
	}
	if paged && more {
		out.NextToken = names[most-1]
	}
	return out
}

func (b overBroker) deleteQueue(ctx context.Context, in any) (any, error) {
	r, err := decode[QueueURL](in)
	if err != nil {
		return nil, err
	}
	return nil, b.DeleteQueue(ctx, queueName(r.QueueUrl))
}

func (b overBroker) getQueueAttributes(ctx context.Context, in any) (any, error) {
	r, err := decode[GetQueueAttributes](in)
	if err != nil {
		return nil, err
	}
	attributes, err := b.Attributes(ctx, queueName(r.QueueUrl), r.AttributeNames...)
	return AttributeMap{attributes}, err
}

func (b overBroker) setQueueAttributes(ctx context.Context, in any) (any, error) {
	r, err := decode[SetQueueAttributes](in)
	if err != nil {
		return nil, err
	}
	return nil, b.SetAttributes(ctx, queueName(r.QueueUrl), r.Attributes)
}

func (b overBroker) tagQueue(ctx context.Context, in any) (any, error) {
	r, err := decode[TagQueue](in)
	if err != nil {
		return nil, err
	}
	return nil, b.SetTags(ctx, queueName(r.QueueUrl), r.Tags)
}

func (b overBroker) untagQueue(ctx context.Context, in any) (any, error) {
	r, err := decode[UntagQueue](in)
	if err != nil {
		return nil, err
	}
	return nil, b.RemoveTags(ctx, queueName(r.QueueUrl), r.TagKeys...)
}

func (b overBroker) listQueueTags(ctx context.Context, in any) (any, error) {
	r, err := decode[QueueURL](in)
	if err != nil {
		return nil, err
	}
	tags, err := b.Tags(ctx, queueName(r.QueueUrl))
	return TagQueue{Tags: tags}, err
}

// startMessageMoveTask answers with the ARN and the id of the task as its handle.
func (b overBroker) startMessageMoveTask(ctx context.Context, in any) (any, error) {
	r, err := decode[StartMessageMoveTask](in)
	if err != nil {
		return nil, err
	}
	source, err := b.ByARN(r.SourceArn)
	if err != nil {
		return nil, err
	}
	var input inq.RedriveInput
	if r.DestinationArn != "" {
		if input.Destination, err = b.ByARN(r.DestinationArn); err != nil {
			return nil, err
		}
	}
	if r.MaxNumberOfMessagesPerSecond != nil {
		input.PerSecond = *r.MaxNumberOfMessagesPerSecond
	}
	task, err := source.Redrive(ctx, input)
	if err != nil {
		return nil, err
	}
	return TaskHandle{source.ARN() + " " + task.ID()}, nil
}

func (b overBroker) listMessageMoveTasks(_ context.Context, in any) (any, error) {
	r, err := decode[ListMessageMoveTasks](in)
	if err != nil {
		return nil, err
	}
	source, err := b.ByARN(r.SourceArn)
	if err != nil {
		return nil, err
	}
	most := 1
	if r.MaxResults != nil {
		most = *r.MaxResults
	}
	var out MoveTasks
	for i, task := range source.MoveTasks() {
		if i == most {
			break
		}
		out.Results = append(out.Results, moveTask(source.ARN(), task))
	}
	return out, nil
}

func moveTask(source string, task *inq.MoveTask) MoveTask {
	m := MoveTask{
		Status: string(task.Status()), SourceArn: source, ApproximateNumberOfMessagesMoved: task.Moved(),
		ApproximateNumberOfMessagesToMove: Int(task.ToMove()), StartedTimestamp: task.StartedAt().UnixMilli(),
	}
	if task.Status() == inq.MoveRunning {
		m.TaskHandle = source + " " + task.ID()
	}
	if d, ok := task.Input().Destination.(inq.Local); ok {
		m.DestinationArn = d.ARN()
	}
	if n := task.Input().PerSecond; n != 0 {
		m.MaxNumberOfMessagesPerSecond = &n
	}
	if err := task.Err(); err != nil {
		m.FailureReason = err.Error()
	}
	return m
}

// errNoTask is the refusal of a task handle that names no task.
var errNoTask = errors.New("no such task")

func (b overBroker) cancelMessageMoveTask(_ context.Context, in any) (any, error) {
	r, err := decode[TaskHandle](in)
	if err != nil {
		return nil, err
	}
	arn, id, _ := strings.Cut(r.TaskHandle, " ")
	source, err := b.ByARN(arn)
	if err != nil {
		return nil, err
	}
	for _, task := range source.MoveTasks() {
		if task.ID() == id {
			moved, err := task.Cancel()
			return Cancelled{moved}, err
		}
	}
	return nil, errNoTask
}
