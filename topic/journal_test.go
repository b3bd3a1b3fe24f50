package topic

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/durable"
)

// disk is a journal in memory that a test can cut behind every frame. The messages that queues take are
// in its frames as well, as they are in those of a real one.
type disk struct {
	mu     sync.Mutex // guards everything below
	frames []frame
	room   error    // what puts are refused with
	queues []string // that there are at the start of each process
}

// frame is what is written together.
type frame struct {
	durable.Batch
	queue   string // of a message, "" for none
	message inq.Message
}

// diskStore is the part of one account in a disk.
type diskStore struct {
	*disk
	last   uint64
	loaded []durable.Object
}

// open begins with what the first n frames say.
func (d *disk) open(n int) *diskStore {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.frames = d.frames[:n:n]
	s := &diskStore{disk: d}
	objects := map[uint64]durable.Object{}
	for _, f := range d.frames {
		for _, o := range f.Puts {
			objects[o.Number] = o
			s.last = max(s.last, o.Number)
		}
		for _, number := range f.Deletes {
			delete(objects, number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(objects)) {
		s.loaded = append(s.loaded, objects[number])
	}
	return s
}

// objects are the numbers of what is there, by kind.
func (d *disk) objects() map[durable.Kind]int {
	count := map[durable.Kind]int{}
	d.mu.Lock()
	n := len(d.frames)
	d.mu.Unlock()
	for _, o := range d.open(n).loaded {
		count[o.Kind]++
	}
	return count
}

func (s *diskStore) Load(f func(durable.Object) error) error {
	for _, o := range s.loaded {
		if err := f(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *diskStore) Next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return s.last
}

func (s *diskStore) Room() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room
}

func (s *diskStore) append(f frame) (durable.Mark, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(f.Puts) > 0 && s.room != nil {
		return 0, s.room
	}
	s.frames = append(s.frames, f)
	return durable.Mark(len(s.frames)), nil
}

func (s *diskStore) Write(b *durable.Batch) (durable.Mark, error) { return s.append(frame{Batch: *b}) }

func (s *diskStore) Forget(number uint64) {
	_, _ = s.append(frame{Batch: durable.Batch{Deletes: []uint64{number}}})
}

func (s *diskStore) Wait(durable.Mark) error { return nil }
func (s *diskStore) Sync() error             { return nil }
func (s *diskStore) Close()                  {}

func (s *diskStore) Send(q inq.Queue, m inq.Message, drop func(*durable.Batch)) (inq.Sent, durable.Pending, bool, error) {
	if _, local := q.(inq.Local); !local {
		return inq.Sent{}, nil, false, nil
	}
	sent, err := q.Send(context.Background(), m)
	if err == nil && !sent.Duplicate() {
		f := frame{queue: q.Name(), message: m}
		drop(&f.Batch)
		_, _ = s.append(f)
	}
	return sent, nil, true, err
}

// durableWorld is an account over a disk, and the queues as the frames of it say.
func durableWorld(t *testing.T, d *disk, frames int, opts ...AccountOption) *world {
	before := durable.Open
	store := d.open(frames)
	durable.Open = func(any, string) (durable.Store, error) { return store, nil }
	defer func() { durable.Open = before }()
	b, err := inq.NewBroker(inq.WithAccount("123456789012"), inq.WithoutCooldowns())
	require.NoError(t, err)
	w := &world{T: t, broker: b, log: &logText{}}
	for _, name := range d.queues {
		w.queueOf(name)
	}
	for _, f := range d.frames {
		if f.queue != "" {
			q := w.queueOf(f.queue)
			_, err := q.Send(t.Context(), f.message)
			require.NoError(t, err)
		}
	}
	opts = append([]AccountOption{WithBroker(b), WithLogger(slog.New(slog.NewTextHandler(w.log, nil)))}, opts...)
	w.Account, err = NewAccount(opts...)
	require.NoError(t, err)
	return w
}

// queueOf finds or makes a queue.
func (w *world) queueOf(name string) inq.Local {
	if q, err := w.broker.Queue(name); err == nil {
		return q
	}
	if strings.HasSuffix(name, ".fifo") {
		return w.fifoQueue(name)
	}
	return w.queue(name)
}

// close ends an account as a process does that stops.
func (w *world) close() {
	checkInvariants(w.T, w.Account)
	require.NoError(w, w.Account.Close())
	require.NoError(w, w.broker.Close())
}

func TestEverythingOfAnAccountComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, e, ctx := &disk{}, newEndpoints(), t.Context()
		w := durableWorld(t, d, 0, WithTransport(e))
		topic, err := w.CreateTopic(ctx, "a", map[string]string{"DisplayName": "A", "DeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"numRetries":2}}}`},
			map[string]string{"k": "v", "gone": ""})
		require.NoError(t, err)
		fifo := w.fifo("b.fifo", WithContentBasedDeduplication(true))
		require.NoError(t, w.DeleteTopic(ctx, w.standard("deleted").ARN()))
		require.NoError(t, topic.SetAttribute("SignatureVersion", "2"))
		require.NoError(t, topic.SetDataProtectionPolicy(`{"a":1}`))
		require.NoError(t, topic.AddPermission("label", []string{"123456789012"}, []string{"Publish"}))
		require.NoError(t, w.SetTags(ctx, topic.ARN(), map[string]string{"l": "w"}))
		require.NoError(t, w.RemoveTags(ctx, topic.ARN(), "gone"))

		w.queue("dead")
		s := w.subscribe(topic, QueueARN(w.queue("q").ARN()), WithFilter(`{"n":[{"numeric":[">",1]}]}`), WithRawDelivery(),
			WithSubscriptionAttribute("RedrivePolicy", `{"deadLetterTargetArn":"`+w.queueOf("dead").ARN()+`"}`))
		url := w.subscribe(topic, URL("http://app.example/"), WithBodyFilter(`{"a":["b"]}`))
		w.subscribe(topic, Email("a@example.com"))
		require.NoError(t, w.subscribe(topic, SMS("+49123")).Unsubscribe())
		w.subscribe(fifo, Queue(w.fifoQueue("q.fifo")), WithRawDelivery())
		app, err := w.CreatePlatformApplication("app", "GCM", map[string]string{"PlatformCredential": "secret", "x": "y"})
		require.NoError(t, err)
		device, err := w.CreatePlatformEndpoint(app, "token", map[string]string{"CustomUserData": "u"})
		require.NoError(t, err)
		require.NoError(t, w.SetEndpointAttributes(device, map[string]string{"Token": "next"}))
		w.subscribe(topic, Application(device))
		require.NoError(t, w.SetSMSAttributes(map[string]string{"DefaultSMSType": "Promotional"}))
		require.NoError(t, w.OptOut("+491234"))
		require.NoError(t, w.OptOut("+495678"))
		require.NoError(t, w.OptIn("+495678"))
		synctest.Wait()
		requests := e.take()
		require.Len(t, requests, 1, "the confirmation was sent")
		token := verify(t, requests[0].body, Certificate())["Token"]
		first, err := fifo.Publish(ctx, Message{Body: "x", GroupID: "g"})
		require.NoError(t, err)
		shown := func(w *world) (all []string) {
			topics, _, err := w.Topics("")
			require.NoError(t, err)
			for _, topic := range topics {
				attributes, err := topic.Attributes()
				require.NoError(t, err)
				tags, err := w.Tags(ctx, topic.ARN())
				require.NoError(t, err)
				protection, err := topic.DataProtectionPolicy()
				require.NoError(t, err)
				all = append(all, fmt.Sprint(attributes, tags, protection))
			}
			subscriptions, _, err := w.Subscriptions("")
			require.NoError(t, err)
			for _, s := range subscriptions {
				attributes, err := s.Attributes()
				require.NoError(t, err)
				all = append(all, fmt.Sprint(attributes))
			}
			apps, _, err := w.PlatformApplications("")
			require.NoError(t, err)
			for _, app := range apps {
				endpoints, _, err := w.Endpoints(app.ARN, "")
				require.NoError(t, err)
				all = append(all, fmt.Sprint(app, endpoints))
			}
			sms, err := w.SMSAttributes()
			require.NoError(t, err)
			numbers, err := w.OptedOutNumbers()
			require.NoError(t, err)
			return append(all, fmt.Sprint(sms, numbers))
		}
		before := shown(w)
		require.Len(t, before, 2+5+1+1)
		w.close()

		time.Sleep(time.Minute)
		w = durableWorld(t, d, len(d.frames), WithTransport(e))
		defer w.close()
		require.Equal(t, before, shown(w))
		synctest.Wait()
		require.Empty(t, e.take(), "nothing is confirmed twice")

		again, err := w.ConfirmSubscription(ctx, topic.ARN(), token, false)
		require.NoError(t, err)
		require.Equal(t, url.ARN(), again.ARN())
		fifo, err = w.Topic("b.fifo")
		require.NoError(t, err)
		twice, err := fifo.Publish(ctx, Message{Body: "x", GroupID: "g"})
		require.NoError(t, err)
		require.True(t, twice.Duplicate())
		require.Equal(t, first.MessageID(), twice.MessageID())
		require.Equal(t, first.SequenceNumber(), twice.SequenceNumber())
		next, err := fifo.Publish(ctx, Message{Body: "y", GroupID: "g"})
		require.NoError(t, err)
		require.Greater(t, next.SequenceNumber(), first.SequenceNumber())
		require.Equal(t, []string{"x", "y"}, bodies(t, w.queueOf("q.fifo")))
		time.Sleep(4*time.Minute - 1)
		twice, err = fifo.Publish(ctx, Message{Body: "x", GroupID: "g"})
		require.NoError(t, err)
		require.True(t, twice.Duplicate(), "a nanosecond before the end of the window")
		time.Sleep(time.Nanosecond)
		twice, err = fifo.Publish(ctx, Message{Body: "x", GroupID: "g"})
		require.NoError(t, err)
		require.False(t, twice.Duplicate())
		topic, err = w.Topic("a")
		require.NoError(t, err)
		require.NoError(t, w.DeleteTopic(ctx, topic.ARN()))
		_, err = w.Subscription(s.ARN())
		require.NoError(t, err, "readable until the process ends")
	})
}

func TestWhatWaitsGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, e, ctx := &disk{queues: []string{"dead"}}, newEndpoints(), t.Context()
		e.answer = func(r received) (int, error) {
			if strings.Contains(r.body, "Confirmation") {
				return 200, nil
			}
			return 500, nil
		}
		policy := WithDeliveryPolicy(`{"healthyRetryPolicy":{"numRetries":4,"minDelayTarget":10,"maxDelayTarget":10}}`)
		w := durableWorld(t, d, 0, WithTransport(e))
		topic := w.standard("a")
		dead := w.queueOf("dead")
		s := w.subscribe(topic, URL("http://app.example/"), policy, WithDeadLetter(dead))
		synctest.Wait()
		_, err := w.ConfirmSubscription(ctx, topic.ARN(), verify(t, e.take()[0].body, Certificate())["Token"], false)
		require.NoError(t, err)
		calls := 0
		w.subscribe(topic, Func(func(context.Context, *Notification) error { calls++; return errors.New("no") }))
		published := w.publish(topic, Message{Body: "m", Subject: "s", Attributes: map[string]inq.Attribute{"a": inq.String("b")}})
		time.Sleep(13 * time.Second) // tried at 0 and 10
		require.Len(t, e.take(), 2)
		w.close()
		require.Equal(t, 1, w.log.count("a message could not be delivered and is lost"), "that of the function")
		require.Equal(t, 1, d.objects()[kindCopy])

		time.Sleep(2 * time.Second)
		w = durableWorld(t, d, len(d.frames), WithTransport(e))
		time.Sleep(5*time.Second - 1)
		require.Empty(t, e.take())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		got := e.take()
		require.Len(t, got, 1, "at 20")
		require.Equal(t, published.MessageID(), verify(t, got[0].body, Certificate())["MessageId"])
		require.Contains(t, got[0].body, `"a" : {"Type":"String","Value":"b"}`)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		require.Len(t, e.take(), 2, "at 30 and 40")
		s, err = w.Account.Subscription(s.ARN())
		require.NoError(t, err)
		require.Equal(t, SubscriptionStats{DeadLettered: 1, Retries: 3}, s.Stats())
		require.Len(t, bodies(t, w.queueOf("dead")), 1)
		require.Zero(t, d.objects()[kindCopy])
		require.Zero(t, d.objects()[kindPublication])
		w.close()
	})
}

func TestCopiesOfAnEndedSubscriptionAreBuriedByTheNextProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		w := durableWorld(t, d, 0)
		topic := w.standard("a")
		full := w.queue("q", inq.WithCapacity(1, 0))
		s := w.subscribe(topic, QueueARN(full.ARN()), WithRawDelivery(), WithDeadLetter(w.queueOf("dead")))
		for i := range 3 {
			w.publish(topic, Message{Body: fmt.Sprint(i)})
		}
		require.Equal(t, 2, s.Stats().Waiting)
		synctest.Wait()
		d.queues = []string{"q", "dead"}
		frames := len(d.frames)
		require.NoError(t, s.Unsubscribe())
		ended := frames + 1 // the end of the subscription, and no burial
		w.close()

		w = durableWorld(t, d, ended)
		synctest.Wait()
		require.Equal(t, []string{"1", "2"}, bodies(t, w.queueOf("dead")))
		_, err := w.Account.Subscription(s.ARN())
		require.ErrorIs(t, err, ErrSubscriptionDoesNotExist)
		w.close()
		w = durableWorld(t, d, len(d.frames))
		require.Equal(t, map[durable.Kind]int{kindAccount: 1, kindTopic: 1}, d.objects())
		w.close()
	})
}

func TestAFullJournalRefusesPublishesAndNothingIsHalfDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, full := &disk{}, errors.New("full")
		w := durableWorld(t, d, 0)
		defer w.close()
		topic, fifo := w.standard("a"), w.fifo("b.fifo")
		w.subscribe(topic, Queue(w.queue("q")))
		w.subscribe(fifo, Queue(w.fifoQueue("q.fifo")), WithRawDelivery())
		d.room = full
		m := Message{Body: "x", GroupID: "g", DeduplicationID: "d"}
		_, err := topic.Publish(t.Context(), Message{Body: "x"})
		require.ErrorIs(t, err, full)
		_, err = topic.PublishBatch(t.Context(), []Message{{Body: "x"}})
		require.ErrorIs(t, err, full)
		_, err = fifo.Publish(t.Context(), m)
		require.ErrorIs(t, err, full)
		_, err = w.CreateStandard("c")
		require.ErrorIs(t, err, full)
		require.ErrorIs(t, topic.SetAttribute("DisplayName", "x"), full)
		require.ErrorIs(t, w.SetTags(t.Context(), topic.ARN(), map[string]string{"a": "b"}), full)
		require.ErrorIs(t, w.OptOut("+491"), full)
		require.Empty(t, bodies(t, w.queueOf("q")))

		d.room = nil
		published, err := fifo.Publish(t.Context(), m)
		require.NoError(t, err)
		require.False(t, published.Duplicate(), "the refused publish did not use up its id")
		require.Equal(t, []string{"x"}, bodies(t, w.queueOf("q.fifo")))
		attributes, err := topic.Attributes()
		require.NoError(t, err)
		require.Empty(t, attributes["DisplayName"])
	})
}

// TestEveryCrashPoint ends the process behind every frame of a run, and looks whether each publish that
// was acknowledged arrives once and in order, and each of a FIFO topic at all of its queues or at none.
func TestEveryCrashPoint(t *testing.T) {
	type publish struct {
		topic, body string
		frames      int // that there were when it returned
	}
	var acknowledged []publish
	setup := 0
	d := &disk{}
	run := func(t *testing.T, w *world) {
		standard, fifo := w.standard("s"), w.fifo("f.fifo")
		for _, name := range []string{"a", "b"} {
			w.subscribe(standard, QueueARN(w.queueOf(name).ARN()), WithRawDelivery())
			w.subscribe(fifo, QueueARN(w.queueOf(name+".fifo").ARN()), WithRawDelivery())
		}
		narrow := w.queue("narrow", inq.WithCapacity(2, 0))
		w.subscribe(standard, QueueARN(narrow.ARN()), WithRawDelivery())
		setup = len(d.frames)
		note := func(topic *Topic, bodies ...string) {
			for _, body := range bodies {
				acknowledged = append(acknowledged, publish{topic.name, body, len(d.frames)})
			}
		}
		for i := range 6 {
			body := fmt.Sprint(i)
			w.publish(standard, Message{Body: body})
			note(standard, body)
			w.publish(fifo, Message{Body: body, GroupID: "g", DeduplicationID: body})
			note(fifo, body)
			w.publish(fifo, Message{Body: body, GroupID: "g", DeduplicationID: body})
		}
		var batch []Message
		for _, body := range []string{"6", "7", "6"} {
			batch = append(batch, Message{Body: body, GroupID: "g", DeduplicationID: body})
		}
		_, err := fifo.PublishBatch(t.Context(), batch)
		require.NoError(t, err)
		note(fifo, "6", "7")
	}
	synctest.Test(t, func(t *testing.T) {
		w := durableWorld(t, d, 0)
		run(t, w)
		w.close()
	})
	frames := slices.Clone(d.frames)
	require.Greater(t, len(frames), 40)
	for n := setup; n <= len(frames); n++ {
		synctest.Test(t, func(t *testing.T) {
			d := &disk{frames: slices.Clone(frames), queues: []string{"a", "b", "narrow", "a.fifo", "b.fifo"}}
			w := durableWorld(t, d, n)
			synctest.Wait()
			time.Sleep(time.Minute)
			synctest.Wait()
			arrived := map[string][]string{}
			for _, name := range []string{"a", "b", "narrow", "a.fifo", "b.fifo"} {
				arrived[name] = bodies(t, w.queueOf(name))
			}
			require.Equal(t, arrived["a.fifo"], arrived["b.fifo"], "frames: %d", n)
			require.True(t, slices.IsSorted(arrived["a.fifo"]))
			require.Equal(t, len(arrived["a.fifo"]), len(slices.Compact(slices.Clone(arrived["a.fifo"]))))
			for _, p := range acknowledged {
				if p.frames > n {
					continue
				}
				for _, name := range map[string][]string{"s": {"a", "b", "narrow"}, "f.fifo": {"a.fifo", "b.fifo"}}[p.topic] {
					once := 0
					for _, body := range arrived[name] {
						if body == p.body {
							once++
						}
					}
					require.Equal(t, 1, once, "%s in %s, frames: %d of %d", p.body, name, n, len(frames))
				}
			}
			if fifo, err := w.Topic("f.fifo"); err == nil { // whoever got no answer repeats the publish
				for i := range 8 {
					body := fmt.Sprint(i)
					w.publish(fifo, Message{Body: body, GroupID: "g", DeduplicationID: body})
				}
				all := append(arrived["a.fifo"], bodies(t, w.queueOf("a.fifo"))...)
				require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, all)
			}
			w.close()
			counts := d.objects()
			require.Zero(t, counts[kindCopy]+counts[kindPublication], "frames: %d", n)
		})
	}
}
