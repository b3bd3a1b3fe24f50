package journal

import (
	"errors"
	"io"
	"os"
	"syscall"
)

const (
	errSharingViolation = syscall.Errno(32)
	errHandleDiskFull   = syscall.Errno(39)
	errDiskFull         = syscall.Errno(112)
)

var systemFull = []error{errHandleDiskFull, errDiskFull}

// lockFile opens the file without sharing it, or sharing it with readers alone: the system closes it with the process.
func lockFile(name string, shared bool) (io.Closer, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	access, share, create := uint32(syscall.GENERIC_READ|syscall.GENERIC_WRITE), uint32(0), uint32(syscall.OPEN_ALWAYS)
	if shared {
		access, share, create = syscall.GENERIC_READ, syscall.FILE_SHARE_READ, syscall.OPEN_EXISTING
	}
	h, err := syscall.CreateFile(p, access, share, nil, create, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharingViolation) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}
