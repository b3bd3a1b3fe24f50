package inq

import (
	"cmp"
	"errors"
	"io"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/inq/internal/journal"
	"github.com/stretchr/testify/require"
)

// This file runs the model beside queues that have a journal, which are closed and opened again in between,
// and after crashes. After each operation the journal is read anew, and must tell just what the queues hold.

// openJournal opens the journal of the run.
func (r *modelRun) openJournal() {
	if r.disk == nil {
		r.disk = journal.Memory()
	}
	r.life = &life{FS: r.disk}
	j, err := OpenJournal("journal", onFiles(r.life), WithSegmentSize(64<<10), WithSync(modelPick(r, SyncAlways, SyncOS)))
	require.NoError(r.t, err)
	r.kept = j
}

// restart closes the journal, or the queues alone, and makes the queues anew.
func (r *modelRun) restart(p *modelPair) {
	if r.kept == nil {
		return
	}
	r.note(p, "restart")
	synctest.Wait()
	r.world.advance(time.Now())
	if r.one(2) {
		for _, p := range r.pairs {
			require.NoError(r.t, p.engine.Close())
		}
	} else {
		require.NoError(r.t, r.kept.Close())
		r.openJournal()
	}
	r.reopen()
}

// crash opens what the journal left on its disk, as after the end of the process. What nobody waits for is
// written by then.
func (r *modelRun) crash(p *modelPair) {
	if r.kept == nil {
		return
	}
	r.note(p, "crash")
	synctest.Wait()
	r.world.advance(time.Now())
	require.NoError(r.t, r.kept.log.Sync())
	r.life.over.Store(true)
	for _, p := range r.pairs {
		stop(p.inner)
	}
	_ = r.kept.log.Close()
	r.openJournal()
	r.reopen()
}

// reopen makes the queues from the journal. What does not outlive a restart the model forgets too.
func (r *modelRun) reopen() {
	for _, p := range r.pairs {
		p.engine, p.inner = p.make()
	}
	for _, p := range r.pairs {
		if m := p.model; m.dead != nil {
			require.NoError(r.t, p.set([]Option{WithDeadLetter(r.target(m.dead), m.maxReceives)}, nil))
		}
		before := slices.Clone(p.model.turns)
		p.model.restarted()
		if p.model.fifo {
			p.model.turns = p.model.turnsAfter(before, turnsOf(p.inner))
		}
		for i := range p.handles { // the handles are good for the new queue; deliveries know the old one only
			p.handles[i].delivery.source = p.inner
		}
		p.again = nil
	}
}

// restarted forgets what a restart does, and orders anew what it does not keep the order of.
func (q *modelQueue) restarted() {
	q.totals = Stats{}
	clear(q.attempts)
	clear(q.lastSent)
	for _, m := range q.messages {
		q.lastSent[m.sent.GroupID] = m.arrived
		if m.state == modelBackoff {
			m.state = modelReady
		}
		m.failures = 0
		m.dueOrder = q.world.tick()
	}
	for _, m := range q.messages {
		q.turn(m.sent.GroupID)
	}
}

// turnsAfter takes the places of groups whose first message waited for its next try before a restart: they have
// their turns back, and where those were nobody else knows. All others keep their order.
func (q *modelQueue) turnsAfter(before, engine []string) []string {
	others := func(groups []string) []string {
		return slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return !slices.Contains(before, g) })
	}
	if slices.Equal(others(q.turns), others(engine)) && len(q.turns) == len(engine) {
		return slices.Clone(engine)
	}
	return q.turns
}

// modelKept is a setup with a journal.
func modelKept(s modelSetup) modelSetup {
	s.journal = true
	more := map[string]int{"restart": 6, "crash": 6}
	for name, w := range s.more {
		more[name] = w
	}
	s.more = more
	return s
}

func TestModel_JournalStandard(t *testing.T) {
	runModel(t, modelKept(modelSetup{groups: 3, retention: usualRetention, rounds: 6, steps: 200}))
}

func TestModel_JournalFIFO(t *testing.T) {
	runModel(t, modelKept(modelSetup{fifo: true, groups: 4, retention: usualRetention, rounds: 6, steps: 200}))
}

func TestModel_JournalStandardWithDeadLetters(t *testing.T) {
	runModel(t, modelKept(modelSetup{deadLetters: true, groups: 3, retention: usualRetention, rounds: 6, steps: 200,
		more: map[string]int{"bury": 6, "change visibility": 20}}))
}

func TestModel_JournalFIFOWithDeadLetters(t *testing.T) {
	runModel(t, modelKept(modelSetup{fifo: true, deadLetters: true, groups: 4, retention: usualRetention, rounds: 6, steps: 200,
		more: map[string]int{"bury": 6, "change visibility": 20}}))
}

func TestModel_JournalFairQueues(t *testing.T) {
	runModel(t, modelKept(modelSetup{crowded: true, groups: 5, retention: usualRetention, rounds: 2, steps: 250,
		more: map[string]int{"send": 10, "send batch": 30, "receive": 40, "delete": 6, "delete batch": 4, "delete all": 1, "purge": 0, "configure": 1,
			"change visibility": 6, "change visibility batch": 2, "extend all": 1, "return": 4, "sleep": 8, "restart": 3, "crash": 3}}))
}

func TestModel_JournalRetention(t *testing.T) {
	short := []time.Duration{time.Minute, 2 * time.Minute, 90 * time.Second}
	runModel(t, modelKept(modelSetup{deadLetters: true, groups: 3, retention: short, rounds: 3, steps: 200, more: map[string]int{"sleep": 40}}))
	runModel(t, modelKept(modelSetup{fifo: true, deadLetters: true, groups: 3, retention: short, rounds: 3, steps: 200, more: map[string]int{"sleep": 40}}))
}

func TestModel_JournalWithoutLimits(t *testing.T) {
	far := []time.Duration{Forever, 100 * 24 * time.Hour, 10 * time.Second}
	runModel(t, modelKept(modelSetup{unlimited: true, deadLetters: true, groups: 3, retention: far, rounds: 3, steps: 200, more: map[string]int{"purge": 4}}))
	runModel(t, modelKept(modelSetup{unlimited: true, fifo: true, deadLetters: true, groups: 3, retention: far, rounds: 3, steps: 200, more: map[string]int{"purge": 4}}))
}

// stop ends what a queue does by itself, as the end of the process does.
func stop(q *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gone = ErrClosed
	q.armed = never
	if q.timer != nil {
		q.timer.Stop()
	}
}

// life is the files as one process sees them. When that is over it can do nothing any more, and what it locked is
// free.
type life struct {
	journal.FS
	over atomic.Bool
}

var errOver = errors.New("the process has ended")

// onFiles keeps a journal in these files.
func onFiles(fs journal.FS) JournalOption {
	return journalOption(func(s *journalSettings) { s.FS = fs })
}

func (l *life) err() error {
	if l.over.Load() {
		return errOver
	}
	return nil
}

func (l *life) Lock(string, bool) (io.Closer, error) { return io.NopCloser(nil), l.err() }

func (l *life) SyncDir(dir string) error { return cmp.Or(l.err(), l.FS.SyncDir(dir)) }

func (l *life) Remove(name string) error {
	if err := l.err(); err != nil {
		return err
	}
	return l.FS.Remove(name)
}

func (l *life) Create(name string) (journal.File, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	f, err := l.FS.Create(name)
	return &livingFile{f, l}, err
}

func (l *life) Open(name string, write bool) (journal.File, error) {
	if err := l.err(); err != nil {
		return nil, err
	}
	f, err := l.FS.Open(name, write)
	if err != nil {
		return nil, err
	}
	return &livingFile{f, l}, nil
}

type livingFile struct {
	journal.File
	of *life
}

func (f *livingFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.of.err(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

func (f *livingFile) Truncate(size int64) error {
	if err := f.of.err(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *livingFile) Allocate(size int64) error {
	if err := f.of.err(); err != nil {
		return err
	}
	return f.File.Allocate(size)
}

func (f *livingFile) Sync() error {
	if err := f.of.err(); err != nil {
		return err
	}
	return f.File.Sync()
}

// noLock are files whose lock is free.
type noLock struct{ journal.FS }

func (noLock) Lock(string, bool) (io.Closer, error) { return io.NopCloser(nil), nil }

// readJournal reads what a journal has on its disk, beside whoever has it open.
func readJournal(t testing.TB, disk journal.FS) *Journal {
	t.Helper()
	log, err := journal.Open("journal", journal.Options{FS: noLock{disk}, ReadOnly: true})
	require.NoError(t, err)
	j := &Journal{log: log, streams: map[string]*stream{}}
	require.NoError(t, j.replay())
	require.NoError(t, log.Close())
	return j
}

// compareJournal fails the test where the journal does not tell just what the queues hold. All must have been
// written.
func compareJournal(t testing.TB, disk journal.FS, queues ...*queue) {
	t.Helper()
	j := readJournal(t, disk)
	for _, q := range queues {
		s := j.streams[q.arn]
		require.NotNil(t, s, q.arn)
		q.mu.Lock()
		live := 0
		for slot := uint32(1); slot < q.store.size; slot++ {
			r := q.store.at(slot)
			if r.state == stateFree {
				continue
			}
			live++
			want := q.keptLocked(q.last, slot, r)
			want.shift(q.journal.shift)
			want.segment = *q.journal.segment(slot)
			got := s.kept.find(slot, r.seq)
			if got == nil {
				q.mu.Unlock()
				require.Fail(t, "not in the journal", "%s of %s in state %d", r.body, q.name, r.state)
			}
			got.shift(0)
			require.Equal(t, atRest(&want), atRest(got), q.name)
		}
		require.Equal(t, live, s.kept.live, q.name)
		if q.fifo != nil {
			last := turn{}
			for g := q.fifo.first; g != 0; g = q.fifo.groups.at(g).next {
				head := q.fifo.groups.at(g).head
				k := s.kept.find(head, q.store.at(head).seq)
				at := k.turn
				if at == (turn{}) {
					at.number = k.seq
				}
				if at.number < last.number || at.number == last.number && at.after < last.after {
					q.mu.Unlock()
					require.Fail(t, "the turns of groups", "%s: group %s has turn %v behind %v; in memory %v", q.name, k.group, at, last, q.fifo.turns[g])
				}
				last = at
			}
			d := &q.fifo.dedup
			var want []rememberedID
			for n := d.begin; n != d.end; n++ {
				e := *d.at(n)
				e.at += q.journal.shift
				if after(e.at, dedupWindow) > q.last+q.journal.shift {
					want = append(want, rememberedID{e, q.journal.dedup.at(n)})
				}
			}
			require.Equal(t, want, s.remembered, q.name)
		}
		q.mu.Unlock()
	}
}

// atRest is a kept message without what only tells when it was looked at.
func atRest(k *kept) kept {
	c := *k
	if c.left != never {
		c.left += c.at // when it ends
	}
	if c.state == durableReady || c.state == durableDelayed && !c.alone && c.dedup != "" {
		c.left = 0
	}
	c.at, c.turn = 0, turn{} // what was not received yet is recorded before it has its turn
	if c.receive == 0 {
		c.received = 0
	}
	if c.rare != nil {
		ra := *c.rare
		ra.origin, ra.expiry, ra.failures, ra.failedAt = nil, 0, 0, 0
		if !ra.movedIn {
			ra.came = 0
		}
		if !c.moved {
			ra.place = place{}
		}
		c.rare = &ra
		if reflect.ValueOf(ra).IsZero() {
			c.rare = nil
		}
	}
	return c
}
