package inq

import (
	"time"

	"example.com/inq/internal/index"
)

// dedupWindow is how long a deduplication id is remembered, counted from the send that was
// accepted. Neither duplicates nor a delete change that (SQS: FIFO-19).
const dedupWindow = 5 * time.Minute

// dedup remembers the deduplication ids of the last five minutes. At 100,000 sends a second that is
// 30 million of them, so an entry is small, holds no pointer, and is found by a keyed 128-bit hash
// of the id: with 64 bits a busy queue would take two ids for one every few months. All entries
// live equally long, so they expire in the order they came in; no timer is needed per entry.
type dedup struct {
	pages  [][]dedupEntry // entries in order of time; only the last page has room, only the first one has gaps
	spare  []dedupEntry   // a page to use again
	begin  uint64         // number of the oldest entry
	end    uint64         // number of the next entry
	origin uint64         // number of the first entry of the first page
	oldest int64          // when the oldest entry is past its time, while there is one
	ids    index.Index
}

type dedupEntry struct {
	key [2]uint64
	seq uint64 // of the message that was accepted: its id and sequence number derive from it
	at  int64
}

const (
	dedupPage = 4096
	dedupMod  = 1<<32 - 1 // ids in the index are numbers modulo this, plus 1
)

// entry finds an entry by its id in the index.
func (d *dedup) entry(id uint32) *dedupEntry {
	distance := (uint64(id-1) + dedupMod - d.begin%dedupMod) % dedupMod
	return d.at(d.begin + distance)
}

func (d *dedup) at(number uint64) *dedupEntry {
	i := number - d.origin
	return &d.pages[i/dedupPage][i%dedupPage]
}

func (d *dedup) id(number uint64) uint32 { return uint32(number%dedupMod) + 1 }

// find returns the number of the message that was accepted under this key in the last five minutes.
func (d *dedup) find(key [2]uint64, now int64) (seq uint64, ok bool) {
	id, ok := d.ids.Find(key[0], func(id uint32) bool {
		e := d.entry(id)
		return e.key == key && now < after(e.at, dedupWindow)
	})
	if !ok {
		return 0, false
	}
	return d.entry(id).seq, true
}

// add remembers an accepted message. It drops a few that are past their time, so that a busy queue
// needs no timer for it; the new one goes in first, where find has just looked.
func (d *dedup) add(key [2]uint64, seq uint64, now int64) {
	last := len(d.pages) - 1
	if last < 0 || len(d.pages[last]) == dedupPage {
		page := d.spare
		d.spare = nil
		if page == nil && last >= 0 {
			page = make([]dedupEntry, 0, dedupPage)
		}
		d.pages = append(d.pages, page[:0])
		last++
	}
	d.pages[last] = append(d.pages[last], dedupEntry{key: key, seq: seq, at: now})
	d.ids.Insert(key[0], d.id(d.end))
	if d.begin == d.end {
		d.oldest = after(now, dedupWindow)
	}
	d.end++
	d.forget(now, 2)
}

// forget drops up to budget entries that are past their time and reports whether there are more.
func (d *dedup) forget(now int64, budget int) (more bool) {
	for ; d.begin != d.end; budget-- {
		if now < d.oldest {
			return false
		}
		if budget == 0 {
			return true
		}
		d.dropFirst()
	}
	if d.begin != d.origin || d.spare != nil {
		d.pages, d.spare, d.origin = nil, nil, d.begin
	}
	return false
}

// dropFirst forgets the oldest entry.
func (d *dedup) dropFirst() {
	d.ids.Delete(d.at(d.begin).key[0], d.id(d.begin))
	d.begin++
	if d.begin-d.origin == dedupPage {
		d.spare = d.pages[0]
		d.pages[0] = nil
		d.pages = d.pages[1:]
		d.origin += dedupPage
	}
	if d.begin != d.end {
		d.oldest = after(d.at(d.begin).at, dedupWindow)
	}
}

// dropUpTo forgets the entries of messages up to a number.
func (d *dedup) dropUpTo(seq uint64) {
	if d.begin != d.end && d.at(d.end-1).seq <= seq {
		*d = dedup{begin: d.end, end: d.end, origin: d.end}
	}
	for d.begin != d.end && d.at(d.begin).seq <= seq {
		d.dropFirst()
	}
}

// idleAt returns when the newest entry is past its time: then, at the latest, memory is given back.
func (d *dedup) idleAt() int64 {
	if d.begin == d.end {
		return never
	}
	return after(d.at(d.end-1).at, dedupWindow)
}
