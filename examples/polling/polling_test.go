package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLongPollsMakeAsFewCallsAsThereAreMessagesAndDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stdout strings.Builder
		began := time.Now()
		require.NoError(t, run(t.Context(), []string{"-messages", "12"}, &stdout))
		output := stdout.String()
		require.Equal(t, 4*time.Second, time.Since(began), "the second consumer looks at 4 s for the last time")
		require.Regexp(t, `long polls of 20 s +12 +12 +0 +0 ms`, output)
		require.Regexp(t, `every 20 ms +12 +212 +200 +8 ms`, output, "200 pauses until 4 s, a receive before each and 12 with a message")
		require.Regexp(t, `every second +12 +8 +4 +335 ms`, output, "at 0 s, twice at 1, 2 and 3 s, and at 4 s")
		require.Contains(t, output, "12 of 12 sent;")
	})
}

func TestStoppingTellsWhatWasNotReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		var stdout strings.Builder
		err := run(ctx, nil, &stdout)
		require.ErrorContains(t, err, "stopped before the end, with ")
		require.Regexp(t, `long polls of 20 s +4 `, stdout.String())
	})
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-messages", "0"}, io.Discard), "must be from 1 to 100")
}
