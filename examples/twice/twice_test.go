package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWithoutIdempotencyWhatGoesWrongIsChargedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stdout strings.Builder
		began := time.Now()
		require.NoError(t, run(t.Context(), nil, &stdout), &stdout)
		require.Regexp(t, `Without idempotency +10 +11 +13 +13 +130\n`, stdout.String())
		require.Regexp(t, `With idempotency +10 +11 +13 +10 +100\n`, stdout.String())
		require.Equal(t, 3, strings.Count(stdout.String(), "was charged before"))
		require.Less(t, time.Since(began), 5*time.Second)
	})
}

func TestStoppingIsNoSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, run(ctx, nil, new(strings.Builder)), context.DeadlineExceeded)
	})
}
