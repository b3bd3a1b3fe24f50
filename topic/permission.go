package topic

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// maxStatements is how many statements an access policy has at most (SNS: PERM-4).
const maxStatements = 100

// policyActions are those that a permission can name (SNS: PERM-2).
var policyActions = []string{"GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
	"ListSubscriptionsByTopic", "Publish", "Receive"}

// statement is one permission in an access policy.
type statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:"Principal"`
	Action    any            `json:"Action"`
	Resource  string         `json:"Resource"`
	Condition map[string]any `json:"Condition,omitempty"`
}

// oneOrList is a string, or a list of several (SNS: PERM-1).
func oneOrList(s []string) any {
	if len(s) == 1 {
		return s[0]
	}
	return s
}

// defaultPolicy is the policy of a topic without one: everything is for the owner.
func (t *Topic) defaultPolicy() string {
	var actions []string
	for _, a := range policyActions[:8] {
		actions = append(actions, "SNS:"+a)
	}
	return toJSON(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []statement
	}{"2008-10-17", "__default_policy_ID", []statement{{
		Sid: "__default_statement_ID", Effect: "Allow", Principal: map[string]any{"AWS": "*"}, Action: actions, Resource: t.arn,
		Condition: map[string]any{"StringEquals": map[string]string{"AWS:SourceOwner": t.account.id}},
	}}})
}

// AddPermission appends a statement to the access policy of the topic, which is kept and shown and
// decides nothing here: every caller is the owner (SNS: PERM-1 to PERM-4). A label that is in use, an
// unknown action, and a list that is empty are refused with [ErrInvalidParameter].
func (t *Topic) AddPermission(label string, accounts, actions []string) error {
	switch {
	case label == "":
		return invalid("Label", label, "no value for required parameter")
	case len(accounts) == 0:
		return invalid("AWSAccountId", nil, "no value for required parameter")
	case len(actions) == 0:
		return invalid("ActionName", nil, "no value for required parameter")
	}
	s := statement{Sid: label, Effect: "Allow", Resource: t.arn}
	var principals, names []string
	for _, id := range accounts {
		principals = append(principals, "arn:aws:iam::"+id+":root")
	}
	for _, a := range actions {
		if a != "*" && !slices.Contains(policyActions, a) {
			return &ParamError{Err: ErrInvalidParameter, Param: "ActionName", Value: a, Reason: "must be one of " + strings.Join(policyActions, ", "),
				Text: "Invalid parameter: Policy statement action out of service scope!"}
		}
		names = append(names, "SNS:"+a)
	}
	s.Principal, s.Action = map[string]any{"AWS": oneOrList(principals)}, oneOrList(names)
	return t.changePolicy(func(list []json.RawMessage) ([]json.RawMessage, error) {
		switch {
		case findStatement(list, label) >= 0:
			return nil, &ParamError{Err: ErrInvalidParameter, Param: "Label", Value: label, Reason: "is in use",
				Text: "Invalid parameter: Statement already exists"}
		case len(list) >= maxStatements:
			return nil, invalid("Policy", len(list)+1, "must have at most 100 statements")
		}
		return append(list, json.RawMessage(toJSON(s))), nil
	})
}

// RemovePermission takes the statement with the label out of the access policy. An unknown label
// succeeds (SNS: PERM-3).
func (t *Topic) RemovePermission(label string) error {
	return t.changePolicy(func(list []json.RawMessage) ([]json.RawMessage, error) {
		if at := findStatement(list, label); at >= 0 {
			list = slices.Delete(list, at, at+1)
		}
		return list, nil
	})
}

func findStatement(list []json.RawMessage, label string) int {
	return slices.IndexFunc(list, func(text json.RawMessage) bool {
		var s struct{ Sid string }
		return json.Unmarshal(text, &s) == nil && s.Sid == label
	})
}

// changePolicy changes the statements of the access policy.
func (t *Topic) changePolicy(change func([]json.RawMessage) ([]json.RawMessage, error)) (err error) {
	if err := t.lock(); err != nil {
		return err
	}
	defer t.account.commit(&err)
	s := *t.settings.Load()
	text := s.values["Policy"]
	if text == "" {
		text = t.defaultPolicy()
	}
	members := map[string]json.RawMessage{}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return invalid("Policy", nil, "must be a JSON object")
	}
	if given := members["Statement"]; given != nil && json.Unmarshal(given, &list) != nil {
		list = []json.RawMessage{given} // a single statement needs no list
	}
	list, err = change(list)
	if err != nil {
		return err
	}
	if list == nil {
		list = []json.RawMessage{}
	}
	members["Statement"] = json.RawMessage(toJSON(list))
	if text = toJSON(members); len(text) > maxPolicy {
		return invalid("Policy", len(text), "must have at most 30720 bytes")
	}
	s.values = maps.Clone(s.values)
	s.values["Policy"] = text
	return t.setLocked(&s)
}
