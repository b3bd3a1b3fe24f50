package journal

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
)

type osFiles struct{}

// OSFiles returns the files of the operating system. Directories are made for their user alone.
func OSFiles() FS { return osFiles{} }

func (osFiles) MakeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osFiles) Names(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func (osFiles) Create(name string) (File, error) {
	return openOSFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (osFiles) Open(name string, write bool) (File, error) {
	if write {
		return openOSFile(name, os.O_RDWR)
	}
	return openOSFile(name, os.O_RDONLY)
}

func (osFiles) Remove(name string) error { return os.Remove(name) }

func (osFiles) SyncDir(dir string) error { return syncDir(dir) }

func (osFiles) Lock(name string, shared bool) (io.Closer, error) { return lockFile(name, shared) }

type osFile struct{ *os.File }

func openOSFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) Size() (int64, error) {
	s, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return s.Size(), nil
}

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Allocate(size int64) error { return allocate(f.File, size) }

// fill is Allocate where the system has no call for it. What it writes cannot be compressed, so that no file system saves
// the room.
func fill(f *os.File, size int64) error {
	s, err := f.Stat()
	if err != nil {
		return err
	}
	b := make([]byte, 1<<16)
	_, _ = rand.Read(b) // never fails
	for at := s.Size(); at < size; {
		n, err := f.WriteAt(b[:min(size-at, int64(len(b)))], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return f.Sync()
}

// IsFull says whether the error means that the disk or the user's share of it is full.
func IsFull(err error) bool {
	for _, e := range fullErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

var fullErrors = append([]error{ErrNoSpace}, systemFull...)
