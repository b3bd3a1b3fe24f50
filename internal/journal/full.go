//go:build !plan9

package journal

import "syscall"

var noSpace error = syscall.ENOSPC
