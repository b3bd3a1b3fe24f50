package inq

import (
	"errors"
	"fmt"
	"time"

	"example.com/inq/internal/tagged"
)

// What a journal keeps of a queue beside its messages: the settings, and the tags that its broker has
// for it. A record holds all of either, exactly, in nanoseconds where SQS has whole seconds; the last one
// counts. What is a Go value of the program is left out: the observer, and a dead-letter target that has
// no ARN.

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

// appendSettings appends the record of settings that have been in force since modified.
func appendSettings(dst []byte, s *settings, modified time.Time) []byte {
	dst = tagged.Int(dst, fieldVisibility, int64(s.visibility))
	dst = tagged.Int(dst, fieldDelay, int64(s.delay))
	dst = tagged.Int(dst, fieldRetention, int64(s.retention))
	dst = tagged.Int(dst, fieldWait, int64(s.wait))
	dst = tagged.Int(dst, fieldMaxSize, int64(s.maxSize))
	dst = tagged.Text(dst, fieldSender, s.sender)
	if arn := targetARN(s.target); arn != "" {
		dst = tagged.Text(dst, fieldDeadLetterARN, arn)
		dst = tagged.Int(dst, fieldMaxReceives, int64(s.maxReceives))
	}
	dst = tagged.Int(dst, fieldCapMessages, int64(s.capMessages))
	dst = tagged.Int(dst, fieldCapBytes, s.capBytes)
	dst = tagged.Int(dst, fieldInFlight, int64(s.inFlight))
	dst = tagged.Bool(dst, fieldUnlimited, s.unlimited)
	dst = tagged.Bool(dst, fieldContentDedup, s.contentDedup)
	dst = tagged.Text(dst, fieldScope, string(s.scope))
	dst = tagged.Text(dst, fieldThroughput, string(s.throughput))
	if s.stored.policy != "" {
		dst = tagged.Text(dst, fieldPolicy, s.stored.policy)
	}
	if s.stored.allow != nil {
		dst = tagged.Text(dst, fieldAllowPolicy, s.stored.allow.String())
	}
	if s.stored.kmsKey != "" {
		dst = tagged.Text(dst, fieldKmsKey, s.stored.kmsKey)
	}
	dst = tagged.Int(dst, fieldKmsPeriod, int64(s.stored.kmsPeriod))
	dst = tagged.Bool(dst, fieldSSEDisabled, s.stored.sseDisabled)
	return tagged.Int(dst, fieldModified, modified.UnixNano())
}

// readSettings reads the record of a queue of that type, whose dead-letter queue a finds by its ARN.
// With a nil a, of a queue that stands alone, the target is left out: its program gives it anew.
func readSettings(data []byte, fifo bool, a account) (s settings, modified time.Time, err error) {
	s = settings{scope: ScopeQueue, throughput: PerQueue}
	arn := ""
	r := tagged.Read(data)
	for r.Next() {
		switch r.Tag() {
		case fieldVisibility:
			s.visibility = time.Duration(r.Int())
		case fieldDelay:
			s.delay = time.Duration(r.Int())
		case fieldRetention:
			s.retention = time.Duration(r.Int())
		case fieldWait:
			s.wait = time.Duration(r.Int())
		case fieldMaxSize:
			s.maxSize = int(r.Int())
		case fieldSender:
			s.sender = r.Text()
		case fieldDeadLetterARN:
			arn = r.Text()
		case fieldMaxReceives:
			s.maxReceives = int(r.Int())
		case fieldCapMessages:
			s.capMessages = int(r.Int())
		case fieldCapBytes:
			s.capBytes = r.Int()
		case fieldInFlight:
			s.inFlight = int(r.Int())
		case fieldUnlimited:
			s.unlimited = r.Bool()
		case fieldContentDedup:
			s.contentDedup = r.Bool()
		case fieldScope:
			s.scope = DeduplicationScope(r.Text())
		case fieldThroughput:
			s.throughput = ThroughputLimit(r.Text())
		case fieldPolicy:
			s.stored.policy = r.Text()
		case fieldAllowPolicy:
			allow, err := parseAllowPolicy(r.Text())
			if err != nil {
				r.Fail(err)
			}
			s.stored.allow = allow
		case fieldKmsKey:
			s.stored.kmsKey = r.Text()
		case fieldKmsPeriod:
			s.stored.kmsPeriod = int(r.Int())
		case fieldSSEDisabled:
			s.stored.sseDisabled = r.Bool()
		case fieldModified:
			modified = time.Unix(0, r.Int())
		default:
			r.Unknown()
		}
	}
	if err := r.Err(); err != nil {
		return settings{}, time.Time{}, unreadable("the settings of a queue", err)
	}
	if arn == "" || a == nil {
		s.maxReceives = 0
	} else {
		s.target = deadLetterARN{a, arn}
	}
	if err := s.validate(fifo); err != nil {
		return settings{}, time.Time{}, unreadable("the settings of a queue", err)
	}
	return s, modified, nil
}

// patch returns settings as changes of all that a record holds. Where there is no target, that is none
// of them: a queue may have had one that the record cannot hold.
func (s *settings) patch() patch {
	p := patch{settings: *s, set: setVisibility | setDelay | setRetention | setWait | setMaxSize | setSender | setCapacity | setInFlight |
		setContentDedup | setScope | setThroughput | setPolicy | setAllowPolicy | setKmsPeriod | setManagedSSE}
	if s.unlimited {
		p.set |= setUnlimited
	}
	if s.target != nil {
		p.set |= setDeadLetter
	}
	if s.stored.kmsKey != "" {
		p.set |= setKmsKey
	}
	return p
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
