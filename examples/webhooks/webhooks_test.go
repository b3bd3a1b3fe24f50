package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/examples/internal/narrator"
	"example.com/inq/worker"
)

// direct hands requests to a handler without a socket, which a bubble could not see through.
type direct struct{ http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, req)
	return w.Result(), nil
}

func deliverInBubble(t *testing.T, ctx context.Context, events int) (output string, err error) {
	var stdout bytes.Buffer
	s := newServers()
	err = deliverAll(ctx, events, s, &http.Client{Transport: direct{s}}, "http://customers", &stdout)
	return stdout.String(), err
}

func TestEveryEventIsDeliveredOrADeadLetterWithItsReason(t *testing.T) {
	for _, events := range []int{10, 60, 150} {
		synctest.Test(t, func(t *testing.T) {
			output, err := deliverInBubble(t, t.Context(), events)
			require.NoError(t, err, output)
			require.Regexp(t, `delivered +`+strconv.Itoa(events*9/10)+` .* 0 of them`, output)
			require.Regexp(t, `dead letters +`+strconv.Itoa(events/10)+` +after `+strconv.Itoa(events*3/10)+` were sent back`, output)
			require.Contains(t, output, strconv.Itoa(events*2/10)+" times billing answers 503 Service Unavailable")
			require.Contains(t, output, strconv.Itoa(events/10)+" times fax answers 410 Gone")
			require.Regexp(t, `left +0\n`, output)
		})
	}
}

func TestStoppingLosesNoEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		output, err := deliverInBubble(t, ctx, 60)
		require.ErrorContains(t, err, "stopped before the end")
		sum := 0
		for _, figure := range []string{"delivered", "dead letters", "left"} {
			n, err := strconv.Atoi(regexp.MustCompile(figure + ` +(\d+)`).FindStringSubmatch(output)[1])
			require.NoError(t, err)
			sum += n
		}
		require.Equal(t, 60, sum, output)
	})
}

// answer makes a sender whose requests all get this answer.
func answer(status int, retryAfter string) *sender {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	})
	return &sender{client: &http.Client{Transport: direct{h}}, url: "http://customers", show: narrator.New(io.Discard)}
}

func TestAnswersSayWhatBecomesOfAnEvent(t *testing.T) {
	post := func(s *sender) error {
		return s.post(t.Context(), worker.Job[event]{Delivery: &inq.Delivery{}, Args: newEvent(0)})
	}
	var retry *worker.RetryError
	var bury *worker.BuryError
	require.NoError(t, post(answer(204, "")))
	require.ErrorAs(t, post(answer(429, "7")), &retry)
	require.Equal(t, 7*time.Second, retry.Delay)
	require.ErrorAs(t, post(answer(404, "")), &bury)
	for _, s := range []*sender{answer(500, ""), answer(503, "7"), answer(429, ""), answer(429, "soon"), answer(429, "-1")} {
		err := post(s)
		require.ErrorContains(t, err, "shop answers ")
		require.NotErrorAs(t, err, &retry)
		require.NotErrorAs(t, err, &bury)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-events", "9"}, io.Discard), "must be from 10 to 150")
}
