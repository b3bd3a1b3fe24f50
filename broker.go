package inq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/journal"
)

// cooldown is how long a broker makes its users wait between two purges of a queue, and between
// deleting a queue and creating one of its name (SQS: MGT-2, MGT-4).
const cooldown = 60 * time.Second

// Broker holds queues by name, as one account has them in one region of SQS. What needs to know of
// other queues exists only here: ARNs, redrive policies by ARN, allow policies, lists of
// dead-letter sources, tags, attributes as text, and the 60-second rules. Create one with
// [NewBroker]. All methods are safe for concurrent use, and any number of brokers live side by
// side.
//
// A broker's queue is the same as any other, and Configure works on it too. Where its dead-letter
// target is a queue of the broker, the broker keeps the ARN: after that queue is deleted messages
// are delivered from their source, and once a queue of its name is created again, dead letters go
// there.
//
// Closing a single queue by its own Close leaves it in the broker, where it keeps its name and
// answers [ErrClosed], until DeleteQueue.
//
// Methods that look a queue up return [ErrQueueDoesNotExist] where the broker does not hold it, and
// all methods return [ErrClosed] after Close and on the zero Broker. Methods with a ctx refuse a
// nil one with [ErrMissingParameter] and return the bare error of one that has already ended; then
// nothing was done.
type Broker struct {
	// Set by the constructor.
	region    string
	account   string
	cooldown  bool
	limit     int // of queues, 0 for none
	defaults  []Option
	watcher   func(Local, []Event) // of every queue; nil: none
	journal   *Journal             // nil: none
	noJournal bool                 // WithBrokerJournal was given nil, which is refused
	objects   *objectStore         // in it

	// For those who hold the lock of a queue, and must not wait for mu:
	index sync.Map    // of the queues, by ARN
	open  atomic.Bool // queues is not nil

	mu      sync.Mutex           // guards everything below; never held together with a queue's lock
	queues  map[string]*entry    // nil: closed
	names   []string             // of queues, sorted
	sources map[string][]string  // by ARN of a dead-letter queue, names of the queues that name it, sorted
	deleted map[string]time.Time // names that are not free yet
	ended   []deletion           // oldest first; a name that was deleted again is in it more than once

	dropping map[string]struct{} // names of queues that are not yet out of the journal
}

// deletion is when a queue was deleted.
type deletion struct {
	name string
	at   time.Time
}

// entry is a queue of a broker.
type entry struct {
	*queue
	tags       map[string]string // nil: none; never changed
	deadLetter string            // where it stands in sources, "" for nowhere
	tagsNumber uint64            // of the object that keeps the tags, 0: none
	missing    field             // settings that the journal could not keep and a program has not given anew
}

var _ account = (*Broker)(nil)

// Region returns the region in the queues' ARNs.
func (b *Broker) Region() string { return b.region }

// Account returns the account in the queues' ARNs.
func (b *Broker) Account() string { return b.account }

// QueueURL returns the URL of the broker's queue of that name at a server, or for a client, that has
// its queues under base: the URL of an httptest.Server around package sqsapi, or DefaultEndpoint of
// module inqaws. A slash at the end of base makes no difference. Only the account is the broker's
// part in it: QueueURL asks nobody, and does not look whether there is such a queue.
func (b *Broker) QueueURL(base, name string) string {
	return strings.TrimSuffix(base, "/") + "/" + b.account + "/" + name
}

// CreateStandard creates a queue like [NewStandard], or returns the one of that name if its current
// settings are equal to the given options. Options that are not given are not compared. An
// observer, or a dead-letter target that Go cannot compare, differs from every other.
//
// It is refused with [ErrQueueExists], which names the attribute that differs; with
// [ErrQueueDeletedRecently] for 60 seconds after DeleteQueue; with [ErrOverLimit] where the broker
// holds as many queues as [WithQueueLimit] allows; and with [ErrInvalidParameter] or
// [ErrInvalidAttributeValue] for a bad name, options out of range, and a dead-letter queue whose
// allow policy does not admit this queue. With a [Journal] it returns when the queue is as safe there as the
// journal's mode says, or with [ErrJournalFull] or [ErrJournalFailed] when there is no such queue.
func (b *Broker) CreateStandard(name string, opts ...StandardOption) (*Standard, error) {
	q, err := b.create(name, false, nil, func(p *patch) { gather(p, opts, StandardOption.applyStandard) })
	if err != nil {
		return nil, err
	}
	return q.self.(*Standard), nil
}

// CreateFIFO is CreateStandard for FIFO queues, whose names end in ".fifo".
func (b *Broker) CreateFIFO(name string, opts ...FIFOOption) (*FIFO, error) {
	q, err := b.create(name, true, nil, func(p *patch) { gather(p, opts, FIFOOption.applyFIFO) })
	if err != nil {
		return nil, err
	}
	return q.self.(*FIFO), nil
}

// CreateQueue creates a queue from attributes of SQS as text, or returns the one of that name if
// the given attributes equal its current ones. It is a FIFO queue where FifoQueue is "true". Tags
// are those of a new queue; an existing one keeps its own.
//
// Beyond the errors of CreateStandard, [ErrInvalidAttributeName] is returned for attributes that
// are unknown, read only, or not of this type of queue. See SetAttributes for values and errors,
// and SetTags for tags.
func (b *Broker) CreateQueue(ctx context.Context, name string, attributes, tags map[string]string) (Local, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	fifo := strings.EqualFold(attributes["FifoQueue"], "true")
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	change, err := parseAttributes(attributes, attributeInput{account: b, fifo: fifo, unlimited: b.base().unlimited})
	if err != nil {
		return nil, err
	}
	if err := checkTags(name, tags); err != nil {
		return nil, err
	}
	q, err := b.create(name, fifo, maps.Clone(tags), change.applyFIFO)
	if err != nil {
		return nil, asGiven(err, attributes)
	}
	return q.self, nil
}

// base returns the options that every queue starts from.
func (b *Broker) base() (p patch) {
	gather(&p, b.defaults, Option.applyFIFO)
	return p
}

// create makes a queue, or finds the one of that name.
func (b *Broker) create(name string, fifo bool, tags map[string]string, apply func(*patch)) (*queue, error) {
	if err := checkName(name, fifo); err != nil {
		return nil, err
	}
	var given patch
	all := b.base()
	apply(&given)
	apply(&all)
	b.nameTarget(&given)
	b.nameTarget(&all)

	q, made, err := b.findOrMake(name, fifo, tags, &all, given.set)
	if err != nil || made {
		return q, err
	}
	if err := b.givenAnew(name, q, &given); err != nil {
		return nil, err
	}
	if err := q.compare(&given, &all); err != nil {
		return nil, err
	}
	return q, nil
}

// findOrMake returns the queue of that name, or makes it.
func (b *Broker) findOrMake(name string, fifo bool, tags map[string]string, all *patch, given field) (q *queue, made bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues == nil {
		return nil, false, ErrClosed
	}
	if e := b.queues[name]; e != nil {
		return e.queue, false, nil
	}
	if b.limit > 0 && len(b.queues) >= b.limit {
		return nil, false, &ParamError{Err: ErrOverLimit, Param: "Queues", Value: len(b.queues), Max: b.limit,
			Reason: fmt.Sprintf("the broker holds %d queues, the most that WithQueueLimit allows", len(b.queues))}
	}
	now := time.Now()
	b.forgetDeletedLocked(now)
	_, dropping := b.dropping[name]
	if ended, wait := b.deleted[name]; dropping || wait && now.Sub(ended) < cooldown {
		return nil, false, &ParamError{Err: ErrQueueDeletedRecently, Param: "QueueName", Value: name,
			Reason: "You must wait 60 seconds after deleting a queue before you can create another with the same name."}
	}
	s := defaultSettings().with(all)
	if err := b.admitLocked(queueARN(b.region, b.account, name), fifo, &s, all); err != nil {
		return nil, false, err
	}
	e := &entry{tags: tags}
	if err := b.makeLocked(e, name, fifo, all, keeper{given: given}); err != nil {
		return nil, false, err
	}
	delete(b.deleted, name)
	b.enlistLocked(e)
	return e.queue, true, nil
}

// enlistLocked puts a queue into the broker. b.mu must be held.
func (b *Broker) enlistLocked(e *entry) {
	b.queues[e.name] = e
	b.index.Store(e.arn, e.queue)
	b.names = insertName(b.names, e.name)
	b.listLocked(e, sourceOf(b, e.queue))
}

// makeLocked makes the queue of an entry that is not in the broker yet. With a journal its settings and
// tags are written first: the queue is never there without them. b.mu must be held.
func (b *Broker) makeLocked(e *entry, name string, fifo bool, all *patch, k keeper) error {
	arn := queueARN(b.region, b.account, name)
	isNew := k.number == 0
	if b.journal != nil {
		all.journal, all.set = b.journal, all.set|setJournal
		k.store = b.objects
		if isNew {
			s, err := settingsOf(name, fifo, all)
			if err != nil {
				return err
			}
			k.number = b.objects.Next()
			var w durable.Batch
			w.Put(k.number, objectSettings, queueObject(name, appendSettings(nil, s, k.given, time.Now())))
			if len(e.tags) > 0 {
				e.tagsNumber = b.objects.Next()
				w.Put(e.tagsNumber, objectTags, queueObject(name, appendTags(nil, e.tags)))
			}
			if _, err := b.objects.Write(&w); err != nil { // the creation is written behind it, and waited for
				return err
			}
		}
	}
	q, err := newQueue(name, arn, fifo, b, all)
	if err != nil {
		if b.journal != nil && isNew {
			k.remove(e.tagsNumber)
		}
		return err
	}
	if b.journal != nil {
		q.keeper = &k
	}
	if f := b.watcher; f != nil {
		q.Watch(func(events []Event) { f(q.self, events) })
	}
	e.queue = q
	return nil
}

// newQueue makes a queue of either type.
func newQueue(name, arn string, fifo bool, a account, p *patch) (*queue, error) {
	if fifo {
		q, err := newFIFO(name, arn, a, p)
		if err != nil {
			return nil, err
		}
		return &q.queue, nil
	}
	q, err := newStandard(name, arn, a, p)
	if err != nil {
		return nil, err
	}
	return &q.queue, nil
}

// compare reports the first given setting that differs from the current one (SQS: MGT-1). Where a
// queue made with all could not exist either, that is what it reports.
func (q *queue) compare(given, all *patch) error {
	current := q.settings.Load()
	wanted := current.with(given)
	name := ""
	for _, c := range comparisons {
		if given.set&c.field != 0 && !c.same(current, &wanted) {
			name = c.name
			break
		}
	}
	if name == "" {
		return nil
	}
	made := defaultSettings().with(all)
	if err := made.validate(q.fifo != nil); err != nil {
		return err
	}
	return &ParamError{Err: ErrQueueExists, Param: name,
		Reason: "A queue already exists with the same name and a different value for attribute " + name}
}

// forgottenAtOnce is how many deleted queues a call forgets, so that the first one after many were
// deleted does not hold the lock for all of them. There are no more of them than calls that delete.
const forgottenAtOnce = 4

// forgetDeletedLocked drops a few names of queues deleted 60 seconds ago or earlier. b.mu must be
// held.
func (b *Broker) forgetDeletedLocked(now time.Time) {
	for range forgottenAtOnce {
		if len(b.ended) == 0 || now.Sub(b.ended[0].at) < cooldown {
			return
		}
		if e := b.ended[0]; b.deleted[e.name].Equal(e.at) {
			delete(b.deleted, e.name)
		}
		b.ended[0] = deletion{}
		b.ended = b.ended[1:]
	}
}

// DeleteQueue removes a queue and its messages. When it returns, every call on the queue fails with
// [ErrQueueDoesNotExist], and so have the receives that waited; a queue that its own Close had
// ended stays closed. The name is free again 60 seconds later, or at once [WithoutCooldowns].
//
// With a [Journal] it returns when that is as safe as the journal's mode says, or with an error of the
// journal, see [WithBrokerJournal].
func (b *Broker) DeleteQueue(ctx context.Context, name string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	e, err := b.findLocked(name)
	if err == nil {
		err = b.roomToDelete()
	}
	if err != nil {
		b.mu.Unlock()
		return err
	}
	if b.journal != nil {
		b.dropping[name] = struct{}{}
	}
	delete(b.queues, name)
	b.index.Delete(e.arn)
	b.names = removeName(b.names, name)
	b.listLocked(e, "")
	if b.cooldown {
		now := time.Now()
		b.forgetDeletedLocked(now)
		b.deleted[name] = now
		b.ended = append(b.ended, deletion{name, now})
	}
	b.mu.Unlock()
	err = e.end(ErrQueueDoesNotExist) // (SQS: MGT-3)
	if b.journal != nil {
		err = errors.Join(err, b.dropQueue(e))
	}
	return err
}

// Close closes all queues, as their own Close does, and the broker. What it returns is what went wrong with
// a journal, nil without one. It can be called again.
func (b *Broker) Close() error {
	b.mu.Lock()
	queues := b.queues
	b.queues, b.names, b.sources, b.deleted, b.ended = nil, nil, nil, nil, nil
	b.open.Store(false)
	b.index.Clear()
	b.mu.Unlock()
	var err error
	for _, e := range queues {
		err = errors.Join(err, e.end(ErrClosed))
	}
	if queues != nil {
		b.closeJournal()
	}
	return err
}

// purgeCooldown implements account.
func (b *Broker) purgeCooldown() time.Duration {
	if b.cooldown {
		return cooldown
	}
	return 0
}

// find looks a queue up. The queue may be gone when it returns; its calls tell.
func (b *Broker) find(name string) (*queue, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.findLocked(name)
	if err != nil {
		return nil, err
	}
	return e.queue, nil
}

// findLocked looks a queue up (SQS: MGT-8, MGT-13). b.mu must be held.
func (b *Broker) findLocked(name string) (*entry, error) {
	if b.queues == nil {
		return nil, ErrClosed
	}
	e := b.queues[name]
	if e == nil {
		return nil, &ParamError{Err: ErrQueueDoesNotExist, Param: "QueueName", Value: name}
	}
	return e, nil
}

// Queue returns the queue of that name: a *Standard or a *FIFO, which Configure needs to know.
// Names are case sensitive.
func (b *Broker) Queue(name string) (Local, error) {
	q, err := b.find(name)
	if err != nil {
		return nil, err
	}
	return q.self, nil
}

// ByARN returns the queue with that ARN, as Queue does.
func (b *Broker) ByARN(arn string) (Local, error) {
	q, err := b.queueOf(arn)
	if err != nil {
		return nil, err
	}
	return q.self, nil
}

// queueOf implements account. A closed broker holds no queue, and its index is empty.
func (b *Broker) queueOf(arn string) (*queue, error) {
	if q, ok := b.index.Load(arn); ok {
		return q.(*queue), nil
	}
	if !b.open.Load() {
		return nil, ErrClosed
	}
	return nil, &ParamError{Err: ErrQueueDoesNotExist, Param: "QueueArn", Value: arn}
}

// byARNLocked returns the queue of this broker with that ARN, nil if there is none. b.mu must be
// held.
func (b *Broker) byARNLocked(arn string) *queue {
	e := b.queues[arn[strings.LastIndexByte(arn, ':')+1:]]
	if e == nil || e.arn != arn {
		return nil
	}
	return e.queue
}

// List returns the names of queues that start with prefix, in byte order: those behind last, at
// most limit of them. "" and 0 are no bound, and a negative limit is refused with
// [ErrInvalidParameter]. To page, pass the last name of one page as last for the next; queues that
// come and go meanwhile do not disturb the others.
func (b *Broker) List(prefix, last string, limit int) ([]string, error) {
	if err := checkPage(limit); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues == nil {
		return nil, ErrClosed
	}
	return pageOf(b.names, prefix, last, limit), nil // (SQS: MGT-5)
}

// pageOf returns a copy of at most limit sorted names that start with prefix and are behind last. 0 is
// no bound.
func pageOf(names []string, prefix, last string, limit int) []string {
	from, _ := slices.BinarySearch(names, prefix)
	if next, found := slices.BinarySearch(names, last); next >= from {
		from = next
		if found {
			from++
		}
	}
	names = names[from:]
	if limit > 0 && len(names) > limit {
		names = names[:limit]
	}
	// Those with the prefix stand together, in front.
	n, _ := slices.BinarySearchFunc(names, prefix, func(name, prefix string) int {
		if strings.HasPrefix(name, prefix) {
			return -1
		}
		return 1
	})
	if n == 0 {
		return nil
	}
	return slices.Clone(names[:n])
}

func insertName(names []string, name string) []string {
	at, _ := slices.BinarySearch(names, name)
	return slices.Insert(names, at, name)
}

func removeName(names []string, name string) []string {
	at, _ := slices.BinarySearch(names, name)
	return slices.Delete(names, at, at+1)
}

func checkPage(limit int) error {
	if limit < 0 {
		return &ParamError{Err: ErrInvalidParameter, Param: "MaxResults", Value: limit, Min: 0}
	}
	return nil
}

// waitFor returns when what was written about the queues of the broker is kept.
func (b *Broker) waitFor(mark uint64) error {
	if mark == 0 {
		return nil
	}
	return b.objects.Wait(mark)
}

// givenAnew gives a queue that was restored what its journal cannot keep, where a program that creates it
// has that, and takes it out of given.
func (b *Broker) givenAnew(name string, q *queue, given *patch) error {
	b.mu.Lock()
	anew := field(0)
	if e := b.queues[name]; e != nil && e.queue == q {
		anew = e.missing & given.set
		if targetARN(given.target) != "" || given.target == nil {
			anew &^= setDeadLetter
		}
		e.missing &^= anew
	}
	b.mu.Unlock()
	if anew == 0 {
		return nil
	}
	p := *given
	p.set = anew
	given.set &^= anew
	return q.configure(&p)
}

// dropQueue removes a queue that has ended from the journal. Until it has, its name is not free.
func (b *Broker) dropQueue(e *entry) error {
	err := b.journal.drop(e.arn)
	if errors.Is(err, ErrQueueDoesNotExist) {
		err = nil
	}
	if err == nil {
		e.keeper.remove(e.tagsNumber)
		b.mu.Lock()
		delete(b.dropping, e.name)
		b.mu.Unlock()
	}
	return err
}

// closeJournal ends the broker's part in its journal.
func (b *Broker) closeJournal() {
	if b.objects != nil {
		b.objects.Close()
	}
}

// roomToDelete says why the journal takes no delete now.
func (b *Broker) roomToDelete() error {
	if b.journal == nil {
		return nil
	}
	return b.journal.room(journal.Delete)
}
