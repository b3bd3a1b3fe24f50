package inq

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"example.com/inq/internal/journal"
)

// This file is how a journal is read: twice, from its beginning. First come the numbers of all that is
// gone, then the messages that are not, so that nothing is made of what is dead.

const baseWeight = 32

func appendBase(dst []byte, base uint64, next uint32) []byte {
	dst = binary.AppendUvarint(dst, base)
	return binary.AppendUvarint(dst, uint64(next))
}

// Kinds of streams. Never give one another meaning.
const (
	streamQueue   = 0
	streamObjects = 1 // what a broker has of its queues, and an account of topics
)

// Bits of what a stream is.
const (
	streamFIFO       = 1
	streamGroupScope = 2 // deduplication ids count within their groups
)

func appendCreate(dst []byte, s *stream) []byte {
	dst = binary.AppendUvarint(dst, uint64(s.number))
	bits := byte(0)
	if s.fifo {
		bits |= streamFIFO
		if s.scope == ScopeMessageGroup {
			bits |= streamGroupScope
		}
	}
	kind := byte(streamQueue)
	if s.objects != nil {
		kind = streamObjects
	}
	dst = append(dst, kind, bits)
	dst = binary.LittleEndian.AppendUint64(dst, s.key.k0)
	dst = binary.LittleEndian.AppendUint64(dst, s.key.k1)
	dst = binary.LittleEndian.AppendUint64(dst, s.first)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.created))
	return appendText(dst, s.name)
}

func (d *recordReader) readCreate() (s *stream, kind byte) {
	s = &stream{number: d.uint32()}
	kind = d.byte()
	bits := d.byte()
	if s.fifo = bits&streamFIFO != 0; s.fifo {
		s.scope = ScopeQueue
		if bits&streamGroupScope != 0 {
			s.scope = ScopeMessageGroup
		}
	}
	s.key = sipKey{d.fixed64(), d.fixed64()}
	s.first, s.created = d.fixed64(), int64(d.fixed64())
	s.name = d.text()
	return s, kind
}

func appendDrop(dst []byte, number uint32) []byte { return binary.AppendUvarint(dst, uint64(number)) }

// numbers is a set of numbers that lie close together.
type numbers map[uint64]*[512]uint64

const numbersPage = 512 * 64

func (n numbers) add(v uint64) {
	p := n[v/numbersPage]
	if p == nil {
		p = new([512]uint64)
		n[v/numbersPage] = p
	}
	p[v%numbersPage/64] |= 1 << (v % 64)
}

func (n numbers) has(v uint64) bool {
	p := n[v/numbersPage]
	return p != nil && p[v%numbersPage/64]&(1<<(v%64)) != 0
}

// reading is a journal that is being read.
type reading struct {
	j       *Journal
	now     int64 // of the wall clock
	streams map[uint32]*streamReading
	base    uint64
	based   uint32 // segment of the latest base
	founded bool   // there is a base
	next    uint32
	highest uint64 // number of a message
	held    map[uint32]int64
}

// streamReading is one stream that is being read.
type streamReading struct {
	*stream  // nil: not known yet, or dropped
	gone     numbers
	purged   uint64
	highest  uint64
	groups   map[string]string
	recorded map[uint64]int // place in remembered by number
}

// replay reads the whole journal.
func (j *Journal) replay() error {
	rd := newReading(j, time.Now().UnixNano())
	if err := j.log.Replay(rd.first); err != nil {
		return err
	}
	if err := j.log.Replay(rd.second); err != nil {
		return err
	}
	if rd.founded {
		rd.base = max(rd.base, rd.highest) + restartGap
	}
	j.base, j.based, j.next = rd.base, rd.based, rd.next
	for _, s := range rd.streams {
		if s.stream != nil {
			s.finish(rd)
			j.streams[s.name] = s.stream
			j.byNumber.Store(s.number, s.stream)
		}
	}
	if rd.based != 0 {
		rd.hold(rd.based, baseWeight)
	}
	for segment, weight := range rd.held {
		j.log.Hold(segment, weight)
	}
	return nil
}

// restartGap is how many numbers are left out when a journal is opened. What was lost with the power may have
// shown its numbers to somebody, and no number may ever name a second message.
const restartGap = 1 << 32

func newReading(j *Journal, now int64) *reading {
	return &reading{j: j, now: now, streams: map[uint32]*streamReading{}, next: 1, held: map[uint32]int64{}}
}

func (rd *reading) hold(segment uint32, weight int64) { rd.held[segment] += weight }

func (rd *reading) stream(number uint32) *streamReading {
	s := rd.streams[number]
	if s == nil {
		s = &streamReading{gone: numbers{}}
		rd.streams[number] = s
		rd.next = max(rd.next, number+1)
	}
	return s
}

// fault says which record does not make sense.
func fault(r *journal.Record) error {
	return fmt.Errorf("%w: kind %d of stream %d in segment %d", errRecord, r.Kind, r.Stream, r.Segment)
}

// first finds out what there is and what is gone.
func (rd *reading) first(r journal.Record) error {
	d := recordReader{data: r.Data}
	if r.Stream == 0 {
		rd.catalogue(&r, &d)
	} else {
		s := rd.stream(r.Stream)
		switch r.Kind {
		case recordPut:
			_, seq, _, x := d.readPutHead()
			s.highest = max(s.highest, seq)
			if x.from != 0 {
				rd.stream(x.from).gone.add(x.fromSeq)
			}
		case recordGone:
			s.gone.add(d.uvarint())
		case recordPurge:
			s.purged = max(s.purged, d.uvarint())
		case recordChange:
			d.uint32()
			s.highest = max(s.highest, d.uvarint())
		}
		rd.highest = max(rd.highest, s.highest, s.purged)
	}
	if !d.ok() {
		return fault(&r)
	}
	return nil
}

// catalogue reads a record of stream 0.
func (rd *reading) catalogue(r *journal.Record, d *recordReader) {
	switch r.Kind {
	case recordBase:
		rd.base, rd.based, rd.founded = max(rd.base, d.uvarint()), r.Segment, true
		rd.next = max(rd.next, d.uint32())
	case recordCreate:
		s, kind := d.readCreate()
		switch {
		case !d.ok():
			return
		case kind > streamObjects:
			d.fail()
			return
		case kind == streamObjects:
			s.objects = newObjectStore(rd.j.log, s.number, rd.j.asError)
		}
		s.segment = r.Segment
		rd.stream(s.number).stream = s // a later record is the same, carried
	case recordDrop:
		if number := d.uint32(); d.ok() {
			rd.stream(number).stream = nil
		}
	}
}

// second makes what lives.
func (rd *reading) second(r journal.Record) error {
	if r.Stream == 0 {
		return nil
	}
	s := rd.streams[r.Stream]
	if s.stream == nil {
		return nil
	}
	if s.objects != nil {
		return s.objects.replay(r)
	}
	d := recordReader{data: r.Data}
	switch r.Kind {
	case recordPut:
		s.readPut(rd, &r, &d)
	case recordChange:
		slot, seq := d.uint32(), d.uvarint()
		if k := s.kept.find(slot, seq); k != nil {
			d.readMutable(k)
		}
	case recordDedup:
		d.readDedups(func(e dedupEntry) { s.remember(rd, e, r.Segment) })
	}
	if !d.ok() {
		return fault(&r)
	}
	return nil
}

func (s *streamReading) readPut(rd *reading, r *journal.Record, d *recordReader) {
	slot, seq, bits, x := d.readPutHead()
	if s.gone.has(seq) || seq <= s.purged {
		if bits&putKeyed != 0 && seq > s.purged {
			at := d.readKey(&x)
			s.remember(rd, dedupEntry{key: x.key, seq: seq, at: at}, r.Segment)
		}
		return
	}
	k := kept{slot: slot, seq: seq, segment: r.Segment}
	d.readPut(&k, bits, &x, s.intern)
	if !d.ok() || slot == 0 || slot >= maxSlots || seq == 0 {
		d.fail()
		return
	}
	if x.keyed {
		s.remember(rd, dedupEntry{key: x.key, seq: seq, at: k.enqueued}, r.Segment)
	}
	s.kept.put(k)
}

// intern returns the one copy of the name of a group.
func (s *streamReading) intern(name []byte) string {
	if known, ok := s.groups[string(name)]; ok {
		return known
	}
	if s.groups == nil {
		s.groups = map[string]string{}
	}
	known := string(name)
	s.groups[known] = known
	return known
}

// remember keeps a deduplication id while its five minutes last. A later record is the same, carried.
func (s *streamReading) remember(rd *reading, e dedupEntry, segment uint32) {
	if e.seq <= s.purged || after(e.at, dedupWindow) <= rd.now {
		return
	}
	if i, ok := s.recorded[e.seq]; ok {
		s.remembered[i].segment = segment
		return
	}
	if s.recorded == nil {
		s.recorded = map[uint64]int{}
	}
	s.recorded[e.seq] = len(s.remembered)
	s.remembered = append(s.remembered, rememberedID{e, segment})
}

// finish tells where what lives is.
func (s *streamReading) finish(rd *reading) {
	s.seq = rd.base
	rd.hold(s.segment, s.weight())
	if s.objects != nil {
		s.objects.hold()
		return
	}
	s.kept.each(func(k *kept) bool {
		rd.hold(k.segment, weightOf(k.body, k.group, k.rare))
		return true
	})
	slices.SortFunc(s.remembered, func(a, b rememberedID) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	for i := range s.remembered {
		rd.hold(s.remembered[i].segment, dedupWeight)
	}
}
