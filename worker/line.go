package worker

// A line is a message group of a FIFO queue with a call that runs or waits for a slot, and what
// waits behind it. A queue delivers nothing of a group while a message of it is in flight. So what
// arrives by another receive while there is a line comes because a lease of the line is over: it
// begins anew, when what was received before has run or was given back.
type line struct {
	group   string
	arrival uint32  // the receive that brought the call and next
	next    []*call // in order
	anew    []*call // by later receives
}

// joinLocked puts a call into the line of its group. It reports true where the call is the first
// one there.
func (r *Runner) joinLocked(c *call) bool {
	j := c.jobs[0]
	group := j.delivery.GroupID
	l := r.lines[group]
	if l == nil {
		c.line = &line{group: group, arrival: j.arrival}
		r.lines[group] = c.line
		return true
	}
	c.line = l
	if j.arrival == l.arrival {
		l.next = append(l.next, c)
	} else {
		l.anew = append(l.anew, c)
	}
	return false
}

// shed takes out everything that waits in a line.
func (l *line) shed() []*job {
	var jobs []*job
	for _, c := range l.next {
		jobs = append(jobs, c.jobs...)
	}
	for _, c := range l.anew {
		jobs = append(jobs, c.jobs...)
	}
	l.next, l.anew = nil, nil
	return jobs
}

// behindLocked takes out what was received together with the call that fails and so has to come
// again after it.
func (l *line) behindLocked() []*job {
	var jobs []*job
	for _, c := range l.next {
		jobs = append(jobs, c.jobs...)
	}
	l.next = nil
	return jobs
}

// nextInLineLocked ends a call and returns the one of its group that is to run after it, nil where
// there is none. done tells that the message is out of the way for good: otherwise what was
// received with it is given back, because it must not run before.
func (r *Runner) nextInLineLocked(c *call, done bool) *call {
	l := c.line
	if l == nil {
		return nil
	}
	for {
		if len(l.next) > 0 && (!done || !l.next[0].anyHeld()) {
			r.giveBackLocked(l.behindLocked())
		}
		if len(l.next) > 0 {
			c := l.next[0]
			l.next = l.next[1:]
			return c
		}
		if len(l.anew) == 0 {
			delete(r.lines, l.group)
			return nil
		}
		l.arrival, done = l.anew[0].jobs[0].arrival, true
		for len(l.anew) > 0 && l.anew[0].jobs[0].arrival == l.arrival {
			l.next, l.anew = append(l.next, l.anew[0]), l.anew[1:]
		}
	}
}
