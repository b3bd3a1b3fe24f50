package sqsapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadJSON_NamesAreExact(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for _, name := range []string{"messageBody", "MESSAGEBODY", "MessageBody ", "\\u017fessageBody"} {
		c.json("SendMessage", `{'QueueUrl':'`+url+`','`+name+`':'b'}`).missingParameter("MessageBody")
	}
	c.json("SendMessage", `{'QueueUrl':'`+url+`','Message\u0042ody':'b','messagebody':'c'}`).ok()
	assert.Equal(t, "b", c.receive(url, "")[0].Body)
	c.json("CreateQueue", `{'QueueName':'tagged','Tags':{'a':'1'}}`).ok()
	assert.Equal(t, `{"Tags":{"a":"1"}}`, c.json("ListQueueTags", `{'QueueUrl':'tagged'}`).ok(), "though SQS calls them tags here, and Tags elsewhere")
}
