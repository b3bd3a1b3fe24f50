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

func runInBubble(t *testing.T, ctx context.Context, args ...string) (output string, err error) {
	var stdout strings.Builder
	err = run(ctx, args, &stdout)
	return stdout.String(), err
}

func TestWorkersGrowWithABurstAndShrinkAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		output, err := runInBubble(t, t.Context())
		require.NoError(t, err, output)
		require.Less(t, time.Since(began), 10*time.Second)
		for _, line := range []string{
			"scale out: .* 1 workers become 2\n", "scale out: .* 8 workers become 16\n",
			"scale in: .* 16 workers become 8\n", "scale in: .* 2 workers become 1\n",
			`most workers +16\n`, `left +0\n`, `steps +8\n`,
		} {
			require.Regexp(t, line, output)
		}
	})
}

func TestASmallBurstNeedsNoHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		output, err := runInBubble(t, t.Context(), "-burst", "8")
		require.NoError(t, err, output)
		require.Regexp(t, `most workers +1\n`, output)
	})
}

func TestStoppingTellsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1100*time.Millisecond)
		defer cancel()
		output, err := runInBubble(t, ctx)
		require.ErrorContains(t, err, "stopped before the end, with ")
		require.Regexp(t, `left +5\d\d\n`, output)
	})
}

func TestBars(t *testing.T) {
	for _, c := range []struct {
		n, most, width int
		want           string
	}{{0, 10, 5, ""}, {10, 10, 5, "█████"}, {20, 10, 5, "█████"}, {5, 10, 5, "██▌"}, {1, 1000, 5, "▏"}, {3, 0, 2, "██"}, {-1, 10, 5, ""}} {
		require.Equal(t, c.want, bar(c.n, c.most, c.width))
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-burst", "0"}, io.Discard), "must be from 1 to 2000")
}
