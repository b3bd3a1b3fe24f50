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
	t, unlock, err := a.tagged(ctx, arn)
	if err != nil {
		return nil, err
	}
	defer unlock()
	tags := make(map[string]string, len(t.tags))
	maps.Copy(tags, t.tags)
	return tags, nil
}

// SetTags adds tags to those of the topic and overwrites the values of keys it has: all of them, or
// none where one is refused. Keys have 1 to 128 characters and values up to 256
// ([ErrInvalidParameter]), and a topic has at most 50 ([ErrTagLimit]) (SNS: TAG-1, TAG-2).
func (a *Account) SetTags(ctx context.Context, arn string, tags map[string]string) error {
	t, unlock, err := a.tagged(ctx, arn)
	if err != nil {
		return err
	}
	defer unlock()
	if err := checkTags(t.tags, tags); err != nil {
		return err
	}
	if t.tags == nil {
		t.tags = map[string]string{}
	}
	maps.Copy(t.tags, tags)
	return nil
}

// RemoveTags removes tags by key. Keys the topic does not have are ignored (SNS: TAG-2).
func (a *Account) RemoveTags(ctx context.Context, arn string, keys ...string) error {
	t, unlock, err := a.tagged(ctx, arn)
	if err != nil {
		return err
	}
	defer unlock()
	for _, key := range keys {
		delete(t.tags, key)
	}
	return nil
}

// tagged finds a topic for a call about its tags and locks the account.
func (a *Account) tagged(ctx context.Context, arn string) (t *Topic, unlock func(), err error) {
	if err := checkContext(ctx); err != nil {
		return nil, nil, err
	}
	if err := a.lock(); err != nil {
		return nil, nil, err
	}
	t, err = a.byARNLocked(arn, "ResourceArn")
	if err != nil {
		a.mu.Unlock()
		if isNoTopic(err) {
			err = &ParamError{Err: ErrResourceDoesNotExist, Param: "ResourceArn", Value: arn, Text: "Resource does not exist"}
		}
		return nil, nil, err
	}
	return t, a.mu.Unlock, nil
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
