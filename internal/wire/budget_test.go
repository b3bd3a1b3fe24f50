package wire

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBudget_ServesWhoWaitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := NewBudget(100)
		require.NoError(t, b.Take(ctx, 80))
		var served atomic.Int64 // the sum of what was taken
		var waiting sync.WaitGroup
		for _, n := range []int64{90, 10, 5} {
			waiting.Go(func() {
				assert.NoError(t, b.Take(ctx, n))
				served.Add(n)
			})
			synctest.Wait()
		}
		assert.Zero(t, served.Load(), "a small claim does not pass a large one")
		b.Give(70)
		synctest.Wait()
		assert.Equal(t, int64(90), served.Load(), "which has all there is")
		b.Give(90)
		waiting.Wait()
		assert.Equal(t, int64(105), served.Load())
		b.Give(10 + 15)
		assert.Equal(t, int64(100), b.Left())
	})
}

func TestBudget_WaitsALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		b := NewBudget(100)
		require.NoError(t, b.Take(ctx, 60))
		began := time.Now()
		var waiting sync.WaitGroup
		waiting.Go(func() {
			err := b.Take(ctx, 50)
			assert.Equal(t, patience, time.Since(began))
			assert.ErrorIs(t, err, ErrBusy)
		})
		synctest.Wait()
		waiting.Go(func() { // wants less, and gets it when the one before gives up
			time.Sleep(time.Second)
			assert.NoError(t, b.Take(ctx, 40))
			assert.Equal(t, patience, time.Since(began))
		})
		waiting.Wait()
		ended, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		assert.ErrorIs(t, b.Take(ended, 1), context.DeadlineExceeded)
		b.Give(100)
		assert.Equal(t, int64(100), b.Left())
		assert.Zero(t, b.waiting.Len())
	})
}

func TestShare_IsAtMostTheWhole(t *testing.T) {
	b := NewBudget(100)
	var s share
	require.NoError(t, s.grow(context.Background(), b, 1000))
	assert.Equal(t, int64(100), s.held)
	require.NoError(t, s.grow(context.Background(), b, 2000))
	s.shrink(b, 30)
	assert.Equal(t, int64(70), b.Left())
	s.shrink(b, 50)
	s.shrink(b, 0)
	assert.Equal(t, int64(100), b.Left())
}
