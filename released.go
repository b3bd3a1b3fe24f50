package inq

// This file is where in the journal the records of messages are, and how the log is told of those that are
// needed no more.

// segment says where the record of the message in a slot is. 0: it has none that counts.
func (k *queueJournal) segment(slot uint32) *uint32 {
	for int(slot/chunkSize) >= len(k.segments) {
		k.segments = append(k.segments, make([]uint32, chunkSize))
	}
	return &k.segments[slot/chunkSize][slot%chunkSize]
}

// released gathers what lives no more, so that a run of messages tells the log once.
type released struct {
	segment uint32
	weight  int64
}

// forget tells that something lives no more. In segment 0 nothing does.
func (k *queueJournal) forget(segment uint32, weight int64) {
	if segment == 0 {
		return
	}
	if k.released.segment != segment {
		k.tellReleased()
	}
	k.released.segment = segment
	k.released.weight += weight
}

// tellReleased tells the log what forget gathered.
func (k *queueJournal) tellReleased() {
	if k.released.weight != 0 {
		k.log.Release(k.released.segment, k.released.weight)
	}
	k.released = released{}
}

// forgetMessage tells that a message lives no more.
func (k *queueJournal) forgetMessage(slot uint32, weight int64) {
	at := k.segment(slot)
	k.forget(*at, weight)
	*at = 0
}
