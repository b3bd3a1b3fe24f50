package inq

import (
	"slices"
	"sync/atomic"
)

// watcher is one who watches a queue beside its observer.
type watcher struct {
	f       func([]Event)
	from    uint64 // what was noted before is none of its business
	stopped atomic.Bool
}

// tell gives a batch of its own to the watcher.
func (w *watcher) tell(batch []Event) {
	for len(batch) != 0 && batch[0].Seq <= w.from {
		batch = batch[1:]
	}
	if len(batch) != 0 && !w.stopped.Load() {
		w.f(slices.Clone(batch))
	}
}

// Watch calls f with what happens to the queue's messages from now on, until stop is called. All that
// [WithObserver] says of its f holds for this one; the two do not know of each other, and any number
// can watch. It is for who looks at a queue that is set up elsewhere: a test, a console.
//
// stop can be called again. A call of f that is under way then goes on, and is the last. A nil f
// watches nothing; on a queue that has ended nothing happens any more.
func (q *queue) Watch(f func([]Event)) (stop func()) {
	if f == nil || q.ids == nil {
		return func() {}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	w := &watcher{f: f, from: q.eventSeq}
	q.watchers = append(slices.Clone(q.watchers), w) // a delivery may be reading the old ones
	q.watchedLocked()
	return func() {
		w.stopped.Store(true)
		q.mu.Lock()
		defer q.mu.Unlock()
		q.watchers = slices.DeleteFunc(slices.Clone(q.watchers), func(o *watcher) bool { return o == w })
		q.watchedLocked()
	}
}

// watchedLocked finds out whether anybody is to be told what happens.
func (q *queue) watchedLocked() {
	q.heard = q.settings.Load().observer != nil || len(q.watchers) != 0
	q.watched = q.heard || q.journal != nil
}

// WithWatcher has f called with what happens in every queue that the broker makes, as by
// [Standard.Watch] from the first event on: with the queue, and a batch of its events. Events of one
// queue come one call at a time and in order; those of several queues at once, by several goroutines.
func WithWatcher(f func(q Local, events []Event)) BrokerOption {
	return brokerOption(func(b *Broker) { b.watcher = f })
}
