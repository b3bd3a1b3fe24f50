package inqtest

import (
	"time"
)

// Wait returns the first n entries, in order, that all filters pick. It looks back first, at everything
// since the server was made or was [Server.Reset], and then waits for the rest: a second Wait with the
// same filters finds the same entries.
//
// It waits for 10 seconds, in a bubble for 24 hours of its time, or for as long as [Within] says. Then
// the test ends, with how many there were and the end of the log. n is at least 1.
func (l *Log) Wait(n int, filters ...Filter) []Entry {
	l.tb.Helper()
	q := newQuery(filters)
	if n < 1 {
		l.tb.Fatalf("inqtest: Wait(%d): must be at least 1; Never is for none", n)
		return nil
	}
	found, waited := l.wait(n, &q, patienceFor(l.bubble))
	if len(found) < n {
		l.tb.Fatalf("inqtest: waited %v for %s: %d of %d\n%s%s", waited, &q, len(found), n, l.forgotten(), l.tail(&q))
		return nil
	}
	return found
}

// wait looks and waits for n entries. What it returns is in order.
func (l *Log) wait(n int, q *query, longest time.Duration) (found []Entry, waited time.Duration) {
	if q.within != nil {
		longest = max(*q.within, 0)
	}
	began := time.Now()
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	seen := 0
	for last := longest == 0; ; {
		entries, now, more := l.after(seen)
		seen = now
		for e := range entries {
			if q.picks(e) {
				found = append(found, *e)
			}
		}
		if len(found) >= n {
			return inOrder(found)[:n], time.Since(began)
		}
		if last {
			return inOrder(found), longest
		}
		select {
		case <-more:
		case <-deadline.C:
			if l.bubble {
				settle() // what happens at this very instant counts
			}
			last = true
		}
	}
}

// Never fails the test if there is an entry that all filters pick, now or, given [Within], until that
// is over: it returns as soon as there is one, and else waits.
//
// In a bubble it first lets happen everything that can happen at this instant, so that it is exact, also
// without Within. Outside one there is no such moment, and Never ends the test without a Within.
//
// Where the log has dropped entries, see [WithKept], there may have been one, and the test fails.
func (l *Log) Never(filters ...Filter) {
	l.tb.Helper()
	q := newQuery(filters)
	if !l.bubble && q.within == nil {
		l.tb.Fatalf("inqtest: Never outside a testing/synctest bubble needs Within(d): how long to wait for what must not come")
		return
	}
	if l.bubble {
		settle()
	}
	found, waited := l.wait(1, &q, 0)
	switch {
	case len(found) != 0 && waited == 0:
		l.tb.Errorf("inqtest: there was %s, which must not be\n%s", &q, l.tail(&q))
	case len(found) != 0:
		l.tb.Errorf("inqtest: after %v there was %s, which must not be\n%s", waited, &q, l.tail(&q))
	case l.Dropped() != 0:
		l.tb.Errorf("inqtest: nobody knows whether there was %s\n%s%s", &q, l.forgotten(), l.tail(&q))
	}
}

// forgotten tells that entries are missing, "" where none are.
func (l *Log) forgotten() string {
	if n := l.Dropped(); n != 0 {
		return "the log kept its newest entries, see WithKept, and dropped " + countEntries(n) + " before them\n"
	}
	return ""
}
