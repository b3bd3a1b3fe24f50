package suite

import (
	"context"
	"encoding/json"
	"encoding/xml"
)

// API carries one operation of SQS to the service under test. The name is that of the operation, in
// is a request of this package or a map with the members of one, out points to a result of this
// package or is nil. A refusal has a code and a text (see refusal) where the way carries them, else
// it matches an error of package inq. Every other error is a defect.
type API interface {
	Call(ctx context.Context, operation string, in, out any) error
}

// refusal is the error of a service, as the AWS SDK has it. The code is that of the Query protocol.
type refusal interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

// Requests have the members of SQS. Absent is the zero value; members of which an explicit zero
// differs from none are pointers, made with [Int].
type (
	// CreateQueue is the request of that name. Its answer is a QueueURL.
	CreateQueue struct {
		QueueName  string
		Attributes map[string]string `json:",omitempty"`
		Tags       map[string]string `json:"tags,omitempty"`
	}

	// GetQueueURL is the request GetQueueUrl. Its answer is a QueueURL.
	GetQueueURL struct{ QueueName string }

	// QueueURL is the answer of CreateQueue and GetQueueUrl, and the request of operations that
	// take nothing else.
	QueueURL struct{ QueueUrl string }

	// ListQueues is the request of that name. Its answer is a QueueURLs.
	ListQueues struct {
		QueueNamePrefix string `json:",omitempty"`
		MaxResults      *int   `json:",omitempty"`
		NextToken       string `json:",omitempty"`
	}

	// ListDeadLetterSourceQueues is the request of that name. Its answer is a QueueURLs.
	ListDeadLetterSourceQueues struct {
		QueueUrl   string
		MaxResults *int   `json:",omitempty"`
		NextToken  string `json:",omitempty"`
	}

	// QueueURLs is the answer of ListQueues and ListDeadLetterSourceQueues.
	QueueURLs struct {
		QueueUrls []string `xml:"QueueUrl"` // decodes queueUrls too: encoding/json ignores case
		NextToken string
	}

	// GetQueueAttributes is the request of that name. Its answer is an AttributeMap.
	GetQueueAttributes struct {
		QueueUrl       string
		AttributeNames []string `json:",omitempty"`
	}

	// AttributeMap is the answer of GetQueueAttributes.
	AttributeMap struct {
		Attributes StringMap `xml:"Attribute"`
	}

	// SetQueueAttributes is the request of that name.
	SetQueueAttributes struct {
		QueueUrl   string
		Attributes map[string]string
	}

	// TagQueue is the request of that name, and the answer of ListQueueTags.
	TagQueue struct {
		QueueUrl string    `json:",omitempty" xml:"-"`
		Tags     StringMap `xml:"Tag"`
	}

	// UntagQueue is the request of that name.
	UntagQueue struct {
		QueueUrl string
		TagKeys  []string
	}

	// AddPermission is the request of that name.
	AddPermission struct {
		QueueUrl      string
		Label         string
		AWSAccountIds []string
		Actions       []string
	}

	// RemovePermission is the request of that name.
	RemovePermission struct{ QueueUrl, Label string }

	// SendMessage is the request of that name and, with an Id, an entry of SendMessageBatch.
	SendMessage struct {
		Id                      string `json:",omitempty"`
		QueueUrl                string `json:",omitempty"`
		MessageBody             string
		DelaySeconds            *int                      `json:",omitempty"`
		MessageAttributes       map[string]AttributeValue `json:",omitempty"`
		MessageSystemAttributes map[string]AttributeValue `json:",omitempty"`
		MessageGroupId          string                    `json:",omitempty"`
		MessageDeduplicationId  string                    `json:",omitempty"`
	}

	// AttributeValue is one message attribute or message system attribute.
	AttributeValue struct {
		DataType    string
		StringValue string `json:",omitempty"`
		BinaryValue []byte `json:",omitempty"`
	}

	// Sent is the answer of SendMessage and, with an Id, an entry of that of SendMessageBatch.
	Sent struct {
		Id                           string
		MessageId                    string
		MD5OfMessageBody             string
		MD5OfMessageAttributes       string
		MD5OfMessageSystemAttributes string
		SequenceNumber               string
	}

	// ReceiveMessage is the request of that name. Its answer is Received.
	ReceiveMessage struct {
		QueueUrl                    string
		AttributeNames              []string `json:",omitempty"`
		MessageSystemAttributeNames []string `json:",omitempty"`
		MessageAttributeNames       []string `json:",omitempty"`
		MaxNumberOfMessages         *int     `json:",omitempty"`
		VisibilityTimeout           *int     `json:",omitempty"`
		WaitTimeSeconds             *int     `json:",omitempty"`
		ReceiveRequestAttemptId     string   `json:",omitempty"`
	}

	// Received is the answer of ReceiveMessage.
	Received struct {
		Messages []Message `xml:"Message"`
	}

	// Message is one received message.
	Message struct {
		MessageId              string
		ReceiptHandle          string
		MD5OfBody              string
		Body                   string
		Attributes             StringMap `xml:"Attribute"`
		MD5OfMessageAttributes string
		MessageAttributes      ValueMap `xml:"MessageAttribute"`
	}

	// DeleteMessage is the request of that name and, with an Id, an entry of DeleteMessageBatch.
	DeleteMessage struct {
		Id            string `json:",omitempty"`
		QueueUrl      string `json:",omitempty"`
		ReceiptHandle string
	}

	// ChangeMessageVisibility is the request of that name and, with an Id, an entry of
	// ChangeMessageVisibilityBatch.
	ChangeMessageVisibility struct {
		Id                string `json:",omitempty"`
		QueueUrl          string `json:",omitempty"`
		ReceiptHandle     string
		VisibilityTimeout *int `json:",omitempty"`
	}

	// Batch is the request of the three batch operations, with entries of type E.
	Batch[E SendMessage | DeleteMessage | ChangeMessageVisibility] struct {
		QueueUrl string
		Entries  []E
	}

	// SendBatchResult is the answer of SendMessageBatch.
	SendBatchResult struct {
		Successful []Sent         `xml:"SendMessageBatchResultEntry"`
		Failed     []BatchFailure `xml:"BatchResultErrorEntry"`
	}

	// DeleteBatchResult is the answer of DeleteMessageBatch.
	DeleteBatchResult struct {
		Successful []Done         `xml:"DeleteMessageBatchResultEntry"`
		Failed     []BatchFailure `xml:"BatchResultErrorEntry"`
	}

	// VisibilityBatchResult is the answer of ChangeMessageVisibilityBatch.
	VisibilityBatchResult struct {
		Successful []Done         `xml:"ChangeMessageVisibilityBatchResultEntry"`
		Failed     []BatchFailure `xml:"BatchResultErrorEntry"`
	}

	// Done is an entry that was carried out.
	Done struct{ Id string }

	// BatchFailure is an entry that was not.
	BatchFailure struct {
		Id, Code, Message string
		SenderFault       bool
	}

	// StartMessageMoveTask is the request of that name. Its answer is a TaskHandle.
	StartMessageMoveTask struct {
		SourceArn                    string
		DestinationArn               string `json:",omitempty"`
		MaxNumberOfMessagesPerSecond *int   `json:",omitempty"`
	}

	// TaskHandle is the answer of StartMessageMoveTask and the request of CancelMessageMoveTask,
	// of which the answer is Cancelled.
	TaskHandle struct{ TaskHandle string }

	// Cancelled is the answer of CancelMessageMoveTask.
	Cancelled struct{ ApproximateNumberOfMessagesMoved int }

	// ListMessageMoveTasks is the request of that name. Its answer is MoveTasks.
	ListMessageMoveTasks struct {
		SourceArn  string
		MaxResults *int `json:",omitempty"`
	}

	// MoveTasks is the answer of ListMessageMoveTasks.
	MoveTasks struct {
		Results []MoveTask `xml:"ListMessageMoveTasksResultEntry"`
	}

	// MoveTask is one task. Numbers that an answer leaves out are nil.
	MoveTask struct {
		TaskHandle                        string
		Status                            string
		SourceArn                         string
		DestinationArn                    string
		MaxNumberOfMessagesPerSecond      *int
		ApproximateNumberOfMessagesMoved  int
		ApproximateNumberOfMessagesToMove *int
		FailureReason                     string
		StartedTimestamp                  int64
	}
)

// Int is for members that tell an explicit zero from none.
func Int(n int) *int { return &n }

// StringMap is a map of text, which XML spells as elements with a name and a value each.
type StringMap map[string]string

// UnmarshalXML adds one element.
func (m *StringMap) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var e struct{ Name, Key, Value string }
	if err := d.DecodeElement(&e, &start); err != nil {
		return err
	}
	if *m == nil {
		*m = StringMap{}
	}
	(*m)[e.Name+e.Key] = e.Value
	return nil
}

// ValueMap is a map of message attributes.
type ValueMap map[string]AttributeValue

// UnmarshalXML adds one element.
func (m *ValueMap) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var e struct {
		Name  string
		Value struct {
			DataType, StringValue string
			BinaryValue           *string
		}
	}
	if err := d.DecodeElement(&e, &start); err != nil {
		return err
	}
	v := AttributeValue{DataType: e.Value.DataType, StringValue: e.Value.StringValue}
	if e.Value.BinaryValue != nil { // base64, which is how encoding/json reads bytes
		if err := json.Unmarshal([]byte(`"`+*e.Value.BinaryValue+`"`), &v.BinaryValue); err != nil {
			return err
		}
	}
	if *m == nil {
		*m = ValueMap{}
	}
	(*m)[e.Name] = v
	return nil
}

// Copy moves what from says into the value that into points to, by the names of members. It is how
// an API turns the requests and results of this package into its own.
func Copy(into, from any) error {
	if into == nil {
		return nil
	}
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
