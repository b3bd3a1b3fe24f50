package worker_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

// The delivery service of the example, over two days and a stop.
func TestDeliveryService(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		q := fifo(t, target)
		ctx, cancel := context.WithCancel(t.Context())
		tries := map[string]int{}
		log := newDiary()
		var mu sync.Mutex
		drive := func(ctx context.Context, street string) error {
			mu.Lock()
			defer mu.Unlock()
			tries[street]++
			log.add("%s", street)
			switch {
			case street == "Nowhere":
				return errNoSuchStreet
			case street == "Jam" && tries[street] == 1:
				return errors.New("traffic jam")
			case street == "Ice" && tries[street] == 1:
				panic("the van slides")
			case street == "Moon":
				return errors.New("too far")
			case street == "FarAway":
				mu.Unlock()
				time.Sleep(30 * time.Minute)
				mu.Lock()
			case street == "Last":
				mu.Unlock()
				<-ctx.Done() // the end of the grace
				mu.Lock()
				return ctx.Err()
			}
			return nil
		}
		done := make(chan error)
		go func() { done <- serve(ctx, q, drive) }()
		order := func(customer string, streets ...string) {
			for _, street := range streets {
				_, err := deliver.Send(t.Context(), q, Parcel{customer, street}, worker.Group(customer), worker.Dedup(street))
				require.NoError(t, err)
			}
		}
		order("ann", "Oak", "Jam", "Elm")
		order("bob", "Nowhere", "Ash")
		order("cid", "FarAway", "Ice", "Fir")
		order("eve", "Moon", "Yew")
		time.Sleep(48*time.Hour + time.Minute)

		require.Equal(t, []string{`{"Customer":"bob","Street":"Nowhere"}: no such street`, `{"Customer":"eve","Street":"Moon"}: too far`}, *reasons)
		require.Equal(t, map[string]int{"Oak": 1, "Jam": 2, "Elm": 1, "Nowhere": 1, "Ash": 1, "FarAway": 1, "Ice": 2, "Fir": 1, "Moon": 5, "Yew": 1}, tries)
		for _, street := range [][2]string{{"Jam", "Elm"}, {"Ice", "Fir"}, {"FarAway", "Ice"}, {"Moon", "Yew"}} {
			last := map[string]int{}
			for i, line := range log.get() {
				for _, s := range street {
					if strings.HasSuffix(line, " "+s) {
						last[s] = i
					}
				}
			}
			require.Less(t, last[street[0]], last[street[1]], "the order of a customer")
		}
		require.Equal(t, inq.Counts{}, counts(t, q))
		require.EqualValues(t, 10+2, q.Stats().Sent, "and two reports")

		order("fay", "Last", "Next")
		time.Sleep(time.Second)
		began := time.Now()
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, 5*time.Second, time.Since(began), "a stop within ten seconds")
		require.Equal(t, inq.Counts{Visible: 2}, counts(t, q))
		require.Equal(t, 1, take(t, q)[0].ReceiveCount, "what was cut off comes again, uncounted")
	})
}

// The service is short: that is the point of the package.
func TestDeliveryService_IsShort(t *testing.T) {
	text, err := os.ReadFile("example_service_test.go")
	require.NoError(t, err)
	program, _, _ := strings.Cut(string(text), "	// Output:")
	n := 0
	for line := range strings.Lines(program) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	require.Less(t, n, 60)
}
