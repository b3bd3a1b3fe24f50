package journal

import "errors"

// Close brings all that was appended to disk, ends the goroutines of the log and unlocks the directory. It returns what
// made the log fail, if something did. Calls that wait meanwhile return their outcome; later ones return ErrClosed. A
// second Close returns nil.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return nil
	}
	l.closing = true
	l.troubled.Store(true)
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.workers.Wait()
	l.mu.Lock()
	if l.o.ReadOnly {
		l.err = ErrClosed
		return l.closeFiles()
	}
	_ = l.waitSyncedLocked(l.last) // frames without room were reported to those who waited
	l.leadLocked(&l.sync)
	if l.err == nil && !l.proven && !l.full {
		// Now nothing of the log can be taken for torn any more, and damage is told from that.
		l.proveLocked()
	}
	l.leadLocked(&l.write)
	result := l.err
	if result == nil {
		l.err = ErrClosed
	}
	result = errors.Join(result, l.closeFiles())
	l.passLocked(&l.write)
	l.passLocked(&l.sync)
	return result
}

func (l *Log) closeFiles() error {
	var errs []error
	for _, s := range l.segments {
		if s.file != nil {
			errs = append(errs, s.file.Close())
			s.file = nil
		}
	}
	if l.reserve != nil {
		errs = append(errs, l.reserve.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}
