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

const transcript = `Using an SQS inside this process.
Created walkthrough-v1-jobs.
Created walkthrough-v1-mail.
All queues:
  http://sqs.invalid/000000000000/walkthrough-v1-jobs
  http://sqs.invalid/000000000000/walkthrough-v1-mail
Queues whose names begin with "walkthrough-v1-mail":
  http://sqs.invalid/000000000000/walkthrough-v1-mail
The URL of walkthrough-v1-jobs is http://sqs.invalid/000000000000/walkthrough-v1-jobs.
Sent a message that comes in 3 seconds.
Received "resize cat.png" with width 640 after 3s.
Deleted the message.
Deleted the queue http://sqs.invalid/000000000000/walkthrough-v1-jobs.
Deleted the queue http://sqs.invalid/000000000000/walkthrough-v1-mail.
`

func TestTheProgramTellsWhatItDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var output bytes.Buffer
		began := time.Now()
		require.NoError(t, run(t.Context(), nil, &output))
		assert.Equal(t, transcript, output.String())
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestWithAnEndpointItDoesTheSameThere(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{}))
	defer server.Close()
	// No credentials are needed, and none are looked for outside the environment.
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	var output bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-endpoint", server.URL, "-prefix", "w"}, &output))
	want := strings.NewReplacer("http://sqs.invalid", server.URL, "walkthrough-v1-", "w-",
		"an SQS inside this process", "the SQS at "+server.URL).Replace(transcript)
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
		assert.ErrorContains(t, run(ctx, nil, &output), "RequestCanceled")
		assert.Equal(t, 2, strings.Count(output.String(), "Deleted the queue"))
	})
}

func TestHelpIsNoError(t *testing.T) {
	var output bytes.Buffer
	assert.Equal(t, flag.ErrHelp, run(t.Context(), []string{"-h"}, &output))
	assert.Contains(t, output.String(), "-endpoint URL")
	assert.ErrorContains(t, run(t.Context(), []string{"-region", "No Region"}, io.Discard), "Region")
}
