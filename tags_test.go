package inq

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBroker_MGT9_TagsMergeAndAreRemovedByKey(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	_, err := b.CreateQueue(ctx, "a", nil, map[string]string{"team": "blue", "cost": ""})
	require.NoError(t, err)
	require.NoError(t, b.SetTags(ctx, "a", map[string]string{"team": "red", "Team": "x"}))
	require.NoError(t, b.SetTags(ctx, "a", nil))
	tags, err := b.Tags(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "red", "Team": "x", "cost": ""}, tags)

	tags["team"] = "mine" // a copy
	require.NoError(t, b.RemoveTags(ctx, "a", "cost", "unknown", "", "Team"))
	tags, err = b.Tags(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "red"}, tags)
	require.NoError(t, b.RemoveTags(ctx, "a", "team"))
	tags, err = b.Tags(ctx, "a")
	require.NoError(t, err)
	require.NotNil(t, tags)
	require.Empty(t, tags)
}

func TestBroker_MGT1_AnExistingQueueKeepsItsTags(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	given := map[string]string{"k": "1"}
	_, err := b.CreateQueue(ctx, "a", nil, given)
	require.NoError(t, err)
	given["k"] = "changed by its owner"
	_, err = b.CreateQueue(ctx, "a", nil, map[string]string{"k": "2", "l": "3"})
	require.NoError(t, err)
	tags, err := b.Tags(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"k": "1"}, tags)
}

func TestBroker_MGT9_TagsOutOfRangeAreRefusedAndNothingChanges(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		key, value, reason string
	}{
		"empty key":             {"", "v", "Tag keys must be between 1 and 128 characters in length."},
		"long key":              {strings.Repeat("ü", 129), "v", "Tag keys must be between 1 and 128 characters in length."},
		"long value":            {"k", strings.Repeat("ü", 257), "Tag values must be between 0 and 256 characters in length."},
		"reserved":              {"aws:k", "v", "Tag keys must not begin with aws:."},
		"reserved in any case":  {"AwS:", "v", "Tag keys must not begin with aws:."},
		"character in key":      {"k!", "v", "Tag keys can only include letters, digits, white space and _ . : / = + - @."},
		"character in value":    {"k", "<v>", "Tag values can only include letters, digits, white space and _ . : / = + - @."},
		"key that is no UTF-8":  {"k\xff", "v", "Tag keys can only include letters, digits, white space and _ . : / = + - @."},
		"value with a NUL byte": {"k", "\x00", "Tag values can only include letters, digits, white space and _ . : / = + - @."},
	} {
		t.Run(name, func(t *testing.T) {
			b := testBroker(t)
			_, err := b.CreateQueue(ctx, "a", nil, map[string]string{"0": "old"})
			require.NoError(t, err)
			p := refusedAs(t, b.SetTags(ctx, "a", map[string]string{"0": "new", "zz": "v", c.key: c.value}), ErrInvalidParameter)
			require.Equal(t, "Tags", p.Param)
			require.Equal(t, c.reason, p.Reason)
			tags, err := b.Tags(ctx, "a")
			require.NoError(t, err)
			require.Equal(t, map[string]string{"0": "old"}, tags)

			_, err = b.CreateQueue(ctx, "b", nil, map[string]string{c.key: c.value})
			require.Equal(t, c.reason, refusedAs(t, err, ErrInvalidParameter).Reason)
			_, err = b.Queue("b")
			require.ErrorIs(t, err, ErrQueueDoesNotExist)
		})
	}
	b := testBroker(t)
	mustCreate(t, b, "a")
	require.NoError(t, b.SetTags(ctx, "a", map[string]string{
		strings.Repeat("ü", 128): strings.Repeat("é", 256),
		"aws":                    "aws:", "_.:/=+-@ 9x\t": "", "日本": "٣ x",
	}))
}

func TestBroker_MGT9_AQueueHasFiftyTags(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t)
	mustCreate(t, b, "a")
	fifty := map[string]string{}
	for i := range 50 {
		fifty[fmt.Sprint("k", i)] = "v"
	}
	require.NoError(t, b.SetTags(ctx, "a", fifty))
	require.NoError(t, b.SetTags(ctx, "a", map[string]string{"k0": "overwritten"}))
	p := refusedAs(t, b.SetTags(ctx, "a", map[string]string{"k0": "again", "k50": "v"}), ErrInvalidParameter)
	require.Equal(t, "Too many tags added for queue a.", p.Reason)
	tags, err := b.Tags(ctx, "a")
	require.NoError(t, err)
	require.Len(t, tags, 50)
	require.Equal(t, "overwritten", tags["k0"])
	fifty["k50"] = "v"
	_, err = b.CreateQueue(ctx, "b", nil, fifty)
	require.Equal(t, "Too many tags added for queue b.", refusedAs(t, err, ErrInvalidParameter).Reason)
}
