package inq

import (
	"fmt"
	"strings"

	"example.com/inq/internal/durable"
	"example.com/inq/internal/tagged"
)

// This file is how a broker and its queues are there again when a broker is made anew. Each queue has a
// stream of the journal, and two objects in a store of the broker: its settings and its tags.

// keptQueue is what the store of a broker has of one queue.
type keptQueue struct {
	settings, tags             []byte
	settingsNumber, tagsNumber uint64
}

// restore makes the queues that the journal has of this broker. It is called before the broker is shared.
func (b *Broker) restore() (err error) {
	prefix := queueARN(b.region, b.account, "")
	if b.objects, err = b.journal.openObjects(strings.TrimSuffix(prefix, ":")); err != nil {
		return err
	}
	kept, err := b.keptQueues()
	if err != nil {
		return err
	}
	for _, arn := range b.journal.Queues() {
		name, ours := strings.CutPrefix(arn, prefix)
		if !ours {
			continue
		}
		if err := b.restoreQueue(name, kept[name]); err != nil {
			return fmt.Errorf("inq: queue %s of the journal: %w", name, err)
		}
		delete(kept, name)
	}
	var old durable.Batch // of queues that were not made yet, or were deleted already, when the process ended
	for _, k := range kept {
		old.Delete(k.settingsNumber)
		old.Delete(k.tagsNumber)
	}
	if !old.Empty() {
		_, err = b.objects.Write(&old)
	}
	return err
}

// keptQueues reads what the store has, by name.
func (b *Broker) keptQueues() (map[string]*keptQueue, error) {
	all := map[string]*keptQueue{}
	err := b.objects.Load(func(o durable.Object) error {
		name, record := "", []byte(nil)
		r := tagged.Read(o.Data)
		for r.Next() {
			switch r.Tag() {
			case fieldQueueName:
				name = r.Text()
			case fieldQueueRecord:
				record = r.Bytes()
			default:
				r.Unknown()
			}
		}
		if err := r.Err(); err != nil {
			return unreadable("what a queue is", err)
		}
		k := all[name]
		if k == nil {
			k = &keptQueue{}
			all[name] = k
		}
		switch o.Kind {
		case objectSettings:
			k.settings, k.settingsNumber = record, o.Number
		case objectTags:
			k.tags, k.tagsNumber = record, o.Number
		default:
			return fmt.Errorf("inq: the journal holds an object of kind %d about queue %s, which this version does not know; a newer one wrote it", o.Kind, name)
		}
		return nil
	})
	return all, err
}

// restoreQueue makes a queue that the journal has. k is nil where nothing but its messages was found.
func (b *Broker) restoreQueue(name string, k *keptQueue) error {
	if k == nil {
		k = &keptQueue{}
	}
	given, modified, err := readSettings(k.settings, b)
	if err != nil {
		return err
	}
	tags, err := readTags(k.tags)
	if err != nil {
		return err
	}
	all := b.base()
	all.lay(&given)
	e := &entry{tags: tags, tagsNumber: k.tagsNumber}
	if err := b.makeLocked(e, name, strings.HasSuffix(name, ".fifo"), &all, keeper{number: k.settingsNumber, given: given.set}); err != nil {
		return err
	}
	e.missing = setObserver
	if all.set&setDeadLetter == 0 {
		e.missing |= setDeadLetter
	}
	e.mu.Lock()
	if !modified.IsZero() {
		e.modified = modified
	}
	e.mu.Unlock()
	b.enlistLocked(e)
	return nil
}

// lay puts the settings of another patch over those of p.
func (p *patch) lay(over *patch) {
	both := p.set | over.set
	s := p.settings.with(over)
	p.settings, p.set = s, both
}
