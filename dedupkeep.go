package inq

import (
	"encoding/binary"
	"slices"

	"example.com/inq/internal/journal"
)

// dedupRuns says where in the journal the deduplication ids of a queue are. An id comes with the record of
// its message, and is needed for five minutes, also when the message is gone. The entries of the window
// have numbers, and those of one segment mostly follow each other.
type dedupRuns struct {
	runs []dedupRun
	gone uint64 // entries up to here were told to live no more
}

// dedupRun is entries in one segment: from a number on, up to the next run. Segment 0 is none.
type dedupRun struct {
	from    uint64
	segment uint32
}

// at returns the segment of an entry.
func (k *dedupRuns) at(number uint64) uint32 {
	i, found := k.find(number)
	if !found {
		i--
	}
	return k.runs[i].segment
}

// find returns the first run that does not begin before an entry, and whether it begins with it.
func (k *dedupRuns) find(number uint64) (i int, found bool) {
	return slices.BinarySearchFunc(k.runs, number, func(r dedupRun, number uint64) int {
		switch {
		case r.from < number:
			return -1
		case r.from > number:
			return 1
		}
		return 0
	})
}

// add notes where an entry is that is behind all others.
func (k *dedupRuns) add(number uint64, segment uint32) {
	if n := len(k.runs); n == 0 || k.runs[n-1].segment != segment {
		k.runs = append(k.runs, dedupRun{number, segment})
	}
}

// set notes that the entries from..to-1 are in another segment; end is behind the last entry of all.
func (k *dedupRuns) set(from, to, end uint64, segment uint32) {
	i, _ := k.find(from)
	j, begins := k.find(to)
	put := []dedupRun{{from, segment}}
	if i > 0 && k.runs[i-1].segment == segment {
		put = nil
	}
	if to < end && !begins {
		put = append(put, dedupRun{to, k.at(to)})
	}
	k.runs = slices.Replace(k.runs, i, j, put...)
}

// keepDedup notes where the ids are that came with the newest messages; segment 0: they were refused.
func (k *queueJournal) keepDedup(d *dedup, begun []pending, segment uint32) {
	number := d.end
	for i := range begun {
		if begun[i].end == EventSent {
			number--
		}
	}
	for ; number < d.end; number++ {
		k.dedup.add(number, segment)
	}
}

// dropGone drops runs of which all entries live no more.
func (k *dedupRuns) dropGone() {
	for len(k.runs) > 1 && k.runs[1].from <= k.gone {
		k.runs = k.runs[1:]
	}
}

// releaseDedup tells the log of entries that the window has forgotten since.
func (k *queueJournal) releaseDedup(d *dedup) {
	runs := &k.dedup
	for runs.gone < d.begin {
		to := d.begin
		if len(runs.runs) > 1 {
			to = min(to, runs.runs[1].from)
		}
		k.forget(runs.runs[0].segment, int64(to-runs.gone)*dedupWeight)
		runs.gone = to
		runs.dropGone()
	}
	runs.dropGone() // what came after it may have been carried
	if d.begin == d.end {
		runs.runs = nil
	}
}

// sent returns the number of the first message that is to be in the queue.
func (p *pendings) sent() (seq uint64, ok bool) {
	for i := range p.items[p.from:] {
		if it := &p.items[p.from+i]; it.end == EventSent {
			return it.seq, true
		}
	}
	return 0, false
}

// carryDedupLocked writes ids of a segment anew, at most as many as that, and returns how many it wrote.
func (q *queue) carryDedupLocked(segment uint32, most int) (n int, err error) {
	if q.fifo == nil {
		return 0, nil
	}
	k, d := q.journal, &q.fifo.dedup
	k.releaseDedup(d)
	k.tellReleased()
	settled := d.end // the log takes the weight back itself of what finds no room
	if seq, ok := k.pending.sent(); ok {
		settled, _ = d.numberOf(seq)
	}
	for i, run := range k.dedup.runs {
		from, to := max(run.from, d.begin), settled
		if run.segment != segment || from >= to {
			continue
		}
		if i+1 < len(k.dedup.runs) {
			to = min(to, k.dedup.runs[i+1].from)
		}
		to = min(to, from+uint64(most))
		b := &k.carried
		data := b.Begin(k.stream.number, recordDedup)
		for number := from; number < to; number++ {
			data = appendDedup(data, d.at(number), k.shift)
		}
		weight := int64(to-from) * dedupWeight
		b.End(data, weight)
		into, _, err := k.log.Append(b, journal.Carry)
		if err != nil {
			b.Reset()
			return 0, err
		}
		k.log.Release(segment, weight)
		k.dedup.set(from, to, d.end, into)
		return int(to - from), nil
	}
	return 0, nil
}

// rememberedID is an entry that is in no queue at the moment. Its time is of the wall clock.
type rememberedID struct {
	dedupEntry
	segment uint32
}

func appendDedup(dst []byte, e *dedupEntry, shift int64) []byte {
	dst = binary.AppendUvarint(dst, e.seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.at+shift))
	dst = binary.LittleEndian.AppendUint64(dst, e.key[0])
	return binary.LittleEndian.AppendUint64(dst, e.key[1])
}

// readDedups calls f for each id of a record. Times are of the wall clock.
func (d *recordReader) readDedups(f func(e dedupEntry)) {
	for len(d.data) != 0 {
		e := dedupEntry{seq: d.uvarint(), at: int64(d.fixed64())}
		e.key = [2]uint64{d.fixed64(), d.fixed64()}
		if d.ok() {
			f(e)
		}
	}
}

// numberOf returns the number of the entry of a message that was accepted, and whether there is one.
func (d *dedup) numberOf(seq uint64) (number uint64, ok bool) {
	low, high := d.begin, d.end
	for low < high {
		m := low + (high-low)/2
		if d.at(m).seq < seq {
			low = m + 1
		} else {
			high = m
		}
	}
	return low, low < d.end && d.at(low).seq == seq
}

// void makes an entry match no more: its message was not accepted after all. The index goes by the first
// half of the key, and the entry stays until its time.
func (d *dedup) void(number uint64) {
	e := d.at(number)
	e.key[1] = ^e.key[1]
}
