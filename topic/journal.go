package topic

import (
	"context"
	"maps"
	"slices"
	"time"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

// journal is the account's part in the journal of its broker. Everything that is to survive is an object
// there, whose number the thing itself knows; 0 is what does not survive: functions, and what waits for
// them. Writing needs no lock, waits for nothing, and can be done under any.
type journal interface {
	durable.Store
	// Send sends m to q without waiting until it is durable. What drop deletes goes in the same moment
	// in which the queue has the message: a crash leaves it here or there. drop is called under the
	// lock of the queue, and not where it refuses the message or has it already. Where q is not in this
	// journal nothing is done, and here is false.
	Send(q inq.Queue, m inq.Message, drop func(*durable.Batch)) (sent inq.Sent, pending durable.Pending, here bool, err error)
}

// put adds a record to a batch, under a number that may be 0 for what does not survive.
func put(b *durable.Batch, number uint64, r record) {
	if number != 0 {
		b.Put(number, r.kind(), r.fields(nil))
	}
}

// nextNumber returns a number for a new object, 0 in an account without a journal.
func (a *Account) nextNumber() uint64 {
	if a.journal == nil {
		return 0
	}
	return a.journal.Next()
}

// writeLocked writes what f puts into a batch. It is called before anything is changed; where it
// returns an error nothing was written. a.mu must be held: whoever unlocks by commit waits for it.
func (a *Account) writeLocked(f func(*durable.Batch)) error {
	if a.journal == nil {
		return nil
	}
	var b durable.Batch
	if f(&b); b.Empty() {
		return nil
	}
	mark, err := a.journal.Write(&b)
	if err == nil {
		a.written = max(a.written, mark)
	}
	return err
}

// commit unlocks the account and waits until everything that was written under its lock is durable.
// So does who finds what another call has just made.
func (a *Account) commit(err *error) {
	written := a.written
	a.mu.Unlock()
	if *err == nil && written != 0 {
		*err = a.journal.Wait(written)
	}
}

// pendings are sends to queues that are not durable yet.
type pendings []durable.Pending

// wait waits for all of them and returns the first error.
func (ps *pendings) wait() (err error) {
	for _, p := range *ps {
		if fault := p.Wait(); err == nil {
			err = fault
		}
	}
	clear(*ps)
	*ps = (*ps)[:0]
	return err
}

// maxPendings is how many sends a worker leaves waiting before it waits for them.
const maxPendings = 64

// take adds what a parcel has left to be waited for.
func (ps *pendings) take(x *parcel) {
	*ps = append(*ps, x.pending...)
	x.pending = nil
}

// sendTo sends a copy, or the dead letter that it became, to a queue. Where that is in the journal, it
// is the same moment in which the copy is dropped, and whoever made the attempt waits for x.pending.
func (x *parcel) sendTo(ctx context.Context, a *Account, q inq.Queue, m inq.Message) (inq.Sent, error) {
	if a.journal != nil {
		sent, pending, here, err := a.journal.Send(q, m, x.drop)
		if pending != nil {
			x.pending = append(x.pending, pending)
		}
		if here {
			return sent, err
		}
	}
	return q.Send(ctx, m)
}

// keep makes a copy for a subscription survive, unless it is for a function.
func (x *parcel) keep(b *durable.Batch, s *Subscription) {
	a, p := s.topic.account, x.publication
	if a.journal == nil || s.object == 0 {
		return
	}
	if p.object == 0 {
		p.object = a.journal.Next()
		put(b, p.object, p.record())
	}
	p.copies.Add(1)
	x.object = a.journal.Next()
	put(b, x.object, x.record(s, time.Time{}))
}

// record returns the copy as it is written, with the time of its next try.
func (x *parcel) record(s *Subscription, due time.Time) *copyRecord {
	r := &copyRecord{of: kindCopy, subscription: s.object, attempts: x.attempts, due: due}
	if x.confirmation != nil {
		r.of, r.confirmation = kindConfirmation, *x.confirmation
	} else {
		r.publication = x.publication.object
	}
	return r
}

// record returns the publication as it is written.
func (p *publication) record() *publicationRecord {
	return &publicationRecord{topic: p.topic.object, number: p.number, at: p.topic.ids.epoch.Add(time.Duration(p.at)), dedup: p.dedup, message: p.message}
}

// drop deletes a copy that has come to its end, and its publication with the last of its copies.
func (x *parcel) drop(b *durable.Batch) {
	if x.object == 0 {
		return
	}
	b.Delete(x.object)
	x.object = 0
	if p := x.publication; p != nil && p.copies.Add(-1) == 0 {
		b.Delete(p.object)
	}
}

// letGo drops a copy by itself: it was delivered elsewhere, or is lost. Where that cannot be written,
// the copy is delivered once more by the next process.
func (a *Account) letGo(x *parcel) {
	if x.object != 0 {
		var b durable.Batch
		x.drop(&b)
		_, _ = a.journal.Write(&b)
	}
}

// record returns the topic as it is written, with settings and tags that it may not have yet.
func (t *Topic) record(s *topicSettings, tags map[string]string) *topicRecord {
	return &topicRecord{name: t.name, fifo: t.fifo != nil, deleted: t.deletedFlag.Load(), key: t.ids.key, first: t.ids.first,
		values: s.values, protection: s.protection, tags: tags, ended: t.deleted}
}

// setLocked gives the topic settings. The account's lock must be held.
func (t *Topic) setLocked(s *topicSettings) error {
	err := t.account.writeLocked(func(b *durable.Batch) { put(b, t.object, t.record(s, t.tags)) })
	if err == nil {
		t.settings.Store(s)
	}
	return err
}

// setTagsLocked gives the topic tags. The account's lock must be held.
func (t *Topic) setTagsLocked(tags map[string]string) error {
	err := t.account.writeLocked(func(b *durable.Batch) { put(b, t.object, t.record(t.settings.Load(), tags)) })
	if err == nil {
		t.tags = tags
	}
	return err
}

// record returns the subscription as it is written, with settings that it may not have yet.
func (s *Subscription) record(settings *subscriptionSettings, ended bool) *subscriptionRecord {
	r := &subscriptionRecord{topic: s.topic.object, id: s.id, protocol: s.protocol, endpoint: s.endpoint, textKey: s.textKey, ended: ended,
		reference: s.reference, confirmed: settings.confirmed, authenticated: settings.authenticated, guarded: settings.guarded, attributes: map[string]string{}}
	for _, name := range subscriptionAttributes {
		if v := settings.shown(name); v != "" && !(name == "RedrivePolicy" && settings.redriveText == "") {
			r.attributes[name] = v
		}
	}
	if settings.redriveText == "" {
		r.deadLetterARN = settings.deadLetterARN
	}
	return r
}

// subscriptionAttributes are those that can be set, in the order in which they are read back: the scope
// decides how the policy is read.
var subscriptionAttributes = []string{"FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy", "SubscriptionRoleArn"}

// endRecordLocked writes the end of a subscription: it goes, unless a token can restore it or copies wait
// for their burial. The account's lock must be held.
func (a *Account) endRecordLocked(b *durable.Batch, s *Subscription) {
	switch {
	case s.object == 0:
	case s.tokens > 0 || !s.pipe.empty():
		put(b, s.object, s.record(s.settings.Load(), true))
		a.kept[s] = struct{}{}
	default:
		b.Delete(s.object)
	}
}

// sweepLocked deletes ended subscriptions, and deleted topics, that nothing needs any more. The
// account's lock must be held.
func (a *Account) sweepLocked(b *durable.Batch) {
	for s := range a.kept {
		if s.tokens > 0 && !s.topic.deletedFlag.Load() || !s.pipe.empty() {
			continue
		}
		delete(a.kept, s)
		b.Delete(s.object)
		if s.topic.deletedFlag.Load() && !slices.ContainsFunc(slices.Collect(maps.Keys(a.kept)), func(o *Subscription) bool { return o.topic == s.topic }) {
			b.Delete(s.topic.object)
		}
	}
}

// deleteRecordLocked writes the end of a topic with its subscriptions. The account's lock must be held.
func (a *Account) deleteRecordLocked(b *durable.Batch, t *Topic) {
	a.sweepLocked(b)
	left := false
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, s := range t.subscriptions.all() {
		if s.object == 0 {
			continue
		}
		if s.pipe.empty() { // no token restores a subscription of a deleted topic
			b.Delete(s.object)
			continue
		}
		put(b, s.object, s.record(s.settings.Load(), true))
		a.kept[s] = struct{}{}
		left = true
	}
	if t.fifo != nil {
		t.fifo.drop(b)
	}
	if !left {
		b.Delete(t.object)
		return
	}
	r := t.record(t.settings.Load(), t.tags)
	r.deleted = true
	put(b, t.object, r)
}

// copyFor is a copy on its way into the pipe of its subscription.
type copyFor struct {
	to     *Subscription
	parcel *parcel
}

// publishDurably accepts messages of a Standard topic that were checked. Copies for queues of this
// process are in them and durable when it returns; all others are in the journal.
func (t *Topic) publishDurably(published []Published, ms []Message, parts []texts) error {
	a := t.account
	if err := a.journal.Room(); err != nil {
		return err
	}
	var waits pendings
	var later []copyFor
	var b durable.Batch
	for i := range ms {
		published[i] = Published{ids: t.ids, number: t.number.Add(1)}
		to := t.recipients(&ms[i], parts[i])
		if len(to) == 0 {
			continue
		}
		p := t.accepted(published[i].number, t.ids.now(), &ms[i], parts[i])
		for _, s := range to {
			x := &parcel{publication: p}
			done := s.tryAtOnce(x)
			waits.take(x)
			if !done {
				x.keep(&b, s)
				later = append(later, copyFor{s, x})
			}
		}
	}
	mark, err := durable.Mark(0), error(nil)
	if !b.Empty() {
		mark, err = a.journal.Write(&b)
	}
	if err == nil {
		for _, c := range later {
			c.to.enqueue(c.parcel, &waits)
		}
	}
	if fault := waits.wait(); err == nil {
		err = fault
	}
	if err == nil && mark != 0 {
		err = a.journal.Wait(mark)
	}
	if tell := a.published; tell != nil && err == nil {
		for i := range ms {
			told := ms[i] // one that may escape
			tell(t, &told, published[i])
		}
	}
	return err
}
