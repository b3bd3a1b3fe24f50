package topic

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"example.com/inq"
)

// Types of notifications.
const (
	typeNotification             = "Notification"
	typeSubscriptionConfirmation = "SubscriptionConfirmation"
	typeUnsubscribeConfirmation  = "UnsubscribeConfirmation"
)

// timestampLayout is that of envelopes (SNS: ENV-4).
const timestampLayout = "2006-01-02T15:04:05.000Z"

// envelopes are the parts of the envelopes of a publication that are the same for all subscriptions,
// made when the first of them is needed.
type envelopes struct {
	mu    sync.Mutex // guards everything below
	name  string     // the message id
	parts []envelopeParts
}

// envelopeParts are an envelope without the ARN of the subscription, and where that goes.
type envelopeParts struct {
	text, base string
	signed     bool
	json       []byte
	gap        int
}

// id is the message id. It is made once, since each envelope shows it.
func (p *publication) id() string {
	p.envelopes.mu.Lock()
	defer p.envelopes.mu.Unlock()
	return p.idLocked()
}

func (p *publication) idLocked() string {
	if p.name == "" {
		id := p.topic.ids.messageID(p.number)
		p.name = id.String()
	}
	return p.name
}

// sequenceNumber is that of the topic, "" on Standard.
func (p *publication) sequenceNumber() string {
	return Published{ids: p.topic.ids, number: p.number}.SequenceNumber()
}

// time is when it was published, to the millisecond.
func (p *publication) time() time.Time {
	return p.topic.ids.epoch.Add(time.Duration(p.at)).UTC().Truncate(time.Millisecond)
}

// envelope is the JSON text around a message, with the keys in the order of SNS (SNS: section 8).
// Those of FIFO topics have no signature (SNS: ENV-2).
func (p *publication) envelope(s *Subscription, text string, signed bool) string {
	base := *p.topic.account.baseURL.Load()
	signed = signed && p.topic.fifo == nil
	p.envelopes.mu.Lock()
	defer p.envelopes.mu.Unlock()
	for i := range p.parts {
		if e := &p.parts[i]; e.signed == signed && e.text == text && e.base == base {
			return e.with(s)
		}
	}
	e := p.partsLocked(text, base, signed)
	p.parts = append(p.parts, e)
	return e.with(s)
}

// with puts the ARN of a subscription into the gap.
func (e *envelopeParts) with(s *Subscription) string {
	var id [36]byte
	s.putID(&id)
	var b strings.Builder
	b.Grow(len(e.json) + len(s.topic.arn) + 1 + len(id))
	b.Write(e.json[:e.gap])
	b.WriteString(s.topic.arn)
	b.WriteByte(':')
	b.Write(id[:])
	b.Write(e.json[e.gap:])
	return b.String()
}

// partsLocked writes an envelope. p.envelopes.mu must be held.
func (p *publication) partsLocked(text, base string, signed bool) envelopeParts {
	t, m := p.topic, &p.message
	w := envelopeWriter{b: make([]byte, 0, len(text)+len(text)/8+768)}
	w.field("Type", typeNotification)
	w.field("MessageId", p.idLocked())
	if t.fifo != nil {
		w.field("SequenceNumber", p.sequenceNumber())
	}
	w.field("TopicArn", t.arn)
	if m.Subject != "" {
		w.field("Subject", m.Subject)
	}
	w.field("Message", text)
	timestamp := p.time().Format(timestampLayout)
	w.field("Timestamp", timestamp)
	if t.fifo == nil {
		version := t.settings.Load().version
		signature := ""
		if signed {
			signature = sign(version, "Message", text, "MessageId", p.idLocked(), "Subject", m.Subject, "Timestamp", timestamp,
				"TopicArn", t.arn, "Type", typeNotification)
		}
		w.signature(version, signature, base)
	}
	w.field("UnsubscribeURL", base+"/?Action=Unsubscribe&SubscriptionArn=")
	gap := len(w.b) - 1 // before the closing quote
	w.attributes(m.Attributes)
	w.end()
	return envelopeParts{text: text, base: base, signed: signed, json: w.b, gap: gap}
}

// envelopeWriter writes a JSON object in the layout of SNS: a line for each member, two spaces before
// it, and a colon between spaces (SNS: ENV-6).
type envelopeWriter struct{ b []byte }

func (w *envelopeWriter) key(name string) {
	if len(w.b) == 0 {
		w.b = append(w.b, "{\n  \""...)
	} else {
		w.b = append(w.b, ",\n  \""...)
	}
	w.b = append(w.b, name...)
	w.b = append(w.b, "\" : "...)
}

func (w *envelopeWriter) field(name, value string) {
	w.key(name)
	w.b = appendString(w.b, value)
}

func (w *envelopeWriter) signature(version, signature, base string) {
	w.field("SignatureVersion", version)
	w.field("Signature", signature)
	w.field("SigningCertURL", base+CertificatePath())
}

// attributes writes MessageAttributes, sorted by name, each on a line of its own. Binary values are in
// base64 (SNS: ENV-1, section 7).
func (w *envelopeWriter) attributes(attributes map[string]inq.Attribute) {
	if len(attributes) == 0 {
		return
	}
	w.key("MessageAttributes")
	for i, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		open := ",\n    "
		if i == 0 {
			open = "{\n    "
		}
		w.b = append(w.b, open...)
		w.b = appendString(w.b, name)
		w.b = append(w.b, " : {\"Type\":"...)
		w.b = appendString(w.b, a.Type)
		w.b = append(w.b, ",\"Value\":"...)
		if a.Value == "" {
			w.b = append(w.b, '"')
			w.b = base64.StdEncoding.AppendEncode(w.b, a.Binary)
			w.b = append(w.b, "\"}"...)
		} else {
			w.b = append(appendString(w.b, a.Value), '}')
		}
	}
	w.b = append(w.b, "\n  }"...)
}

func (w *envelopeWriter) end() { w.b = append(w.b, "\n}"...) }

const hexDigits = "0123456789ABCDEF"

// appendString writes a JSON string. Nothing is escaped but what JSON demands.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			if c < utf8.RuneSelf {
				continue
			}
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 { // JSON text is UTF-8; nothing that was accepted has this
				b = append(append(b, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += n - 1
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
