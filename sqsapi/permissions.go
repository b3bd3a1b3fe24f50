package sqsapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"example.com/inq/internal/wire"
)

// Bounds of a policy (SQS: section 1.5).
const (
	maxPolicy     = 8192 // bytes
	maxStatements = 20
	maxPrincipals = 50
	maxActions    = 7
)

// grantable are the actions that a permission can name; ownerOnly are those of the account alone
// (SQS: MGT-10, MGT-12).
var (
	grantable = []string{"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes",
		"GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue"}
	ownerOnly = []string{"AddPermission", "CreateQueue", "DeleteQueue", "ListQueues", "ListQueueTags", "RemovePermission",
		"SetQueueAttributes", "TagQueue", "UntagQueue", "StartMessageMoveTask", "ListMessageMoveTasks", "CancelMessageMoveTask"}
)

// policy is the attribute Policy: what it had, with its statements taken out.
type policy struct {
	members    map[string]json.RawMessage
	statements []json.RawMessage
}

// changePolicy changes the policy of a queue in one step; change may run more than once.
func (c call) changePolicy(name string, change func(*policy) error) error {
	for {
		attributes, err := c.broker.Attributes(c.Context(), name, "Policy")
		if err != nil {
			return err
		}
		old := attributes["Policy"]
		p, err := parsePolicy(old, c.arn(name))
		if err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		replaced, err := c.broker.ReplacePolicy(c.Context(), name, old, p.String())
		if err != nil || replaced {
			return err
		}
	}
}

// parsePolicy reads the policy of the queue with the given ARN; a queue without one has a policy
// without statements (SQS: MGT-10).
func parsePolicy(text, arn string) (*policy, error) {
	p := &policy{members: map[string]json.RawMessage{}}
	if text == "" {
		p.set("Version", "2008-10-17")
		p.set("Id", arn+"/SQSDefaultPolicy")
		return p, nil
	}
	if err := json.Unmarshal([]byte(text), &p.members); err != nil {
		return nil, wire.Faultf(kindInvalidAttributeValue, "Invalid value for the parameter Policy.")
	}
	if list := p.members["Statement"]; json.Unmarshal(list, &p.statements) != nil && list != nil {
		p.statements = []json.RawMessage{list} // a single statement needs no list
	}
	return p, nil
}

// String is the policy as text. One without statements is none (SQS: MGT-11).
func (p *policy) String() string {
	if len(p.statements) == 0 {
		return ""
	}
	p.set("Statement", p.statements)
	return string(toJSON(p.members))
}

func (p *policy) set(name string, value any) {
	p.members[name] = toJSON(value)
}

// toJSON leaves < and > as they are, so that what a policy had before becomes no longer.
func toJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("bug: a value has no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// find returns the place of the statement with a label, -1 if there is none.
func (p *policy) find(label string) int {
	return slices.IndexFunc(p.statements, func(s json.RawMessage) bool {
		var id struct{ Sid string }
		return json.Unmarshal(s, &id) == nil && id.Sid == label
	})
}

type addPermissionRequest struct {
	QueueUrl      *string
	Label         *string
	AWSAccountIds []string `query:"AWSAccountId"`
	Actions       []string `query:"ActionName"`
}

func (c call) addPermission(in *addPermissionRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	switch {
	case in.Label == nil || *in.Label == "":
		return missing("Label")
	case len(in.AWSAccountIds) == 0:
		return missing("AWSAccountIds")
	case len(in.Actions) == 0:
		return missing("Actions")
	}
	label := *in.Label
	if len(label) > 80 || strings.Trim(label, entryIDCharacters) != "" {
		return invalid(label, "Label", textStandardName)
	}
	if err := checkGrant(in.AWSAccountIds, in.Actions); err != nil {
		return err
	}
	principals, actions := []string{}, []string{}
	for _, account := range in.AWSAccountIds {
		principals = append(principals, "arn:aws:iam::"+account+":root")
	}
	for _, action := range in.Actions {
		actions = append(actions, "SQS:"+action)
	}
	added := toJSON(statement{
		Sid: label, Effect: "Allow", Principal: principal{oneOrList(principals)}, Action: oneOrList(actions), Resource: c.arn(q.Name()),
	})
	return c.changePolicy(q.Name(), func(p *policy) error {
		switch {
		case p.find(label) >= 0:
			return invalid(label, "Label", "Already exists.")
		case len(p.statements) >= maxStatements:
			return tooMany("Statements", len(p.statements)+1, maxStatements)
		}
		p.statements = append(p.statements, added)
		if n := len(p.String()); n > maxPolicy {
			return tooMany("Bytes", n, maxPolicy)
		}
		return nil
	})
}

// statement is what AddPermission puts into a policy (SQS: MGT-10).
type statement struct {
	Sid       string
	Effect    string
	Principal principal
	Action    any
	Resource  string
}

type principal struct{ AWS any }

// oneOrList is how a policy says a list: a single value stands alone.
func oneOrList(values []string) any {
	if len(values) == 1 {
		return values[0]
	}
	return values
}

func tooMany(what string, n, most int) error {
	return wire.Faultf(kindOverLimit, "%d %s were found, maximum allowed is %d.", n, what, most)
}

// checkGrant refuses accounts and actions that no permission can name (SQS: MGT-10).
func checkGrant(accounts, actions []string) error {
	if len(actions) > maxActions {
		return tooMany("Actions", len(actions), maxActions)
	}
	if len(accounts) > maxPrincipals {
		return tooMany("Principals", len(accounts), maxPrincipals)
	}
	for _, action := range actions {
		switch {
		case slices.Contains(grantable, action):
		case slices.Contains(ownerOnly, action):
			return invalid("SQS:"+action, "ActionName", "Only the queue owner is allowed to invoke this action.")
		default:
			return invalid("SQS:"+action, "ActionName", "Please refer to the appropriate WSDL for a list of valid actions. ")
		}
	}
	for _, account := range accounts {
		if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
			return invalid("["+account+"]", "PrincipalId", "Unable to verify.")
		}
	}
	return nil
}

type removePermissionRequest struct {
	QueueUrl *string
	Label    *string
}

func (c call) removePermission(in *removePermissionRequest) error {
	q, err := c.queue(in.QueueUrl)
	if err != nil {
		return err
	}
	if in.Label == nil || *in.Label == "" {
		return missing("Label")
	}
	return c.changePolicy(q.Name(), func(p *policy) error {
		at := p.find(*in.Label)
		if at < 0 { // (SQS: MGT-11)
			return invalid(*in.Label, "Label", "can't find label.")
		}
		p.statements = slices.Delete(p.statements, at, at+1)
		return nil
	})
}
