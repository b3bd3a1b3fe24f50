package suite

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// vector is an example of section 8. The digest stands in the document, which has most of them from
// SQS itself.
type vector struct {
	attributes map[string]AttributeValue
	digest     string
}

var vectors = []vector{
	{map[string]AttributeValue{"k": Text("x")}, "a45daa70926828a2f0a1db3418e6feb4"},
	{workedExample, "96f38bfa55199109d94e1ae1c9489278"},
	{map[string]AttributeValue{"Help.Me": Text("Me"), "Hello": Text("There"), "General": Text("Kenobi")}, "4c360f3fdafd970e05fae2f149d997f5"},
	{map[string]AttributeValue{"General": Text("Kenobi"), "Hello": Text("There")}, "fca026605781cb4126a1e9044df24232"},
	{map[string]AttributeValue{"Hello": Text("There")}, "a311262e065454b75da111d535b8dacd"},
	{map[string]AttributeValue{"Foo": Text("Bar")}, "ae7155c6026991b6d54b11589678bf9c"},
	{map[string]AttributeValue{"MyAttribute": Text("foobar")}, "adb59cd4678ea5a855436b949cd07ab6"},
	{map[string]AttributeValue{"timestamp": {DataType: "Number", StringValue: "1493147359900"}}, "235c5c510d26fb653d073faed50ae77c"},
	{map[string]AttributeValue{"attr1": {DataType: "Binary", BinaryValue: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")}},
		"8cbe4db156db8a94db8b801b7addb984"},
}

// workedExample has an attribute of each family, and workedBuffer is what its digest is of.
var workedExample = map[string]AttributeValue{
	"city": Text("Zürich"), "price.eur": {DataType: "Number.float", StringValue: "12.50"}, "raw": {DataType: "Binary", BinaryValue: []byte{0, 1, 255}},
}

const workedBuffer = "00000004 63697479 00000006 537472696e67 01 00000007 5ac3bc72696368" +
	"00000009 70726963652e657572 0000000c 4e756d6265722e666c6f6174 01 00000005 31322e3530" +
	"00000003 726177 00000006 42696e617279 02 00000003 0001ff"

// The one vector of a system attribute, and that of a body.
const (
	traceVector  = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	traceDigest  = "5ae4d5d7636402d80f4eb6d213245a88"
	bodyVector   = "message"
	vectorDigest = "78e731027d8fd50ed642340b7c9a63b3"
)

func hexMD5(b []byte) string {
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// digestOf computes the digest of attributes as a client does that checks it, "" of none.
func digestOf(attributes map[string]AttributeValue) string {
	if len(attributes) == 0 {
		return ""
	}
	var buffer []byte
	put := func(b []byte) {
		buffer = binary.BigEndian.AppendUint32(buffer, uint32(len(b)))
		buffer = append(buffer, b...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		put([]byte(name))
		put([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			buffer = append(buffer, 2)
			put(a.BinaryValue)
		} else {
			buffer = append(buffer, 1)
			put([]byte(a.StringValue))
		}
	}
	return hexMD5(buffer)
}

// digests is section 8, MD5 digests.
var digests = Chapter{
	Tables: map[string]string{"TABLE-DIGESTS": "Digests of the examples in section 8"},
	Cases: []Case{
		{"MD5-1", "the digest of a body, at send, in a batch and at receive", Members, func(t *T) {
			q := t.Standard()
			for body, digest := range map[string]string{
				"message":                            "78e731027d8fd50ed642340b7c9a63b3",
				"a":                                  "0cc175b9c0f1b6a831c399e269772661",
				"Zürich & +%25 \"x\" <y>\r\n":        hexMD5([]byte("Z\xc3\xbcrich & +%25 \"x\" <y>\r\n")),
				strings.Repeat("\U0001D11E", 10_000): hexMD5([]byte(strings.Repeat("\xf0\x9d\x84\x9e", 10_000))),
			} {
				t.Equal(digest, q.Send(body).MD5OfMessageBody)
				t.Equal(digest, q.One().MD5OfBody)
				out, err := q.SendBatch(SendMessage{MessageBody: body})
				t.NoError(err)
				t.Equal(digest, out.Successful[0].MD5OfMessageBody)
				t.Equal(digest, q.One().MD5OfBody)
			}
		}},
		{"MD5-1", "the digest is taken after URL decoding", HTTP, func(t *T) {
			q := t.Standard()
			r := t.Exchange(t.Request("POST", q.URL, "Action=SendMessage&MessageBody=a+b%2Bc%C3%BC", "Content-Type", "application/x-www-form-urlencoded"))
			t.Contains(r.Body, "<MD5OfMessageBody>"+hexMD5([]byte("a b+c\xc3\xbc"))+"</MD5OfMessageBody>")
			t.Equal("a b+cü", q.One().Body)
		}},
		{"MD5-2", "names, types, transport bytes and values with their lengths, in the order of names", Members, func(t *T) {
			buffer, err := hex.DecodeString(strings.ReplaceAll(workedBuffer, " ", ""))
			t.NoError(err)
			t.Len(buffer, 94)
			out, err := t.Standard().Post(SendMessage{MessageBody: "b", MessageAttributes: workedExample})
			t.NoError(err)
			t.Equal(hexMD5(buffer), out.MD5OfMessageAttributes)
		}},
		{"MD5-2", "names are in the order of their bytes", Members, func(t *T) {
			attributes := map[string]AttributeValue{}
			for _, name := range []string{"b", "B", "a", "A", "a.b", "a-b", "a_b", "aa", "0", "ä"} {
				attributes[name] = Text("v")
			}
			out, err := t.Standard().Post(SendMessage{MessageBody: "b", MessageAttributes: attributes})
			t.NoError(err)
			var buffer []byte
			for _, name := range []string{"0", "A", "B", "a", "a-b", "a.b", "a_b", "aa", "b", "ä"} {
				buffer = append(buffer, 0, 0, 0, byte(len(name)))
				buffer = append(buffer, name+"\x00\x00\x00\x06String\x01\x00\x00\x00\x01v"...)
			}
			t.Equal(hexMD5(buffer), out.MD5OfMessageAttributes)
		}},
		{"MD5-2", "the transport byte is that of the family, the type stands in full", Members, func(t *T) {
			q := t.Standard()
			for dataType, transport := range map[string]byte{
				"String": 1, "String.Binary": 1, "Number": 1, "Number.java.lang.Integer": 1, "Binary": 2, "Binary.String": 2, "Binary.gif": 2,
			} {
				v := AttributeValue{DataType: dataType, StringValue: "7"}
				if transport == 2 {
					v = AttributeValue{DataType: dataType, BinaryValue: []byte("7")}
				}
				out, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: map[string]AttributeValue{"k": v}})
				t.NoError(err)
				buffer := append([]byte("\x00\x00\x00\x01k\x00\x00\x00"), byte(len(dataType)))
				buffer = append(append(buffer, dataType...), transport, 0, 0, 0, 1, '7')
				t.Equal(hexMD5(buffer), out.MD5OfMessageAttributes, dataType)
			}
		}},
		{"MD5-2", "numbers are hashed as they were sent", Members, func(t *T) {
			q := t.Standard()
			for _, number := range []string{"12.50", "012", "+1", "1e3", "-0"} {
				attributes := map[string]AttributeValue{"n": {DataType: "Number", StringValue: number}}
				out, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: attributes})
				t.NoError(err)
				t.Equal(digestOf(attributes), out.MD5OfMessageAttributes, number)
				t.Equal(digestOf(attributes), q.One().MD5OfMessageAttributes, number)
			}
		}},
		{"MD5-3", "without attributes there is no digest", Members, func(t *T) {
			q := t.Standard()
			t.Empty(q.Send("b").MD5OfMessageAttributes)
			out, err := q.SendBatch(SendMessage{MessageBody: "b"})
			t.NoError(err)
			t.Empty(out.Successful[0].MD5OfMessageAttributes)
			for _, m := range q.Receive(2) {
				t.Empty(m.MD5OfMessageAttributes)
			}
		}},
		{"MD5-3", "the members are left out", HTTP, func(t *T) {
			q := t.Standard()
			for _, none := range []string{``, `,"MessageAttributes":null,"MessageSystemAttributes":null`, `,"MessageAttributes":{},"MessageSystemAttributes":{}`} {
				r := askJSON(t, "SendMessage", `{"QueueUrl":"`+q.URL+`","MessageBody":"b"`+none+`}`)
				t.Equal(200, r.Status, r.Body)
				t.NotContains(r.Body, "Attributes")
			}
			t.NotContains(askQuery(t, q.URL, "Action", "SendMessage", "MessageBody", "b").Body, "Attributes")
			t.NotContains(askJSON(t, "SendMessageBatch", Batch[SendMessage]{q.URL, []SendMessage{{Id: "a", MessageBody: "b"}}}).Body, "Attributes")
			t.NotContains(askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MessageAttributeNames: []string{"All"}}).Body, "Attributes")
			t.NotContains(askQuery(t, q.URL, "Action", "ReceiveMessage", "MessageAttributeName.1", "All").Body, "Attributes")
		}},
		{"MD5-4", "system attributes have a digest of their own, at send and in a batch only", Members, func(t *T) {
			q := t.Standard()
			m := SendMessage{MessageBody: "b", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(traceVector)}}
			out, err := q.Post(m)
			t.NoError(err)
			t.Equal(traceDigest, out.MD5OfMessageSystemAttributes)
			t.Empty(out.MD5OfMessageAttributes)
			batch, err := q.SendBatch(m, SendMessage{MessageBody: "without"})
			t.NoError(err)
			t.Equal(traceDigest, batch.Successful[0].MD5OfMessageSystemAttributes)
			t.Empty(batch.Successful[1].MD5OfMessageSystemAttributes)
			t.Empty(q.Send("without").MD5OfMessageSystemAttributes)
			for _, m := range q.Receive(4) {
				t.Empty(m.MD5OfMessageAttributes)
			}
		}},
		{"MD5-4", "system attributes do not change the digest of the others", Members, func(t *T) {
			q := t.Standard()
			out, err := q.Post(SendMessage{
				MessageBody: "b", MessageAttributes: map[string]AttributeValue{"Foo": Text("Bar")},
				MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(traceVector)},
			})
			t.NoError(err)
			t.Equal("ae7155c6026991b6d54b11589678bf9c", out.MD5OfMessageAttributes)
			t.Equal(traceDigest, out.MD5OfMessageSystemAttributes)
			t.Equal("ae7155c6026991b6d54b11589678bf9c", q.One().MD5OfMessageAttributes)
		}},
		{"MD5-4", "a receive has no such member", HTTP, func(t *T) {
			q := t.Standard()
			_, err := q.Post(SendMessage{MessageBody: "b", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(traceVector)}})
			t.NoError(err)
			received := askJSON(t, "ReceiveMessage", ReceiveMessage{QueueUrl: q.URL, MessageSystemAttributeNames: []string{"All"}, VisibilityTimeout: Int(0)})
			t.Contains(received.Body, traceVector)
			t.NotContains(received.Body, "MD5OfMessageSystemAttributes")
			t.NotContains(askQuery(t, q.URL, "Action", "ReceiveMessage").Body, "MD5OfMessageSystemAttributes")
		}},
		{"MD5-5", "a receive has the digest of what it returns", Members, func(t *T) {
			q := t.Standard("VisibilityTimeout", "0")
			_, err := q.Post(SendMessage{MessageBody: "b", MessageAttributes: vectors[2].attributes})
			t.NoError(err)
			for _, c := range []struct{ names, returned []string }{
				{[]string{"All"}, []string{"General", "Hello", "Help.Me"}},
				{[]string{"Hel.*"}, []string{"Hello", "Help.Me"}},
				{[]string{"Hello", "General"}, []string{"General", "Hello"}},
				{[]string{"Hello", "Nobody"}, []string{"Hello"}},
				{[]string{"Nobody", "hello"}, nil},
				{nil, nil},
			} {
				ms, err := q.Take(ReceiveMessage{MessageAttributeNames: c.names})
				t.NoError(err)
				t.Equal(c.returned, slices.Sorted(maps.Keys(ms[0].MessageAttributes)))
				t.Equal(digestOf(ms[0].MessageAttributes), ms[0].MD5OfMessageAttributes, c.names)
			}
		}},
		{"TABLE-DIGESTS", "attributes, at send, in a batch and at receive", Members, func(t *T) {
			q := t.Standard()
			for _, v := range vectors {
				t.Equal(v.digest, digestOf(v.attributes), "as a client computes it")
				m := SendMessage{MessageBody: "b", MessageAttributes: v.attributes}
				out, err := q.Post(m)
				t.NoError(err)
				t.Equal(v.digest, out.MD5OfMessageAttributes)
				batch, err := q.SendBatch(m)
				t.NoError(err)
				t.Equal(v.digest, batch.Successful[0].MD5OfMessageAttributes)
				for _, m := range q.Receive(2) {
					t.Equal(v.digest, m.MD5OfMessageAttributes)
					t.Equal(v.attributes, map[string]AttributeValue(m.MessageAttributes))
				}
			}
		}},
		{"TABLE-DIGESTS", "a system attribute, at send and in a batch", Members, func(t *T) {
			m := SendMessage{MessageBody: "b", MessageSystemAttributes: map[string]AttributeValue{"AWSTraceHeader": Text(traceVector)}}
			q := t.Standard()
			out, err := q.Post(m)
			t.NoError(err)
			t.Equal(traceDigest, out.MD5OfMessageSystemAttributes)
			batch, err := q.SendBatch(m)
			t.NoError(err)
			t.Equal(traceDigest, batch.Successful[0].MD5OfMessageSystemAttributes)
		}},
		{"TABLE-DIGESTS", "a body, at send, in a batch and at receive, in both types of queue", Members, func(t *T) {
			for i, q := range []*Q{t.Standard(), t.FIFO()} {
				m := SendMessage{MessageBody: bodyVector}
				if i == 1 {
					m.MessageGroupId, m.MessageDeduplicationId = "g", "one"
				}
				out, err := q.Post(m)
				t.NoError(err)
				t.Equal(vectorDigest, out.MD5OfMessageBody)
				if i == 1 {
					m.MessageDeduplicationId = "two"
				}
				batch, err := q.SendBatch(m)
				t.NoError(err)
				t.Equal(vectorDigest, batch.Successful[0].MD5OfMessageBody)
				for _, m := range q.Receive(2) {
					t.Equal(vectorDigest, m.MD5OfBody)
				}
			}
		}},
	},
}
