package topic

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"time"

	"example.com/inq/internal/durable"
)

// dedupWindow is how long a deduplication id is remembered, counted from the publish that was
// accepted (SNS: FIFO-2).
const dedupWindow = 5 * time.Minute

// fifo is what a FIFO topic has besides.
type fifo struct {
	seeds [2]maphash.Seed

	// mu guards everything below, and the order in which subscriptions take over messages: each has
	// them in the order of their numbers. Only the locks of the topic and of pipes are taken under it.
	mu      sync.Mutex
	window  map[dedupKey]dedupEntry
	order   []dedupTime // of the entries, oldest first
	expired int         // entries of order that are past
	timer   *time.Timer
	written durable.Mark // how far the journal was written, for publishes that are duplicates
	journal journal      // nil: none
}

// dedupKey is a keyed hash of a deduplication id in its scope. With 64 bits a busy topic would take
// two ids for one every few months.
type dedupKey [2]uint64

type dedupEntry struct {
	number uint64
	at     int64
	object uint64 // in the journal of the account
}

type dedupTime struct {
	key dedupKey
	at  int64
}

func newFIFO(j journal) *fifo {
	return &fifo{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, journal: j}
}

// deduplicationID is that of a message: its own, else the hash of its body (SNS: FIFO-4).
func (m *Message) deduplicationID() string {
	if m.DeduplicationID != "" {
		return m.DeduplicationID
	}
	sum := sha256.Sum256([]byte(m.Body))
	return hex.EncodeToString(sum[:])
}

// inScope is an id, in its group where that is not "". Neither has a space in it.
func inScope(group, id string) string {
	if group != "" {
		return group + " " + id
	}
	return id
}

// key hashes an id in its scope.
func (f *fifo) key(id string) dedupKey {
	return dedupKey{maphash.String(f.seeds[0], id), maphash.String(f.seeds[1], id)}
}

// rememberLocked notes an id, and forgets a few that are past. f.mu must be held.
func (f *fifo) rememberLocked(key dedupKey, e dedupEntry) {
	if f.window == nil {
		f.window = map[dedupKey]dedupEntry{}
		f.timer = time.AfterFunc(dedupWindow, func() { f.forget(e.at) })
	}
	f.forgetLocked(e.at, 2)
	f.forgetObject(f.window[key]) // one that is past and was not come by yet
	f.window[key] = e
	f.order = append(f.order, dedupTime{key, e.at})
}

// unrememberLocked takes back the last n ids that were noted. f.mu must be held.
func (f *fifo) unrememberLocked(n int) {
	for _, o := range f.order[len(f.order)-n:] {
		delete(f.window, o.key)
	}
	f.order = f.order[:len(f.order)-n]
	if len(f.order) == 0 {
		f.stopLocked()
		f.clearLocked()
	}
}

func (f *fifo) clearLocked() {
	f.window, f.order, f.expired, f.timer = nil, nil, 0, nil
}

// drop deletes the ids from the journal, for a topic that is deleted.
func (f *fifo) drop(b *durable.Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.window {
		b.Delete(e.object)
	}
}

// forgetLocked drops up to budget entries that are past. f.mu must be held.
func (f *fifo) forgetLocked(now int64, budget int) {
	for ; budget > 0 && f.expired < len(f.order) && f.order[f.expired].at <= now-int64(dedupWindow); budget-- {
		o := f.order[f.expired]
		if e := f.window[o.key]; e.at == o.at { // else the id was used again since
			delete(f.window, o.key)
			f.forgetObject(e)
		}
		if f.expired++; f.expired > len(f.order)/2 && f.expired > 64 {
			f.order = append([]dedupTime(nil), f.order[f.expired:]...)
			f.expired = 0
		}
	}
}

// forget is called when a topic may have been idle for the length of the window since the given
// time, and gives the memory back when it has.
func (f *fifo) forget(armed int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.order) == 0 { // all were taken back meanwhile
		return
	}
	now := armed + int64(dedupWindow)
	newest := f.order[len(f.order)-1].at
	if newest+int64(dedupWindow) <= now {
		for _, e := range f.window {
			f.forgetObject(e)
		}
		f.clearLocked()
		return
	}
	f.timer = time.AfterFunc(time.Duration(newest-armed), func() { f.forget(newest) })
}

// stop ends the timer.
func (f *fifo) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopLocked()
}

func (f *fifo) stopLocked() {
	if f.timer != nil {
		f.timer.Stop()
	}
}

// forgetObject takes an id that is past out of the journal.
func (f *fifo) forgetObject(e dedupEntry) {
	if e.object != 0 {
		f.journal.Forget(e.object)
	}
}

// publishInOrder accepts messages of a FIFO topic that were checked, and tells what became of each.
// Deduplication comes before the filter policies: a message that nobody gets uses up its id as well
// (SNS: FIFO-7). With a journal the ids and the copies of all messages are written together, and are
// durable when it returns. Where that fails nothing was published.
func (t *Topic) publishInOrder(published []Published, ms []Message, parts []texts, s *topicSettings) (err error) {
	var turns []*pipe
	var refused []refusedCopy
	var waits pendings
	f := t.fifo
	f.mu.Lock()
	var room [8]copyFor // for most
	copies, fault := t.acceptLocked(room[:0], published, ms, parts, s)
	err = fault
	written := f.written
	for _, c := range copies {
		turn, reason := c.to.pipe.add(c.parcel)
		if reason != nil {
			refused = append(refused, refusedCopy{c, reason})
		} else if turn {
			turns = append(turns, &c.to.pipe)
		}
	}
	f.mu.Unlock()
	defer func() { // also where the function that is told panics: a turn that is taken must be run
		for _, p := range turns {
			p.run(&waits)
		}
		for _, r := range refused {
			r.to.refuse(r.parcel, r.reason)
			waits.take(r.parcel)
		}
		if fault := waits.wait(); err == nil {
			err = fault
		}
		if err == nil && written != 0 {
			err = f.journal.Wait(written)
		}
	}()
	if tell := t.account.published; tell != nil && err == nil {
		for i := range ms {
			told := ms[i] // one that may escape
			tell(t, &told, published[i])
		}
	}
	return err
}

// acceptLocked takes in the messages that are no duplicates and appends their copies to copies, in order.
// f.mu must be held.
func (t *Topic) acceptLocked(copies []copyFor, published []Published, ms []Message, parts []texts, s *topicSettings) ([]copyFor, error) {
	f := t.fifo
	var b *durable.Batch // nil without a journal
	if f.journal != nil {
		if err := f.journal.Room(); err != nil {
			return nil, err
		}
		b = new(durable.Batch)
	}
	accepted, duplicates := 0, 0
	for i := range ms {
		m := &ms[i]
		id, group := m.deduplicationID(), ""
		if s.perGroup {
			group = m.GroupID
		}
		scoped := inScope(group, id)
		key, now := f.key(scoped), t.ids.now()
		if e, ok := f.window[key]; ok && now < e.at+int64(dedupWindow) {
			published[i] = Published{t.ids, e.number, true}
			duplicates++
			continue
		}
		p := t.accepted(t.number.Add(1), now, m, parts[i])
		p.dedup = id
		published[i] = Published{ids: t.ids, number: p.number}
		e := dedupEntry{number: p.number, at: now, object: t.account.nextNumber()}
		if b != nil {
			put(b, e.object, &dedupRecord{t.object, scoped, e.number, t.ids.epoch.Add(time.Duration(now))})
		}
		f.rememberLocked(key, e)
		accepted++
		for _, to := range t.recipients(&p.message, p.texts) {
			x := &parcel{publication: p}
			x.keep(b, to)
			copies = append(copies, copyFor{to, x})
		}
	}
	if b != nil && !b.Empty() {
		mark, err := f.journal.Write(b)
		if err != nil {
			f.unrememberLocked(accepted)
			clear(published)
			return nil, err
		}
		f.written = mark
	}
	t.duplicates.Add(uint64(duplicates))
	return copies, nil
}

// refusedCopy is a copy that a subscription could not take over.
type refusedCopy struct {
	copyFor
	reason error
}
