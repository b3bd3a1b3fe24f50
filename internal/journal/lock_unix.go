//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package journal

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

var systemFull = []error{syscall.EDQUOT}

// lockFile uses flock: the lock ends with the process, however that ends, and two files of one process exclude each
// other as well.
func lockFile(name string, shared bool) (io.Closer, error) {
	flag, how := os.O_RDWR|os.O_CREATE, syscall.LOCK_EX
	if shared {
		flag, how = os.O_RDONLY, syscall.LOCK_SH
	}
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		switch err = syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err {
		case nil:
			return f, nil
		case syscall.EINTR:
			continue
		case syscall.EWOULDBLOCK:
			err = ErrInUse
		default:
			err = fmt.Errorf("flock %s: %w", name, err)
		}
		_ = f.Close()
		return nil, err
	}
}
