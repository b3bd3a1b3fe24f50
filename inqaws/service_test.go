package inqaws_test

import (
	"context"
	"errors"
	"log"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqaws"
	"example.com/inq/worker"
)

// What the example of the delivery service is given: a client of SQS, here one in memory, and the URL
// of a queue that has a redrive policy.
var client, queueURL = account()

func account() (*sqs.Client, string) {
	b, err := inq.NewBroker()
	if err != nil {
		log.Fatal(err)
	}
	dead, err := b.CreateFIFO("dead.fifo")
	if err != nil {
		log.Fatal(err)
	}
	if _, err = b.CreateFIFO("parcels.fifo", inq.WithDeadLetter(dead, 10)); err != nil {
		log.Fatal(err)
	}
	return inqaws.NewClient(b), b.QueueURL(inqaws.DefaultEndpoint, "parcels.fifo")
}

// The service is that of package worker but for one line: the constructor of its queue.
func TestDeliveryService_DiffersInOneLine(t *testing.T) {
	read := func(path string) []string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		_, program, _ := strings.Cut(string(text), "type Parcel")
		return strings.Split(program, "\n")
	}
	own, there := read("example_service_test.go"), read("../worker/example_service_test.go")
	require.Len(t, own, len(there))
	var differ []string
	for i := range own {
		if own[i] != there[i] && !strings.HasPrefix(own[i], "//") {
			differ = append(differ, strings.TrimSpace(own[i]))
		}
	}
	require.Equal(t, []string{"q, err := inqaws.NewQueue(client, queueURL), error(nil)"}, differ)
}

// Over the SDK it does what it does in the process.
func TestDeliveryService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, url := account()
		q := inqaws.NewQueue(client, url)
		ctx, cancel := context.WithCancel(t.Context())
		tries, first := map[string]int{}, map[string]time.Time{}
		last := map[string]time.Time{}
		lock := make(chan struct{}, 1)
		done := make(chan error, 1)
		go func() {
			done <- serve(ctx, q, func(ctx context.Context, street string) error {
				lock <- struct{}{}
				n := tries[street] + 1
				tries[street], last[street] = n, time.Now()
				if n == 1 {
					first[street] = time.Now()
				}
				<-lock
				switch {
				case street == "Nowhere":
					return errNoSuchStreet
				case street == "Jam" && n == 1:
					return errors.New("traffic jam")
				case street == "Ice" && n == 1:
					panic("the van slides")
				case street == "FarAway":
					time.Sleep(30 * time.Minute)
				}
				return nil
			})
		}()
		for customer, streets := range map[string][]string{"ann": {"Oak", "Jam", "Elm"}, "bob": {"Nowhere", "Ash"}, "cid": {"FarAway", "Ice", "Fir"}} {
			for _, street := range streets {
				_, err := deliver.Send(ctx, q, Parcel{customer, street}, worker.Group(customer), worker.Dedup(street))
				require.NoError(t, err)
			}
		}
		time.Sleep(24*time.Hour + time.Minute)
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, map[string]int{"Oak": 1, "Jam": 2, "Elm": 1, "Nowhere": 1, "Ash": 1, "FarAway": 1, "Ice": 2, "Fir": 1}, tries)
		for _, pair := range [][2]string{{"Oak", "Jam"}, {"Jam", "Elm"}, {"Nowhere", "Ash"}, {"FarAway", "Ice"}, {"Ice", "Fir"}} {
			require.False(t, first[pair[1]].Before(last[pair[0]]), "the order of a customer: %v", pair)
		}
		c, err := q.Counts(t.Context())
		require.NoError(t, err)
		require.Equal(t, inq.Counts{}, c)
		dead, err := q.DeadLetterQueue(t.Context())
		require.NoError(t, err)
		ds, err := dead.Receive(t.Context(), inq.ReceiveInput{Max: 10})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		require.Equal(t, `{"Customer":"bob","Street":"Nowhere"}`, ds[0].Body)
		require.Equal(t, "no such street", ds[0].Attributes()["reason"].Value)
	})
}
