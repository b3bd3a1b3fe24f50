// Package durable is what the root package offers to package topic of a journal: a store of objects that
// survive the process. An object is a few bytes under a number. It is put, put again in place of what
// it was, and deleted.
//
// The two packages meet here and not in the API of the root, because nobody else should build on it.
package durable

// A Kind tells objects of a store apart. What it means is its owner's.
type Kind uint8

// Object is one object. A Number is given once and never again, not even to a later process.
type Object struct {
	Number uint64
	Kind   Kind
	Data   []byte
}

// Batch collects changes that are written together: after a crash all of them are there, or none. The
// zero Batch is empty.
type Batch struct {
	Puts    []Object
	Deletes []uint64 // of objects that may be gone already

	// Reserve has puts taken from the reserve of a full disk, as deletes are: for what an owner needs
	// to begin at all, and not for what users send.
	Reserve bool
}

// Put adds or replaces an object. The store keeps data, which must not be changed any more.
func (b *Batch) Put(number uint64, kind Kind, data []byte) {
	b.Puts = append(b.Puts, Object{number, kind, data})
}

// Delete takes an object away. 0 is none.
func (b *Batch) Delete(number uint64) {
	if number != 0 {
		b.Deletes = append(b.Deletes, number)
	}
}

// Empty reports that there is nothing to write.
func (b *Batch) Empty() bool { return len(b.Puts) == 0 && len(b.Deletes) == 0 }

// A Mark is a place in what was written. Later ones are greater; 0 is before everything.
type Mark = uint64

// Store keeps the objects of one owner. All methods are safe for concurrent use, and none but Wait
// waits for a disk: they can be called under any lock of the owner's.
type Store interface {
	// Load calls f with every object in the order of their numbers and ends with the first error of
	// f. It is called once, before anything is written.
	Load(f func(Object) error) error
	// Next returns a number that no object has had.
	Next() uint64
	// Room returns the error that Write would refuse puts with. Whoever asks before anything is
	// changed need not take anything back.
	Room() error
	// Write writes a batch. Puts are refused while the disk is full, unless the batch is for the
	// reserve; deletes alone are taken from that. Where it returns an error nothing of the batch was written.
	Write(b *Batch) (Mark, error)
	// Forget deletes an object without a word in the journal: it may be there again in the next
	// process. It is for what its owner knows to be past.
	Forget(number uint64)
	// Wait returns when everything up to mark is as durable as the journal's mode says.
	Wait(mark Mark) error
	// Sync returns when everything that was written is on the disk, whatever the mode.
	Sync() error
	// Close ends the use of the store. What is in it stays.
	Close()
}

// Pending is something that was done and is not durable yet.
type Pending interface {
	// Wait returns when it is, or with the reason why it never will be. It must be called: it also
	// does what was left to whoever waits.
	Wait() error
}

// OnFiles returns an inq.JournalOption that keeps the files of a journal in fs, a journal.FS: for tests of
// faults. The root package sets it.
var OnFiles func(fs any) any

// Names returns the names of the stores in a journal, an *inq.Journal. The root package sets it.
var Names func(journal any) []string

// Open opens the store of that name in the journal of an [inq.Broker], which is any here. It is nil
// where the broker has none. The root package sets it.
var Open func(broker any, name string) (Store, error)
