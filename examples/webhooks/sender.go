package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"example.com/inq/examples/internal/narrator"
	"example.com/inq/worker"
)

// An event is what a customer wants to hear of.
type event struct {
	ID       string // the same for every attempt, also after a redrive, which makes new messages
	Customer string
	What     string
}

// deliver is the job of delivering one event.
var deliver = worker.NewKind[event]("webhook.deliver")

var quiet = slog.New(slog.DiscardHandler)

// customers, as often as they are to get events.
var customers = []string{"shop", "crm", "shop", "billing", "shop", "crm", "shop", "billing", "crm", "fax"}

func newEvent(i int) event {
	return event{ID: fmt.Sprintf("event-%03d", i), Customer: customers[i%len(customers)], What: "order paid"}
}

// A sender delivers events.
type sender struct {
	client *http.Client
	url    string
	show   *narrator.Narrator

	requests atomic.Uint64
	told     atomic.Uint64 // answers that said when to come again
}

// post makes one request, and reads in the answer what is to become of the event.
func (s *sender) post(ctx context.Context, j worker.Job[event]) error {
	body, err := json.Marshal(j.Args)
	if err != nil {
		return worker.Bury(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/"+j.Args.Customer, bytes.NewReader(body))
	if err != nil {
		return worker.Bury(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", j.Args.ID) // the server may have heard an attempt whose answer was lost
	s.requests.Add(1)
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again

	failure := fmt.Errorf("%s answers %s", j.Args.Customer, resp.Status)
	switch {
	case resp.StatusCode < 300:
		if j.Attempt() > 1 {
			s.show.Line("%s: %s has it at attempt %d", j.Args.ID, j.Args.Customer, j.Attempt())
		}
		return nil
	case resp.StatusCode == http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || seconds < 0 {
			return failure
		}
		s.told.Add(1)
		return worker.RetryAfter(time.Duration(seconds)*time.Second, failure)
	case resp.StatusCode < 500:
		return worker.Bury(failure) // the request is wrong, and will be wrong the next time
	}
	return failure
}
