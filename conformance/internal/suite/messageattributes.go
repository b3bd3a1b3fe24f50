package suite

import (
	"maps"
	"net/url"
	"strconv"
	"strings"
)

// messageAttributes is section 1.3, attributes of messages.
var messageAttributes = Chapter{
	Cases: []Case{
		{"MSG-5", "ten attributes, and eleven", 0, func(t *T) {
			q := t.Standard()
			m := SendMessage{MessageBody: "x", MessageAttributes: map[string]AttributeValue{}}
			for i := range 10 {
				m.MessageAttributes["a"+strconv.Itoa(i)] = Text(strconv.Itoa(i))
			}
			_, err := q.Post(m)
			t.NoError(err)
			t.Equal(ValueMap(m.MessageAttributes), q.One().MessageAttributes)
			m.MessageAttributes["a10"] = Text("x")
			_, err = q.Post(m)
			t.Refused(err, "InvalidParameterValue", "Number of message attributes [11] exceeds the allowed maximum [10].")
		}},

		{"MSG-6", "names that are taken", 0, func(t *T) {
			q := t.Standard()
			for _, name := range []string{
				"a", "0", "-", "_", "aZ09_-.x", "a.b.c", "øßäÉñ", xs(256), "AWS", "aws-x", "AWSx.y", "Amazon", "Amazonas.x", "x.AWS.y", "-.-",
			} {
				t.NoError(sendAttribute(q, name, Text("v")), name)
				m := q.One()
				t.Equal(ValueMap(valued(name, Text("v"))), m.MessageAttributes)
				q.DeleteAll(m)
			}
		}},
		{"MSG-6", "names that are refused", 0, func(t *T) {
			q := t.Standard()
			for _, name := range []string{
				"", xs(257), "a!", `a"`, "a§", "a(", "a?", "a b", "a/b", "a:b", "a\x01", ".a", "a.", ".", "a..b",
				"AWS.a", "aws.a", "Aws.", "AMAZON.a", "amazon.a", "aMaZoN.x",
			} {
				t.Refused(sendAttribute(q, name, Text("v")), "InvalidParameterValue", "")
			}
			q.Empty()
		}},
		{"MSG-6", "names are case sensitive", 0, func(t *T) {
			q := t.Standard()
			attributes := map[string]AttributeValue{"name": Text("1"), "Name": Text("2"), "NAME": Text("3")}
			_, err := q.Post(SendMessage{MessageBody: "x", MessageAttributes: attributes})
			t.NoError(err)
			t.Equal(ValueMap(attributes), q.One().MessageAttributes)
		}},
		{"MSG-6", "one name twice", HTTP | Query, func(t *T) {
			q := t.Standard()
			f := faultOverQuery(t, "SendMessage", "QueueUrl="+url.QueryEscape(q.URL)+"&MessageBody=x"+
				"&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=1"+
				"&MessageAttribute.2.Name=a&MessageAttribute.2.Value.DataType=String&MessageAttribute.2.Value.StringValue=1")
			t.Equal("InvalidParameterValue", f.code)
			q.Empty()
		}},

		{"MSG-7", "types with and without a label come back", 0, func(t *T) {
			q := t.Standard()
			for _, v := range []AttributeValue{
				Text("x"), {DataType: "String.a.b c/ä", StringValue: "x"}, {DataType: "String." + xs(249), StringValue: "x"},
				{DataType: "Number", StringValue: "1"}, {DataType: "Number.float", StringValue: "1.5"},
				{DataType: "Binary", BinaryValue: []byte{0, 1, 0xff}}, {DataType: "Binary.gif", BinaryValue: []byte("GIF")},
			} {
				t.NoError(sendAttribute(q, "a", v), v.DataType)
				m := q.One()
				t.Equal(ValueMap(valued("a", v)), m.MessageAttributes)
				q.DeleteAll(m)
			}
		}},
		{"MSG-7", "types of another beginning", 0, func(t *T) {
			q := t.Standard()
			for _, typ := range []string{"Text", "string", "STRING", "Str", "number", "binary", "float", ".String", "my.String", " String", "Boolean"} {
				t.Refused(sendAttribute(q, "name", AttributeValue{DataType: typ, StringValue: "1"}), "InvalidParameterValue",
					"The type of message (user) attribute 'name' is invalid. You must use only the following supported type prefixes: Binary, Number, String.")
			}
			q.Empty()
		}},
		{"MSG-7", "types of more than 256 characters", 0, func(t *T) {
			q := t.Standard()
			for _, n := range []int{250, 255} {
				t.Refused(sendAttribute(q, "a", AttributeValue{DataType: "String." + xs(n), StringValue: "x"}), "InvalidParameterValue", "")
			}
			q.Empty()
		}},

		{"MSG-8", "no value", 0, func(t *T) {
			q := t.Standard()
			for typ, base := range map[string]string{"String": "String", "Number": "Number", "Binary": "Binary", "Number.float": "Number"} {
				t.Refused(sendAttribute(q, "name", AttributeValue{DataType: typ}), "InvalidParameterValue",
					"Message (user) attribute 'name' must contain a non-empty value of type '"+base+"'.")
			}
			q.Empty()
		}},
		{"MSG-8", "an empty value", Members, func(t *T) {
			q := t.Standard()
			for typ, member := range map[string]string{"String": "StringValue", "Number": "StringValue", "Binary": "BinaryValue"} {
				err := t.Call("SendMessage", map[string]any{"QueueUrl": q.URL, "MessageBody": "x", "MessageAttributes": map[string]any{
					"name": Pairs("DataType", typ, member, ""),
				}}, nil)
				t.Refused(err, "InvalidParameterValue", "Message (user) attribute 'name' must contain a non-empty value of type '"+typ+"'.")
			}
			q.Empty()
		}},

		{"MSG-9", "values have the characters of bodies", 0, func(t *T) {
			q := t.Standard()
			const allowed = "\t\n\r ~\u007f\u0080\ud7ff\ue000\ufffd\U00010000\U0010ffff<&quot;>"
			t.NoError(sendAttribute(q, "a", Text(allowed)))
			t.Equal(allowed, q.One().MessageAttributes["a"].StringValue)
			for _, r := range append([]rune(forbidden), 0) {
				t.Refused(sendAttribute(q, "a", Text("x"+string(r))), "InvalidParameterValue", "")
			}
		}},

		{"MSG-10", "numbers are kept as they are sent", 0, func(t *T) {
			q := t.Standard()
			for _, number := range []string{
				"0", "-0", "1", "-1", "+1", "007", "1.50", "-0.5", "1e5", "1E+5", "1e-128", "-1e-128", "1e126", "-1E+126", "0.1e127",
				strings.Repeat("9", 38), "-" + strings.Repeat("9", 38), "0." + strings.Repeat("9", 38), "1" + strings.Repeat("0", 126),
			} {
				t.NoError(sendAttribute(q, "n", AttributeValue{DataType: "Number", StringValue: number}), number)
				m := q.One()
				t.Equal(number, m.MessageAttributes["n"].StringValue)
				q.DeleteAll(m)
			}
		}},
		{"MSG-10", "what is no number", 0, func(t *T) {
			q := t.Standard()
			for _, text := range []string{"one", "1,5", "0x10", "--1", "1e", "1.2.3", "NaN", "Infinity", "-", ".", "1 2"} {
				for _, typ := range []string{"Number", "Number.int"} {
					t.Refused(sendAttribute(q, "name", AttributeValue{DataType: typ, StringValue: text}), "InvalidParameterValue",
						"Can't cast the value of message (user) attribute 'name' to a number.")
				}
				t.NoError(sendAttribute(q, "name", Text(text)))
			}
		}},
		{"MSG-10", "numbers of too many digits, too large and too small", 0, func(t *T) {
			q := t.Standard()
			for _, number := range []string{
				strings.Repeat("9", 39), "1." + strings.Repeat("1", 38), "1e127", "-1e127", "1.1e126", "1e-129", "0.9e-128", "1e999999999", "1" + strings.Repeat("0", 127),
			} {
				t.Refused(sendAttribute(q, "n", AttributeValue{DataType: "Number", StringValue: number}), "InvalidParameterValue", "")
			}
			q.Empty()
		}},

		{"MSG-11", "the value of the other field", 0, func(t *T) {
			q := t.Standard()
			t.Refused(sendAttribute(q, "name", AttributeValue{DataType: "Binary", StringValue: "x"}), "InvalidParameterValue",
				"Message (user) attribute 'name' with type 'Binary' must use field 'Binary'.")
			for _, typ := range []string{"String", "Number"} {
				t.Refused(sendAttribute(q, "name", AttributeValue{DataType: typ, BinaryValue: []byte("1")}), "InvalidParameterValue",
					"Message (user) attribute 'name' with type '"+typ+"' must use field 'String'.")
			}
			q.Empty()
		}},
		{"MSG-11", "two values", 0, func(t *T) {
			q := t.Standard()
			for _, typ := range []string{"String", "Number", "Binary"} {
				t.Refused(sendAttribute(q, "name", AttributeValue{DataType: typ, StringValue: "1", BinaryValue: []byte("1")}), "InvalidParameterValue",
					"Message (user) attribute 'name' must have a single value.")
			}
			q.Empty()
		}},
		{"MSG-11", "no type", 0, func(t *T) {
			q := t.Standard()
			t.Refused(sendAttribute(q, "name", AttributeValue{StringValue: "x"}), "InvalidParameterValue",
				"The message (user) attribute 'name' must contain a non-empty message attribute type.")
			q.Empty()
		}},

		{"MSG-12", "reserved lists are refused", Members | Texts, func(t *T) {
			q := t.Standard()
			for list, values := range map[string][]string{"StringListValues": {"1", "2"}, "BinaryListValues": {"MQ=="}} {
				message := map[string]any{"MessageBody": "x", "MessageAttributes": map[string]any{
					"a": map[string]any{"DataType": "String", "StringValue": "v", list: values},
				}}
				batch := map[string]any{"QueueUrl": q.URL, "Entries": []any{maps.Clone(message)}}
				message["QueueUrl"], batch["Entries"].([]any)[0].(map[string]any)["Id"] = q.URL, "a"
				for operation, in := range map[string]any{"SendMessage": message, "SendMessageBatch": batch} {
					t.Refused(t.Call(operation, in, nil), "AWS.SimpleQueueService.UnsupportedOperation",
						"Message attribute list values in "+operation+" operation are not supported.")
				}
			}
			q.Empty()
		}},
	},
}

// sendAttribute sends a message with one attribute.
func sendAttribute(q *Q, name string, v AttributeValue) error {
	_, err := q.Post(SendMessage{MessageBody: "x", MessageAttributes: valued(name, v)})
	return err
}
