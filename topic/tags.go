package topic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// Tags returns a copy of the tags of a topic, empty but not nil where it has none (SNS: TAG-1).
// [ErrResourceDoesNotExist] where there is no such topic, for all calls about tags.
func (a *Account) Tags(ctx context.Context, arn string) (map[string]string, error) {
	t, err := a.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	defer a.mu.Unlock()
	tags := make(map[string]string, len(t.tags))
	maps.Copy(tags, t.tags)
	return tags, nil
}

// SetTags adds tags to those of the topic and overwrites the values of keys it has: all of them, or
// none where one is refused. Keys have 1 to 128 characters and values up to 256
// ([ErrInvalidParameter]), and a topic has at most 50 ([ErrTagLimit]) (SNS: TAG-1, TAG-2).
func (a *Account) SetTags(ctx context.Context, arn string, tags map[string]string) (err error) {
	t, err := a.tagged(ctx, arn)
	if err != nil {
		return err
	}
	defer a.commit(&err)
	if err := checkTags(t.tags, tags); err != nil {
		return err
	}
	merged := make(map[string]string, len(t.tags)+len(tags))
	maps.Copy(merged, t.tags)
	maps.Copy(merged, tags)
	return t.setTagsLocked(merged)
}

// RemoveTags removes tags by key. Keys the topic does not have are ignored (SNS: TAG-2).
func (a *Account) RemoveTags(ctx context.Context, arn string, keys ...string) (err error) {
	t, err := a.tagged(ctx, arn)
	if err != nil {
		return err
	}
	defer a.commit(&err)
	tags := maps.Clone(t.tags)
	for _, key := range keys {
		delete(tags, key)
	}
	return t.setTagsLocked(tags)
}

// tagged finds a topic for a call about its tags and locks the account.
func (a *Account) tagged(ctx context.Context, arn string) (*Topic, error) {
	if err := checkContext(ctx); err != nil {
		return nil, err
	}
	if err := a.lock(); err != nil {
		return nil, err
	}
	t, err := a.byARNLocked(arn, "ResourceArn")
	if err != nil {
		a.mu.Unlock()
		if isNoTopic(err) {
			err = &ParamError{Err: ErrResourceDoesNotExist, Param: "ResourceArn", Value: arn, Text: "Resource does not exist"}
		}
		return nil, err
	}
	return t, nil
}

// checkTags checks tags that are about to join the old ones.
func checkTags(old, tags map[string]string) error {
	count := len(old)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if n := utf8.RuneCountInString(key); n < 1 || n > maxTagKey || !utf8.ValidString(key) {
			return invalid("Tags", key, fmt.Sprintf("a key must have 1 to %d characters", maxTagKey))
		}
		if n := utf8.RuneCountInString(tags[key]); n > maxTagValue || !utf8.ValidString(tags[key]) {
			return invalid("Tags", key, fmt.Sprintf("a value must have at most %d characters", maxTagValue))
		}
		if _, has := old[key]; !has {
			count++
		}
	}
	if count > maxTags {
		return &ParamError{Err: ErrTagLimit, Param: "Tags", Value: count, Reason: "tags are too many, 50 is the most",
			Text: "Could not complete request: tag quota of per resource exceeded"}
	}
	return nil
}
