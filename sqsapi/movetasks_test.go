package sqsapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const arnPrefix = "arn:aws:sqs:us-east-1:000000000000:"

// deadLetters makes a source with a dead-letter queue that holds n messages.
func (c *client) deadLetters(n int) (source, dead string) {
	c.t.Helper()
	dead = c.standard("dead")
	c.jsonOf("CreateQueue", map[string]any{"QueueName": "source", "Attributes": redrivePolicy("dead", 1)}).ok()
	source = base + "/000000000000/source"
	for i := range n {
		c.send(source, fmt.Sprintf("m%d", i))
	}
	for range n {
		c.receive(source, `,'VisibilityTimeout':0`)
	}
	require.Empty(c.t, c.receive(source, `,'MaxNumberOfMessages':10`))
	return source, dead
}

func (c *client) tasks(more string) []moveTask {
	c.t.Helper()
	var out listMessageMoveTasksResult
	require.NoError(c.t, json.Unmarshal([]byte(c.json("ListMessageMoveTasks", `{'SourceArn':'`+arnPrefix+`dead'`+more+`}`).ok()), &out))
	return out.Results
}

func (c *client) startTask(more string) (handle string) {
	c.t.Helper()
	var out startMessageMoveTaskResult
	require.NoError(c.t, json.Unmarshal([]byte(c.json("StartMessageMoveTask", `{'SourceArn':'`+arnPrefix+`dead'`+more+`}`).ok()), &out))
	return out.TaskHandle
}

func TestMOV1_AMoveTaskFromStartToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		source, dead := c.deadLetters(4)
		assert.Equal(t, `{}`, c.json("ListMessageMoveTasks", `{'SourceArn':'`+arnPrefix+`dead'}`).ok())
		assert.Contains(t, c.query(dead, "ListMessageMoveTasks", "SourceArn="+arnPrefix+"dead").ok(), "<ListMessageMoveTasksResult/>")
		handle := c.startTask(`,'MaxNumberOfMessagesPerSecond':1`)
		text, err := base64.StdEncoding.DecodeString(handle)
		require.NoError(t, err)
		assert.Regexp(t, `^\{"taskId":"[0-9a-f-]{36}","sourceArn":"`+arnPrefix+`dead"\}$`, string(text))
		synctest.Wait()
		assert.Equal(t, `{"Results":[{"TaskHandle":"`+handle+`","Status":"RUNNING","SourceArn":"`+arnPrefix+`dead","MaxNumberOfMessagesPerSecond":1,`+
			`"ApproximateNumberOfMessagesMoved":1,"ApproximateNumberOfMessagesToMove":4,"StartedTimestamp":946684800000}]}`,
			c.json("ListMessageMoveTasks", `{'SourceArn':'`+arnPrefix+`dead'}`).ok())
		c.json("StartMessageMoveTask", `{'SourceArn':'`+arnPrefix+`dead'}`).
			invalidParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		time.Sleep(2999 * time.Millisecond)
		synctest.Wait()
		assert.Equal(t, int64(3), c.tasks("")[0].ApproximateNumberOfMessagesMoved)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Equal(t, `<?xml version="1.0"?><ListMessageMoveTasksResponse`+xmlns+`><ListMessageMoveTasksResult><ListMessageMoveTasksResultEntry><Status>COMPLETED</Status>`+
			`<SourceArn>`+arnPrefix+`dead</SourceArn><MaxNumberOfMessagesPerSecond>1</MaxNumberOfMessagesPerSecond>`+
			`<ApproximateNumberOfMessagesMoved>4</ApproximateNumberOfMessagesMoved><ApproximateNumberOfMessagesToMove>4</ApproximateNumberOfMessagesToMove>`+
			`<StartedTimestamp>946684800000</StartedTimestamp></ListMessageMoveTasksResultEntry></ListMessageMoveTasksResult>`+metadata+`</ListMessageMoveTasksResponse>`,
			c.query(base, "ListMessageMoveTasks", "SourceArn="+arnPrefix+"dead").ok())
		assert.Len(t, c.receive(source, `,'MaxNumberOfMessages':10`), 4)
	})
}

func TestMOV9_AMoveTaskIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		other := c.standard("other")
		c.deadLetters(5)
		handle := c.startTask(`,'MaxNumberOfMessagesPerSecond':1,'DestinationArn':'` + arnPrefix + `other'`)
		time.Sleep(time.Second)
		synctest.Wait()
		assert.Equal(t, `{"ApproximateNumberOfMessagesMoved":2}`, c.json("CancelMessageMoveTask", `{'TaskHandle':'`+handle+`'}`).ok())
		synctest.Wait()
		c.json("CancelMessageMoveTask", `{'TaskHandle':'`+handle+`'}`).invalidParameter("Only a running task can be cancelled. The task is CANCELLED.")
		task := c.tasks("")[0]
		assert.Equal(t, "CANCELLED", task.Status)
		assert.Equal(t, arnPrefix+"other", task.DestinationArn)
		assert.Empty(t, task.TaskHandle)
		assert.Len(t, c.receive(other, `,'MaxNumberOfMessages':10`), 2)

		handle = c.startTask(`,'MaxNumberOfMessagesPerSecond':1`)
		synctest.Wait()
		assert.Contains(t, c.query(base, "CancelMessageMoveTask", "TaskHandle="+handle).ok(),
			"<CancelMessageMoveTaskResult><ApproximateNumberOfMessagesMoved>1</ApproximateNumberOfMessagesMoved></CancelMessageMoveTaskResult>")
		synctest.Wait()
		assert.Len(t, c.tasks(`,'MaxResults':10`), 2)
		assert.Len(t, c.tasks(""), 1)
	})
}

func TestMOV7_AFailedTaskTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		source, dead := c.deadLetters(2)
		c.startTask(`,'MaxNumberOfMessagesPerSecond':1`)
		synctest.Wait()
		c.json("DeleteQueue", `{'QueueUrl':'`+source+`'}`).ok()
		time.Sleep(time.Second)
		synctest.Wait()
		task := c.tasks("")[0]
		assert.Equal(t, "FAILED", task.Status)
		assert.Equal(t, "AWS.SimpleQueueService.NonExistentQueue", task.FailureReason)
		assert.Len(t, c.receive(dead, `,'MaxNumberOfMessages':10`), 1)
	})
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		_, dead := c.deadLetters(0)
		c.send(dead, "from nowhere")
		c.startTask("")
		synctest.Wait()
		assert.Equal(t, "CouldNotDetermineMessageSource", c.tasks("")[0].FailureReason)
	})
}

func TestMoveTasks_RefuseWhatIsWrong(t *testing.T) {
	c := newClient(t)
	c.deadLetters(0)
	notFound := func(r reply, message string) {
		t.Helper()
		r.fails(404, sdkError+"ResourceNotFoundException", "ResourceNotFoundException", message)
	}
	handle := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	noSource := "The resource that you specified for the SourceArn parameter doesn't exist."
	c.json("StartMessageMoveTask", `{}`).missingParameter("SourceArn")
	c.json("ListMessageMoveTasks", `{}`).missingParameter("SourceArn")
	c.json("CancelMessageMoveTask", `{}`).missingParameter("TaskHandle")
	notFound(c.json("StartMessageMoveTask", `{'SourceArn':'`+arnPrefix+`nobody'}`), noSource)
	notFound(c.json("ListMessageMoveTasks", `{'SourceArn':'nonsense'}`), noSource)
	notFound(c.json("StartMessageMoveTask", `{'SourceArn':'`+arnPrefix+`dead','DestinationArn':'`+arnPrefix+`nobody'}`),
		"The resource that you specified for the DestinationArn parameter doesn't exist.")
	c.query(base, "StartMessageMoveTask", "SourceArn=x").failsQuery(404, "ResourceNotFoundException", noSource)
	c.json("StartMessageMoveTask", `{'SourceArn':'`+arnPrefix+`source'}`).invalidParameter("Source queue must be configured as a Dead Letter Queue.")
	for _, n := range []int{0, 501, -1} {
		c.json("StartMessageMoveTask", fmt.Sprintf(`{'SourceArn':'`+arnPrefix+`dead','MaxNumberOfMessagesPerSecond':%d}`, n)).
			invalidParameter(fmt.Sprintf("Value %d for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: Must be between 1 and 500, if provided.", n))
	}
	for _, n := range []int{0, 11} {
		c.json("ListMessageMoveTasks", fmt.Sprintf(`{'SourceArn':'`+arnPrefix+`dead','MaxResults':%d}`, n)).
			invalidParameter("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 10.")
	}
	for _, bad := range []string{"nonsense", handle("{"), handle(`{"taskId":"1"}`), handle(`{"sourceArn":"1"}`)} {
		c.json("CancelMessageMoveTask", `{'TaskHandle':'`+bad+`'}`).invalidParameter("Value for parameter TaskHandle is invalid.")
	}
	notFound(c.json("CancelMessageMoveTask", `{'TaskHandle':'`+handle(`{"taskId":"1","sourceArn":"`+arnPrefix+`nobody"}`)+`'}`), noSource)
	notFound(c.json("CancelMessageMoveTask", `{'TaskHandle':'`+handle(`{"taskId":"1","sourceArn":"`+arnPrefix+`dead"}`)+`'}`), "Task does not exist.")
}

func TestDLQ5_ADeadLetterTellsItsSource(t *testing.T) {
	c := newClient(t)
	_, dead := c.deadLetters(1)
	m := c.receive(dead, `,'AttributeNames':['All']`)[0]
	assert.Equal(t, arnPrefix+"source", m.Attributes["DeadLetterQueueSourceArn"])
	assert.Equal(t, "2", m.Attributes["ApproximateReceiveCount"])
}
