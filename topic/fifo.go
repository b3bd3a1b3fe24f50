package topic

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"time"
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
}

// dedupKey is a keyed hash of a deduplication id in its scope. With 64 bits a busy topic would take
// two ids for one every few months.
type dedupKey [2]uint64

type dedupEntry struct {
	number uint64
	at     int64
}

type dedupTime struct {
	key dedupKey
	at  int64
}

func newFIFO() *fifo {
	return &fifo{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// deduplicationID is that of a message: its own, else the hash of its body (SNS: FIFO-4).
func (m *Message) deduplicationID() string {
	if m.DeduplicationID != "" {
		return m.DeduplicationID
	}
	sum := sha256.Sum256([]byte(m.Body))
	return hex.EncodeToString(sum[:])
}

// key hashes an id, in its group where that is not "". Neither has a space in it.
func (f *fifo) key(group, id string) dedupKey {
	if group != "" {
		id = group + " " + id
	}
	return dedupKey{maphash.String(f.seeds[0], id), maphash.String(f.seeds[1], id)}
}

// rememberLocked notes an id, and forgets a few that are past. f.mu must be held.
func (f *fifo) rememberLocked(key dedupKey, number uint64, now int64) {
	if f.window == nil {
		f.window = map[dedupKey]dedupEntry{}
		f.timer = time.AfterFunc(dedupWindow, func() { f.forget(now) })
	}
	f.forgetLocked(now, 2)
	f.window[key] = dedupEntry{number, now}
	f.order = append(f.order, dedupTime{key, now})
}

// forgetLocked drops up to budget entries that are past. f.mu must be held.
func (f *fifo) forgetLocked(now int64, budget int) {
	for ; budget > 0 && f.expired < len(f.order) && f.order[f.expired].at <= now-int64(dedupWindow); budget-- {
		o := f.order[f.expired]
		if f.window[o.key].at == o.at { // else the id was used again since
			delete(f.window, o.key)
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
	now := armed + int64(dedupWindow)
	newest := f.order[len(f.order)-1].at
	if newest+int64(dedupWindow) <= now {
		f.window, f.order, f.expired, f.timer = nil, nil, 0, nil
		return
	}
	f.timer = time.AfterFunc(time.Duration(newest-armed), func() { f.forget(newest) })
}

// stop ends the timer.
func (f *fifo) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.timer != nil {
		f.timer.Stop()
	}
}

// publishInOrder accepts messages of a FIFO topic that were checked, and tells what became of each.
// Deduplication comes before the filter policies: a message that nobody gets uses up its id as well
// (SNS: FIFO-7).
func (t *Topic) publishInOrder(published []Published, ms []Message, parts []texts, s *topicSettings) {
	var turns []*pipe
	var refused []refusedCopy
	f := t.fifo
	f.mu.Lock()
	for i := range ms {
		m := &ms[i]
		id, group := m.deduplicationID(), ""
		if s.perGroup {
			group = m.GroupID
		}
		key, now := f.key(group, id), t.ids.now()
		if e, ok := f.window[key]; ok && now < e.at+int64(dedupWindow) {
			published[i] = Published{t.ids, e.number, true}
			t.duplicates.Add(1)
			continue
		}
		p := t.accepted(t.number.Add(1), now, m, parts[i])
		p.dedup = id
		published[i] = Published{ids: t.ids, number: p.number}
		f.rememberLocked(key, p.number, now)
		for _, r := range t.recipients(&p.message, p.texts) {
			x := &parcel{publication: p}
			turn, reason := r.pipe.add(x)
			if reason != nil {
				refused = append(refused, refusedCopy{r, x, reason})
			} else if turn {
				turns = append(turns, &r.pipe)
			}
		}
	}
	f.mu.Unlock()
	defer func() { // also where the function that is told panics: a turn that is taken must be run
		for _, p := range turns {
			p.run()
		}
		for _, r := range refused {
			r.to.refuse(r.parcel, r.reason)
		}
	}()
	if tell := t.account.published; tell != nil {
		for i := range ms {
			told := ms[i] // one that may escape
			tell(t, &told, published[i])
		}
	}
}

// refusedCopy is a copy that a subscription could not take over.
type refusedCopy struct {
	to     *Subscription
	parcel *parcel
	reason error
}
