package journal

import "io"

// FS holds the files of logs. Names are paths, joined with a slash. All errors are those of package os or wrap them; a full
// disk is told by one for which [IsFull] is true.
type FS interface {
	// MakeDir makes the directory with its parents. One that exists is fine.
	MakeDir(dir string) error
	// Names returns the names in the directory, in any order.
	Names(dir string) ([]string, error)
	// Create makes a file for reading and writing. One that exists is an error.
	Create(name string) (File, error)
	// Open opens a file that exists, for reading, and for writing as well where write says so.
	Open(name string, write bool) (File, error)
	// Remove removes a file that is not open.
	Remove(name string) error
	// SyncDir brings the entries of the directory to disk: files that were made, and that some were removed.
	SyncDir(dir string) error
	// Lock takes the lock that is kept in the file until the Closer is closed or the process ends. It does not wait: a
	// lock that somebody else has is ErrInUse. A shared lock excludes only one that is not shared, and needs no right
	// to write but a file that exists.
	Lock(name string, shared bool) (io.Closer, error)
}

// File is an open file of an [FS]. Sync may be called while others write.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Sync brings all that was written before to disk.
	Sync() error
	// Allocate makes the file as large as size and makes sure that the room is really taken from the disk.
	Allocate(size int64) error
}
