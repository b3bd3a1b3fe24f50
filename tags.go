package inq

import (
	"context"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/inq/internal/durable"
)

// Limits of tags (SQS: section 1.2).
const (
	maxTags     = 50
	maxTagKey   = 128 // characters
	maxTagValue = 256 // characters
)

// Tags returns a copy of the queue's tags, empty but not nil where it has none.
func (b *Broker) Tags(ctx context.Context, name string) (map[string]string, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e, err := b.findLocked(name)
	if err != nil {
		return nil, err
	}
	tags := make(map[string]string, len(e.tags))
	maps.Copy(tags, e.tags)
	return tags, nil
}

// SetTags adds tags to those of the queue and overwrites the values of keys it has: all of them, or
// none where one is refused. Keys have 1 to 128 characters and do not begin with "aws:", values up
// to 256: letters, digits, white space and _ . : / = + - @. [ErrInvalidParameter] otherwise, and
// where the queue would have more than 50. With a [Journal] SetTags and RemoveTags wait and fail as
// SetAttributes does.
func (b *Broker) SetTags(ctx context.Context, name string, tags map[string]string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if err := checkTags(name, tags); err != nil {
		if _, missing := b.find(name); missing != nil {
			return missing
		}
		return err
	}
	return b.changeTags(name, func(old map[string]string) (map[string]string, error) { return mergeTags(name, old, tags) })
}

// changeTags gives a queue the tags that change makes of a its own, and returns when they are kept.
func (b *Broker) changeTags(name string, change func(old map[string]string) (map[string]string, error)) error {
	b.mu.Lock()
	e, err := b.findLocked(name)
	var tags map[string]string
	if err == nil {
		tags, err = change(e.tags)
	}
	mark := uint64(0)
	if err == nil {
		mark, err = b.setTagsLocked(e, tags)
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	return b.waitFor(mark)
}

// setTagsLocked gives a queue tags, and returns what to wait for. b.mu must be held.
func (b *Broker) setTagsLocked(e *entry, tags map[string]string) (mark uint64, err error) {
	if b.journal != nil {
		var w durable.Batch
		number := e.tagsNumber
		if number == 0 {
			number = b.objects.Next()
		}
		w.Put(number, objectTags, queueObject(e.name, appendTags(nil, tags)))
		if mark, err = b.objects.Write(&w); err != nil {
			return 0, err
		}
		e.tagsNumber = number
	}
	e.tags = tags
	return mark, nil
}

// RemoveTags removes tags by key. Keys the queue does not have are ignored.
func (b *Broker) RemoveTags(ctx context.Context, name string, keys ...string) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	gone := make(map[string]bool, len(keys))
	for _, key := range keys {
		gone[key] = true
	}
	return b.changeTags(name, func(old map[string]string) (map[string]string, error) {
		tags := maps.Clone(old) // of which there are few, as many keys as there may be
		maps.DeleteFunc(tags, func(key, _ string) bool { return gone[key] })
		return tags, nil
	})
}

// checkTags refuses tags that no queue can have: too many, or the first that is wrong.
func checkTags(queue string, tags map[string]string) error {
	if len(tags) > maxTags {
		return tooManyTags(queue, len(tags))
	}
	for _, key := range sortedKeys(tags) {
		if reason := badTag(key, tags[key]); reason != "" {
			return &ParamError{Err: ErrInvalidParameter, Param: "Tags", Value: key, Reason: reason}
		}
	}
	return nil
}

// mergeTags returns a new map with the old tags overwritten and joined by the new ones, which were
// checked.
func mergeTags(queue string, old, tags map[string]string) (map[string]string, error) {
	merged := make(map[string]string, len(old)+len(tags))
	maps.Copy(merged, old)
	maps.Copy(merged, tags)
	if len(merged) > maxTags {
		return nil, tooManyTags(queue, len(merged))
	}
	return merged, nil
}

func tooManyTags(queue string, n int) error {
	return &ParamError{Err: ErrInvalidParameter, Param: "Tags", Value: n, Max: maxTags, Reason: "Too many tags added for queue " + queue + "."}
}

// badTag says what is wrong with a tag, "" if nothing.
func badTag(key, value string) string {
	n := utf8.RuneCountInString(key)
	switch {
	case n < 1 || n > maxTagKey:
		return "Tag keys must be between 1 and 128 characters in length."
	case utf8.RuneCountInString(value) > maxTagValue:
		return "Tag values must be between 0 and 256 characters in length."
	case len(key) >= 4 && strings.EqualFold(key[:4], "aws:"):
		return "Tag keys must not begin with aws:."
	case !isTagText(key):
		return "Tag keys can only include letters, digits, white space and _ . : / = + - @."
	case !isTagText(value):
		return "Tag values can only include letters, digits, white space and _ . : / = + - @."
	}
	return ""
}

func isTagText(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.N, unicode.Z) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r)
	})
}
