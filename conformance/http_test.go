package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// exchange sends a request and reads the answer.
type exchange func(req *http.Request) (*http.Response, error)

func (do exchange) read(req *http.Request) (*http.Response, []byte, error) {
	resp, err := do(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	return resp, body, resp.Body.Close()
}

// refusal is an error of the service.
type refusal struct{ Code, Message string }

func (r *refusal) Error() string        { return r.Code + ": " + r.Message }
func (r *refusal) ErrorCode() string    { return r.Code }
func (r *refusal) ErrorMessage() string { return r.Message }

// jsonAPI speaks AWS JSON 1.0 to the service at base.
type jsonAPI struct {
	do   exchange
	base string
}

func (a jsonAPI) Call(ctx context.Context, operation string, in, out any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	resp, body, err := a.do.read(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		code, _, _ := strings.Cut(resp.Header.Get("x-amzn-query-error"), ";")
		r := &refusal{Code: code}
		if err := json.Unmarshal(body, r); err != nil { // takes "message" for Message
			return err
		}
		return r
	}
	if out == nil || len(body) == 0 {
		return nil
	}
	return json.Unmarshal(body, out)
}

// queryAPI speaks the Query protocol to the service at base.
type queryAPI struct {
	do   exchange
	base string
}

func (a queryAPI) Call(ctx context.Context, operation string, in, out any) error {
	form, err := formOf(operation, in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, body, err := a.do.read(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var e struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   struct{ Code, Message string }
		}
		if err := xml.Unmarshal(body, &e); err != nil {
			return fmt.Errorf("status %d, %q: %w", resp.StatusCode, body, err)
		}
		return &refusal{Code: e.Error.Code, Message: e.Error.Message}
	}
	if out == nil {
		return nil
	}
	// The result is the element of that name inside the response; its content is what out has.
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("%q has no result: %w", body, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == operation+"Result" {
			return d.DecodeElement(out, &start)
		}
	}
}

// formOf writes a request as parameters (SQS: WIRE-12).
func formOf(operation string, in any) (url.Values, error) {
	var members map[string]any
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&members); err != nil {
		return nil, err
	}
	form := url.Values{"Action": {operation}, "Version": {"2012-11-05"}}
	flatten(form, operation, "", members)
	return form, nil
}

// listNames are the parameters of members that are lists; mapNames those of maps, with what their
// keys and values are called.
var (
	listNames = map[string]string{
		"AttributeNames": "AttributeName", "MessageSystemAttributeNames": "MessageSystemAttributeName", "MessageAttributeNames": "MessageAttributeName",
		"TagKeys": "TagKey", "AWSAccountIds": "AWSAccountId", "Actions": "ActionName",
		"StringListValues": "StringListValue", "BinaryListValues": "BinaryListValue",
	}
	mapNames = map[string][3]string{
		"Attributes": {"Attribute", "Name", "Value"}, "MessageAttributes": {"MessageAttribute", "Name", "Value"},
		"MessageSystemAttributes": {"MessageSystemAttribute", "Name", "Value"},
		"Tags":                    {"Tag", "Key", "Value"}, "tags": {"Tag", "Key", "Value"},
	}
)

func flatten(form url.Values, operation, prefix string, members map[string]any) {
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case []any:
			parameter := listNames[name]
			if name == "Entries" {
				parameter = operation + "RequestEntry"
			}
			for i, element := range v {
				at := prefix + parameter + "." + strconv.Itoa(i+1)
				if entry, ok := element.(map[string]any); ok {
					flatten(form, operation, at+".", entry)
				} else {
					form.Set(at, fmt.Sprint(element))
				}
			}
		case map[string]any:
			names := mapNames[name]
			for i, key := range slices.Sorted(maps.Keys(v)) {
				at := prefix + names[0] + "." + strconv.Itoa(i+1) + "."
				form.Set(at+names[1], key)
				if members, ok := v[key].(map[string]any); ok {
					flatten(form, operation, at+names[2]+".", members)
				} else {
					form.Set(at+names[2], fmt.Sprint(v[key]))
				}
			}
		default:
			form.Set(prefix+name, fmt.Sprint(v))
		}
	}
}
