package inqaws

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"example.com/inq"
)

// toAttributeValues writes message attributes in the terms of the SDK. Where an attribute has a
// value of the wrong kind, or two, that goes with it and is refused by the other side.
func toAttributeValues(attributes map[string]inq.Attribute) map[string]types.MessageAttributeValue {
	if len(attributes) == 0 {
		return nil
	}
	values := make(map[string]types.MessageAttributeValue, len(attributes))
	for name, a := range attributes {
		v := types.MessageAttributeValue{DataType: aws.String(a.Type), BinaryValue: a.Binary}
		base, _, _ := strings.Cut(a.Type, ".")
		if base != "Binary" || a.Value != "" {
			v.StringValue = aws.String(a.Value)
		}
		values[name] = v
	}
	return values
}

// fromAttributeValues is the way back.
func fromAttributeValues(values map[string]types.MessageAttributeValue) map[string]inq.Attribute {
	if len(values) == 0 {
		return nil
	}
	attributes := make(map[string]inq.Attribute, len(values))
	for name, v := range values {
		attributes[name] = inq.Attribute{Type: aws.ToString(v.DataType), Value: aws.ToString(v.StringValue), Binary: v.BinaryValue}
	}
	return attributes
}
