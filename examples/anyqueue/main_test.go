package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/sqsapi"
)

const lines = `  2 of 3 messages sent; the one at index 2 has no body: true
  resize cat.png to a width of 640: the disk is full, try again in 2 s
  resize dog.png: done at receive 1
  resize cat.png: done at receive 2
  left in jobs: {Visible:0 NotVisible:0 Delayed:0}
`

func TestBothQueuesDoTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var output bytes.Buffer
		require.NoError(t, run(t.Context(), nil, &output))
		assert.Equal(t, "In this process:\n"+lines+"Over the AWS SDK:\n"+lines, output.String())
	})
}

func TestTheSecondQueueCanBeElsewhere(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	_, err = b.CreateStandard("elsewhere")
	require.NoError(t, err)
	server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
	defer server.Close()
	q, closer, err := connect(b.QueueURL(server.URL, "elsewhere"), "us-east-1")
	require.NoError(t, err)
	defer closer()
	var output bytes.Buffer
	require.NoError(t, work(t.Context(), q, &output))
	// On a busy machine both messages can be due at once.
	want := strings.Replace(lines, "in jobs", "in elsewhere", 1)
	assert.ElementsMatch(t, strings.Split(want, "\n"), strings.Split(output.String(), "\n"))
}

// refusing is a queue whose receives fail a number of times, as over a network.
type refusing struct {
	inq.Queue
	times int
}

func (q *refusing) Receive(ctx context.Context, in inq.ReceiveInput) ([]inq.Delivery, error) {
	if q.times > 0 {
		q.times--
		return nil, syscall.ECONNREFUSED
	}
	return q.Queue.Receive(ctx, in)
}

func TestTheProgramOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, err := inq.NewStandard("jobs")
		require.NoError(t, err)
		defer q.Close()
		var output bytes.Buffer
		require.NoError(t, work(t.Context(), &refusing{q, 2}, &output))
		assert.Equal(t, 2, strings.Count(output.String(), "  trying again: connection refused\n"))
		assert.Contains(t, output.String(), "  left in jobs: {Visible:0 NotVisible:0 Delayed:0}\n")

		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		require.ErrorIs(t, work(ctx, &refusing{q, 1000}, &output), context.DeadlineExceeded)
	})
}

func TestAQueueThatDoesNotExistIsWhatTheErrorSays(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	err = work(t.Context(), inqaws.NewQueue(inqaws.NewClient(b), "nowhere"), io.Discard)
	require.ErrorIs(t, err, inq.ErrQueueDoesNotExist)
	assert.NotContains(t, err.Error(), "refused")
}

func TestArguments(t *testing.T) {
	var output bytes.Buffer
	assert.Equal(t, flag.ErrHelp, run(t.Context(), []string{"-h"}, &output))
	assert.Contains(t, output.String(), "-url URL")
	_, _, err := connect("http://[", "us-east-1")
	assert.ErrorContains(t, err, "missing ']'")
	assert.Error(t, run(t.Context(), []string{"-nonsense"}, io.Discard))
}
