package inqtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
)

func TestLeaks_TellWhatEachConsumerForgot(t *testing.T) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *inqtest.Server)
		want string
	}{
		{"forgets the delete", func(t *testing.T, s *inqtest.Server) {
			q := s.Standard("q")
			send(t, q, "one", "two")
			receive(t, q)
			time.Sleep(10 * time.Second)
			receive(t, q)
		}, `
  q: 2 messages in flight:
    SHORTID "one" received 1 time, visible again at +30s
    SHORTID "two" received 1 time, visible again at +40s`},
		{"forgets the delete, and the timeout passes", func(t *testing.T, s *inqtest.Server) {
			q := s.FIFO("q.fifo", inq.WithContentBasedDeduplication(true))
			send(t, q, "one")
			receive(t, q)
			time.Sleep(30 * time.Second)
			receive(t, q)
			time.Sleep(30 * time.Second)
		}, `
  q.fifo: 1 message received and never deleted:
    SHORTID "one" received 2 times`},
		{"many", func(t *testing.T, s *inqtest.Server) {
			q := s.Standard("q")
			for range 7 {
				send(t, q, "one")
				_, err := q.Receive(t.Context(), inq.ReceiveInput{VisibilityTimeout: 12 * time.Hour})
				require.NoError(t, err)
			}
		}, `
  q: 7 messages in flight:
    SHORTID "one" received 1 time, visible again at +12h0m0s
    SHORTID "one" received 1 time, visible again at +12h0m0s
    SHORTID "one" received 1 time, visible again at +12h0m0s
    SHORTID "one" received 1 time, visible again at +12h0m0s
    SHORTID "one" received 1 time, visible again at +12h0m0s
    and 2 more`},
		{"is longer than the timeout, on Standard", func(t *testing.T, s *inqtest.Server) {
			q := s.Standard("q")
			send(t, q, "one")
			d := receive(t, q)
			time.Sleep(31 * time.Second)
			require.NoError(t, d.Delete(t.Context()))
		}, `
  1 call by handles whose receives were over:
    q at +31s deleted SHORTID "one"`},
		{"is longer than the timeout, on FIFO", func(t *testing.T, s *inqtest.Server) {
			q := s.FIFO("q.fifo", inq.WithContentBasedDeduplication(true))
			send(t, q, "one")
			d := receive(t, q)
			time.Sleep(31 * time.Second)
			require.Error(t, d.Delete(t.Context()))
			d = receive(t, q)
			require.NoError(t, d.Delete(t.Context()))
		}, `
  1 call by handles whose receives were over:
    q.fifo at +31s delete or change of visibility refused for SHORTID "one"`},
		{"extends by a lapsed handle", func(t *testing.T, s *inqtest.Server) {
			q := s.Standard("q")
			send(t, q, "one")
			first := receive(t, q)
			time.Sleep(31 * time.Second)
			require.NoError(t, first.ChangeVisibility(t.Context(), time.Minute))
			second := receive(t, q)
			require.NoError(t, first.ChangeVisibility(t.Context(), time.Minute))
			require.NoError(t, first.ChangeVisibility(t.Context(), 0))
			second = receive(t, q)
			require.NoError(t, second.Delete(t.Context()))
		}, `
  3 calls by handles whose receives were over:
    q at +31s change of visibility without effect for SHORTID "one"
    q at +31s extended SHORTID "one"
    q at +31s released SHORTID "one"`},
		{"leaves a long poll", func(t *testing.T, s *inqtest.Server) {
			q := s.Standard("q")
			go func() {
				_, err := q.Receive(context.Background(), inq.ReceiveInput{Wait: 20 * time.Second})
				assert.ErrorIs(t, err, inq.ErrClosed)
			}()
		}, `
  q: 1 long poll still open`},
		{"does not close its own queue", func(t *testing.T, s *inqtest.Server) {
			q, err := inq.NewStandard("own")
			require.NoError(t, err)
			closed, err := inq.NewStandard("closed")
			require.NoError(t, err)
			s.Watch(q)
			s.Watch(closed)
			send(t, q, "one")
			s.Log().Wait(1, inqtest.Sent, inqtest.In("own"))
			receive(t, q)
			require.NoError(t, closed.Close())
			t.Cleanup(func() { _ = q.Close() })
		}, `
  own: 1 message in flight:
    SHORTID "one" received 1 time, visible again at +30s
  own: never closed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := "inqtest: left behind by TestIt:" + c.want
				failing(t, want, func(tb inqtest.TB) { c.test(t, inqtest.New(tb, inqtest.Strict())) })
				var r recorder
				got := r.run(func(tb inqtest.TB) { c.test(t, inqtest.New(tb)) })
				assert.False(t, r.Failed(), "told, and no failure unless strict")
				assert.Equal(t, want, masked(got))
			})
		})
	}
}

func TestLeaks_NothingToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passing(t, func(tb inqtest.TB) {
			s := inqtest.New(tb, inqtest.Strict())
			dead := s.Standard("dead")
			q := s.Standard("q", inq.WithDeadLetter(dead, 1))
			send(t, q, "deleted", "buried", "returned")
			d := receive(t, q)
			require.NoError(t, d.Delete(t.Context()))
			d = receive(t, q)
			require.NoError(t, d.Bury(t.Context(), "no use"))
			d = receive(t, q)
			require.NoError(t, d.Return(t.Context(), 0))
			assert.Empty(t, s.Leaks())
		})
	})
}

func TestLeaks_TellOfDeadLettersThatSomebodyReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing(t, `inqtest: left behind by TestIt:
  dead: 1 message received and never deleted:
    SHORTID "looked at" received 2 times`, func(tb inqtest.TB) {
			s := inqtest.New(tb, inqtest.Strict())
			dead := s.Standard("dead")
			q := s.Standard("q", inq.WithDeadLetter(dead, 1))
			send(t, q, "looked at", "left alone")
			for range 2 {
				d := receive(t, q)
				require.NoError(t, d.Bury(t.Context(), "no use"))
			}
			d := receive(t, dead)
			require.NoError(t, d.ChangeVisibility(t.Context(), inq.Zero))
		})
	})
}
