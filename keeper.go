package inq

import (
	"time"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/tagged"
)

// Kinds of objects in the store of a broker. Never give one another meaning.
const (
	objectSettings durable.Kind = 1 + iota
	objectTags
)

// Tags of the fields of both: the name of the queue, and the record.
const (
	fieldQueueName = 1 + iota
	fieldQueueRecord
)

// keeper writes the settings of one queue of a broker. The queue's lock guards it.
type keeper struct {
	store  *objectStore
	number uint64
	given  field // settings that are not left to defaults
}

func queueObject(name string, record []byte) []byte {
	return tagged.Text(tagged.Text(nil, fieldQueueName, name), fieldQueueRecord, record)
}

// write writes settings that are about to be in force.
func (k *keeper) write(name string, s *settings, modified time.Time) (mark uint64, err error) {
	if k == nil {
		return 0, nil
	}
	var b durable.Batch
	b.Put(k.number, objectSettings, queueObject(name, appendSettings(nil, s, k.given, modified)))
	return k.store.Write(&b)
}

// wait returns when what was written is kept.
func (k *keeper) wait(mark uint64) error {
	if mark == 0 {
		return nil
	}
	return k.store.Wait(mark)
}

// remove deletes the settings, and the tags, if there are any.
func (k *keeper) remove(tags uint64) {
	var b durable.Batch
	b.Delete(k.number)
	b.Delete(tags)
	_, _ = k.store.Write(&b) // else the next broker removes what belongs to no queue
}
