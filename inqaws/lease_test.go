package inqaws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// timeouts are the two ways to one visibility timeout of 30 seconds: one that the receive gives, and
// the queue's own, which nobody has told the client.
var timeouts = map[string]time.Duration{"of the receive": 30 * time.Second, "of the queue": 0}

// overWire is a queue through a wire that keeps the requests.
func overWire(t *testing.T, b *inq.Broker, name string) (*Queue, *wire) {
	w := new(wire)
	return NewQueue(NewClient(b, through(w)), b.QueueURL(DefaultEndpoint, name)), w
}

// lease30 sends and receives one message.
func lease30(t *testing.T, q *Queue, timeout time.Duration) inq.Delivery {
	t.Helper()
	if q.fifo {
		_, err := q.Send(t.Context(), inq.Message{Body: "a", GroupID: "g", DeduplicationID: "d"})
		require.NoError(t, err)
	} else {
		send(t, q, "a")
	}
	ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: timeout})
	require.NoError(t, err)
	require.Len(t, ds, 1)
	return ds[0]
}

func TestReturn_WhatHasLapsedIsLeftToWhoHasItNow(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker(t)
				local, q := standard(t, b, "q")
				send(t, local, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var slow inq.Delivery
				for d, err := range inq.Deliveries(ctx, q, inq.ReceiveInput{Max: 10, VisibilityTimeout: timeout}) {
					if err != nil {
						assert.Equal(t, context.Canceled, err)
						break
					}
					slow = d
					time.Sleep(30 * time.Second)
					require.Len(t, receive(t, q), 10, "another consumer has them")
					cancel()
				}
				assert.Empty(t, receive(t, q), "and a third one gets none")
				assert.ErrorIs(t, slow.Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
				assert.Empty(t, receive(t, q))
			})
		})
	}
}

func TestReturn_IsSentUpToTheInstantBeforeTheEnd(t *testing.T) {
	for name, timeout := range timeouts {
		for _, kind := range []string{"q", "q.fifo"} {
			for _, after := range []time.Duration{0, 30*time.Second - 1, 30 * time.Second, time.Hour} {
				t.Run(fmt.Sprint(kind, " ", name, " ", after), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newBroker(t)
						var err error
						if kind == "q" {
							_, err = b.CreateStandard(kind)
						} else {
							_, err = b.CreateFIFO(kind)
						}
						require.NoError(t, err)
						q, w := overWire(t, b, kind)
						d := lease30(t, q, timeout)
						time.Sleep(after)
						before := w.operations()["ChangeMessageVisibility"]
						err = d.Return(t.Context(), 0)
						sent := w.operations()["ChangeMessageVisibility"] - before
						if after < 30*time.Second {
							require.NoError(t, err)
							require.Equal(t, 1, sent)
							require.Len(t, receive(t, q), 1)
							return
						}
						var p *inq.ParamError
						require.ErrorAs(t, err, &p)
						require.ErrorIs(t, err, inq.ErrReceiptHandleExpired)
						require.Equal(t, "ReceiptHandle", p.Param)
						require.Equal(t, d.ReceiptHandle(), p.Value)
						require.Zero(t, sent)
					})
				})
			}
		}
	}
}

// The timeout runs from when SQS takes the message, which is somewhere in the wait.
func TestReturn_CountsFromWhenTheReceiveLeft(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				local, q := standard(t, newBroker(t), "q")
				began := time.Now()
				time.AfterFunc(10*time.Second, func() { _, _ = local.Send(t.Context(), inq.Message{Body: "a"}) })
				ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: timeout})
				require.NoError(t, err)
				require.Equal(t, 10*time.Second, time.Since(began))
				if timeout != 0 {
					assert.True(t, began.Add(timeout).Equal(ds[0].VisibleAt()))
				}
				time.Sleep(20*time.Second - 1)
				copied := ds[0]
				require.NoError(t, copied.ChangeVisibility(t.Context(), 20*time.Second))
				time.Sleep(20*time.Second - 1)
				require.NoError(t, ds[0].Return(t.Context(), 0))
			})
			synctest.Test(t, func(t *testing.T) {
				local, q := standard(t, newBroker(t), "q")
				time.AfterFunc(10*time.Second, func() { _, _ = local.Send(t.Context(), inq.Message{Body: "a"}) })
				ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: timeout})
				require.NoError(t, err)
				time.Sleep(20 * time.Second)
				require.ErrorIs(t, ds[0].Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
			})
		})
	}
}

// However a visibility is changed, the end moves with it.
func TestReturn_KnowsOfChangesOfTheVisibility(t *testing.T) {
	ways := map[string]func(ctx context.Context, q *Queue, d *inq.Delivery, timeout time.Duration) error{
		"by the delivery": func(ctx context.Context, _ *Queue, d *inq.Delivery, timeout time.Duration) error {
			return d.ChangeVisibility(ctx, timeout)
		},
		"by the handle": func(ctx context.Context, q *Queue, d *inq.Delivery, timeout time.Duration) error {
			return q.ChangeVisibility(ctx, d.ReceiptHandle(), timeout)
		},
		"in a batch": func(ctx context.Context, q *Queue, d *inq.Delivery, timeout time.Duration) error {
			return q.ChangeVisibilityBatch(ctx, []inq.VisibilityChange{{ReceiptHandle: d.ReceiptHandle(), Timeout: timeout}})
		},
	}
	for way, change := range ways {
		for name, timeout := range timeouts {
			for _, kind := range []string{"q", "q.fifo"} {
				t.Run(way+", "+name+", "+kind, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b := newBroker(t)
						_, _ = standard(t, b, "q")
						_, _ = fifo(t, b, "q.fifo")
						q, _ := overWire(t, b, kind)
						ctx := t.Context()
						d := lease30(t, q, timeout)
						for range 3 { // longer, three times
							time.Sleep(29 * time.Second)
							require.NoError(t, change(ctx, q, &d, 30*time.Second))
						}
						time.Sleep(30*time.Second - 1)
						require.NoError(t, d.Return(ctx, inq.Zero))
						require.ErrorIs(t, d.Return(ctx, 0), inq.ErrReceiptHandleExpired, "it has been returned")

						d = receive(t, q)[0]
						require.NoError(t, change(ctx, q, &d, 5*time.Second)) // shorter
						time.Sleep(5 * time.Second)
						require.ErrorIs(t, d.Return(ctx, 0), inq.ErrReceiptHandleExpired)

						// After the end it is in force for nobody.
						err := change(ctx, q, &d, time.Minute)
						require.Equal(t, q.fifo, err != nil)
						require.ErrorIs(t, d.Return(ctx, 0), inq.ErrReceiptHandleExpired)
						d = receive(t, q)[0]
						require.NoError(t, d.Return(ctx, 0))
					})
				})
			}
		}
	}
}

// On Standard, SQS takes an old handle for the receive of whoever has the message.
func TestReturn_KnowsOfAChangeByAnOldHandle(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, q := standard(t, newBroker(t), "q")
				old := lease30(t, q, timeout)
				time.Sleep(30 * time.Second)
				d := receive(t, q)[0]
				require.NoError(t, old.ChangeVisibility(t.Context(), 10*time.Second))
				time.Sleep(10 * time.Second)
				require.Len(t, receive(t, q), 1, "a third consumer has it")
				require.ErrorIs(t, d.Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
				require.Empty(t, receive(t, q))
			})
		})
	}
}

// A message that comes again was let go before, whoever did that.
func TestReturn_KnowsOfAReceiveThatCameLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, q := standard(t, newBroker(t), "q")
		d := lease30(t, q, time.Hour)
		require.NoError(t, NewQueue(q.client, q.url).ChangeVisibility(t.Context(), d.ReceiptHandle(), 0))
		later := receive(t, q)[0]
		require.ErrorIs(t, d.Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
		require.Empty(t, receive(t, local))
		require.NoError(t, later.Return(t.Context(), 0))
		require.Len(t, receive(t, local), 1)
	})
}

// flaky fails calls as a network does, before or after the other side has carried them out.
type flaky struct {
	sqs.HTTPClient
	lose, answer bool
	delay        time.Duration // of answers
}

func (f *flaky) Do(req *http.Request) (*http.Response, error) {
	if f.lose {
		return nil, errors.New("lost")
	}
	resp, err := f.HTTPClient.Do(req)
	time.Sleep(f.delay)
	if f.answer {
		return nil, errors.New("answer lost")
	}
	return resp, err
}

func newFlaky(b *inq.Broker) (*Queue, *flaky) {
	f := new(flaky)
	return NewQueue(NewClient(b, func(o *sqs.Options) { f.HTTPClient, o.HTTPClient = o.HTTPClient, f }), b.QueueURL(DefaultEndpoint, "q")), f
}

func TestReturn_TakesTheEarlierEndWhereItIsNotKnownWhatACallDid(t *testing.T) {
	for name, timeout := range timeouts {
		for _, c := range []struct {
			name    string
			fault   func(f *flaky)
			change  time.Duration
			after   time.Duration
			refused bool
		}{
			{"a longer one may not have been carried out", func(f *flaky) { f.lose = true }, time.Minute, 30 * time.Second, true},
			{"a longer one may not have been, and there is time", func(f *flaky) { f.lose = true }, time.Minute, 30*time.Second - 1, false},
			{"a shorter one may have been carried out", func(f *flaky) { f.answer = true }, 5 * time.Second, 5 * time.Second, true},
			{"a shorter one that was not makes no difference", func(f *flaky) { f.lose = true }, 5 * time.Second, 5 * time.Second, true},
			{"a longer one answered after the end", func(f *flaky) { f.delay = 30 * time.Second }, time.Minute, 0, true},
			{"a longer one answered before the end", func(f *flaky) { f.delay = 29 * time.Second }, time.Minute, 30 * time.Second, false},
			{"it counts from when the change left", func(f *flaky) { f.delay = 20 * time.Second }, time.Minute, 40 * time.Second, true},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBroker(t)
					_, _ = standard(t, b, "q")
					q, f := newFlaky(b)
					d := lease30(t, q, timeout)
					c.fault(f)
					err := d.ChangeVisibility(t.Context(), c.change)
					require.Equal(t, f.lose || f.answer, err != nil)
					f.lose, f.answer, f.delay = false, false, 0
					time.Sleep(c.after)
					err = d.Return(t.Context(), 0)
					if c.refused {
						require.ErrorIs(t, err, inq.ErrReceiptHandleExpired)
					} else {
						require.NoError(t, err)
					}
				})
			})
		}
	}
}

// A change that was answered clears the doubt about those before it.
func TestReturn_ForgetsAnEarlierEndWithTheNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		_, _ = standard(t, b, "q")
		q, f := newFlaky(b)
		d := lease30(t, q, 30*time.Second)
		f.lose = true
		require.Error(t, d.ChangeVisibility(t.Context(), 5*time.Second))
		f.lose = false
		require.NoError(t, d.ChangeVisibility(t.Context(), time.Minute))
		time.Sleep(time.Minute - 1)
		require.NoError(t, d.Return(t.Context(), 0))
	})
}

// Of two changes at once nobody knows which was the last.
func TestReturn_TakesTheEarlierEndOfTwoChangesAtOnce(t *testing.T) {
	for _, order := range [][2]time.Duration{{5 * time.Second, time.Minute}, {time.Minute, 5 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBroker(t)
			_, _ = standard(t, b, "q")
			q, f := newFlaky(b)
			d := lease30(t, q, 30*time.Second)
			f.delay = 2 * time.Second
			done := make(chan error, 2)
			for i, timeout := range order {
				go func() {
					time.Sleep(time.Duration(i) * time.Second)
					done <- d.ChangeVisibility(t.Context(), timeout)
				}()
			}
			require.NoError(t, <-done)
			require.NoError(t, <-done)
			f.delay = 0
			time.Sleep(3 * time.Second)
			require.ErrorIs(t, d.Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
		})
	}
}

// FIFO queues refuse a handle that has lapsed: one that they take is in force, whatever was thought.
func TestReturn_BelievesAFIFOQueueThatTakesAHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local, q := fifo(t, newBroker(t), "q.fifo")
		time.AfterFunc(10*time.Second, func() {
			_, _ = local.Send(t.Context(), inq.Message{Body: "a", GroupID: "g", DeduplicationID: "d"})
		})
		ds, err := q.Receive(t.Context(), inq.ReceiveInput{Wait: 20 * time.Second, VisibilityTimeout: 30 * time.Second})
		require.NoError(t, err)
		time.Sleep(25 * time.Second)
		require.NoError(t, ds[0].ChangeVisibility(t.Context(), time.Minute))
		time.Sleep(time.Minute - 1)
		require.NoError(t, ds[0].Return(t.Context(), 0))
	})
}

// A change that SQS refuses is none.
func TestReturn_ARefusedChangeChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		d := lease30(t, q, 30*time.Second)
		require.ErrorIs(t, d.ChangeVisibility(t.Context(), 13*time.Hour), inq.ErrInvalidParameter)
		require.ErrorIs(t, d.ChangeVisibility(t.Context(), -1), inq.ErrInvalidParameter)
		require.ErrorIs(t, d.Return(t.Context(), -1), inq.ErrInvalidParameter)
		require.NoError(t, d.Return(t.Context(), 12*time.Hour))
	})
}

func TestReturn_AsksForTheTimeoutOfTheQueueOnceAReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		local, err := b.CreateStandard("q", inq.WithVisibilityTimeout(50*time.Second))
		require.NoError(t, err)
		q, w := overWire(t, b, "q")
		send(t, local, "1", "2", "3")
		ds := receive(t, q)
		time.Sleep(49 * time.Second)
		for _, d := range ds {
			require.NoError(t, d.Return(t.Context(), 0))
		}
		assert.Equal(t, map[string]int{"ReceiveMessage": 1, "GetQueueAttributes": 1, "ChangeMessageVisibility": 3}, w.operations())

		ds, err = q.Receive(t.Context(), inq.ReceiveInput{Max: 10, VisibilityTimeout: time.Minute})
		require.NoError(t, err)
		for _, d := range ds {
			require.NoError(t, d.Return(t.Context(), 0))
		}
		assert.Equal(t, 1, w.operations()["GetQueueAttributes"], "known where the receive gave it")
	})
}

func TestReturn_IsNotSentWhereTheTimeoutOfTheQueueCannotBeHad(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		text   string
	}{
		"denied":  {403, `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"sqs:GetQueueAttributes"}`, "AccessDenied"},
		"absent":  {200, `{}`, "attribute VisibilityTimeout of queue q: "},
		"no text": {200, `{"Attributes":{"VisibilityTimeout":"soon"}}`, "attribute VisibilityTimeout of queue q: "},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBroker(t)
			_, _ = standard(t, b, "q")
			changes := 0
			q := NewQueue(NewClient(b, func(o *sqs.Options) {
				next := o.HTTPClient
				o.HTTPClient = clientFunc(func(req *http.Request) (*http.Response, error) {
					switch operationOf(req) {
					case "GetQueueAttributes":
						return answer(req, c.status, c.body, ""), nil
					case "ChangeMessageVisibility":
						changes++
					}
					return next.Do(req)
				})
			}), "q")
			d := lease30(t, q, 0)
			err := d.Return(t.Context(), 0)
			require.ErrorContains(t, err, "whether the message is still in flight for this receive cannot be told")
			require.ErrorContains(t, err, c.text)
			require.Zero(t, changes)
			d = lease30(t, q, time.Minute)
			require.NoError(t, d.Return(t.Context(), 0))
		})
	}
}

func TestReturn_AReceiveRepeatedByItsAttemptIDStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := fifo(t, newBroker(t), "q.fifo")
		_, err := q.Send(t.Context(), inq.Message{Body: "a", GroupID: "g", DeduplicationID: "d"})
		require.NoError(t, err)
		in := inq.ReceiveInput{Wait: inq.Zero, VisibilityTimeout: 30 * time.Second, AttemptID: "try"}
		first, err := q.Receive(t.Context(), in)
		require.NoError(t, err)
		time.Sleep(29 * time.Second)
		again, err := q.Receive(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, first[0].ReceiptHandle(), again[0].ReceiptHandle())
		time.Sleep(29 * time.Second)
		require.NoError(t, first[0].Return(t.Context(), 0))
	})
}

// A wrapper that is no more than a Queue has no Return, and its ChangeVisibility is by handle.
func TestReturn_HoldsThroughWrappers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		d := lease30(t, q, 30*time.Second)
		d.Rebind(struct{ inq.Queue }{q})
		time.Sleep(30 * time.Second)
		require.Len(t, receive(t, q), 1)
		require.ErrorIs(t, d.Return(t.Context(), 0), inq.ErrReceiptHandleExpired)
		require.NoError(t, d.ChangeVisibility(t.Context(), 0), "by handle it is as on SQS")
		require.Len(t, receive(t, q), 1)
	})
}

// The figures of the package documentation.
func TestReturn_CountsTowardsDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker(t)
		dead, _ := standard(t, b, "dead")
		local, q := standard(t, b, "q", inq.WithDeadLetter(dead, 3))
		send(t, local, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
		seen := map[string]bool{}
		for range 3 { // consumers
			for d, err := range inq.Deliveries(t.Context(), q, inq.ReceiveInput{Max: 10}) {
				require.NoError(t, err)
				seen[d.Body] = true
				require.NoError(t, d.Delete(t.Context()))
				break
			}
		}
		assert.Empty(t, receive(t, q))
		letters := receive(t, dead)
		assert.Len(t, letters, 7)
		for _, d := range letters {
			assert.False(t, seen[d.Body])
		}
	})
}

// While a returned message waits it counts as not visible, and the range is that of SQS.
func TestReturn_HasTheRangeOfAVisibilityTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, q := standard(t, newBroker(t), "q")
		d := lease30(t, q, 12*time.Hour)
		time.Sleep(time.Hour)
		require.ErrorIs(t, d.Return(t.Context(), 11*time.Hour+1), inq.ErrInvalidParameter)
		require.NoError(t, d.Return(t.Context(), 11*time.Hour))
		c, err := q.Counts(t.Context())
		require.NoError(t, err)
		assert.Equal(t, inq.Counts{NotVisible: 1}, c)
	})
}

func TestLeases_AreForgottenWhenTheyAreOver(t *testing.T) {
	for name, timeout := range timeouts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, q := standard(t, newBroker(t), "q")
				kept := func() int {
					q.leases.mu.Lock()
					defer q.leases.mu.Unlock()
					require.LessOrEqual(t, len(q.leases.byID), len(q.leases.byHandle))
					return len(q.leases.byHandle)
				}
				receiveMany := func(n int) (ds []inq.Delivery) {
					for range n {
						ds = append(ds, lease30(t, q, timeout))
					}
					return ds
				}
				for i, d := range receiveMany(100) {
					if i%2 == 0 {
						require.NoError(t, d.Delete(t.Context()))
					} else {
						require.NoError(t, q.DeleteBatch(t.Context(), []string{d.ReceiptHandle()}))
					}
				}
				require.Zero(t, kept(), "deleted")
				for range 3 {
					receiveMany(minSweep)
					require.LessOrEqual(t, kept(), 2*minSweep)
					require.NoError(t, q.Purge(t.Context()))
					time.Sleep(13 * time.Hour)
				}
			})
		})
	}
}

// fixed is a client that answers without a queue behind it, for many at once.
type fixed struct {
	API
	mu sync.Mutex
	n  int
}

func (f *fixed) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	id, handle, body := fmt.Sprint(f.n%100), fmt.Sprint(f.n), "a"
	return &sqs.ReceiveMessageOutput{Messages: []types.Message{{MessageId: &id, ReceiptHandle: &handle, Body: &body}}}, nil
}

func (f *fixed) ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

func (f *fixed) DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error) {
	return &sqs.DeleteMessageOutput{}, nil
}

func (f *fixed) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"VisibilityTimeout": "30"}}, nil
}

func TestLeases_AreSafeForManyConsumers(t *testing.T) {
	q := NewQueue(new(fixed), "q")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 500 {
				ds, err := q.Receive(context.Background(), inq.ReceiveInput{})
				assert.NoError(t, err)
				switch (i + j) % 4 {
				case 0:
					assert.NoError(t, ds[0].Delete(context.Background()))
				case 1:
					assert.NoError(t, ds[0].ChangeVisibility(context.Background(), time.Minute))
				case 2:
					if err := ds[0].Return(context.Background(), 0); err != nil {
						assert.ErrorIs(t, err, inq.ErrReceiptHandleExpired)
					}
				}
			}
		})
	}
	all.Wait()
}
