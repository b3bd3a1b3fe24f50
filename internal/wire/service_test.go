package wire

import "net/http"

// A service to test with, which is like one of queues.

type sendMembers struct {
	MessageBody       *string
	DelaySeconds      *int32
	MessageAttributes Attributes `query:"MessageAttribute,Name,Value"`
	MessageGroupId    *string
}

type sendMessageRequest struct {
	QueueUrl *string
	sendMembers
}

type sendEntry struct {
	Id *string
	sendMembers
}

type sendMessageBatchRequest struct {
	QueueUrl *string
	Entries  []sendEntry `query:"SendMessageBatchRequestEntry"`
}

type createQueueRequest struct {
	QueueName *string
	Tags      map[string]*string `json:"tags" query:"Tag,Key,Value"`
}

type receiveMessageRequest struct {
	QueueUrl       *string
	AttributeNames []string `query:"AttributeName"`
}

var (
	testBounds  = Bounds{Entries: 11, Attributes: 11, Names: 51}
	testInvalid = &Kind{Code: "InvalidParameterValue", Status: 400}
	testService = &Service{
		Name:    "test",
		Bounds:  testBounds,
		Fault:   func(err error) *Fault { return Faultf(testInvalid, "%v", err) },
		Missing: func(name string) *Fault { return Faultf(testInvalid, "no %s", name) },
		AttributeTwice: func(name string) *Fault {
			return Faultf(testInvalid, "Message (user) attribute '%s' is given more than once.", name)
		},
	}
)

func testCall() *Call { return NewServer(testService, Options{}).NewCall(nil) }

var _ http.Handler = (*Server)(nil)
