package journal

import (
	"os"
	"syscall"
)

// syncData is fdatasync: it leaves out the times of the file, which need a write of their own.
func syncData(f *os.File) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = c.Control(func(fd uintptr) {
		for {
			if result = syscall.Fdatasync(int(fd)); result != syscall.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	if result != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: result}
	}
	return nil
}

// allocate takes the room without writing it, where the file system can.
func allocate(f *os.File, size int64) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = c.Control(func(fd uintptr) {
		for {
			if result = syscall.Fallocate(int(fd), 0, 0, size); result != syscall.EINTR {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	switch result {
	case nil:
		return nil
	case syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EINVAL:
		return fill(f, size)
	}
	return &os.PathError{Op: "fallocate", Path: f.Name(), Err: result}
}
