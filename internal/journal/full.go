//go:build !plan9

package journal

import "syscall"

// ErrNoSpace is what an [FS] returns where the disk is full; see [IsFull].
var ErrNoSpace error = syscall.ENOSPC
