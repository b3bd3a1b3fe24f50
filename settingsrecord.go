package inq

import (
	"errors"
	"fmt"
	"time"

	"example.com/inq/internal/tagged"
)

// What a journal keeps of a broker's queue beside its messages: the settings that were given to it, and its
// tags. A record holds all of either, exactly, in nanoseconds where SQS has whole seconds; the last one
// counts. Settings that were left to the defaults are left out, and follow those of the broker that has
// the queue next. So are Go values of the program: the observer, and a dead-letter target that has no ARN.

// Tags of the fields of a settings record. They are part of what is stored: never give one a new meaning.
const (
	fieldVisibility = 1 + iota
	fieldDelay
	fieldRetention
	fieldWait
	fieldMaxSize
	fieldSender
	fieldDeadLetterARN
	fieldMaxReceives
	fieldCapMessages
	fieldCapBytes
	fieldInFlight
	fieldUnlimited
	fieldContentDedup
	fieldScope
	fieldThroughput
	fieldPolicy
	fieldAllowPolicy
	fieldKmsKey
	fieldKmsPeriod
	fieldSSEDisabled
	fieldModified
)

// appendSettings appends the record of the given ones of settings that have been in force since modified.
func appendSettings(dst []byte, s *settings, given field, modified time.Time) []byte {
	duration := func(f field, tag uint32, d time.Duration) {
		if given&f != 0 {
			dst = tagged.Int(dst, tag, int64(d))
		}
	}
	number := func(f field, tag uint32, n int64) {
		if given&f != 0 {
			dst = tagged.Int(dst, tag, n)
		}
	}
	text := func(f field, tag uint32, text string) {
		if given&f != 0 {
			dst = tagged.Text(dst, tag, text)
		}
	}
	truth := func(f field, tag uint32, b bool) {
		if given&f != 0 {
			dst = tagged.Bool(dst, tag, b)
		}
	}
	duration(setVisibility, fieldVisibility, s.visibility)
	duration(setDelay, fieldDelay, s.delay)
	duration(setRetention, fieldRetention, s.retention)
	duration(setWait, fieldWait, s.wait)
	number(setMaxSize, fieldMaxSize, int64(s.maxSize))
	text(setSender, fieldSender, s.sender)
	if arn := targetARN(s.target); arn != "" || s.target == nil {
		text(setDeadLetter, fieldDeadLetterARN, arn)
		number(setDeadLetter, fieldMaxReceives, int64(s.maxReceives))
	}
	number(setCapacity, fieldCapMessages, int64(s.capMessages))
	number(setCapacity, fieldCapBytes, s.capBytes)
	number(setInFlight, fieldInFlight, int64(s.inFlight))
	truth(setUnlimited, fieldUnlimited, s.unlimited)
	truth(setContentDedup, fieldContentDedup, s.contentDedup)
	text(setScope, fieldScope, string(s.scope))
	text(setThroughput, fieldThroughput, string(s.throughput))
	text(setPolicy, fieldPolicy, s.stored.policy)
	allow := ""
	if s.stored.allow != nil {
		allow = s.stored.allow.String()
	}
	text(setAllowPolicy, fieldAllowPolicy, allow)
	if s.stored.kmsKey != "" {
		text(setKmsKey, fieldKmsKey, s.stored.kmsKey)
	}
	// A key, and its end, also decide about the other two.
	number(setKmsKey|setKmsPeriod, fieldKmsPeriod, int64(s.stored.kmsPeriod))
	truth(setKmsKey|setManagedSSE, fieldSSEDisabled, s.stored.sseDisabled)
	return tagged.Int(dst, fieldModified, modified.UnixNano())
}

// readSettings reads a record. a finds the dead-letter queue by its ARN.
func readSettings(data []byte, a account) (p patch, modified time.Time, err error) {
	arn := ""
	r := tagged.Read(data)
	for r.Next() {
		f := field(0)
		switch r.Tag() {
		case fieldVisibility:
			p.visibility, f = time.Duration(r.Int()), setVisibility
		case fieldDelay:
			p.delay, f = time.Duration(r.Int()), setDelay
		case fieldRetention:
			p.retention, f = time.Duration(r.Int()), setRetention
		case fieldWait:
			p.wait, f = time.Duration(r.Int()), setWait
		case fieldMaxSize:
			p.maxSize, f = int(r.Int()), setMaxSize
		case fieldSender:
			p.sender, f = r.Text(), setSender
		case fieldDeadLetterARN:
			arn, f = r.Text(), setDeadLetter
		case fieldMaxReceives:
			p.maxReceives = int(r.Int())
		case fieldCapMessages:
			p.capMessages, f = int(r.Int()), setCapacity
		case fieldCapBytes:
			p.capBytes = r.Int()
		case fieldInFlight:
			p.inFlight, f = int(r.Int()), setInFlight
		case fieldUnlimited:
			if p.unlimited = r.Bool(); p.unlimited {
				f = setUnlimited
			}
		case fieldContentDedup:
			p.contentDedup, f = r.Bool(), setContentDedup
		case fieldScope:
			p.scope, f = DeduplicationScope(r.Text()), setScope
		case fieldThroughput:
			p.throughput, f = ThroughputLimit(r.Text()), setThroughput
		case fieldPolicy:
			p.stored.policy, f = r.Text(), setPolicy
		case fieldAllowPolicy:
			allow, err := parseAllowPolicy(r.Text())
			if err != nil {
				r.Fail(err)
			}
			p.stored.allow, f = allow, setAllowPolicy
		case fieldKmsKey:
			p.stored.kmsKey, f = r.Text(), setKmsKey
		case fieldKmsPeriod:
			if p.stored.kmsPeriod = int(r.Int()); p.stored.kmsPeriod != 0 {
				f = setKmsPeriod
			}
		case fieldSSEDisabled:
			p.stored.sseDisabled, f = r.Bool(), setManagedSSE
		case fieldModified:
			modified = time.Unix(0, r.Int())
		default:
			r.Unknown()
		}
		p.set |= f
	}
	if err := r.Err(); err != nil {
		return patch{}, time.Time{}, unreadable("the settings of a queue", err)
	}
	if arn != "" {
		p.target = deadLetterARN{a, arn}
	}
	return p, modified, nil
}

const (
	fieldTagKey = 1 + iota
	fieldTagValue
)

// appendTags appends the record of all tags of a queue.
func appendTags(dst []byte, tags map[string]string) []byte {
	for _, key := range sortedKeys(tags) {
		dst = tagged.Text(dst, fieldTagKey, key)
		dst = tagged.Text(dst, fieldTagValue, tags[key])
	}
	return dst
}

// readTags reads the record of all tags of a queue.
func readTags(data []byte) (map[string]string, error) {
	var tags map[string]string
	key := ""
	r := tagged.Read(data)
	for r.Next() {
		switch r.Tag() {
		case fieldTagKey:
			key = r.Text()
		case fieldTagValue:
			if tags == nil {
				tags = map[string]string{}
			}
			tags[key] = r.Text()
		default:
			r.Unknown()
		}
	}
	if err := r.Err(); err != nil {
		return nil, unreadable("the tags of a queue", err)
	}
	return tags, nil
}

// unreadable is the error for a record of a journal that makes no sense to this version. Every frame has
// a checksum: what is wrong here was written so, mostly by a newer version.
func unreadable(what string, err error) error {
	var unknown *tagged.UnknownTagError
	if errors.As(err, &unknown) {
		return fmt.Errorf("inq: the journal holds %s as a newer version writes them: %w", what, err)
	}
	return fmt.Errorf("inq: the journal holds %s that cannot be read: %w", what, err)
}
