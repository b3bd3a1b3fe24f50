package journal

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"sync"
)

// memory holds files in memory. Nothing of it waits for anything outside, so that a log on it works in a bubble of
// testing/synctest.
type memory struct {
	mu    sync.Mutex // guards everything below
	files map[string]*memoryFile
	locks map[string]int // -1: one who excludes all others
}

// Memory returns files that are kept in memory, for as long as the value is. They have no end, never fail, and a second
// Open on the same value finds them again.
func Memory() FS {
	return &memory{files: map[string]*memoryFile{}, locks: map[string]int{}}
}

func (m *memory) MakeDir(string) error { return nil }

func (m *memory) Names(dir string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	for name := range m.files {
		if path.Dir(name) == dir {
			names = append(names, path.Base(name))
		}
	}
	return names, nil
}

func (m *memory) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.files[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	f := &memoryFile{}
	m.files[name] = f
	return f, nil
}

func (m *memory) Open(name string, _ bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.files[path.Clean(name)]; f != nil {
		return f, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.files[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.files, name)
	return nil
}

func (m *memory) SyncDir(string) error { return nil }

func (m *memory) Lock(name string, shared bool) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if n := m.locks[name]; n < 0 || n > 0 && !shared {
		return nil, ErrInUse
	}
	if shared {
		m.locks[name]++
	} else {
		m.locks[name] = -1
	}
	return &memoryLock{m: m, name: name, shared: shared}, nil
}

type memoryLock struct {
	m      *memory
	name   string
	shared bool
	once   sync.Once
}

func (l *memoryLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		if l.shared {
			l.m.locks[l.name]--
		} else {
			l.m.locks[l.name] = 0
		}
	})
	return nil
}

// memoryFile is a file. What lies behind data, up to size, is zeros: a reserve takes no memory.
type memoryFile struct {
	mu   sync.RWMutex // guards everything below
	data []byte
	size int64
}

func (f *memoryFile) ReadAt(b []byte, at int64) (int, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if at < 0 {
		return 0, errors.New("journal: negative offset")
	}
	n := int(max(min(int64(len(b)), f.size-at), 0))
	clear(b[:n])
	if at < int64(len(f.data)) {
		copy(b[:n], f.data[at:])
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(b []byte, at int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if gap := at - int64(len(f.data)); gap > 0 {
		f.data = append(f.data, make([]byte, gap)...)
	}
	n := copy(f.data[at:], b)
	f.data = append(f.data, b[n:]...)
	f.size = max(f.size, int64(len(f.data)))
	return len(b), nil
}

func (f *memoryFile) Size() (int64, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.size, nil
}

func (f *memoryFile) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if size < int64(len(f.data)) {
		f.data = f.data[:size]
	}
	f.size = size
	return nil
}

func (f *memoryFile) Allocate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.size = max(f.size, size)
	return nil
}

func (f *memoryFile) Sync() error  { return nil }
func (f *memoryFile) Close() error { return nil }
