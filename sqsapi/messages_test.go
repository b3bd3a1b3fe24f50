package sqsapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSendMessage_AnswersInBothProtocols(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Equal(t, `{"MessageId":"{id}","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3"}`,
		c.json("SendMessage", `{'QueueUrl':'`+url+`','MessageBody':'message'}`).ok())
	assert.Equal(t, `<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><SendMessageResult>`+
		`<MessageId>{id}</MessageId><MD5OfMessageBody>78e731027d8fd50ed642340b7c9a63b3</MD5OfMessageBody></SendMessageResult>`+
		`<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></SendMessageResponse>`,
		c.query(base, "SendMessage", "QueueUrl="+url, "MessageBody=message").ok())
}
