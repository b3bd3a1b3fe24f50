package inqaws

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"example.com/inq"
)

// seconds turns a duration into whole seconds as SQS takes them: rounded up, so that nothing comes
// early, and 0 for [inq.Zero]. What is below zero stays below zero, and what is too long for the
// member becomes its largest value, so that the other side refuses both.
func seconds(d time.Duration) int32 {
	switch {
	case d == inq.Zero:
		return 0
	case d < 0:
		return -1
	}
	s := d / time.Second
	if d%time.Second != 0 {
		s++
	}
	return int32(min(s, math.MaxInt32))
}

// The inputs of the SDK leave an optional number out where it is 0, and SQS takes the queue's own
// setting then. What follows are those inputs with the zeros that a call asks for written out.

// explicitReceive writes zeros that a ReceiveMessage asks for.
type explicitReceive struct {
	*sqs.ReceiveMessageInput
	wait, visibility bool
}

func (in explicitReceive) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(schemas.ReceiveMessageRequest)
	in.SerializeMembers(s)
	if in.wait {
		s.WriteInt32(schemas.ReceiveMessageRequest_WaitTimeSeconds, 0)
	}
	if in.visibility {
		s.WriteInt32(schemas.ReceiveMessageRequest_VisibilityTimeout, 0)
	}
	s.CloseStruct()
}

// explicitSend writes a delay of zero.
type explicitSend struct{ *sqs.SendMessageInput }

func (in explicitSend) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(schemas.SendMessageRequest)
	in.SerializeMembers(s)
	s.WriteInt32(schemas.SendMessageRequest_DelaySeconds, 0)
	s.CloseStruct()
}

// explicitSendBatch writes a delay of zero for those of its entries whose ids are in zero. It spells
// out the members of the input, of which a test knows how many there are.
type explicitSendBatch struct {
	*sqs.SendMessageBatchInput
	zero map[string]bool
}

func (in explicitSendBatch) Serialize(s smithy.ShapeSerializer) {
	s.WriteStruct(schemas.SendMessageBatchRequest)
	s.WriteList(schemas.SendMessageBatchRequest_Entries)
	for i := range in.Entries {
		s.WriteStruct(schemas.SendMessageBatchRequest_Entries.ListMember())
		in.Entries[i].SerializeMembers(s)
		if in.zero[aws.ToString(in.Entries[i].Id)] {
			s.WriteInt32(schemas.SendMessageBatchRequestEntry_DelaySeconds, 0)
		}
		s.CloseStruct()
	}
	s.CloseList()
	s.WriteString(schemas.SendMessageBatchRequest_QueueUrl, aws.ToString(in.QueueUrl))
	s.CloseStruct()
}

// written makes a call send what explicit makes of its input. Everything else in the SDK, such as
// its validation, sees the input, and middleware of the client can put another one in its place.
func written[I any](explicit func(I) smithy.Serializable) func(*sqs.Options) {
	step := middleware.SerializeMiddlewareFunc("inq.ExplicitZero",
		func(ctx context.Context, step middleware.SerializeInput, next middleware.SerializeHandler) (
			out middleware.SerializeOutput, m middleware.Metadata, err error) {

			in, ok := step.Parameters.(I)
			if !ok {
				return out, m, fmt.Errorf("inqaws: middleware has made a %T of the input of a call", step.Parameters)
			}
			step.Parameters = explicit(in)
			return next.HandleSerialize(ctx, step)
		})
	return func(o *sqs.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Serialize.Insert(step, "OperationSerializer", middleware.Before)
		})
	}
}
