package journal

import "errors"

// ErrNoSpace is what an [FS] returns where the disk is full; see [IsFull]. Plan 9 tells of a full disk in words of each file server.
var ErrNoSpace = errors.New("no space left on device")
