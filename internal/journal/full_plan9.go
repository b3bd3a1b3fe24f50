package journal

import "errors"

// Plan 9 tells of a full disk in words of each file server.
var noSpace = errors.New("no space left on device")
