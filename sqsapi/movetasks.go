package sqsapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

// taskHandle is what a task handle says, in base64 (SQS: MOV-1).
type taskHandle struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func (t taskHandle) String() string { return base64.StdEncoding.EncodeToString(toJSON(t)) }

// byARN finds the queue that a parameter names (SQS: MOV-3).
func (c call) byARN(param, arn string) (inq.Local, error) {
	q, err := c.broker.ByARN(arn)
	if errors.Is(err, inq.ErrQueueDoesNotExist) {
		return nil, wire.Faultf(kindResourceNotFound, "The resource that you specified for the %s parameter doesn't exist.", param)
	}
	if err != nil {
		return nil, err
	}
	return q, nil
}

type startMessageMoveTaskRequest struct {
	SourceArn                    *string
	DestinationArn               *string
	MaxNumberOfMessagesPerSecond *int32
}

type startMessageMoveTaskResult struct{ TaskHandle string }

func (c call) startMessageMoveTask(in *startMessageMoveTaskRequest) (*startMessageMoveTaskResult, error) {
	if in.SourceArn == nil || *in.SourceArn == "" {
		return nil, missing("SourceArn")
	}
	source, err := c.byARN("SourceArn", *in.SourceArn)
	if err != nil {
		return nil, err
	}
	var input inq.RedriveInput
	if in.DestinationArn != nil {
		if input.Destination, err = c.byARN("DestinationArn", *in.DestinationArn); err != nil {
			return nil, err
		}
	}
	if in.MaxNumberOfMessagesPerSecond != nil {
		input.PerSecond = int(*in.MaxNumberOfMessagesPerSecond)
		if input.PerSecond == 0 { // a queue takes it for no bound
			return nil, invalid(0, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.")
		}
	}
	task, err := source.Redrive(c.Context(), input)
	if err != nil {
		return nil, err
	}
	return &startMessageMoveTaskResult{taskHandle{task.ID(), source.ARN()}.String()}, nil
}

type listMessageMoveTasksRequest struct {
	SourceArn  *string
	MaxResults *int32
}

type listMessageMoveTasksResult struct {
	Results []moveTask `json:",omitempty" query:"ListMessageMoveTasksResultEntry"`
}

// moveTask is ListMessageMoveTasksResultEntry (SQS: MOV-8).
type moveTask struct {
	TaskHandle                        string `json:",omitempty"`
	Status                            string
	SourceArn                         string
	DestinationArn                    string `json:",omitempty"`
	MaxNumberOfMessagesPerSecond      *int64 `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int64
	ApproximateNumberOfMessagesToMove int64
	FailureReason                     string `json:",omitempty"`
	StartedTimestamp                  int64
}

// maxTasks is how many tasks a list has at most.
const maxTasks = 10

func (c call) listMessageMoveTasks(in *listMessageMoveTasksRequest) (*listMessageMoveTasksResult, error) {
	if in.SourceArn == nil || *in.SourceArn == "" {
		return nil, missing("SourceArn")
	}
	source, err := c.byARN("SourceArn", *in.SourceArn)
	if err != nil {
		return nil, err
	}
	most := 1
	if in.MaxResults != nil {
		most = int(*in.MaxResults)
		if most < 1 || most > maxTasks {
			return nil, badMaxResults(maxTasks)
		}
	}
	tasks := source.MoveTasks()
	out := &listMessageMoveTasksResult{}
	for _, t := range tasks[:min(most, len(tasks))] {
		out.Results = append(out.Results, describe(source, t))
	}
	return out, nil
}

func describe(source inq.Local, t *inq.MoveTask) moveTask {
	status := t.Status()
	d := moveTask{
		Status:                            string(status),
		SourceArn:                         source.ARN(),
		ApproximateNumberOfMessagesMoved:  int64(t.Moved()),
		ApproximateNumberOfMessagesToMove: int64(t.ToMove()),
		StartedTimestamp:                  t.StartedAt().UnixMilli(),
	}
	if to, ok := t.Input().Destination.(inq.Local); ok {
		d.DestinationArn = to.ARN()
	}
	if n := int64(t.Input().PerSecond); n != 0 {
		d.MaxNumberOfMessagesPerSecond = &n
	}
	switch status {
	case inq.MoveRunning:
		d.TaskHandle = taskHandle{t.ID(), source.ARN()}.String()
	case inq.MoveFailed:
		d.FailureReason = failureReason(t.Err())
	}
	return d
}

// failureReason is the code of what made a task fail (SQS: MOV-5, MOV-7).
func failureReason(err error) string {
	switch {
	case errors.Is(err, inq.ErrNoSource):
		return "CouldNotDetermineMessageSource"
	case errors.Is(err, inq.ErrClosed):
		return kindQueueDoesNotExist.Code
	}
	return toFault(err, origin{}).Kind.Code
}

type cancelMessageMoveTaskRequest struct{ TaskHandle *string }

type cancelMessageMoveTaskResult struct{ ApproximateNumberOfMessagesMoved int64 }

// cancelMessageMoveTask stops a task (SQS: MOV-9).
func (c call) cancelMessageMoveTask(in *cancelMessageMoveTaskRequest) (*cancelMessageMoveTaskResult, error) {
	if in.TaskHandle == nil || *in.TaskHandle == "" {
		return nil, missing("TaskHandle")
	}
	var handle taskHandle
	text, err := base64.StdEncoding.DecodeString((*in.TaskHandle)[:min(len(*in.TaskHandle), maxTokenLength)])
	if len(*in.TaskHandle) > maxTokenLength || err != nil || json.Unmarshal(text, &handle) != nil || handle.TaskID == "" || handle.SourceARN == "" {
		return nil, wire.Faultf(kindInvalidParameter, "Value for parameter TaskHandle is invalid.")
	}
	source, err := c.byARN("SourceArn", handle.SourceARN)
	if err != nil {
		return nil, err
	}
	for _, t := range source.MoveTasks() {
		if t.ID() != handle.TaskID {
			continue
		}
		moved, err := t.Cancel()
		if err != nil {
			return nil, wire.Faultf(kindInvalidParameter, "Only a running task can be cancelled. The task is %s.", t.Status())
		}
		return &cancelMessageMoveTaskResult{int64(moved)}, nil
	}
	return nil, wire.Faultf(kindResourceNotFound, "Task does not exist.")
}
