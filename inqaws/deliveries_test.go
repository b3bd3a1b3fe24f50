package inqaws

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"

	"example.com/inq"
)

// Giving back what a loop leaves is bounded also where the network is dead and the client retries.
func TestDeliveries_EndInSecondsOverADeadNetwork(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				local, _ := standard(t, b, "q")
				send(t, local, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
				dead, requests := false, 0
				q := NewQueue(NewClient(b, func(o *sqs.Options) {
					next := o.HTTPClient
					o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
						if requests++; dead {
							<-req.Context().Done()
							return nil, req.Context().Err()
						}
						return next.Do(req)
					})
				}), b.QueueURL(DefaultEndpoint, "q"))
				began := time.Now()
				for range inq.Deliveries(context.Background(), q, inq.ReceiveInput{Max: 10, VisibilityTimeout: timeout}) {
					dead, requests = true, 0
					break
				}
				assert.Equal(t, 5*time.Second, time.Since(began))
				assert.Equal(t, 1, requests)
				dead = false
				time.Sleep(25 * time.Second)
				assert.Len(t, receive(t, q), 10, "they come back by their timeout")
			})
		})
	}
}

func TestDeliveries_GiveBackInOneCall(t *testing.T) {
	for _, leave := range []string{"break", "panic", "end of ctx"} {
		for name, timeout := range timeouts {
			t.Run(leave+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBroker(t)
					local, _ := standard(t, b, "q")
					send(t, local, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
					q, w := overWire(t, b, "q")
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					func() {
						defer func() { _ = recover() }()
						for _, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{Max: 10, VisibilityTimeout: timeout}) {
							switch {
							case err != nil:
								assert.Equal(t, context.Canceled, err)
							case leave == "panic":
								panic("in the body")
							case leave == "end of ctx":
								cancel()
								continue
							}
							break
						}
					}()
					want := map[string]int{"ReceiveMessage": 1, "ChangeMessageVisibilityBatch": 1}
					if timeout == 0 {
						want["GetQueueAttributes"] = 1
					}
					assert.Equal(t, want, w.operations())
					assert.Len(t, receive(t, local), 9)
				})
			})
		}
	}
}
