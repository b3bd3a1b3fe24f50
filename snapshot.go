package inq

import (
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"
)

// A MessageState is what a message counts as.
type MessageState string

// The states a message can be seen in.
const (
	StateDelayed    MessageState = "delayed"
	StateVisible    MessageState = "visible"
	StateNotVisible MessageState = "not visible"
)

// A Snapshot is a look at one message that does not touch it.
type Snapshot struct {
	ID                  string
	Body                string
	Attributes          map[string]Attribute // shared and read only, as with a Delivery
	GroupID             string
	DeduplicationID     string
	SequenceNumber      string
	TraceHeader         string
	SenderID            string
	DeadLetterSourceARN string // of the queue it was dead-lettered from
	DeadLetterReason    string // what Bury was told, or that it was received too often
	State               MessageState
	ReceiveCount        int
	SentAt              time.Time
	FirstReceivedAt     time.Time // zero: never received
	VisibleAt           time.Time // end of the delay or the visibility timeout; zero: visible, or without end

	lent string // SenderID where the sender gave none and it is that of a queue
}

// Message returns what a producer would send to have this message once more in another queue:
// everything but the delay, with attributes copied, and the sender id only where the sender gave
// one. The deduplication id of a FIFO message is kept, so that a second copy is not added.
func (s *Snapshot) Message() Message {
	return Message{Body: s.Body, Attributes: cloneAttributes(s.Attributes), GroupID: s.GroupID,
		DeduplicationID: s.DeduplicationID, TraceHeader: s.TraceHeader, SenderID: senderGiven(s.SenderID, s.lent)}
}

// senderGiven is a sender id as the sender gave it: "" where it is the one that a queue lent.
func senderGiven(id, lent string) string {
	if id == lent {
		return ""
	}
	return id
}

// Messages looks at all messages in the order they came in, whatever state they are in, without
// touching them. Messages that come during the iteration are not in it, and messages that go may be
// missing. The lock is never held for long, and the loop may call the queue. It costs 16 bytes per
// message while it runs. On a closed queue it yields nothing.
func (q *queue) Messages() iter.Seq[Snapshot] {
	return func(yield func(Snapshot) bool) {
		refs := q.collect()
		slices.SortFunc(refs, func(a, b ref) int {
			if a.seq < b.seq {
				return -1
			}
			return 1
		})
		var page [entriesAtOnce]Snapshot
		for len(refs) != 0 {
			n := min(len(refs), entriesAtOnce)
			now, err := q.enterSettled()
			if err != nil {
				return
			}
			found := 0
			for _, rf := range refs[:n] {
				if r := q.store.find(rf.slot, rf.seq); r != nil {
					q.snapshotLocked(&page[found], rf.slot, r)
					found++
				}
			}
			_ = q.leave(now)
			for i := range found {
				page[i].DeduplicationID = hashedID(page[i].DeduplicationID, page[i].Body)
				if !yield(page[i]) {
					return
				}
				page[i] = Snapshot{}
			}
			refs = refs[n:]
		}
	}
}

// collect names all live messages, one chunk of the slab per critical section.
func (q *queue) collect() (refs []ref) {
	now, err := q.enterSettled()
	if err != nil {
		return nil
	}
	last, live, size := q.seq, q.store.live, q.store.size
	_ = q.leave(now)
	refs = make([]ref, 0, live)
	for from := uint32(0); from < size; from += chunkSize {
		now, err := q.enter()
		if err != nil {
			return nil
		}
		for slot := max(from, 1); slot < min(from+chunkSize, q.store.size); slot++ {
			if r := q.store.at(slot); r.state != stateFree && r.seq <= last {
				refs = append(refs, ref{slot, r.seq})
			}
		}
		_ = q.leave(now)
	}
	return refs
}

// snapshotLocked writes what a look at the message tells; a deduplication id may be contentMark
// yet, since hashing takes too long here.
func (q *queue) snapshotLocked(s *Snapshot, slot uint32, r *record) {
	*s = Snapshot{Body: r.body, GroupID: q.groupLocked(slot), ReceiveCount: r.receiveCount(), SenderID: q.senderID, lent: q.senderID,
		ID: q.idLocked(r).String(), SentAt: q.ids.time(r.enqueued)}
	if q.fifo != nil {
		s.SequenceNumber = q.ids.sequenceNumber(r.seq)
		s.DeduplicationID = q.store.part(slot).dedup
	}
	if ra := r.rare; ra != nil {
		s.Attributes, s.TraceHeader, s.DeadLetterSourceARN, s.DeadLetterReason = ra.attributes, ra.traceHeader, ra.sourceARN, ra.reason
		if ra.senderID != "" {
			s.SenderID, s.lent = ra.senderID, ""
		}
		if ra.lentSender {
			s.lent = ra.senderID
		}
		if ra.dedupID != "" {
			s.DeduplicationID = ra.dedupID
		}
	}
	if r.first != never {
		s.FirstReceivedAt = q.ids.time(r.first)
	}
	switch r.state.class() {
	case classDelayed:
		s.State = StateDelayed
	case classVisible:
		s.State = StateVisible
	default:
		s.State = StateNotVisible
	}
	if until := q.untilLocked(slot, r); until != never {
		s.VisibleAt = q.ids.time(until)
	}
}

// untilLocked returns when the state of a message ends by itself, never where it does not.
func (q *queue) untilLocked(slot uint32, r *record) int64 {
	switch r.state {
	case stateDelayed:
		if q.fifo != nil && r.flags&flagAlone == 0 {
			return after(r.enqueued, q.settings.Load().delay)
		}
	case stateReady, stateBurying, stateAdopted:
		return never
	}
	return q.store.nodes.At(slot).Deadline
}

// idLocked returns the id of a message.
func (q *queue) idLocked(r *record) uuid.UUID {
	if r.rare != nil && r.rare.id != uuid.Nil {
		return r.rare.id
	}
	return q.ids.messageID(r.seq)
}
