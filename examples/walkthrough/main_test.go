package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

const inMemory = `Using an SQS inside this process.
Created walkthrough-jobs.
Created walkthrough-mail.
All queues:
  http://sqs.invalid/000000000000/walkthrough-jobs
  http://sqs.invalid/000000000000/walkthrough-mail
Queues whose names begin with "walkthrough-mail":
  http://sqs.invalid/000000000000/walkthrough-mail
The URL of walkthrough-jobs is http://sqs.invalid/000000000000/walkthrough-jobs.
Sent a message that comes in 3 seconds.
Received "resize cat.png" with width 640 after 3s.
Deleted the message.
Deleted the queue http://sqs.invalid/000000000000/walkthrough-jobs.
Deleted the queue http://sqs.invalid/000000000000/walkthrough-mail.
`

func TestTheProgramTellsWhatItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var output bytes.Buffer
		began := time.Now()
		require.NoError(t, run(t.Context(), nil, &output))
		assert.Equal(t, inMemory, output.String())
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestWithAnEndpointItDoesTheSameThere(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
	defer server.Close()
	var output bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-endpoint", server.URL, "-prefix", "w"}, &output))
	want := strings.NewReplacer("http://sqs.invalid", server.URL, "walkthrough-", "w-",
		"an SQS inside this process", "the SQS at "+server.URL).Replace(inMemory)
	seconds := regexp.MustCompile(`after \d+s`) // real ones, on a machine that may be busy
	assert.Equal(t, seconds.ReplaceAllString(want, "later"), seconds.ReplaceAllString(output.String(), "later"))
	left, err := b.List("", "", 0)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestAnInterruptLeavesNoQueueBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // in the long poll
		defer cancel()
		var output bytes.Buffer
		assert.ErrorIs(t, run(ctx, nil, &output), context.DeadlineExceeded)
		assert.Equal(t, 2, strings.Count(output.String(), "Deleted the queue"))
	})
}

func TestHelpIsNoError(t *testing.T) {
	var output bytes.Buffer
	assert.Equal(t, flag.ErrHelp, run(t.Context(), []string{"-h"}, &output))
	assert.Contains(t, output.String(), "-endpoint URL")
	assert.ErrorContains(t, run(t.Context(), []string{"-region", "No Region"}, io.Discard), "Region")
}
