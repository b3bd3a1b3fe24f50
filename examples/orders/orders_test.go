package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOrdersAreKeptInOrderThroughACrashAndADuplicate(t *testing.T) {
	for _, consumers := range []string{"2", "4", "9"} {
		t.Run(consumers+" consumers", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var output strings.Builder
				require.NoError(t, run(t.Context(), []string{"-consumers", consumers}, &output))
				require.Equal(t, 15, strings.Count(output.String(), " done, received "))
				require.Equal(t, 1, strings.Count(output.String(), "crashes in the middle"))
				require.Regexp(t, `bob 3 +done, received 2×`, output.String())
				require.Contains(t, output.String(), "Checked: 15 orders")
			})
		})
	}
}

func TestNoOrderOfTheCustomerIsHandledBetweenTheCrashAndTheEndOfTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var output strings.Builder
		require.NoError(t, run(t.Context(), nil, &output))
		_, after, _ := strings.Cut(output.String(), "crashes in the middle")
		between, _, found := strings.Cut(after, "The timeout is over.")
		require.True(t, found)
		require.NotContains(t, between, "bob 4")
		require.Contains(t, between, "ann 4", "the other customers are served meanwhile")
	})
}

func TestStoppingEarlySaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), handling+handling/2)
		defer cancel()
		// 3 groups for 3 consumers: each has done one order and finishes the one in its hands.
		err := run(ctx, []string{"-consumers", "3"}, new(strings.Builder))
		require.EqualError(t, err, "stopped before the end, with 9 orders left")
	})
}

func TestTheLedgerFindsWhatAQueueCouldDoWrong(t *testing.T) {
	ann, bob, cem := customers[0], customers[1], customers[2]
	for name, c := range map[string]struct {
		entries []order
		want    string
	}{
		"nothing": {[]order{{ann, 1}, {bob, 1}, {ann, 2}, {cem, 1}, {cem, 2}, {bob, 2}}, ""},
		"order":   {[]order{{ann, 1}, {bob, 2}, {bob, 1}, {ann, 2}, {cem, 1}, {cem, 2}}, "bob's order 2 was handled after order 0"},
		"twice":   {[]order{{ann, 1}, {ann, 1}, {ann, 2}, {bob, 1}, {bob, 2}, {cem, 1}, {cem, 2}}, "ann's order 1 was handled after order 1"},
		"lost":    {[]order{{ann, 1}, {ann, 2}, {bob, 1}, {bob, 2}, {cem, 1}}, "cem's orders after 1 were lost"},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledger{entries: c.entries}
			if err := l.check(2); c.want == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, c.want)
			}
		})
	}
}

func TestTheLedgerHasAnOrderOnceHoweverOftenItIsWritten(t *testing.T) {
	l := ledger{want: 1}
	l.write(order{"ann", 1})
	l.write(order{"ann", 1})
	require.Equal(t, []order{{"ann", 1}}, l.entries)
	require.True(t, l.complete())
}

func TestArgumentsOutOfRangeAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-consumers", "1"}, {"-orders", "2"}, {"-orders", "101"}} {
		require.ErrorContains(t, run(t.Context(), args, new(strings.Builder)), "must be from")
	}
	require.Greater(t, visibility, 10*handling, "a consumer that works must not lose its order")
	require.Less(t, visibility, 5*time.Second, "nobody wants to watch for longer")
}
