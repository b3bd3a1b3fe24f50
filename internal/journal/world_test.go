package journal_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"example.com/inq/internal/journal"
)

// step is an atomic unit that was appended: what it puts and what it deletes.
type step struct {
	puts    map[uint64]string
	gone    []uint64
	refused bool // it is certain that it is not in the log
}

// world is an owner that writes down what it did, so that what a crash leaves can be judged.
type world struct {
	*owner
	base  map[uint64]string // what was there when it was opened
	steps []step
	acked int // this many steps must be there
	next  uint64
}

func openWorld(dir string, op journal.Options) (*world, error) {
	l, err := journal.Open(dir, op)
	if err != nil {
		return nil, err
	}
	o, err := load(l)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	w := &world{owner: o, base: o.bodies(), next: 1}
	for id := range w.base {
		w.next = max(w.next, id+1)
	}
	return w, nil
}

// states calls f for the state after each number of steps, from all of them down to want, until it returns true.
func (w *world) reaches(got map[uint64]string, least int) bool {
	state := maps.Clone(w.base)
	for n := 0; ; n++ {
		if n >= least && maps.Equal(state, got) {
			return true
		}
		if n == len(w.steps) {
			return false
		}
		if s := w.steps[n]; !s.refused {
			maps.Copy(state, s.puts)
			for _, id := range s.gone {
				delete(state, id)
			}
		}
	}
}

// judge says what is wrong with the state that was found after a crash: it must be the state after a number of steps that
// includes all that were acknowledged, or after any number of steps where the mode promises no more.
func (w *world) judge(got map[uint64]string, promised bool) error {
	least := 0
	if promised {
		least = w.acked
	}
	if w.reaches(got, least) {
		return nil
	}
	if w.reaches(got, 0) {
		return fmt.Errorf("something acknowledged is lost: %d of %d steps were acknowledged", w.acked, len(w.steps))
	}
	return fmt.Errorf("the state is that of no moment: %d items, %d steps", len(got), len(w.steps))
}

// do appends a step and returns its mark.
func (w *world) do(s step, class journal.Class) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.log.Room(class); err != nil {
		return 0, err
	}
	var b journal.Batch
	its := map[uint64]*item{}
	for _, id := range slices.Sorted(maps.Keys(s.puts)) {
		its[id] = &item{stream: uint32(id % 5), weight: int64(len(s.puts[id])) + 8, body: s.puts[id]}
		addPut(&b, id, its[id])
	}
	for _, id := range s.gone {
		addGone(&b, w.items[id].stream, id)
	}
	b.Settle(1)
	segment, mark, err := w.log.Append(&b, class)
	if err != nil {
		return 0, err
	}
	for id, it := range its {
		it.segment = segment
		w.items[id] = it
	}
	for _, id := range s.gone {
		w.items[id].leaving = true
	}
	w.steps = append(w.steps, s)
	return mark, nil
}

// settle waits for the last step, which stands for all before it that are not settled yet.
func (w *world) settle(from int, marks []uint64) error {
	var failure error
	for i, mark := range marks {
		err := w.log.Wait(mark, true)
		s := &w.steps[from+i]
		switch {
		case err == nil:
			w.acked = from + i + 1
			for _, id := range s.gone {
				w.drop(id)
			}
		case errors.Is(err, journal.ErrFull):
			s.refused = true
			w.acked = from + i + 1 // as far as it goes: nothing of it is there
			w.mu.Lock()
			for id := range s.puts {
				delete(w.items, id)
			}
			for _, id := range s.gone {
				w.items[id].leaving = false
			}
			w.mu.Unlock()
		default:
			failure = err
		}
	}
	return failure
}

// run does a fixed row of steps, which depends on the seed alone, and stops where the log fails. pause is called between
// steps.
func (w *world) run(seed uint64, steps int, pause func()) error {
	r := rand.New(rand.NewPCG(seed, 0))
	body := func() string { return strings.Repeat(string(rune('a'+r.IntN(26))), 500+r.IntN(1500)) }
	for range steps {
		pause()
		var s step
		class := journal.Send
		alive := slices.DeleteFunc(slices.Sorted(maps.Keys(w.bodies())), func(id uint64) bool { return id%8 == 1 })
		kind := r.IntN(10)
		switch {
		case kind < 3 || len(alive) == 0:
			s.puts = map[uint64]string{w.next: body()}
			w.next++
		case kind < 4: // a batch
			s.puts = map[uint64]string{w.next: body(), w.next + 1: "", w.next + 2: body()}
			w.next += 3
		case kind < 5: // a move: one is gone, another there
			s.puts = map[uint64]string{w.next: body()}
			s.gone = []uint64{alive[r.IntN(len(alive))]}
			w.next++
		case kind < 6: // a note
			var b journal.Batch
			b.End(append(b.Begin(7, kindNote), "a lease"...), 0)
			_, mark, err := w.log.Append(&b, journal.Note)
			if err == nil {
				err = w.log.Wait(mark, false)
			}
			if err != nil && !errors.Is(err, journal.ErrFull) {
				return err
			}
			continue
		default:
			class = journal.Delete
			s.gone = []uint64{alive[r.IntN(min(len(alive), 6))]}
		}
		from := len(w.steps)
		mark, err := w.do(s, class)
		if errors.Is(err, journal.ErrFull) {
			continue
		}
		if err != nil {
			return err
		}
		marks := []uint64{mark}
		if r.IntN(4) == 0 { // a second one, in the same frame or not, before anybody waits
			mark, err := w.do(step{puts: map[uint64]string{w.next: body()}}, journal.Send)
			w.next++
			if err == nil {
				marks = append(marks, mark)
			}
		}
		if err := w.settle(from, marks); err != nil {
			return err
		}
	}
	return nil
}

// found is the state that a log in the file system has.
func found(op journal.Options) (map[uint64]string, error) {
	w, err := openWorld("dir", op)
	if err != nil {
		return nil, err
	}
	return w.base, w.log.Close()
}

func crashModes() map[string]journal.Options {
	m := modes()
	for name, op := range m {
		op.SegmentSize = journal.MinSegmentSize
		m[name] = op
	}
	return m
}

var pauseForInterval = func() { time.Sleep(30 * time.Millisecond) }
