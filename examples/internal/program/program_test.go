package program

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHelpPrintsTheExplanationAndTheFlagsAndIsNoFailure(t *testing.T) {
	var stdout, stderr bytes.Buffer
	f := NewFlags("letters", &stdout, "Sends letters.\n")
	f.Int("copies", 3, "how many of each")

	err := f.Parse([]string{"-h"})

	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, stdout.String(), "Sends letters.\n\nFlags:\n")
	require.Contains(t, stdout.String(), "how many of each (default 3)")
	require.Zero(t, status(err, &stderr))
	require.Empty(t, stderr.String())
}

func TestArgumentsThatAProgramDoesNotTakeEndItWithStatus2(t *testing.T) {
	for _, args := range [][]string{{"-copies", "many"}, {"-unknown"}, {"letter.txt"}} {
		t.Run(args[0], func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			f := NewFlags("letters", &stdout, "Sends letters.\n")
			f.Int("copies", 3, "how many of each")

			require.Equal(t, 2, status(f.Parse(args), &stderr))
			require.Contains(t, stderr.String(), "Run with -h for help.")
			require.Empty(t, stdout.String())
		})
	}
}

func TestAnyOtherErrorIsPrintedAndEndsTheProgramWithStatus1(t *testing.T) {
	var stderr bytes.Buffer
	require.Equal(t, 1, status(fmt.Errorf("letter 7: %w", errors.New("no stamp")), &stderr))
	require.Equal(t, "letter 7: no stamp\n", stderr.String())
	require.Zero(t, status(nil, &stderr))
}
