package topic

import (
	"errors"
	"fmt"
	"time"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

// runBits is how many bits of the number of a message count within one process. The rest is how often
// the account was opened, so that no number is given twice, whatever of the end of a journal is lost.
const runBits = 42

// open makes the account with what the journal of its broker has of it.
func (c *accountConfig) open() (*Account, error) {
	var j journal
	if c.broker != nil && durable.Open != nil {
		store, err := durable.Open(c.broker, "arn:aws:sns:"+c.region+":"+c.id)
		if err != nil {
			return nil, fmt.Errorf("topic: %w", err)
		}
		j, _ = store.(journal)
	}
	a := newAccount(c)
	if j == nil {
		return a, nil
	}
	a.journal = j
	if err := a.restore(); err != nil {
		a.stop()
		j.Close()
		return nil, err
	}
	return a, nil
}

// restoring is what is known of the objects that came before.
type restoring struct {
	account       *Account
	now           time.Time
	topics        map[uint64]*Topic
	subscriptions map[uint64]*Subscription
	applications  map[uint64]*platformApplication
	publications  map[uint64]*publication
	pipes         []*pipe                   // with something in them
	waits         map[*parcel]time.Duration // of those in p.later
	past          []uint64
}

// restore takes back what the journal has, and goes on with what waits.
func (a *Account) restore() error {
	r := &restoring{account: a, now: time.Now(), topics: map[uint64]*Topic{}, subscriptions: map[uint64]*Subscription{},
		applications: map[uint64]*platformApplication{}, publications: map[uint64]*publication{}, waits: map[*parcel]time.Duration{}}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.journal.Load(r.object); err != nil {
		return err
	}
	if a.object == 0 {
		a.object = a.journal.Next()
	}
	b := durable.Batch{Reserve: true} // what is there can be delivered and deleted on a full disk, too
	put(&b, a.object, &accountRecord{a.run, a.sms.attributes})
	for _, number := range r.past {
		a.journal.Forget(number)
	}
	for number, p := range r.publications {
		if p.copies.Load() == 0 {
			b.Delete(number)
		}
	}
	a.sweepLocked(&b)
	if _, err := a.journal.Write(&b); err != nil {
		return err
	}
	if err := a.journal.Sync(); err != nil { // before an id of this process is seen
		return err
	}
	for _, p := range r.pipes {
		// Not in this goroutine, whose caller may hold what it takes to find a queue.
		go p.startRestored(r.waits)
	}
	return nil
}

// object takes back one object. They come in the order of their numbers: what another one names is
// there already, or was deleted.
func (r *restoring) object(o durable.Object) error {
	f := map[durable.Kind]func(durable.Object) error{
		kindAccount: r.accountObject, kindTopic: r.topic, kindSubscription: r.subscription, kindToken: r.token,
		kindApplication: r.application, kindEndpoint: r.endpoint, kindDedup: r.dedup, kindPublication: r.publication,
		kindCopy: r.copy, kindConfirmation: r.copy, kindOptedOut: r.optedOut,
	}[o.Kind]
	if f == nil {
		return fmt.Errorf("topic: the journal holds object %d of kind %d, which this version does not know; a newer one wrote it", o.Number, o.Kind)
	}
	return f(o)
}

func (r *restoring) accountObject(o durable.Object) error {
	var in accountRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	a := r.account
	a.object, a.run, a.sms.attributes = o.Number, in.run+1, in.sms
	return nil
}

func (r *restoring) optedOut(o durable.Object) error {
	var in optedOutRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	if r.account.sms.optedOut == nil {
		r.account.sms.optedOut = map[string]uint64{}
	}
	r.account.sms.optedOut[in.number] = o.Number
	return nil
}

func (r *restoring) topic(o durable.Object) error {
	var in topicRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	settings, refusal := newTopicSettings(in.values, in.fifo)
	if refusal != nil || len(in.key) != 16 {
		return r.unreadable("topic "+in.name, refusal)
	}
	settings.protection = in.protection
	t := newTopic(r.account, in.name, in.fifo, settings)
	t.ids = storedIdentity(in.key, in.first, in.fifo)
	t.object, t.tags, t.deleted = o.Number, in.tags, in.ended
	r.topics[o.Number] = t
	if in.deleted {
		t.deletedFlag.Store(true)
		return nil
	}
	r.account.enterTopicLocked(t)
	return nil
}

// unreadable is the error for a record that says what nothing can have.
func (r *restoring) unreadable(what string, refusal *ParamError) error {
	err := errors.New("its record makes no sense")
	if refusal != nil {
		err = refusal
	}
	return fmt.Errorf("topic: the journal holds %s, which this account cannot have: %w", what, err)
}

func (r *restoring) subscription(o durable.Object) error {
	var in subscriptionRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	t := r.topics[in.topic]
	if t == nil { // both were about to be deleted
		r.past = append(r.past, o.Number)
		return nil
	}
	s := &Subscription{topic: t, id: in.id, protocol: in.protocol, endpoint: in.endpoint, textKey: in.textKey, reference: in.reference, object: o.Number}
	settings := &subscriptionSettings{}
	if refusal := s.rebindTarget(settings); refusal != nil {
		return r.unreadable("subscription "+s.ARN(), refusal)
	}
	for _, name := range subscriptionAttributes {
		if text := in.attributes[name]; text != "" {
			if refusal := s.apply(settings, name, text, ""); refusal != nil {
				return r.unreadable("subscription "+s.ARN(), refusal)
			}
		}
	}
	if in.deadLetterARN != "" {
		settings.deadLetterARN = in.deadLetterARN
	}
	settings.confirmed, settings.authenticated, settings.guarded = in.confirmed, in.authenticated, in.guarded
	s.pipe.init(s)
	r.subscriptions[o.Number] = s
	if !in.ended && !t.deletedFlag.Load() {
		r.account.enterLocked(s, settings)
		return nil
	}
	settings.finish(s)
	s.settings.Store(settings)
	s.ended = true
	s.pipe.ended = errNoSubscription(s.ARN())
	r.account.kept[s] = struct{}{}
	r.account.leaving[&s.pipe] = struct{}{}
	return nil
}

// rebindTarget finds out what a subscription of an earlier process delivers by. What it is was checked
// when it was made.
func (s *Subscription) rebindTarget(settings *subscriptionSettings) *ParamError {
	switch s.protocol {
	case "sqs":
		q := &queueTarget{account: s.topic.account, arn: s.endpoint}
		q.detached.Store(s.reference)
		s.target = q
	case "http", "https":
		return s.bindURL()
	case "sms", "email", "email-json", "application":
		s.target = outboxTarget{}
	default:
		return invalid("Protocol", s.protocol, "is not known")
	}
	return nil
}

func (r *restoring) token(o durable.Object) error {
	var in tokenRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	s := r.subscriptions[in.subscription]
	if s == nil || r.now.Sub(in.at) >= tokenLife {
		r.past = append(r.past, o.Number)
		return nil
	}
	if in.at.After(r.now) { // the clock was set back
		in.at = r.now
	}
	r.account.tokens.add(in.text, token{s, in.at, o.Number})
	return nil
}

func (r *restoring) application(o durable.Object) error {
	in := platformRecord{of: o.Kind}
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	app := &platformApplication{arn: in.arn, platform: in.platform, name: in.name, attributes: in.attributes, object: o.Number}
	r.applications[o.Number] = app
	r.account.platforms.add(app)
	return nil
}

func (r *restoring) endpoint(o durable.Object) error {
	in := platformRecord{of: o.Kind}
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	app := r.applications[in.application]
	if app == nil {
		r.past = append(r.past, o.Number)
		return nil
	}
	r.account.platforms.addEndpoint(&platformEndpoint{arn: in.arn, application: app, attributes: in.attributes, object: o.Number})
	return nil
}

func (r *restoring) dedup(o durable.Object) error {
	var in dedupRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	t := r.topics[in.topic]
	age := max(r.now.Sub(in.at), 0) // negative where the clock was set back
	if t == nil || t.fifo == nil || age >= dedupWindow {
		r.past = append(r.past, o.Number)
		return nil
	}
	t.fifo.restore(in.text, dedupEntry{number: in.number, at: t.ids.now() - int64(age), object: o.Number}, t.ids.now())
	return nil
}

func (r *restoring) publication(o durable.Object) error {
	var in publicationRecord
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	t := r.topics[in.topic]
	if t == nil {
		r.past = append(r.past, o.Number)
		return nil
	}
	var parts texts
	if in.message.Structure == StructureJSON {
		var refusal *ParamError
		if parts, refusal = structured(in.message.Body); refusal != nil {
			return r.unreadable("a message of topic "+t.name, refusal)
		}
	}
	p := &publication{topic: t, number: in.number, at: int64(in.at.Sub(t.ids.epoch)), message: in.message, texts: parts, dedup: in.dedup,
		size: int64(in.message.size()), object: o.Number}
	r.publications[o.Number] = p
	return nil
}

func (r *restoring) copy(o durable.Object) error {
	in := copyRecord{of: o.Kind}
	if err := decodeRecord(o, &in); err != nil {
		return err
	}
	s, p := r.subscriptions[in.subscription], r.publications[in.publication]
	if s == nil || p == nil && o.Kind == kindCopy { // the subscription ended in the moment of the publish
		r.past = append(r.past, o.Number)
		return nil
	}
	x := &parcel{publication: p, attempts: in.attempts, object: o.Number}
	if o.Kind == kindConfirmation {
		c := in.confirmation
		x.publication, x.confirmation = nil, &c
	} else {
		p.copies.Add(1)
		s.since.Add(^uint64(0)) // it counts among what was published
	}
	if s.pipe.waiting == 0 {
		r.pipes = append(r.pipes, &s.pipe)
	}
	r.restoreParcel(&s.pipe, x, in.due)
	return nil
}

// restoreParcel puts back a parcel of an earlier process that is due then. Parcels come in their order.
// Nobody else has the pipe yet.
func (r *restoring) restoreParcel(p *pipe, x *parcel, due time.Time) {
	p.waiting++
	p.bytes += x.bytes()
	wait := due.Sub(r.now)
	switch {
	case p.stopsLocked(x):
		x.doomed = p.ended
	case x.attempts > 0 && wait > 0:
		if delay, ok := p.of.target.retries(p.of).delay(x.attempts); ok { // the clock may have been set back
			wait = min(wait, delay)
		}
		if p.later == nil {
			p.later = map[*parcel]struct{}{}
		}
		p.later[x] = struct{}{}
		r.waits[x] = wait
		if p.of.topic.fifo != nil && x.publication != nil && p.lines[x.message.GroupID] == nil {
			p.holdLocked(x)
		}
		return
	}
	p.ready.push(x)
}

// startRestored begins with what an earlier process has left in the pipe.
func (p *pipe) startRestored(waits map[*parcel]time.Duration) {
	p.mu.Lock()
	for x := range p.later {
		if wait, ok := waits[x]; ok && x.timer == nil {
			x.timer = time.AfterFunc(wait, func() { p.due(x) })
		}
	}
	p.mu.Unlock()
	if p.start() {
		p.work(0, nil)
	}
}

// restore takes back an id of an earlier process. They come in the order of time.
func (f *fifo) restore(id string, e dedupEntry, now int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := f.key(id)
	f.forgetObject(f.window[key])
	if f.window == nil {
		f.window = map[dedupKey]dedupEntry{}
	}
	f.window[key] = e
	f.order = append(f.order, dedupTime{key, e.at})
	if f.timer == nil {
		f.timer = time.AfterFunc(time.Duration(e.at+int64(dedupWindow)-now), func() { f.forget(e.at) })
	}
}

// byReference reports that the target is a queue that was given as such.
func byReference(target Target) bool {
	p, ok := target.(protocolTarget)
	return ok && p.queue != nil
}

// rebind gives a subscription of an earlier process the queues again that it had by reference.
func (s *Subscription) rebind(target Target, deadLetter inq.Queue) {
	if !s.reference {
		return
	}
	if p, ok := target.(protocolTarget); ok && p.queue != nil {
		if q, ok := s.target.(*queueTarget); ok && q.detached.CompareAndSwap(true, false) {
			q.found.Store(newFoundQueue(p.queue))
		}
	}
	if settings := s.settings.Load(); deadLetter != nil && settings.deadLetter == nil {
		changed := *settings
		changed.deadLetter = deadLetter
		s.settings.Store(&changed)
	}
}
