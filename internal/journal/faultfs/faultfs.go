// Package faultfs is a file system in memory for tests of what must outlive a crash. It knows which bytes and which entries
// of directories were synced, forgets what was not when the power goes, has an end, and fails when it is told to.
package faultfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"

	"example.com/inq/internal/journal"
)

// Sector is the unit in which unsynced bytes are kept or forgotten.
const Sector = 512

// ErrCrashed is returned by all calls after the crash.
var ErrCrashed = errors.New("faultfs: crashed")

// Op names a call.
type Op string

// The calls. Those that only look are not counted.
const (
	Create   Op = "create"
	Open     Op = "open"
	Remove   Op = "remove"
	SyncDir  Op = "syncdir"
	Write    Op = "write"
	Truncate Op = "truncate"
	Sync     Op = "sync"
	Allocate Op = "allocate"
)

// Call is a call that is about to be done.
type Call struct {
	N    int // counted from 1
	Op   Op
	Name string
}

// Fault is what happens to a call instead.
type Fault struct {
	Err   error // returned; nil: the call is done as usual
	Part  bool  // of a write: half of it is done before the error
	Crash bool  // the system stops: nothing is done from here on. With Part, half of a write was.
}

// FS is a file system. The zero value is not usable; see [New].
type FS struct {
	mu      sync.Mutex // guards everything below
	names   map[string]*inode
	synced  map[string]*inode // the entries on disk
	locks   map[string]int
	calls   int
	inject  func(Call) Fault
	crashed bool
	limit   int64
	used    int64
	most    int64 // the highest that used was
	denied  bool
	after   int // syncs since one failed
	failed  bool
}

type inode struct {
	data    []byte
	disk    []byte         // as synced
	dirty   map[int64]bool // sectors of data that are not on disk
	dropped map[int64]bool // sectors that a failed sync gave up
	blocks  int64          // bytes that are counted as used
}

// New returns an empty file system without an end.
func New() *FS {
	return &FS{names: map[string]*inode{}, synced: map[string]*inode{}, locks: map[string]int{}}
}

// Inject asks f before each call that is counted. f must not call the file system.
func (f *FS) Inject(fault func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inject = fault
}

// SetLimit makes the disk end after so many bytes; 0 means never.
func (f *FS) SetLimit(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = bytes
}

// Deny makes everything fail that would change something, as in a read-only directory.
func (f *FS) Deny() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denied = true
}

// Calls returns how many calls were counted.
func (f *FS) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Used returns the bytes that files take.
func (f *FS) Used() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.used
}

// Most returns the most bytes that files took at any time.
func (f *FS) Most() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.most
}

// Unsynced returns how many sectors and entries are not on disk.
func (f *FS) Unsynced() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, i := range f.names {
		if n += len(i.dirty) + len(i.dropped); f.synced[name] != i {
			n++
		}
	}
	for name := range f.synced {
		if f.names[name] == nil {
			n++
		}
	}
	return n
}

// SyncsAfterFailure returns how many syncs of files or directories were tried after one had failed.
func (f *FS) SyncsAfterFailure() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.after
}

// Crash stops the system now.
func (f *FS) Crash() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
}

// AfterKill returns the file system as it is after the end of the process: all is there, and what was not synced still is
// not.
func (f *FS) AfterKill() *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := New()
	copies := map[*inode]*inode{}
	dup := func(i *inode) *inode {
		if copies[i] == nil {
			copies[i] = &inode{slices.Clone(i.data), slices.Clone(i.disk), maps.Clone(i.dirty), maps.Clone(i.dropped), i.blocks}
		}
		return copies[i]
	}
	for n, i := range f.names {
		g.names[n] = dup(i)
	}
	for n, i := range f.synced {
		g.synced[n] = dup(i)
	}
	g.used = f.used
	return g
}

// AfterPowerLoss returns what is on disk after the power went: what was synced, and of each sector and each entry that was
// not, what keep decides. Nil keeps nothing.
func (f *FS) AfterPowerLoss(r *rand.Rand) *FS {
	keep := func() bool { return false }
	if r != nil {
		chance := r.IntN(4)
		keep = func() bool { return r.IntN(4) >= chance }
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	names := map[string]bool{}
	for n := range f.names {
		names[n] = true
	}
	for n := range f.synced {
		names[n] = true
	}
	files := map[string][]byte{}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		i := f.synced[n]
		if now := f.names[n]; now != i && keep() {
			i = now
		}
		if i != nil {
			files[n] = i.afterPowerLoss(keep)
		}
	}
	return With(files)
}

func (i *inode) afterPowerLoss(keep func() bool) []byte {
	data := slices.Clone(i.disk)
	for _, s := range slices.Sorted(maps.Keys(i.dirty)) {
		if !keep() {
			continue
		}
		from, to := s*Sector, min((s+1)*Sector, int64(len(i.data)))
		if from >= int64(len(i.data)) { // the file was cut
			data = data[:min(int64(len(data)), max(from, int64(len(i.data))))]
			continue
		}
		if to > int64(len(data)) {
			data = append(data, make([]byte, to-int64(len(data)))...)
		}
		copy(data[from:to], i.data[from:to])
	}
	return data
}

// Files returns the contents of all files, by name.
func (f *FS) Files() map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := map[string][]byte{}
	for n, i := range f.names {
		m[n] = slices.Clone(i.data)
	}
	return m
}

// With returns a new file system with these files, all synced.
func With(files map[string][]byte) *FS {
	f := New()
	for n, data := range files {
		c := &inode{data: slices.Clone(data), disk: slices.Clone(data), blocks: int64(len(data))}
		f.names[n], f.synced[n] = c, c
		f.used += c.blocks
	}
	return f
}

// callLocked counts a call and returns what happens to it.
func (f *FS) callLocked(op Op, name string) Fault {
	if f.crashed {
		return Fault{Err: ErrCrashed}
	}
	if f.denied && op != Open {
		return Fault{Err: &fs.PathError{Op: string(op), Path: name, Err: fs.ErrPermission}}
	}
	f.calls++
	if f.failed && (op == Sync || op == SyncDir) {
		f.after++
	}
	if f.inject == nil {
		return Fault{}
	}
	fault := f.inject(Call{f.calls, op, name})
	if fault.Crash {
		f.crashed, fault.Err = true, ErrCrashed
	}
	if fault.Err != nil {
		fault.Err = &fs.PathError{Op: string(op), Path: name, Err: fault.Err}
		f.failed = f.failed || op == Sync || op == SyncDir
	}
	return fault
}

// MakeDir does nothing: directories are there.
func (f *FS) MakeDir(string) error { return nil }

// Names implements journal.FS.
func (f *FS) Names(dir string) (names []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return nil, ErrCrashed
	}
	for n := range f.names {
		if path.Dir(n) == path.Clean(dir) {
			names = append(names, path.Base(n))
		}
	}
	return names, nil
}

// Create implements journal.FS.
func (f *FS) Create(name string) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault := f.callLocked(Create, name); fault.Err != nil {
		return nil, fault.Err
	}
	if f.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	i := &inode{}
	f.names[name] = i
	return &file{f: f, i: i, name: name, write: true}, nil
}

// Open implements journal.FS.
func (f *FS) Open(name string, write bool) (journal.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault := f.callLocked(Open, name); fault.Err != nil {
		return nil, fault.Err
	}
	i := f.names[name]
	switch {
	case i == nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case write && f.denied:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return &file{f: f, i: i, name: name, write: write}, nil
}

// Remove implements journal.FS.
func (f *FS) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault := f.callLocked(Remove, name); fault.Err != nil {
		return fault.Err
	}
	i := f.names[name]
	if i == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	f.used -= i.blocks
	delete(f.names, name)
	return nil
}

// SyncDir implements journal.FS.
func (f *FS) SyncDir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fault := f.callLocked(SyncDir, dir); fault.Err != nil {
		return fault.Err
	}
	f.synced = maps.Clone(f.names)
	return nil
}

// Lock implements journal.FS.
func (f *FS) Lock(name string, shared bool) (io.Closer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return nil, ErrCrashed
	}
	if f.denied && !shared {
		return nil, &fs.PathError{Op: "lock", Path: name, Err: fs.ErrPermission}
	}
	if n := f.locks[name]; n < 0 || n > 0 && !shared {
		return nil, journal.ErrInUse
	}
	step := -1
	if shared {
		step = 1
	}
	f.locks[name] += step
	return unlock(sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.locks[name] -= step
	})), nil
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

type file struct {
	f      *FS
	i      *inode
	name   string
	write  bool
	closed bool
}

func (h *file) check() error {
	switch {
	case h.closed:
		return fs.ErrClosed
	case h.f.crashed:
		return ErrCrashed
	}
	return nil
}

func (h *file) Close() error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if h.closed {
		return fs.ErrClosed
	}
	h.closed = true
	return nil
}

func (h *file) Size() (int64, error) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	return int64(len(h.i.data)), h.check()
}

func (h *file) ReadAt(b []byte, at int64) (int, error) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if err := h.check(); err != nil {
		return 0, err
	}
	n := copy(b, h.i.data[min(at, int64(len(h.i.data))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// do counts a call on an open file.
func (h *file) do(op Op) Fault {
	if err := h.check(); err != nil {
		return Fault{Err: err}
	}
	if !h.write && op != Sync {
		return Fault{Err: fmt.Errorf("%s %s: %w", op, h.name, fs.ErrPermission)}
	}
	return h.f.callLocked(op, h.name)
}

func (h *file) WriteAt(b []byte, at int64) (int, error) {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	fault := h.do(Write)
	if fault.Err != nil && !fault.Part {
		return 0, fault.Err
	}
	if fault.Err != nil {
		b = b[:len(b)/2]
	}
	room := int64(len(b))
	if f := h.f; f.limit > 0 {
		room = min(room, max(0, f.limit-f.used+h.i.blocks-at))
	}
	h.put(b[:room], at)
	switch {
	case fault.Err != nil:
		return int(room), fault.Err
	case room < int64(len(b)):
		return int(room), &fs.PathError{Op: "write", Path: h.name, Err: journal.ErrNoSpace}
	}
	return len(b), nil
}

func (h *file) put(b []byte, at int64) {
	if len(b) == 0 {
		return
	}
	h.resize(max(int64(len(h.i.data)), at+int64(len(b))))
	copy(h.i.data[at:], b)
	for s := at / Sector; s*Sector < at+int64(len(b)); s++ {
		h.touch(s)
	}
}

func (h *file) touch(sector int64) {
	if h.i.dirty == nil {
		h.i.dirty = map[int64]bool{}
	}
	h.i.dirty[sector] = true
	delete(h.i.dropped, sector)
}

func (h *file) resize(size int64) {
	i := h.i
	for s := min(size, int64(len(i.data))) / Sector; s*Sector < max(size, int64(len(i.data))); s++ {
		h.touch(s)
	}
	if grow := size - int64(len(i.data)); grow > 0 {
		i.data = append(i.data, make([]byte, grow)...)
	} else {
		i.data = i.data[:size:size]
	}
	h.f.used += size - i.blocks
	h.f.most = max(h.f.most, h.f.used)
	i.blocks = size
}

func (h *file) Truncate(size int64) error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if fault := h.do(Truncate); fault.Err != nil {
		return fault.Err
	}
	h.resize(size)
	return nil
}

func (h *file) Allocate(size int64) error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	if fault := h.do(Allocate); fault.Err != nil {
		return fault.Err
	}
	if f := h.f; f.limit > 0 && f.used-h.i.blocks+size > f.limit {
		return &fs.PathError{Op: "allocate", Path: h.name, Err: journal.ErrNoSpace}
	}
	if size > int64(len(h.i.data)) {
		h.resize(size)
	}
	return nil
}

// Sync brings the dirty sectors to disk. When it fails, the system gives them up: they can be read until the crash, and
// no later sync brings them to disk.
func (h *file) Sync() error {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	i := h.i
	fault := h.do(Sync)
	if fault.Err != nil {
		if !h.f.crashed {
			if i.dropped == nil {
				i.dropped = map[int64]bool{}
			}
			maps.Copy(i.dropped, i.dirty)
			clear(i.dirty)
		}
		return fault.Err
	}
	if len(i.dropped) == 0 {
		for s := range i.dirty {
			from := s * Sector
			if from >= int64(len(i.data)) {
				continue
			}
			to := min(from+Sector, int64(len(i.data)))
			if grow := to - int64(len(i.disk)); grow > 0 {
				i.disk = append(i.disk, make([]byte, grow)...)
			}
			copy(i.disk[from:to], i.data[from:to])
		}
		if len(i.disk) > len(i.data) {
			i.disk = i.disk[:len(i.data):len(i.data)]
		}
		clear(i.dirty)
		return nil
	}
	old := i.disk
	i.disk = slices.Clone(i.data)
	for s := range i.dropped {
		from, to := s*Sector, min((s+1)*Sector, int64(len(i.disk)))
		if from < to {
			clear(i.disk[from:to])
			copy(i.disk[from:to], old[min(from, int64(len(old))):])
		}
	}
	clear(i.dirty)
	return nil
}
