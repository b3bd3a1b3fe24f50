package inq

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"

	"example.com/inq/internal/index"
	"example.com/inq/internal/links"
)

// fifo is what a FIFO queue has besides: groups, the order they take turns in, deduplication and
// attempts.
//
// The messages of a group hang together in the order of their numbers, and keep their place in
// flight. A group can deliver if and only if its first message is ready (SQS: FIFO-8..12); exactly
// then it is on the list of eligible groups. A receive takes the run of ready messages from the
// front of a group and goes on with the next group, so within a group nothing is ever delivered
// ahead of something older.
type fifo struct {
	// Set by the constructor and read without the lock, to check and hash before it is taken.
	scope    DeduplicationScope // as it was at the creation of the queue (SQS: FIFO-22)
	seed     maphash.Seed       // hashes the names of groups; such a hash never leaves the process
	latest   *uint64            // of a queue with a journal: the highest number of a message, which the lock guards
	dedupIDs sipKey             // hashes deduplication ids,
	dedupIn  sipKey             // and the groups that they may be scoped to

	groupState
}

// groupState is the part of fifo that the lock guards.
type groupState struct {
	groups   slab[group]
	names    index.Index // of groups by the hash of their name
	first    uint32      // eligible groups in the order of their turns, in which group.turn does not fall
	last     uint32
	turns    []turn     // by group, of a queue with a journal
	turn     turn       // the latest one
	run      uint32     // the message taken last in the receive under way, while its group may have more; 0: none
	delayed  links.List // messages in the queue's delay, by enqueue time: the delay in force applies to all (SQS: LC-1)
	hidden   int        // messages in a delay or waiting for their commit: neither ready nor counted as not visible
	locked   int        // groups with a message in flight
	dedup    dedup
	attempts attempts
}

// turn is the place of a group among those that can deliver: since when it is there, by the highest number of
// a message then, and how many came after the first one at that number.
type turn struct {
	number uint64
	after  uint32
}

// group is one message group. It exists while it has messages.
//
// A message that comes or goes touches no other of its group where one or two wait: among a million
// groups each look at another place in memory takes as long as half of a send.
type group struct {
	name     string
	hash     uint32 // the half of the name's hash that the index knows, for the end of the group
	ready    bool   // the first message is
	eligible bool   // on the list
	head     uint32 // the messages in order of seq
	behind   uint32 // the message after the head, which has no links of its own
	tail     uint32
	next     uint32 // links of the list of eligible groups
	prev     uint32
	inFlight uint32 // messages that count as not visible
}

func newFIFOState(scope DeduplicationScope) *fifo {
	f := &fifo{scope: scope, seed: maphash.MakeSeed()}
	f.reset()
	return f
}

// identify takes the keys that deduplication ids are hashed with. They follow from the identity of
// the queue, so that what is remembered of an id can be stored.
func (f *fifo) identify(n *identity) {
	f.dedupIDs, f.dedupIn = n.key.derive(useDeduplicationID), n.key.derive(useDeduplicationGroup)
}

// reset forgets all messages, groups and ids (SQS: FIFO-23).
func (f *fifo) reset() {
	f.groupState = groupState{}
}

func (f *fifo) groupHash(name string) uint64 { return maphash.String(f.seed, name) }

// prepare checks what FIFO demands of a message, and hashes its ids while no lock is held (SQS:
// FIFO-2, FIFO-3, FIFO-18).
func (f *fifo) prepare(p *payload, m *Message, s *settings) error {
	if m.GroupID == "" {
		return &ParamError{Err: ErrMissingParameter, Param: "MessageGroupId", Value: "", Reason: "required by a FIFO queue"}
	}
	p.hash = f.groupHash(m.GroupID)
	switch {
	case m.DeduplicationID != "":
		if err := checkID("MessageDeduplicationId", m.DeduplicationID); err != nil {
			return err
		}
		p.dedup = m.DeduplicationID
		p.key = f.dedupKey([]byte(p.dedup), m.GroupID)
	case s.contentDedup:
		p.dedup = contentMark
		sum := sha256.Sum256([]byte(m.Body))
		var id [2 * sha256.Size]byte
		hex.Encode(id[:], sum[:])
		// The same key as that of a message with the hash as its explicit id: the one is a
		// duplicate of the other.
		p.key = f.dedupKey(id[:], m.GroupID)
	default:
		return errNoDeduplicationID()
	}
	return nil
}

// dedupKey returns what is remembered of a deduplication id, which counts within its group only where
// the scope is the group (SQS: FIFO-22).
func (f *fifo) dedupKey(id []byte, group string) (key [2]uint64) {
	key[0], key[1] = f.dedupIDs.bytes128(id)
	if f.scope == ScopeMessageGroup {
		lo, hi := f.dedupIn.bytes128([]byte(group))
		key[0] ^= lo
		key[1] ^= hi
	}
	return key
}

// errNoDeduplicationID is the refusal of a message without a deduplication id (SQS: FIFO-3).
func errNoDeduplicationID() error {
	return &ParamError{Err: ErrInvalidParameter, Param: "MessageDeduplicationId", Value: "",
		Reason: "required unless the queue deduplicates by content"}
}

// join puts a new message at the end of its group.
func (f *fifo) join(s *store, slot uint32, p *payload) (uint32, *group) {
	g, ok := f.names.Find(p.hash, func(g uint32) bool { return f.groups.at(g).name == p.group })
	if !ok {
		g = f.groups.alloc()
		gr := f.groups.at(g)
		gr.name, gr.hash = p.group, uint32(p.hash>>32)
		f.names.Insert(p.hash, g)
	}
	gr := f.groups.at(g)
	*s.part(slot) = fifoPart{dedup: p.dedup, group: g, prev: gr.tail}
	switch gr.tail {
	case 0:
		gr.head = slot
	case gr.head:
		gr.behind = slot
	default:
		s.part(gr.tail).next = slot
	}
	gr.tail = slot
	return g, gr
}

// following returns the message of the group that comes after slot, 0 if there is none.
func (gr *group) following(s *store, slot uint32) uint32 {
	switch slot {
	case gr.head:
		return gr.behind
	case gr.tail:
		return 0
	}
	return s.part(slot).next
}

// leave takes a message out of its group, which may unlock the group or end it (SQS: DEL-4,
// FIFO-15).
func (f *fifo) leave(s *store, slot uint32) {
	if f.run == slot {
		f.run = 0
	}
	part := s.part(slot)
	gr := f.groups.at(part.group)
	switch next := gr.following(s, slot); {
	case slot != gr.head:
		if next == 0 {
			gr.tail = part.prev
		} else {
			s.part(next).prev = part.prev
		}
		if part.prev == gr.head {
			gr.behind = next
		} else {
			s.part(part.prev).next = next
		}
	case next == 0:
		gr.head, gr.tail, gr.ready = 0, 0, false
	default:
		gr.head, gr.behind = next, 0
		if next != gr.tail {
			gr.behind = s.part(next).next
		}
		gr.ready = f.hidden == 0 && gr.inFlight == 0 || s.at(next).state == stateReady
	}
	f.changed(s, part.group)
	if gr.head == 0 {
		f.names.Delete(uint64(gr.hash)<<32, part.group)
		f.groups.release(part.group)
	}
}

// changed brings the list of eligible groups in line with a group whose first message or its state
// has changed. A group that can deliver again goes behind the others (SQS: FIFO-11, FIFO-14).
func (f *fifo) changed(s *store, g uint32) {
	gr := f.groups.at(g)
	switch {
	case gr.ready && !gr.eligible:
		f.lineUp(g, gr)
		if f.latest != nil {
			f.takeTurn(g)
		}
	case !gr.ready && gr.eligible:
		f.stepOut(gr)
	}
}

// lineUp puts a group at the end of the eligible ones.
func (f *fifo) lineUp(g uint32, gr *group) {
	gr.eligible = true
	gr.prev, gr.next = f.last, 0
	if f.last == 0 {
		f.first = g
	} else {
		f.groups.at(f.last).next = g
	}
	f.last = g
}

// takeTurn notes the place of a group that comes behind all others.
func (f *fifo) takeTurn(g uint32) {
	for int(g) >= len(f.turns) {
		f.turns = append(f.turns, turn{})
	}
	if f.turn.after++; f.turn.number != *f.latest {
		f.turn = turn{number: *f.latest}
	}
	f.turns[g] = f.turn
}

// stepOut takes a group out of the eligible ones.
func (f *fifo) stepOut(gr *group) {
	gr.eligible = false
	if gr.prev == 0 {
		f.first = gr.next
	} else {
		f.groups.at(gr.prev).next = gr.next
	}
	if gr.next == 0 {
		f.last = gr.prev
	} else {
		f.groups.at(gr.next).prev = gr.prev
	}
	gr.next, gr.prev = 0, 0
}

// count keeps what is known of the states of messages.
func (f *fifo) count(s *store, slot uint32, was, is class) {
	gr := f.groups.at(s.part(slot).group)
	if gr.head == slot {
		gr.ready = is == classVisible
	}
	if was == classDelayed {
		f.hidden--
	} else if is == classDelayed {
		f.hidden++
	}
	switch {
	case notVisible(is) == notVisible(was):
	case notVisible(is):
		gr.inFlight++
		if gr.inFlight == 1 {
			f.locked++
		}
	default:
		gr.inFlight--
		if gr.inFlight == 0 {
			f.locked--
		}
	}
}

// peek returns the message a receive takes next, 0 if there is none: the one behind the last of the
// run, or else the first of the group whose turn it is.
func (f *fifo) peek(s *store) uint32 {
	if f.run != 0 {
		gr := f.groups.at(s.part(f.run).group)
		if next := gr.following(s, f.run); next != 0 && s.at(next).state == stateReady {
			return next
		}
		f.run = 0
	}
	if f.first == 0 {
		return 0
	}
	return f.groups.at(f.first).head
}

// next returns when something of f is due at the earliest: the queue's delay of a message ends, or
// ids can be forgotten at the latest.
func (f *fifo) next(q *queue) int64 {
	at := min(f.dedup.idleAt(), f.attempts.idleAt())
	if h := f.delayed.Head; h != 0 {
		at = min(at, after(q.store.at(h).enqueued, q.settings.Load().delay))
	}
	return at
}

// forget drops ids whose five minutes are over, a bounded number of them, and reports whether there
// are more.
func (f *fifo) forget(now int64) (more bool) {
	more = f.dedup.forget(now, stepBudget)
	return f.attempts.forget(now, stepBudget) || more
}
