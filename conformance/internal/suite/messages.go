package suite

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// messages is section 1.3, messages, but for their attributes.
var messages = Chapter{
	Cases: []Case{
		{"MSG-1", "the bytes of body, names, types and values count", 0, func(t *T) {
			q := t.Standard("MaximumMessageSize", "1024")
			for _, c := range []struct {
				attributes map[string]AttributeValue
				size       int
			}{
				{nil, 0},
				{valued("name", Text("v")), 4 + 6 + 1},
				{valued("ä", Text("漢")), 2 + 6 + 3},
				{valued("n", AttributeValue{DataType: "Number.float", StringValue: "3.14"}), 1 + 12 + 4},
				{valued("b", AttributeValue{DataType: "Binary.gif", BinaryValue: []byte("0123456789")}), 1 + 10 + 10},
				{map[string]AttributeValue{"a": Text("1"), "b": Text("2")}, 8 + 8},
			} {
				_, err := q.Post(SendMessage{MessageBody: xs(1024 - c.size), MessageAttributes: c.attributes})
				t.NoError(err)
				_, err = q.Post(SendMessage{MessageBody: xs(1025 - c.size), MessageAttributes: c.attributes})
				t.Refused(err, "InvalidParameterValue", "")
			}
			q.Send(strings.Repeat("ä", 512))
			_, err := q.Post(SendMessage{MessageBody: strings.Repeat("ä", 512) + "x"})
			t.Refused(err, "InvalidParameterValue", "")
		}},
		{"MSG-1", "system attributes and ids do not count", 0, func(t *T) {
			q := t.FIFO("MaximumMessageSize", "1024")
			_, err := q.Post(SendMessage{
				MessageBody: xs(1024), MessageGroupId: xs(128), MessageDeduplicationId: xs(128), MessageSystemAttributes: valued("AWSTraceHeader", Text(xs(500))),
			})
			t.NoError(err)
			t.Equal(xs(1024), q.One().Body)
		}},

		{"MSG-2", "a message of exactly the maximum size, and one of a byte more", 0, func(t *T) {
			for _, q := range []*Q{t.Standard("MaximumMessageSize", "2048"), t.FIFO("MaximumMessageSize", "2048")} {
				m := SendMessage{MessageBody: xs(2048)}
				if q.isFIFO() {
					m.MessageGroupId, m.MessageDeduplicationId = "g", "d"
				}
				_, err := q.Post(m)
				t.NoError(err)
				m.MessageBody += "x"
				_, err = q.Post(m)
				t.Refused(err, "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 2048 bytes.")
				t.Equal([]string{xs(2048)}, q.Bodies(10))
			}
		}},
		{"MSG-2", "a message of 1 MiB, and one of a byte more", 0, func(t *T) {
			q := t.Standard()
			body := strings.Repeat("漢", 1<<20/3) + "x"
			q.Send(body)
			t.True(body == q.One().Body, "the body is another one")
			_, err := q.Post(SendMessage{MessageBody: body + "x"})
			t.Refused(err, "InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.")
			m := SendMessage{MessageBody: "x", MessageAttributes: valued("a", AttributeValue{DataType: "Binary", BinaryValue: make([]byte, 1<<20-8)})}
			_, err = q.Post(m)
			t.NoError(err)
			m.MessageBody += "x"
			_, err = q.Post(m)
			t.Refused(err, "InvalidParameterValue", "")
		}},

		{"MSG-3", "every character that is allowed comes back", 0, func(t *T) {
			q := t.Standard()
			var basic strings.Builder
			for r := rune(0); r <= 0xFFFD; r++ {
				if r >= ' ' && (r < 0xD800 || r > 0xDFFF) || r == '\t' || r == '\n' || r == '\r' {
					basic.WriteRune(r)
				}
			}
			for _, body := range []string{basic.String(), "\U00010000\U0001F600\U0001FFFE\U000EFFFF\U0010FFFF"} {
				q.Send(body)
				t.True(body == q.One().Body, "the body is another one")
			}
		}},
		{"MSG-3", "every character below a space and at the end of the plane that is not allowed", 0, func(t *T) {
			q := t.Standard()
			for _, r := range append([]rune(forbidden), 0) {
				for _, body := range []string{string(r), xs(100) + string(r), "a" + string(r) + "b"} {
					_, err := q.Post(SendMessage{MessageBody: body})
					t.Refused(err, "InvalidMessageContents", textForbidden(r))
				}
			}
			q.Empty()
		}},
		{"MSG-3", "what is half a character in JSON", HTTP | JSON, func(t *T) {
			q := t.Standard()
			for _, half := range []string{`\ud800`, `\udfff`, `\udc00\ud800`, "\xff"} {
				r := t.Exchange(t.Request(http.MethodPost, "/", `{"QueueUrl":"`+q.URL+`","MessageBody":"a`+half+`"}`,
					"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "AmazonSQS.SendMessage"))
				t.Equal(http.StatusBadRequest, r.Status, half)
			}
			q.Empty()
		}},
		{"MSG-3", "what is no character in Query", HTTP | Query, func(t *T) {
			q := t.Standard()
			for _, half := range []string{"%FF", "%ED%A0%80", "%C3"} {
				t.Equal("InvalidMessageContents", faultOverQuery(t, "SendMessage", "QueueUrl="+url.QueryEscape(q.URL)+"&MessageBody=a"+half).code)
			}
			q.Empty()
		}},
		{"MSG-3", "bodies come back byte by byte", 0, func(t *T) {
			q := t.Standard()
			for _, body := range []string{"\r", "\r\n", "\n", " ", "\t x ", `"'<>&`, "&quot;", "&#xD;", "<![CDATA[x]]>", `\u0041\n`, "a+b%20c", "\u0085\u2028\ufeff", "e\u0301"} {
				q.Send(body)
				m := q.One()
				t.Equal(body, m.Body)
				q.DeleteAll(m)
			}
		}},

		{"MSG-4", "an empty body", 0, func(t *T) {
			for _, q := range []*Q{t.Standard(), t.FIFO()} {
				m := SendMessage{MessageBody: ""}
				if q.isFIFO() {
					m.MessageGroupId, m.MessageDeduplicationId = "g", "d"
				}
				_, err := q.Post(m)
				t.Refused(err, "MissingParameter", "The request must contain the parameter MessageBody.")
			}
		}},
		{"MSG-4", "an empty body in a batch fails its entry", 0, func(t *T) {
			for _, q := range either(t) {
				entries := []SendMessage{{MessageBody: "a"}, {MessageBody: ""}, {MessageBody: "c"}}
				addressed(q, entries)
				out, err := q.SendBatch(entries...)
				t.NoError(err)
				t.Len(out.Successful, 2)
				t.Len(out.Failed, 1)
				t.Failed(out.Failed[0], "1", "EmptyValue")
				t.Equal([]string{"a", "c"}, q.Bodies(10))
			}
		}},

		{"MSG-13", "a trace header comes back", 0, func(t *T) {
			q := t.Standard()
			const header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
			_, err := q.Post(SendMessage{MessageBody: "x", MessageSystemAttributes: valued("AWSTraceHeader", Text(header))})
			t.NoError(err)
			m := q.One()
			t.Equal(header, m.Attributes["AWSTraceHeader"])
			t.Empty(m.MessageAttributes)
		}},
		{"MSG-13", "another system attribute", Members, func(t *T) {
			q := t.Standard()
			for _, name := range []string{"SenderId", "MessageGroupId", "awstraceheader", "x"} {
				m := SendMessage{Id: "a", MessageBody: "x", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text("x"), name: Text("x")}}
				_, err := q.Post(m)
				t.Refused(err, "InvalidParameterValue", "Message system attribute name '"+name+"' is invalid.")
				out, err := q.SendBatch(m)
				t.NoError(err)
				t.Len(out.Failed, 1)
				t.Failed(out.Failed[0], "a", "InvalidParameterValue")
			}
			q.Empty()
		}},
		{"MSG-13", "a trace header of another type", Members, func(t *T) {
			q := t.Standard()
			for _, v := range []AttributeValue{
				{DataType: "Number", StringValue: "1"}, {DataType: "Binary", BinaryValue: []byte("x")}, {DataType: "String"}, {DataType: "String", BinaryValue: []byte("x")},
			} {
				_, err := q.Post(SendMessage{MessageBody: "x", MessageSystemAttributes: valued("AWSTraceHeader", v)})
				t.Refused(err, "InvalidParameterValue", "")
			}
			q.Empty()
		}},

		{"MSG-14", "delays up to both bounds", 0, func(t *T) {
			q := t.Standard()
			for _, n := range []int{0, 1, 900} {
				_, err := q.Post(SendMessage{MessageBody: "x", DelaySeconds: Int(n)})
				t.NoError(err)
			}
			t.Equal([3]int{1, 0, 2}, q.Counts())
		}},
		{"MSG-14", "delays beyond a bound", 0, func(t *T) {
			q := t.Standard()
			for n, value := range map[int]string{-1: "-1", 901: "901", 2147483647: "2147483647", -2147483648: "-2147483648"} {
				_, err := q.Post(SendMessage{MessageBody: "x", DelaySeconds: Int(n)})
				t.Refused(err, "InvalidParameterValue", "Value "+value+" for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
			}
			t.Equal([3]int{}, q.Counts())
		}},

		{"MSG-15", "a deduplication id on a standard queue", 0, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "x", MessageDeduplicationId: "d"})
			t.Refused(err, "InvalidParameterValue", "Value d for parameter MessageDeduplicationId is invalid. Reason: "+
				"The request include parameter that is not valid for this queue type.")
			q.Empty()
		}},
		{"MSG-16", "a group id on a standard queue", 0, func(t *T) {
			q := t.Standard()
			for _, group := range []string{"tenant", "", "tenant"} {
				_, err := q.Post(SendMessage{MessageBody: "x", MessageGroupId: group})
				t.NoError(err)
			}
			groups := map[string]int{}
			for _, m := range q.Receive(3) {
				groups[m.Attributes["MessageGroupId"]]++
			}
			t.Equal(map[string]int{"tenant": 2, "": 1}, groups)
		}},
	},
}

// forbidden are the characters that a text cannot have, but for U+0000.
const forbidden = "\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\ufffe\uffff"

// textForbidden is the text about a character that no body may have (SQS: CAP-6).
func textForbidden(r rune) string {
	return fmt.Sprintf("Invalid binary character '#x%X' was found in the message body, the set of allowed characters is "+
		"#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF].", r)
}

// valued is one attribute.
func valued(name string, v AttributeValue) map[string]AttributeValue {
	return map[string]AttributeValue{name: v}
}
