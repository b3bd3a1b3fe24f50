package topic

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// The envelopes in full, byte for byte (SNS: section 8).
func TestENV_Layout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, WithBaseURL("http://localhost:9324/"))
		time.Sleep(1234567 * time.Microsecond)
		topic, q := w.standard("a"), w.queue("q")
		s := w.subscribe(topic, Queue(q))
		p := w.publish(topic, Message{Body: `{"a":"<b>&é\/"}` + "\n\t\x01\x1f\u007f\u2028", Subject: "Sub \"ject\"",
			Attributes: map[string]inq.Attribute{"s": inq.String("x"), "n": inq.Number("99.12"), "b": inq.Binary([]byte{2, 3, 4})}})
		require.Equal(t, `{
  "Type" : "Notification",
  "MessageId" : "`+p.MessageID()+`",
  "TopicArn" : "arn:aws:sns:us-east-1:123456789012:a",
  "Subject" : "Sub \"ject\"",
  "Message" : "{\"a\":\"<b>&é\\/\"}\n\t\u0001\u001F`+"\u007f\u2028"+`",
  "Timestamp" : "2000-01-01T00:00:01.234Z",
  "SignatureVersion" : "1",
  "Signature" : "",
  "SigningCertURL" : "http://localhost:9324`+CertificatePath()+`",
  "UnsubscribeURL" : "http://localhost:9324/?Action=Unsubscribe&SubscriptionArn=`+s.ARN()+`",
  "MessageAttributes" : {
    "b" : {"Type":"Binary","Value":"AgME"},
    "n" : {"Type":"Number","Value":"99.12"},
    "s" : {"Type":"String","Value":"x"}
  }
}`, bodies(t, q)[0])

		p = w.publish(topic, Message{Body: "x"})
		require.Equal(t, `{
  "Type" : "Notification",
  "MessageId" : "`+p.MessageID()+`",
  "TopicArn" : "arn:aws:sns:us-east-1:123456789012:a",
  "Message" : "x",
  "Timestamp" : "2000-01-01T00:00:01.234Z",
  "SignatureVersion" : "1",
  "Signature" : "",
  "SigningCertURL" : "http://localhost:9324`+CertificatePath()+`",
  "UnsubscribeURL" : "http://localhost:9324/?Action=Unsubscribe&SubscriptionArn=`+s.ARN()+`"
}`, bodies(t, q)[0])

		fifo, fq := w.fifo("a.fifo"), w.fifoQueue("q.fifo")
		s = w.subscribe(fifo, Queue(fq))
		s2 := w.subscribe(fifo, Queue(q))
		p = w.publish(fifo, Message{Body: "x", Subject: "S", GroupID: "g", DeduplicationID: "d", Attributes: map[string]inq.Attribute{"s": inq.String("x")}})
		want := `{
  "Type" : "Notification",
  "MessageId" : "` + p.MessageID() + `",
  "SequenceNumber" : "` + p.SequenceNumber() + `",
  "TopicArn" : "arn:aws:sns:us-east-1:123456789012:a.fifo",
  "Subject" : "S",
  "Message" : "x",
  "Timestamp" : "2000-01-01T00:00:01.234Z",
  "UnsubscribeURL" : "http://localhost:9324/?Action=Unsubscribe&SubscriptionArn=` + s.ARN() + `",
  "MessageAttributes" : {
    "s" : {"Type":"String","Value":"x"}
  }
}`
		require.Equal(t, want, bodies(t, fq)[0])
		require.Equal(t, strings.ReplaceAll(want, s.ARN(), s2.ARN()), bodies(t, q)[0]) // ENV-2
	})
}

// verify follows the recipe that SNS publishes for checking an envelope (SNS: SIG-1 to SIG-3).
func verify(t testing.TB, envelope string, certificate []byte) map[string]string {
	t.Helper()
	var raw map[string]any
	require.NoError(t, json.Unmarshal([]byte(envelope), &raw))
	fields := map[string]string{}
	for name, v := range raw {
		if text, ok := v.(string); ok {
			fields[name] = text
		}
	}
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if fields["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	var text bytes.Buffer
	for _, name := range names {
		if value, ok := fields[name]; ok {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	block, rest := pem.Decode(certificate)
	require.Empty(t, rest)
	require.Equal(t, "CERTIFICATE", block.Type)
	parsed, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	signature, err := base64.StdEncoding.DecodeString(fields["Signature"])
	require.NoError(t, err)
	key := parsed.PublicKey.(*rsa.PublicKey)
	switch fields["SignatureVersion"] {
	case "1":
		sum := sha1.Sum(text.Bytes())
		require.NoError(t, rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature))
	case "2":
		sum := sha256.Sum256(text.Bytes())
		require.NoError(t, rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature))
	default:
		t.Fatalf("signature version %q", fields["SignatureVersion"])
	}
	return fields
}

func TestSIG_EnvelopesCanBeVerified(t *testing.T) {
	w := newWorld(t, WithSignedQueues())
	topic, q := w.standard("a"), w.queue("q")
	w.subscribe(topic, Queue(q))
	for _, version := range []string{"1", "2"} {
		require.NoError(t, topic.SetAttribute("SignatureVersion", version))
		for _, m := range []Message{{Body: "x"}, {Body: "Zeile\nzwei \"ü\"", Subject: "S"},
			{Body: `{"default":"d","sqs":""}`, Structure: StructureJSON, Attributes: map[string]inq.Attribute{"not": inq.String("signed")}}} {
			w.publish(topic, m)
			fields := verify(t, bodies(t, q)[0], Certificate())
			require.Equal(t, version, fields["SignatureVersion"])
		}
	}
	fifo := w.fifo("a.fifo")
	w.subscribe(fifo, Queue(q))
	w.publish(fifo, Message{Body: "x", GroupID: "g", DeduplicationID: "d"})
	require.NotContains(t, bodies(t, q)[0], "Sign")
}

func TestENV_ALinkOfAnotherAddressIsNotReused(t *testing.T) {
	w := newWorld(t)
	topic := w.standard("a")
	var got []string
	w.subscribe(topic, Func(func(_ context.Context, n *Notification) error {
		got = append(got, n.Body())
		w.SetBaseURL("http://elsewhere")
		got = append(got, n.Body())
		return nil
	}))
	w.publish(topic, Message{Body: "x"})
	require.NoError(t, w.Shutdown(context.Background()))
	require.Contains(t, got[0], `"https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe`)
	require.Contains(t, got[1], `"http://elsewhere/?Action=Unsubscribe`)
	require.Equal(t, "text", (&Notification{Message: "text"}).Body())
}

// FuzzEnvelope checks that an envelope is JSON that says what was published, with its keys in order.
func FuzzEnvelope(f *testing.F) {
	f.Add("body", "subject", "name", "value", []byte("binary"), false)
	f.Add("\x00\"\\\u2028\U0001F600", "", "n", "\t", []byte{}, true)
	account, err := NewAccount(WithBaseURL("http://localhost"))
	require.NoError(f, err)
	standard, err := account.CreateStandard("a")
	require.NoError(f, err)
	fifo, err := account.CreateFIFO("a.fifo", WithContentBasedDeduplication(true))
	require.NoError(f, err)
	order := map[bool][]string{
		false: {"Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL", "MessageAttributes"},
		true:  {"Type", "MessageId", "SequenceNumber", "TopicArn", "Subject", "Message", "Timestamp", "UnsubscribeURL", "MessageAttributes"},
	}
	f.Fuzz(func(t *testing.T, body, subject, name, value string, binary []byte, isFIFO bool) {
		m := Message{Body: body, Subject: subject, Attributes: map[string]inq.Attribute{name: inq.String(value)}}
		if len(binary) > 0 {
			m.Attributes["binary"] = inq.Binary(binary)
		}
		topic := standard
		if isFIFO {
			topic, m.GroupID = fifo, "g"
		}
		parts, refusal := topic.check(&m, topic.settings.Load())
		if refusal != nil {
			require.NotEmpty(t, refusal.Text)
			return
		}
		p := &publication{topic: topic, number: 7, message: m.own(), texts: parts}
		s := &Subscription{topic: topic}
		text := p.envelope(s, m.Body, false)
		require.True(t, utf8.ValidString(text))
		d := json.NewDecoder(strings.NewReader(text))
		token, err := d.Token()
		require.NoError(t, err)
		require.Equal(t, json.Delim('{'), token)
		fields, at := map[string]string{}, 0
		for d.More() {
			token, err := d.Token()
			require.NoError(t, err)
			for order[isFIFO][at] != token {
				at++ // a key that may be absent
			}
			if token == "MessageAttributes" {
				var got map[string]struct{ Type, Value string }
				require.NoError(t, d.Decode(&got))
				require.Len(t, got, len(m.Attributes))
				for name, a := range m.Attributes {
					want := a.Value
					if a.Binary != nil {
						want = base64.StdEncoding.EncodeToString(a.Binary)
					}
					require.Equal(t, want, got[name].Value)
				}
				continue
			}
			var value string
			require.NoError(t, d.Decode(&value))
			fields[token.(string)] = value
		}
		require.Equal(t, body, fields["Message"])
		require.Equal(t, subject, fields["Subject"])
		require.Equal(t, text, p.envelope(s, m.Body, false))
	})
}
