package inqtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
)

func TestServer_LogsWhatHappensInQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		q := s.Standard("orders", inq.WithDelay(time.Minute))
		_, err := q.Send(t.Context(), inq.Message{Body: "one"})
		require.NoError(t, err)
		began := time.Now()
		got := s.Log().Wait(1, inqtest.Arrived)
		assert.Equal(t, time.Minute, time.Since(began))
		assert.Equal(t, "one", got[0].Body)
		s.Log().Never(inqtest.Deleted)
		require.NoError(t, q.Purge(t.Context()))
	})
}
