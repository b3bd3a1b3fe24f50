package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// permissions is section 7, permissions and policies.
var permissions = Chapter{
	Needs: Account,
	Differs: map[string]string{
		"MGT-12": "A permission is written into the policy and grants nothing, as every caller is the owner (MGT-14). What no other account may ever do cannot be granted either.",
		"MGT-14": "No policy is evaluated: every caller is the owner and may do everything, even what the policy denies. Policy is kept and shown.",
	},
	Cases: []Case{
		{"MGT-10", "a permission is a statement of the policy", Members, func(t *T) {
			q := t.Standard()
			t.NoError(grant(q, "one", []string{"111111111111"}, "SendMessage"))
			one := statementOf("one", `"arn:aws:iam::111111111111:root"`, `"SQS:SendMessage"`, q.ARN())
			t.JSONEq(policyOf(q, one), q.Attribute("Policy"))
			t.NoError(grant(q, "two", []string{"111111111111", "222222222222"}, "ReceiveMessage", "*"))
			two := statementOf("two", `["arn:aws:iam::111111111111:root","arn:aws:iam::222222222222:root"]`, `["SQS:ReceiveMessage","SQS:*"]`, q.ARN())
			t.JSONEq(policyOf(q, one, two), q.Attribute("Policy"))
		}},
		{"MGT-10", "a policy that was set keeps what it has", Members, func(t *T) {
			q := t.Standard()
			for before, after := range map[string]string{
				`{"Version":"2012-10-17","Id":"mine","Statement":{"Sid":"x","Effect":"Deny"}}`: `{"Version":"2012-10-17","Id":"mine","Statement":[{"Sid":"x","Effect":"Deny"},%s]}`,
				`{"Version":"2012-10-17","Statement":[{"Effect":"Deny"},{"Effect":"Allow"}]}`:  `{"Version":"2012-10-17","Statement":[{"Effect":"Deny"},{"Effect":"Allow"},%s]}`,
			} {
				t.NoError(q.Set("Policy", before))
				t.NoError(grant(q, "one", []string{"111111111111"}, "PurgeQueue"))
				t.JSONEq(fmt.Sprintf(after, statementOf("one", `"arn:aws:iam::111111111111:root"`, `"SQS:PurgeQueue"`, q.ARN())), q.Attribute("Policy"))
			}
		}},
		{"MGT-10", "permissions that are added at once are all kept", Members, func(t *T) {
			q := t.Standard()
			errs := make(chan error, 10)
			for i := range 10 {
				go func() { errs <- grant(q, fmt.Sprintf("l%d", i), []string{"111111111111"}, "SendMessage") }()
			}
			for range 10 {
				t.NoError(<-errs)
			}
			t.Equal(10, strings.Count(q.Attribute("Policy"), `"Sid"`))
		}},
		{"MGT-10", "a label stands once", Members, func(t *T) {
			q := t.Standard()
			t.NoError(grant(q, "one", []string{"111111111111"}, "SendMessage"))
			before := q.Attribute("Policy")
			t.Refused(grant(q, "one", []string{"222222222222"}, "ReceiveMessage"), "InvalidParameterValue", "Value one for parameter Label is invalid. Reason: Already exists.")
			t.JSONEq(before, q.Attribute("Policy"))
			t.NoError(q.Set("Policy", `{"Statement":[{"Sid":"mine","Effect":"Deny"}]}`))
			t.Refused(grant(q, "mine", []string{"222222222222"}, "ReceiveMessage"), "InvalidParameterValue", "Value mine for parameter Label is invalid. Reason: Already exists.")
			t.NoError(grant(t.Standard(), "one", []string{"111111111111"}, "SendMessage"), "of another queue")
		}},
		{"MGT-10", "a label is up to 80 letters, digits, hyphens and underscores", Members, func(t *T) {
			q := t.Standard()
			for _, label := range []string{"a b", "a.b", "ä", "a/b", strings.Repeat("x", 81)} {
				t.Refused(grant(q, label, []string{"111111111111"}, "SendMessage"), "InvalidParameterValue", "")
			}
			t.NoError(grant(q, "aZ_-09", []string{"111111111111"}, "SendMessage"))
			t.NoError(grant(q, strings.Repeat("x", 80), []string{"111111111111"}, "SendMessage"))
		}},
		{"MGT-10", "a permission names up to 7 actions", Members, func(t *T) {
			q := t.Standard()
			eight := []string{"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl", "PurgeQueue", "ListDeadLetterSourceQueues"}
			t.Refused(grant(q, "one", []string{"111111111111"}, eight...), "OverLimit", "8 Actions were found, maximum allowed is 7.")
			t.Empty(q.Attribute("Policy"))
			t.NoError(grant(q, "one", []string{"111111111111"}, eight[:7]...))
		}},
		{"MGT-10", "a refusal for being too many is a 403", HTTP, func(t *T) {
			q := t.Standard()
			r := askJSON(t, "AddPermission", AddPermission{q.URL, "l", []string{"111111111111"}, slices.Repeat([]string{"SendMessage"}, 8)})
			t.Equal(403, r.Status)
			t.Contains(r.Body, "#OverLimit")
		}},
		{"MGT-10", "an unknown action is refused", Members, func(t *T) {
			q := t.Standard()
			for _, action := range []string{"Dance", "sendMessage", "SQS:SendMessage"} {
				t.Refused(grant(q, "one", []string{"111111111111"}, "SendMessage", action), "InvalidParameterValue",
					"Value SQS:"+action+" for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. ")
			}
			t.Empty(q.Attribute("Policy"))
		}},
		{"MGT-10", "what is no account is refused", Members, func(t *T) {
			q := t.Standard()
			for _, account := range []string{"1", "1111111111111", "11111111111x"} {
				t.Refused(grant(q, "one", []string{"111111111111", account}, "SendMessage"), "InvalidParameterValue", "")
			}
			t.Empty(q.Attribute("Policy"))
		}},
		{"MGT-10", "label, accounts and actions are required", HTTP, func(t *T) {
			q := t.Standard()
			whole := map[string]any{"QueueUrl": q.URL, "Label": "l", "AWSAccountIds": []string{"111111111111"}, "Actions": []string{"SendMessage"}}
			for _, name := range []string{"Label", "AWSAccountIds", "Actions"} {
				r := askJSON(t, "AddPermission", without(whole, name))
				t.Equal("MissingParameter;Sender", r.Header.Get("x-amzn-query-error"), name)
				t.Contains(r.Body, "The request must contain the parameter "+name+".")
			}
		}},
		{"MGT-11", "a permission is removed by its label, the last one with the policy", Members, func(t *T) {
			q := t.Standard()
			t.NoError(grant(q, "one", []string{"111111111111"}, "SendMessage"))
			t.NoError(grant(q, "two", []string{"111111111111"}, "SendMessage"))
			t.Must("RemovePermission", RemovePermission{q.URL, "one"}, nil)
			t.JSONEq(policyOf(q, statementOf("two", `"arn:aws:iam::111111111111:root"`, `"SQS:SendMessage"`, q.ARN())), q.Attribute("Policy"))
			t.Must("RemovePermission", RemovePermission{q.URL, "two"}, nil)
			t.NotContains(q.Attributes("All"), "Policy")
		}},
		{"MGT-11", "a statement that was set is removed by its Sid", Members, func(t *T) {
			q := t.Standard()
			t.NoError(q.Set("Policy", `{"Statement":[{"Sid":"mine","Effect":"Deny"},{"Effect":"Allow"}]}`))
			t.Must("RemovePermission", RemovePermission{q.URL, "mine"}, nil)
			t.JSONEq(`{"Statement":[{"Effect":"Allow"}]}`, q.Attribute("Policy"))
		}},
		{"MGT-11", "an unknown label is refused", Members, func(t *T) {
			q := t.Standard()
			unknown := "Value nobody for parameter Label is invalid. Reason: can't find label."
			t.Refused(t.Call("RemovePermission", RemovePermission{q.URL, "nobody"}, nil), "InvalidParameterValue", unknown)
			t.NoError(grant(q, "Nobody", []string{"111111111111"}, "SendMessage"))
			t.Refused(t.Call("RemovePermission", RemovePermission{q.URL, "nobody"}, nil), "InvalidParameterValue", unknown)
			t.NotEmpty(q.Attribute("Policy"))
		}},
		{"MGT-12", "the batch forms are not named by themselves", Members, func(t *T) {
			q := t.Standard()
			for _, action := range []string{"SendMessage", "DeleteMessage", "ChangeMessageVisibility"} {
				t.NoError(grant(q, action, []string{"111111111111"}, action))
				t.Refused(grant(q, action+"Batch", []string{"111111111111"}, action+"Batch"), "InvalidParameterValue", "")
			}
		}},
		{"MGT-12", "what only the owner may do cannot be granted", Members, func(t *T) {
			q := t.Standard()
			for _, action := range []string{
				"AddPermission", "CreateQueue", "DeleteQueue", "ListQueues", "ListQueueTags", "RemovePermission", "SetQueueAttributes",
				"TagQueue", "UntagQueue", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask",
			} {
				t.Refused(grant(q, "one", []string{"111111111111"}, action), "InvalidParameterValue",
					"Value SQS:"+action+" for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this action.")
			}
			t.Empty(q.Attribute("Policy"))
		}},
		{"MGT-14", "a policy that denies everything denies nothing", 0, func(t *T) {
			q := t.Standard("Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"SQS:*","Resource":"*"}]}`)
			q.Send("one")
			t.NoError(q.Delete(q.One().ReceiptHandle))
			t.NoError(q.Set("Policy", ""))
			t.NotContains(q.Attributes("All"), "Policy")
		}},
		{"MGT-14", "a policy is shown as it was set", 0, func(t *T) {
			text := `{ "Version": "2012-10-17", "Statement": [{"Sid":"x","Effect":"Allow","Principal":{"AWS":["111111111111"]},"Action":["sqs:SendMessage"],"Resource":"*"}] }`
			q := t.Standard("Policy", text)
			t.JSONEq(text, q.Attribute("Policy"))
		}},
	},
}

// grant adds a permission.
func grant(q *Q, label string, accounts []string, actions ...string) error {
	return q.t.Call("AddPermission", AddPermission{q.URL, label, accounts, actions}, nil)
}

// statementOf is a statement as AddPermission writes it, of principals and actions in JSON.
func statementOf(label, principals, actions, arn string) string {
	return fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Principal":{"AWS":%s},"Action":%s,"Resource":%q}`, label, principals, actions, arn)
}

// policyOf is a policy that AddPermission began.
func policyOf(q *Q, statements ...string) string {
	id, err := json.Marshal(q.ARN() + "/SQSDefaultPolicy")
	q.t.NoError(err)
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":%s,"Statement":[%s]}`, id, strings.Join(statements, ","))
}
