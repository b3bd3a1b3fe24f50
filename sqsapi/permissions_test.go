package sqsapi

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// policyOf returns the attribute Policy of a queue.
func (c *client) policyOf(name string) string {
	c.t.Helper()
	attributes, err := c.broker.Attributes(c.t.Context(), name, "Policy")
	require.NoError(c.t, err)
	return attributes["Policy"]
}

func TestMGT10_PermissionsAreStatementsOfThePolicy(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	assert.Equal(t, `{}`, c.json("AddPermission", `{'QueueUrl':'`+url+`','Label':'one','AWSAccountIds':['111111111111'],'Actions':['SendMessage']}`).ok())
	one := `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SQS:SendMessage","Resource":"arn:aws:sqs:us-east-1:000000000000:q"}`
	head := `{"Version":"2008-10-17","Id":"arn:aws:sqs:us-east-1:000000000000:q/SQSDefaultPolicy","Statement":[`
	assert.JSONEq(t, head+one+`]}`, c.policyOf("q"))
	assert.Equal(t, `<?xml version="1.0"?><AddPermissionResponse`+xmlns+`>`+metadata+`</AddPermissionResponse>`,
		c.query(url, "AddPermission", "Label=two", "AWSAccountId.1=111111111111", "AWSAccountId.2=222222222222", "ActionName.1=*", "ActionName.2=ReceiveMessage").ok())
	two := `{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:root"]},` +
		`"Action":["SQS:*","SQS:ReceiveMessage"],"Resource":"arn:aws:sqs:us-east-1:000000000000:q"}`
	assert.JSONEq(t, head+one+","+two+`]}`, c.policyOf("q"))

	c.json("AddPermission", `{'QueueUrl':'`+url+`','Label':'one','AWSAccountIds':['111111111111'],'Actions':['SendMessage']}`).
		invalidParameter("Value one for parameter Label is invalid. Reason: Already exists.")
	c.json("RemovePermission", `{'QueueUrl':'`+url+`','Label':'three'}`).invalidParameter("Value three for parameter Label is invalid. Reason: can't find label.")
	assert.Equal(t, `<?xml version="1.0"?><RemovePermissionResponse`+xmlns+`>`+metadata+`</RemovePermissionResponse>`, c.query(url, "RemovePermission", "Label=one").ok())
	assert.JSONEq(t, head+two+`]}`, c.policyOf("q"))
	assert.Equal(t, `{}`, c.json("RemovePermission", `{'QueueUrl':'`+url+`','Label':'two'}`).ok())
	assert.Empty(t, c.policyOf("q"))
	c.json("RemovePermission", `{'QueueUrl':'`+url+`','Label':'two'}`).invalidParameter("Value two for parameter Label is invalid. Reason: can't find label.")
}

func TestAddPermission_KeepsAPolicyThatWasSet(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	for before, after := range map[string]string{
		`{"Version":"2012-10-17","Id":"mine","Statement":{"Sid":"x","Effect":"Deny","Condition":{"n":1.50}}}`: `{"Version":"2012-10-17","Id":"mine","Statement":[{"Sid":"x","Effect":"Deny","Condition":{"n":1.50}},%s]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny"}]}`:                                            `{"Version":"2012-10-17","Statement":[{"Effect":"Deny"},%s]}`,
		`{}`: `{"Statement":[%s]}`,
	} {
		c.jsonOf("SetQueueAttributes", map[string]any{"QueueUrl": url, "Attributes": map[string]string{"Policy": before}}).ok()
		c.json("AddPermission", `{'QueueUrl':'`+url+`','Label':'one','AWSAccountIds':['111111111111'],'Actions':['SendMessage']}`).ok()
		assert.JSONEq(t, fmt.Sprintf(after, `{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SQS:SendMessage",`+
			`"Resource":"arn:aws:sqs:us-east-1:000000000000:q"}`), c.policyOf("q"))
	}
}

func TestAddPermission_RefusesWhatIsWrong(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	add := func(label, accounts, actions string) reply {
		return c.json("AddPermission", `{'QueueUrl':'`+url+`','Label':`+label+`,'AWSAccountIds':`+accounts+`,'Actions':`+actions+`}`)
	}
	one, send := `['111111111111']`, `['SendMessage']`
	add(`null`, one, send).missingParameter("Label")
	add(`'l'`, `[]`, send).missingParameter("AWSAccountIds")
	add(`'l'`, one, `null`).missingParameter("Actions")
	c.json("RemovePermission", `{'QueueUrl':'`+url+`'}`).missingParameter("Label")
	add(`'a b'`, one, send).invalidParameter("Value a b for parameter Label is invalid. Reason: " + textStandardName)
	add(`'l'`, `['1']`, send).invalidParameter("Value [1] for parameter PrincipalId is invalid. Reason: Unable to verify.")
	add(`'l'`, one, `['CreateQueue']`).invalidParameter("Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.")
	add(`'l'`, one, `['Dance']`).invalidParameter("Value SQS:Dance for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. ")
	add(`'l'`, one, `[`+strings.Repeat(`'SendMessage',`, 7)+`'SendMessage']`).fails(403, sdkError+"OverLimit", "OverLimit", "8 Actions were found, maximum allowed is 7.")
	add(`'l'`, `[`+strings.Repeat(`'111111111111',`, 50)+`'111111111111']`, send).fails(403, sdkError+"OverLimit", "OverLimit", "51 Principals were found, maximum allowed is 50.")
	assert.Empty(t, c.policyOf("q"))
	for i := range 20 {
		add(fmt.Sprintf("'l%d'", i), one, send).ok()
	}
	add(`'l'`, one, send).fails(403, sdkError+"OverLimit", "OverLimit", "21 Statements were found, maximum allowed is 20.")
}

func TestPermissions_OfALongPolicy(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	head, tail := `{"Statement":[{"Sid":"a"},{"Sid":"b","Note":"<&>`, `"}]}`
	long := head + strings.Repeat("<", maxPolicy-len(head)-len(tail)) + tail
	c.jsonOf("SetQueueAttributes", map[string]any{"QueueUrl": url, "Attributes": map[string]string{"Policy": long}}).ok()
	added := len(`,{"Sid":"c","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"SQS:*","Resource":"arn:aws:sqs:us-east-1:000000000000:q"}`)
	c.json("AddPermission", `{'QueueUrl':'q','Label':'c','AWSAccountIds':['111111111111'],'Actions':['*']}`).
		fails(403, sdkError+"OverLimit", "OverLimit", fmt.Sprintf("%d Bytes were found, maximum allowed is 8192.", maxPolicy+added))
	assert.Equal(t, long, c.policyOf("q"))
	c.json("RemovePermission", `{'QueueUrl':'q','Label':'a'}`).ok()
	assert.Equal(t, strings.Replace(long, `{"Sid":"a"},`, "", 1), c.policyOf("q"), "what stays is as it was")
}

func TestPermissions_LoseNoStatementToAnotherHandler(t *testing.T) {
	c := newClient(t)
	url := c.standard("q")
	const handlers, rounds = 10, 20
	var calls sync.WaitGroup
	for n := range handlers {
		rt := NewRoundTripper(NewHandler(c.broker, Options{}))
		do := func(parameters ...string) {
			resp, err := rt.Do(queryRequest(url, form(parameters...)))
			assert.NoError(t, err)
			assert.Equal(t, 200, resp.StatusCode)
		}
		calls.Go(func() {
			for i := range rounds {
				do("Action=AddPermission", fmt.Sprintf("Label=l%d-%d", n, i), "AWSAccountId.1=111111111111", "ActionName.1=SendMessage")
				if i > 0 {
					do("Action=RemovePermission", fmt.Sprintf("Label=l%d-%d", n, i-1))
				}
			}
		})
	}
	calls.Wait()
	assert.Equal(t, handlers, strings.Count(c.policyOf("q"), fmt.Sprintf(`-%d"`, rounds-1)))
	assert.Equal(t, handlers, strings.Count(c.policyOf("q"), `"Sid"`))
}
