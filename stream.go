package inq

import (
	"sync"
	"sync/atomic"

	"example.com/inq/internal/journal"
)

// stream is what a journal has of one queue, or of the owner of an object store.
type stream struct {
	number  uint32
	name    string       // ARN of the queue, or of the owner
	objects *objectStore // nil: it is that of a queue
	fifo    bool
	scope   DeduplicationScope // FIFO: as it was at the creation of the queue (SQS: FIFO-22)
	key     sipKey
	first   uint64 // sequence number of the message with number 0
	created int64  // of the wall clock

	queue atomic.Pointer[queue] // the queue that is open; nil: none is

	mu         sync.Mutex // guards everything below; taken before the lock of the queue
	segment    uint32     // where the record of this is
	kept       keptMessages
	remembered []rememberedID
	seq        uint64 // the highest number given to a message
	opened     bool   // before, in this process
	dropped    bool
}

// weight is what the record of the stream weighs.
func (s *stream) weight() int64 { return int64(messageWeight + len(s.name)) }

// release tells the log that nothing of the stream lives any more.
func (s *stream) release(log *journal.Log) {
	log.Release(s.segment, s.weight())
	s.kept.each(func(k *kept) bool {
		if k.segment != 0 {
			log.Release(k.segment, weightOf(k.body, k.group, k.rare))
		}
		return true
	})
	for i := range s.remembered {
		if at := s.remembered[i].segment; at != 0 {
			log.Release(at, dedupWeight)
		}
	}
	s.kept, s.remembered = keptMessages{}, nil
}
