package inq

import (
	"errors"
	"strings"

	"example.com/inq/internal/journal"
)

// This file is how errors of the log become those of calls.

// room says why the journal takes nothing of a class now.
func (j *Journal) room(class journal.Class) error {
	if err := j.log.Room(class); err != nil {
		return j.asError(err)
	}
	return nil
}

// asError returns what callers see for an error of the log. The first time it is that of a failure, receives
// that wait are told in all queues: no lock may be held then, save where the log refused before.
func (j *Journal) asError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, journal.ErrFailed) && j.failed.CompareAndSwap(false, true) {
		go j.onFailure(journalError(err))
	}
	return journalError(err)
}

// errTooLarge refuses what is written at once and is too large for that.
var errTooLarge error = &ParamError{Err: ErrInvalidParameter, Param: "MessageSize", Max: int64(journal.MaxBatch),
	Reason: "bytes that a journal takes at once"}

// journalError gives an error of the log its sentinel.
func journalError(err error) error {
	for _, e := range [...]struct{ of, as error }{
		{journal.ErrFull, ErrJournalFull}, {journal.ErrFailed, ErrJournalFailed}, {journal.ErrClosed, ErrClosed},
		{journal.ErrInUse, ErrJournalInUse}, {journal.ErrCorrupt, ErrJournalCorrupt}, {journal.ErrKey, ErrJournalKey},
		{journal.ErrNewer, ErrJournalVersion}, {errRecord, ErrJournalCorrupt},
		{journal.ErrTooLarge, errTooLarge},
	} {
		if errors.Is(err, e.as) {
			return err
		}
		if errors.Is(err, e.of) {
			if err == e.of {
				return e.as
			}
			return &journalFault{e.as, e.of, err}
		}
	}
	return err
}

// journalFault is an error of the log that says more than its sentinel.
type journalFault struct{ as, of, err error }

// Error is the sentinel of this package with what the log said behind its own.
func (e *journalFault) Error() string {
	_, more, _ := strings.Cut(e.err.Error(), e.of.Error())
	return e.as.Error() + more
}

func (e *journalFault) Unwrap() []error { return []error{e.as, e.err} }

// openFault says which journal was not opened, and why.
type openFault struct {
	dir string
	err error
}

func openError(dir string, err error) error { return &openFault{dir, journalError(err)} }

func (e *openFault) Error() string {
	why := e.err.Error()
	for _, prefix := range [...]string{"inq: ", "journal: "} {
		why = strings.TrimPrefix(why, prefix)
	}
	return "inq: opening journal " + e.dir + ": " + why
}

func (e *openFault) Unwrap() error { return e.err }

// errJournalClosed refuses a queue for a journal that is closed.
var errJournalClosed error = &ParamError{Err: ErrClosed, Param: "WithJournal", Reason: "the journal is closed"}

// errNoJournal refuses a nil journal. Who gives one has missed the error of OpenJournal, and would find out
// after the crash.
func errNoJournal() error {
	return &ParamError{Err: ErrMissingParameter, Param: "Journal", Reason: "must not be nil; a queue without the option has none"}
}
