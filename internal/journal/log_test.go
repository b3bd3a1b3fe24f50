package journal_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

// owner keeps numbered items in streams, as simply as one can: an item is put, and later gone.
type owner struct {
	log *journal.Log

	mu        sync.Mutex
	items     map[uint64]*item
	committed []string
	marks     []uint64
	carried   int
}

type item struct {
	stream  uint32
	segment uint32
	weight  int64
	body    string
	leaving bool
}

const (
	kindPut  = 1
	kindGone = 2
	kindNote = 3
)

func newOwner() *owner { return &owner{items: map[uint64]*item{}} }

func (o *owner) Committed(stream uint32, mark uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.committed = append(o.committed, fmt.Sprint(stream, mark, err))
	o.marks = append(o.marks, mark)
}

// told says whether Committed was called for the frame, and without an error.
func (o *owner) told(stream uint32, mark uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, found := slices.BinarySearch(o.marks, mark) // in the order of frames
	for ; found && i < len(o.marks) && o.marks[i] == mark; i++ {
		if o.committed[i] == fmt.Sprint(stream, mark, nil) {
			return true
		}
	}
	return false
}

// ordered says whether it was called in the order of frames.
func (o *owner) ordered() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.IsSorted(o.marks)
}

func addPut(b *journal.Batch, id uint64, it *item) {
	d := binary.AppendUvarint(b.Begin(it.stream, kindPut), id)
	b.End(append(d, it.body...), it.weight)
}

func addGone(b *journal.Batch, stream uint32, id uint64) {
	b.End(binary.AppendUvarint(b.Begin(stream, kindGone), id), 0)
}

func (o *owner) Carry(segment uint32) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	ids := slices.Sorted(maps.Keys(o.items))
	n := 0
	for _, id := range ids {
		it := o.items[id]
		if it.segment != segment || it.leaving {
			continue
		}
		if n == 256 {
			return true
		}
		n++
		var b journal.Batch
		addPut(&b, id, it)
		s, _, err := o.log.Append(&b, journal.Carry)
		if err != nil {
			return false
		}
		it.segment = s
		o.carried++
		o.log.Release(segment, it.weight)
	}
	return false
}

// put sends an item; the caller waits.
func (o *owner) put(id uint64, stream uint32, body string) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := &item{stream: stream, weight: int64(len(body)) + 8, body: body}
	var b journal.Batch
	addPut(&b, id, it)
	b.Settle(stream)
	s, mark, err := o.log.Append(&b, journal.Send)
	if err != nil {
		return 0, err
	}
	it.segment = s
	o.items[id] = it
	return mark, nil
}

func (o *owner) gone(id uint64) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.items[id]
	it.leaving = true
	var b journal.Batch
	addGone(&b, it.stream, id)
	_, mark, err := o.log.Append(&b, journal.Delete)
	return mark, err
}

// drop is what follows a delete that was committed.
func (o *owner) drop(id uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	it := o.items[id]
	delete(o.items, id)
	o.log.Release(it.segment, it.weight)
}

// load replays the log into an owner and starts it.
func load(l *journal.Log) (*owner, error) {
	o := newOwner()
	o.log = l
	err := l.Replay(func(r journal.Record) error {
		switch r.Kind {
		case kindPut:
			id, n := binary.Uvarint(r.Data)
			body := string(r.Data[n:])
			o.items[id] = &item{stream: r.Stream, segment: r.Segment, weight: int64(len(body)) + 8, body: body}
		case kindGone:
			id, _ := binary.Uvarint(r.Data)
			delete(o.items, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, it := range o.items {
		l.Hold(it.segment, it.weight)
	}
	l.Start(o)
	return o, nil
}

func open(t *testing.T, dir string, op journal.Options) *owner {
	t.Helper()
	l, err := journal.Open(dir, op)
	require.NoError(t, err)
	o, err := load(l)
	require.NoError(t, err)
	return o
}

func (o *owner) bodies() map[uint64]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := map[uint64]string{}
	for id, it := range o.items {
		m[id] = it.body
	}
	return m
}

func modes() map[string]journal.Options {
	return map[string]journal.Options{
		"always":    {Sync: journal.Always},
		"interval":  {Sync: journal.Interval, Interval: 100 * time.Millisecond},
		"os":        {Sync: journal.OS},
		"encrypted": {Key: make([]byte, journal.KeySize)},
	}
}

func TestLog_WhatWasAppendedIsThereAfterReopening(t *testing.T) {
	for name, op := range modes() {
		for _, place := range []string{"memory", "disk"} {
			t.Run(name+"/"+place, func(t *testing.T) {
				dir := t.TempDir()
				op := op
				if place == "memory" {
					op.FS = journal.Memory()
				}
				op.SegmentSize = journal.MinSegmentSize
				want := map[uint64]string{}
				id := uint64(0)
				for range 3 {
					o := open(t, dir, op)
					require.Equal(t, want, o.bodies())
					for range 500 {
						id++
						body := fmt.Sprint("body ", id, make([]byte, 50))
						mark, err := o.put(id, uint32(id%3), body)
						require.NoError(t, err)
						require.NoError(t, o.log.Wait(mark, true))
						want[id] = body
						if id%7 != 0 {
							mark, err := o.gone(id)
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, true))
							o.drop(id)
							delete(want, id)
						}
					}
					require.NoError(t, o.log.Close())
					require.Len(t, o.committed, 500)
				}
				o := open(t, dir, op)
				require.Equal(t, want, o.bodies())
				require.NoError(t, o.log.Close())
			})
		}
	}
}

func TestLog_WorksInABubble(t *testing.T) {
	for name, op := range modes() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				op.FS = journal.Memory()
				op.SegmentSize = journal.MinSegmentSize
				o := open(t, "dir", op)
				var wg sync.WaitGroup
				for w := range uint64(50) {
					wg.Go(func() {
						for i := range uint64(40) {
							id := w*1000 + i
							mark, err := o.put(id, uint32(w), "some body of a length")
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, true))
							mark, err = o.gone(id)
							require.NoError(t, err)
							require.NoError(t, o.log.Wait(mark, true))
							o.drop(id)
						}
					})
				}
				wg.Wait()
				synctest.Wait()
				require.LessOrEqual(t, o.log.Stats().Segments, 2)
				require.NoError(t, o.log.Close())
			})
		})
	}
}
