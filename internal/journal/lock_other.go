//go:build !windows && !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package journal

import (
	"io"
	"os"
)

var systemFull []error

// lockFile makes the file and excludes nobody: package syscall has no lock for this system.
func lockFile(name string, shared bool) (io.Closer, error) {
	flag := os.O_RDWR | os.O_CREATE
	if shared {
		flag = os.O_RDONLY
	}
	return os.OpenFile(name, flag, 0o600)
}
