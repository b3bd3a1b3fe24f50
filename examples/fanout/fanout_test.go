package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFanoutAddsUp(t *testing.T) {
	for orders, want := range map[string][]string{
		"3": {"billing    3 delivered + 0 filtered out + 0 dead-lettered = 3 orders", "fraud      1 delivered + 2 filtered out + 0 dead-lettered = 3 orders",
			"shipping   2 delivered + 0 filtered out + 1 dead-lettered = 3 orders"},
		"6": {"billing    6 delivered + 0 filtered out + 0 dead-lettered = 6 orders", "fraud      2 delivered + 4 filtered out + 0 dead-lettered = 6 orders",
			"shipping   5 delivered + 0 filtered out + 1 dead-lettered = 6 orders"},
		"100": {"fraud     40 delivered + 60 filtered out + 0 dead-lettered = 100 orders", "shipping  75 delivered + 0 filtered out + 25 dead-lettered = 100 orders"},
	} {
		t.Run(orders+" orders", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var output strings.Builder
				require.NoError(t, run(t.Context(), []string{"-orders", orders}, &output))
				for _, line := range want {
					require.Contains(t, output.String(), line)
				}
				require.Contains(t, output.String(), "Checked: every order is where it belongs")
			})
		})
	}
}

func TestFanoutShowsWhoGetsWhatAndWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var output strings.Builder
		require.NoError(t, run(t.Context(), nil, &output))
		require.Regexp(t, `1: 20 to Lisbon +billed +- \(20 is below 500\) +shipped`, output.String())
		require.Regexp(t, `2: 750 to Oslo +billed +looked at +shipped`, output.String())
		require.Regexp(t, `3: 480 to Atlantis +billed +- \(480 is below 500\) +dead letter \(no way to Atlantis\)`, output.String())
		for attempt, at := range map[string]string{"1": "0.40 s", "2": "1.40 s", "3": "2.40 s"} {
			require.Regexp(t, at+` +3: 480 to Atlantis +shipping fails, attempt `+attempt, output.String())
		}
	})
}

func TestStoppingEarlyEndsCleanly(t *testing.T) {
	for _, after := range []time.Duration{pause + pause/2, 6*pause + pause/2} { // while it publishes, and while it waits for a retry
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			began := time.Now()
			err := run(ctx, nil, new(strings.Builder))
			require.Regexp(t, "^stopped before the end, after [26] orders$", err.Error())
			require.Equal(t, after, time.Since(began))
		})
	}
}

func TestTheBookFindsWhatATopicCouldDoWrong(t *testing.T) {
	write := func(b *book, number int, department, what string) { b.write(orderOf(number), department, what) }
	good := func() *book {
		b := newBook()
		for number := 1; number <= 3; number++ {
			write(b, number, "billing", "billed")
		}
		write(b, 2, "fraud", "looked at")
		write(b, 1, "shipping", "shipped")
		write(b, 2, "shipping", "shipped")
		return b
	}
	b := good()
	require.EqualError(t, b.check(3), `shipping has [] of order 3 instead of "dead letter"`)
	write(b, 3, "shipping", "dead letter")
	require.NoError(t, b.check(3))
	write(b, 1, "fraud", "looked at")
	require.EqualError(t, b.check(3), `fraud has ["looked at"] of order 1 instead of ""`)
	b = good()
	write(b, 1, "billing", "billed")
	require.EqualError(t, b.check(3), `billing has ["billed" "billed"] of order 1 instead of "billed"`)
	var output strings.Builder
	b.print(&output, 3)
	require.Contains(t, output.String(), "billed (2 times!)")
	b = good()
	write(b, 3, "shipping", "dead letter")
	write(b, 4, "shipping", "shipped")
	require.EqualError(t, b.check(3), "there are entries for 4 orders instead of 3")
}

func TestArgumentsOutOfRangeAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-orders", "2"}, {"-orders", "101"}, {"-orders", "x"}, {"more"}} {
		require.Error(t, run(t.Context(), args, new(strings.Builder)))
	}
	require.Equal(t, unreachable, orderOf(3).To)
}
