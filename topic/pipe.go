package topic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"example.com/inq/internal/durable"
)

// attemptTime is how long one attempt to deliver may take (SNS: HTTP-4).
const attemptTime = 15 * time.Second

// attemptsAtOnce is how many copies of one subscription are delivered at once.
const attemptsAtOnce = 16

// atOnceBudget is how many copies a publisher delivers to a queue of a FIFO topic, for others too,
// before a goroutine goes on.
const atOnceBudget = 64

// parcel is one copy on its way to one subscription.
type parcel struct {
	*publication
	confirmation *confirmation // in place of a publication
	attempts     int           // that failed
	doomed       error         // why it goes to the dead letters instead of to the target
	next         *parcel       // behind it in a list
	line         *line         // that it holds up, on FIFO topics
	timer        *time.Timer   // while it waits for its next try
	object       uint64        // in the journal of the account; 0: not there
	pending      pendings      // sends of its last attempt that are not durable yet
}

// bytes is what the parcel counts while it waits.
func (x *parcel) bytes() int64 {
	if x.publication == nil {
		return 0
	}
	return x.publication.size
}

// parcels is a list.
type parcels struct{ head, tail *parcel }

func (l *parcels) push(x *parcel) {
	x.next = nil
	if l.head == nil {
		l.head = x
	} else {
		l.tail.next = x
	}
	l.tail = x
}

func (l *parcels) pop() *parcel {
	x := l.head
	if x != nil {
		l.head, x.next = x.next, nil
	}
	return x
}

// line is a message group in which one parcel holds up the others: it is under way, or waits for its
// next try. Where attempts are made one after the other, only one that failed does.
type line struct {
	group  string
	behind parcels
}

// pipe holds what waits to be delivered to one subscription. It needs no goroutine while nothing
// does: who adds something starts one, which ends when nothing is ready.
type pipe struct {
	of *Subscription

	mu      sync.Mutex           // guards everything below
	ready   parcels              // to be tried now, oldest first
	lines   map[string]*line     // by message group
	later   map[*parcel]struct{} // those with a timer
	running int                  // attempts under way, and burials
	burials int                  // parcels on their way to the dead letters without an attempt, which need not wait for those under way
	waiting int                  // parcels in the pipe, in whatever state
	bytes   int64                // their messages
	ended   error                // why nothing more is taken
	idle    chan struct{}        // closed when the pipe becomes empty; nil: nobody waits for that
	nextAt  time.Time            // when a throttled subscription may start its next attempt
	pause   *time.Timer          // until then
}

func (p *pipe) init(s *Subscription) { p.of = s }

// errWaiting is why a copy is refused that would exceed what may wait.
var errWaiting = errors.New("topic: too much waits to be delivered to this subscription")

// add takes a parcel over, or returns the reason why not. Where nothing is in front of it, and an
// attempt can be made now, it reports that the caller's turn has come, who has to call work.
func (p *pipe) add(x *parcel) (turn bool, reason error) {
	a, most, size := p.of.topic.account, p.most(), x.bytes()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopsLocked(x) {
		return false, p.ended
	}
	if p.waiting >= a.waitingCopies || p.bytes+size > a.waitingBytes && p.waiting > 0 {
		return false, errWaiting
	}
	p.waiting++
	p.bytes += size
	p.ready.push(x)
	return p.startLocked(most), nil
}

// holdLocked makes a parcel hold up its message group. p.mu must be held.
func (p *pipe) holdLocked(x *parcel) {
	if p.lines == nil {
		p.lines = map[string]*line{}
	}
	x.line = &line{group: x.message.GroupID}
	p.lines[x.line.group] = x.line
}

// popLocked returns the next parcel that is ready and that no other one of its message group holds
// up. p.mu must be held.
func (p *pipe) popLocked(most int) *parcel {
	for {
		x := p.ready.pop()
		if x == nil || x.doomed != nil || x.publication == nil || p.of.topic.fifo == nil || x.line != nil {
			return x
		}
		if l := p.lines[x.message.GroupID]; l != nil {
			l.behind.push(x)
			continue
		}
		if most > 1 {
			p.holdLocked(x)
		}
		return x
	}
}

// stopsLocked reports that a parcel goes no further. What confirms the end of a subscription is sent
// after it has ended. p.mu must be held.
func (p *pipe) stopsLocked(x *parcel) bool {
	return p.ended != nil && (x.confirmation == nil || errors.Is(p.ended, ErrClosed))
}

// run works where start or add has reserved an attempt: in this goroutine where neither the target nor
// the dead-letter queue takes its time, else in another.
func (p *pipe) run(waits *pendings) {
	if p.of.target.atOnce() && p.of.buriesAtOnce() {
		p.work(atOnceBudget, waits)
	} else {
		go p.work(0, nil)
	}
}

// most is how many attempts are made at once. It can call what finds queues, so it is not for use
// under a lock.
func (p *pipe) most() int {
	if p.of.target.atOnce() {
		return 1
	}
	return attemptsAtOnce
}

// start reserves an attempt, where one can be made.
func (p *pipe) start() bool {
	most := p.most()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.startLocked(most)
}

func (p *pipe) startLocked(most int) bool {
	head := p.ready.head
	if head == nil {
		return false
	}
	if head.doomed != nil {
		if p.running >= most && p.burials > 0 {
			return false
		}
	} else if p.running >= most || p.pause != nil {
		return false
	}
	p.running++
	return true
}

// work makes one attempt after the other while something is ready. It was reserved by start or add.
// After budget attempts it goes on in a goroutine of its own; 0 is no bound. What is not durable yet it
// adds to waits, or waits for it where that is nil. A copy whose delivery fails to become durable is
// still in the journal.
func (p *pipe) work(budget int, waits *pendings) {
	var x *parcel
	var own pendings
	returned := false
	defer func() {
		if !returned { // the target has ended its goroutine; nothing else gets here
			if p.settle(x, false, errors.New("the target ended the goroutine that it was called by")) {
				p.mu.Lock()
				p.doneLocked(x)
				p.mu.Unlock()
				own.take(x)
			}
			go p.work(0, nil)
		}
		_ = own.wait()
	}()
	if waits == nil {
		waits = &own
	}
	var done *parcel
	for n := 0; ; n++ {
		if budget > 0 && n == budget {
			if done != nil {
				p.mu.Lock()
				p.doneLocked(done)
				p.mu.Unlock()
			}
			go p.work(0, nil)
			break
		}
		if x = p.take(done); x == nil {
			break
		}
		duplicate, err := false, x.doomed
		if err == nil {
			duplicate, err = p.attempt(x)
		}
		if done = nil; p.settle(x, duplicate, err) {
			done = x
			waits.take(x) // of one that is tried again nothing is left to be waited for
		}
		if len(own) >= maxPendings {
			_ = own.wait()
		}
	}
	returned = true
}

// take brings the parcel of the last attempt to its end and returns the next one that is ready, of which
// it lets others be taken at the same time. With nil the reservation is given back.
func (p *pipe) take(done *parcel) *parcel {
	rate, most := p.of.policyRate(), p.most()
	p.mu.Lock()
	defer p.mu.Unlock()
	if done != nil {
		p.doneLocked(done)
	}
	var x *parcel
	if p.ready.head != nil && (p.ready.head.doomed != nil || p.mayStartLocked(rate)) {
		x = p.popLocked(most)
	}
	if x == nil {
		p.running--
		p.signalLocked()
		return nil
	}
	if x.doomed != nil {
		p.burials++
	}
	if p.startLocked(most) {
		go p.work(0, nil)
	}
	return x
}

// mayStartLocked applies the throttle policy: so many attempts in a second, evenly. p.mu must be held.
func (p *pipe) mayStartLocked(rate int) bool {
	if rate == 0 {
		return true
	}
	now := time.Now()
	if wait := p.nextAt.Sub(now); wait > 0 {
		if p.pause == nil {
			p.pause = time.AfterFunc(wait, p.resume)
		}
		return false
	}
	p.nextAt = now.Add(time.Second / time.Duration(rate))
	return true
}

func (p *pipe) resume() {
	most := p.most()
	p.mu.Lock()
	p.pause = nil
	started := p.startLocked(most)
	p.mu.Unlock()
	if started {
		p.work(0, nil)
	}
}

// policyRate is how many attempts may be made in a second; 0 is no bound.
func (s *Subscription) policyRate() int {
	if s.protocol != "http" && s.protocol != "https" {
		return 0
	}
	if t := s.policy().throttle; t != nil {
		return *t.MaxReceivesPerSecond
	}
	return 0
}

// attempt tries to deliver once.
func (p *pipe) attempt(x *parcel) (duplicate bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the target panicked: %v", r)
		}
	}()
	if x.attempts > 0 {
		p.of.counts.retries.Add(1)
	}
	ctx := context.Background()
	if !p.of.target.atOnce() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(p.of.topic.account.running, attemptTime)
		defer cancel()
	}
	return p.of.target.deliver(ctx, p.of, x)
}

// settle decides what becomes of a parcel after an attempt, and reports whether it is at its end.
// Otherwise it waits for its next try.
func (p *pipe) settle(x *parcel, duplicate bool, err error) (done bool) {
	s := p.of
	switch {
	case err != nil && p.again(x, err):
		return false
	case err != nil && p.stays(x):
		return true
	case err != nil:
		s.bury(x, err)
	case x.confirmation != nil:
	case duplicate:
		s.counts.deduplicated.Add(1)
	default:
		s.counts.delivered.Add(1)
	}
	s.topic.account.letGo(x)
	return true
}

// stays reports that a copy is left to the next account, since this one is closed.
func (p *pipe) stays(x *parcel) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.staysLocked(x, p.ended)
}

func (p *pipe) staysLocked(x *parcel, ended error) bool {
	return x.object != 0 && errors.Is(ended, ErrClosed)
}

// again arranges the next try of a parcel, and reports whether there is one.
func (p *pipe) again(x *parcel, err error) bool {
	if errors.Is(err, ErrRejected) || x.doomed != nil {
		return false
	}
	delay, ok := p.of.target.retries(p.of).delay(x.attempts + 1)
	if !ok {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopsLocked(x) {
		return false
	}
	x.attempts++
	if x.object != 0 {
		var b durable.Batch
		put(&b, x.object, x.record(p.of, time.Now().Add(delay)))
		_, _ = p.of.topic.account.journal.Write(&b) // else the next process begins with a lower number
	}
	if p.of.topic.fifo != nil && x.publication != nil && x.line == nil {
		p.holdLocked(x)
	}
	if delay == 0 {
		p.ready.push(x)
		return true
	}
	if p.later == nil {
		p.later = map[*parcel]struct{}{}
	}
	p.later[x] = struct{}{}
	x.timer = time.AfterFunc(delay, func() { p.due(x) })
	return true
}

// due makes a parcel ready whose time has come.
func (p *pipe) due(x *parcel) {
	most := p.most()
	p.mu.Lock()
	if _, ok := p.later[x]; !ok { // the pipe has ended in this moment
		p.mu.Unlock()
		return
	}
	delete(p.later, x)
	x.timer = nil
	p.ready.push(x)
	started := p.startLocked(most)
	p.mu.Unlock()
	if started {
		p.work(0, nil)
	}
}

// doneLocked takes a parcel out that has come to its end, and makes the next one of its group ready.
// p.mu must be held.
func (p *pipe) doneLocked(x *parcel) {
	p.waiting--
	p.bytes -= x.bytes()
	if x.doomed != nil {
		p.burials--
	}
	if l := x.line; l != nil {
		if next := l.behind.pop(); next != nil {
			next.line = l
			p.ready.push(next)
		} else if p.lines[l.group] == l {
			delete(p.lines, l.group)
		}
	}
	p.signalLocked()
}

// signalLocked wakes those who wait for the pipe to be empty. p.mu must be held.
func (p *pipe) signalLocked() {
	if p.idle != nil && p.waiting == 0 && p.running == 0 {
		close(p.idle)
		p.idle = nil
	}
}

// empty reports that nothing is in the pipe.
func (p *pipe) empty() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting == 0 && p.running == 0
}

// wait returns when the pipe is empty.
func (p *pipe) wait(ctx context.Context) error {
	p.mu.Lock()
	if p.waiting == 0 && p.running == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end refuses what comes from now on, and has what waits go to the dead letters. Attempts under way
// go on, and are the last of their parcels.
func (p *pipe) end(reason error) {
	p.mu.Lock()
	if p.ended == nil || errors.Is(reason, ErrClosed) {
		p.ended = reason
	}
	var all []*parcel
	take := func(l *parcels) {
		for x := l.pop(); x != nil; x = l.pop() {
			all = append(all, x)
		}
	}
	take(&p.ready)
	for x := range p.later {
		if p.stopsLocked(x) {
			x.timer.Stop()
			x.timer = nil
			delete(p.later, x)
			all = append(all, x)
		}
	}
	for _, l := range p.lines {
		take(&l.behind)
	}
	p.lines = nil
	sortByNumber(all)
	doomed := 0
	for _, x := range all { // confirmations come last
		if p.staysLocked(x, reason) {
			p.waiting--
			p.bytes -= x.bytes()
			continue
		}
		if p.stopsLocked(x) {
			x.line = nil
			if doomed++; x.doomed == nil {
				x.doomed = reason
			}
		}
		p.ready.push(x)
	}
	if p.pause != nil && errors.Is(reason, ErrClosed) {
		p.pause.Stop()
		p.pause = nil
	}
	p.signalLocked()
	p.mu.Unlock()
	switch {
	case !p.start():
	case doomed > 0 && p.of.buriesAtOnce():
		p.work(doomed, nil)
	default:
		go p.work(0, nil)
	}
}
