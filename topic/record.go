package topic

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"example.com/inq"
	"example.com/inq/internal/durable"
	"example.com/inq/internal/tagged"
)

// What an account keeps in the journal of its broker: one object for each thing below. The numbers of
// kinds and fields are part of what is stored: never give one a new meaning.
const (
	kindAccount durable.Kind = 1 + iota
	kindTopic
	kindSubscription
	kindToken
	kindApplication
	kindEndpoint
	kindDedup
	kindPublication
	kindCopy
	kindConfirmation
	kindOptedOut
)

// record is an object as it is written and read.
type record interface {
	kind() durable.Kind
	fields(dst []byte) []byte
	// field reads the field that r stands at, and reports whether it knows it.
	field(r *tagged.Reader) bool
}

// decodeRecord reads a record. What is wrong was written so: by a newer version, since frames have checksums.
func decodeRecord(o durable.Object, into record) error {
	r := tagged.Read(o.Data)
	for r.Next() {
		if !into.field(r) {
			r.Unknown()
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("topic: the journal holds object %d of kind %d that this version cannot read: %w", o.Number, o.Kind, err)
	}
	return nil
}

// appendMap appends texts by name, in order.
func appendMap(dst []byte, tag uint32, m map[string]string) []byte {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		dst = tagged.Fields(dst, tag, func(dst []byte) []byte { return tagged.Text(tagged.Text(dst, 1, name), 2, m[name]) })
	}
	return dst
}

// readEntry reads one text of a map.
func readEntry(r *tagged.Reader, m *map[string]string) {
	name, value := "", ""
	in := tagged.Read(r.Bytes())
	for in.Next() {
		switch in.Tag() {
		case 1:
			name = in.Text()
		case 2:
			value = in.Text()
		default:
			in.Unknown()
		}
	}
	if err := in.Err(); err != nil {
		r.Fail(err)
		return
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
}

// accountRecord is what an account has beside the things in it.
type accountRecord struct {
	run uint64 // how often it was opened before
	sms map[string]string
}

func (*accountRecord) kind() durable.Kind { return kindAccount }

func (a *accountRecord) fields(dst []byte) []byte {
	dst = tagged.Uint(dst, 1, a.run)
	return appendMap(dst, 2, a.sms)
}

func (a *accountRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		a.run = r.Uint()
	case 2:
		readEntry(r, &a.sms)
	default:
		return false
	}
	return true
}

// optedOutRecord is a phone number whose owner wants no messages.
type optedOutRecord struct{ number string }

func (*optedOutRecord) kind() durable.Kind { return kindOptedOut }

func (o *optedOutRecord) fields(dst []byte) []byte { return tagged.Text(dst, 1, o.number) }

func (o *optedOutRecord) field(r *tagged.Reader) bool {
	if r.Tag() == 1 {
		o.number = r.Text()
	}
	return r.Tag() == 1
}

// topicRecord is a topic.
type topicRecord struct {
	name       string
	fifo       bool
	deleted    bool // and kept because copies for its subscriptions wait for their burial
	key        []byte
	first      uint64
	values     map[string]string
	protection string
	tags       map[string]string
	ended      int // subscriptions there were
}

func (*topicRecord) kind() durable.Kind { return kindTopic }

func (t *topicRecord) fields(dst []byte) []byte {
	dst = tagged.Text(dst, 1, t.name)
	dst = tagged.Bool(dst, 2, t.fifo)
	dst = tagged.Bool(dst, 3, t.deleted)
	dst = tagged.Text(dst, 4, t.key)
	dst = tagged.Uint(dst, 5, t.first)
	dst = appendMap(dst, 6, t.values)
	if t.protection != "" {
		dst = tagged.Text(dst, 7, t.protection)
	}
	dst = appendMap(dst, 8, t.tags)
	return tagged.Int(dst, 9, int64(t.ended))
}

func (t *topicRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		t.name = r.Text()
	case 2:
		t.fifo = r.Bool()
	case 3:
		t.deleted = r.Bool()
	case 4:
		t.key = slices.Clone(r.Bytes())
	case 5:
		t.first = r.Uint()
	case 6:
		readEntry(r, &t.values)
	case 7:
		t.protection = r.Text()
	case 8:
		readEntry(r, &t.tags)
	case 9:
		t.ended = int(r.Int())
	default:
		return false
	}
	return true
}

// subscriptionRecord is a subscription.
type subscriptionRecord struct {
	topic         uint64
	id            uuid.UUID
	protocol      string
	endpoint      string
	textKey       string
	reference     bool // its queue was given by reference: the program has to give it again
	attributes    map[string]string
	deadLetterARN string // of a dead-letter queue that was given by reference
	confirmed     bool
	authenticated bool
	guarded       bool
	ended         bool // and kept for a token that restores it, or for copies that wait for their burial
}

func (*subscriptionRecord) kind() durable.Kind { return kindSubscription }

func (s *subscriptionRecord) fields(dst []byte) []byte {
	dst = tagged.Uint(dst, 1, s.topic)
	dst = tagged.Text(dst, 2, s.id[:])
	dst = tagged.Text(dst, 3, s.protocol)
	dst = tagged.Text(dst, 4, s.endpoint)
	dst = tagged.Text(dst, 5, s.textKey)
	dst = appendMap(dst, 6, s.attributes)
	if s.deadLetterARN != "" {
		dst = tagged.Text(dst, 7, s.deadLetterARN)
	}
	for i, b := range []bool{s.confirmed, s.authenticated, s.guarded, s.ended, s.reference} {
		if b {
			dst = tagged.Bool(dst, uint32(8+i), b)
		}
	}
	return dst
}

func (s *subscriptionRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		s.topic = r.Uint()
	case 2:
		id, err := uuid.FromBytes(r.Bytes())
		if err != nil {
			r.Fail(err)
		}
		s.id = id
	case 3:
		s.protocol = r.Text()
	case 4:
		s.endpoint = r.Text()
	case 5:
		s.textKey = r.Text()
	case 6:
		readEntry(r, &s.attributes)
	case 7:
		s.deadLetterARN = r.Text()
	case 8:
		s.confirmed = r.Bool()
	case 9:
		s.authenticated = r.Bool()
	case 10:
		s.guarded = r.Bool()
	case 11:
		s.ended = r.Bool()
	case 12:
		s.reference = r.Bool()
	default:
		return false
	}
	return true
}

// tokenRecord is a token that was given out.
type tokenRecord struct {
	text         string
	subscription uint64
	at           time.Time
}

func (*tokenRecord) kind() durable.Kind { return kindToken }

func (t *tokenRecord) fields(dst []byte) []byte {
	return tagged.Int(tagged.Uint(tagged.Text(dst, 1, t.text), 2, t.subscription), 3, t.at.UnixNano())
}

func (t *tokenRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		t.text = r.Text()
	case 2:
		t.subscription = r.Uint()
	case 3:
		t.at = time.Unix(0, r.Int())
	default:
		return false
	}
	return true
}

// platformRecord is a platform application, or an endpoint of one.
type platformRecord struct {
	of          durable.Kind
	arn         string
	platform    string // of an application
	name        string // of an application
	application uint64 // of an endpoint
	attributes  map[string]string
}

func (p *platformRecord) kind() durable.Kind { return p.of }

func (p *platformRecord) fields(dst []byte) []byte {
	dst = tagged.Text(dst, 1, p.arn)
	if p.of == kindApplication {
		dst = tagged.Text(tagged.Text(dst, 2, p.platform), 3, p.name)
	} else {
		dst = tagged.Uint(dst, 4, p.application)
	}
	return appendMap(dst, 5, p.attributes)
}

func (p *platformRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		p.arn = r.Text()
	case 2:
		p.platform = r.Text()
	case 3:
		p.name = r.Text()
	case 4:
		p.application = r.Uint()
	case 5:
		readEntry(r, &p.attributes)
	default:
		return false
	}
	return true
}

// dedupRecord is an entry of the deduplication window of a FIFO topic.
type dedupRecord struct {
	topic  uint64
	text   string // what is hashed: the id, in its scope
	number uint64 // of the message
	at     time.Time
}

func (*dedupRecord) kind() durable.Kind { return kindDedup }

func (d *dedupRecord) fields(dst []byte) []byte {
	dst = tagged.Text(tagged.Uint(dst, 1, d.topic), 2, d.text)
	return tagged.Int(tagged.Uint(dst, 3, d.number), 4, d.at.UnixNano())
}

func (d *dedupRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		d.topic = r.Uint()
	case 2:
		d.text = r.Text()
	case 3:
		d.number = r.Uint()
	case 4:
		d.at = time.Unix(0, r.Int())
	default:
		return false
	}
	return true
}

// publicationRecord is a message of which copies wait.
type publicationRecord struct {
	topic   uint64
	number  uint64
	at      time.Time
	dedup   string
	message Message
}

func (*publicationRecord) kind() durable.Kind { return kindPublication }

func (p *publicationRecord) fields(dst []byte) []byte {
	m := &p.message
	dst = tagged.Uint(dst, 1, p.topic)
	dst = tagged.Uint(dst, 2, p.number)
	dst = tagged.Int(dst, 3, p.at.UnixNano())
	dst = tagged.Text(dst, 4, m.Body)
	for i, text := range []string{p.dedup, m.Subject, m.Structure, m.GroupID, m.DeduplicationID, m.TraceHeader} {
		if text != "" {
			dst = tagged.Text(dst, uint32(5+i), text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		a := m.Attributes[name]
		dst = tagged.Fields(dst, 11, func(dst []byte) []byte {
			dst = tagged.Text(tagged.Text(dst, 1, name), 2, a.Type)
			if a.Binary != nil {
				return tagged.Text(dst, 4, a.Binary)
			}
			return tagged.Text(dst, 3, a.Value)
		})
	}
	return dst
}

func (p *publicationRecord) field(r *tagged.Reader) bool {
	m := &p.message
	switch r.Tag() {
	case 1:
		p.topic = r.Uint()
	case 2:
		p.number = r.Uint()
	case 3:
		p.at = time.Unix(0, r.Int())
	case 4:
		m.Body = r.Text()
	case 5:
		p.dedup = r.Text()
	case 6:
		m.Subject = r.Text()
	case 7:
		m.Structure = r.Text()
	case 8:
		m.GroupID = r.Text()
	case 9:
		m.DeduplicationID = r.Text()
	case 10:
		m.TraceHeader = r.Text()
	case 11:
		p.attribute(r)
	default:
		return false
	}
	return true
}

// attribute reads one attribute of the message.
func (p *publicationRecord) attribute(r *tagged.Reader) {
	name, a := "", inq.Attribute{}
	in := tagged.Read(r.Bytes())
	for in.Next() {
		switch in.Tag() {
		case 1:
			name = in.Text()
		case 2:
			a.Type = in.Text()
		case 3:
			a.Value = in.Text()
		case 4:
			a.Binary = append([]byte{}, in.Bytes()...)
		default:
			in.Unknown()
		}
	}
	if err := in.Err(); err != nil {
		r.Fail(err)
		return
	}
	if p.message.Attributes == nil {
		p.message.Attributes = map[string]inq.Attribute{}
	}
	p.message.Attributes[name] = a
}

// copyRecord is a copy that waits to be delivered: of a publication, or of a confirmation.
type copyRecord struct {
	of           durable.Kind // kindCopy or kindConfirmation
	publication  uint64
	subscription uint64
	attempts     int
	due          time.Time // of the next try; zero: now
	confirmation confirmation
}

func (c *copyRecord) kind() durable.Kind { return c.of }

func (c *copyRecord) fields(dst []byte) []byte {
	dst = tagged.Uint(dst, 2, c.subscription)
	if c.attempts > 0 {
		dst = tagged.Int(dst, 3, int64(c.attempts))
	}
	if !c.due.IsZero() {
		dst = tagged.Int(dst, 4, c.due.UnixNano())
	}
	if c.of == kindCopy {
		return tagged.Uint(dst, 1, c.publication)
	}
	for i, text := range []string{c.confirmation.kind, c.confirmation.id, c.confirmation.token, c.confirmation.version, c.confirmation.base} {
		dst = tagged.Text(dst, uint32(5+i), text)
	}
	return tagged.Int(dst, 10, c.confirmation.at.UnixNano())
}

func (c *copyRecord) field(r *tagged.Reader) bool {
	switch r.Tag() {
	case 1:
		c.publication = r.Uint()
	case 2:
		c.subscription = r.Uint()
	case 3:
		c.attempts = int(r.Int())
	case 4:
		c.due = time.Unix(0, r.Int())
	case 5:
		c.confirmation.kind = r.Text()
	case 6:
		c.confirmation.id = r.Text()
	case 7:
		c.confirmation.token = r.Text()
	case 8:
		c.confirmation.version = r.Text()
	case 9:
		c.confirmation.base = r.Text()
	case 10:
		c.confirmation.at = time.Unix(0, r.Int()).UTC()
	default:
		return false
	}
	return true
}
