package alarm

import "sync"

// teller calls OnChange, one call at a time, and never makes the alarm wait for it.
type teller struct {
	call func(Change)
	all  sync.WaitGroup

	mu      sync.Mutex // guards everything below
	told    State      // To of the last call
	calling bool
	waits   bool
	next    Change // what to tell after the call that runs, where one waits
}

// tell has a change told. During a call it takes the place of one that waits.
func (t *teller) tell(c Change) {
	if t.call == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calling {
		t.next, t.waits = c, true
		return
	}
	t.calling, t.told = true, c.To
	t.all.Go(func() { t.run(c) })
}

// run tells a change, and after it what has come meanwhile.
func (t *teller) run(c Change) {
	for {
		t.call(c)
		t.mu.Lock()
		// What came during the call has no news where the state is again the one that was told.
		if !t.waits || t.next.To == t.told {
			t.calling, t.waits = false, false
			t.mu.Unlock()
			return
		}
		c = t.next
		c.From, t.told, t.waits = t.told, c.To, false
		t.mu.Unlock()
	}
}

// wait returns when no call runs.
func (t *teller) wait() { t.all.Wait() }
