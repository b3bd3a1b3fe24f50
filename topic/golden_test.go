package topic

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/journal/faultfs"
)

var writeGoldenJournal = flag.Bool("topic.golden", false, "write testdata/journal for the present form of the records")

// goldenAge is when the journals in testdata were written, counted from the beginning of a bubble's time.
const goldenAge = time.Hour

// Journals of every form that records of queues, brokers and topics have had are opened for ever, and show what
// they showed when they were written. A directory that exists is never written again: what this version writes is
// read back in all other tests.
func TestGolden_RecordsOfEveryVersionAreUnderstood(t *testing.T) {
	dir := filepath.Join("testdata", "journal", "v1")
	if *writeGoldenJournal {
		synctest.Test(t, func(t *testing.T) { writeJournal(t, dir) })
	}
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		time.Sleep(goldenAge)
		files := map[string][]byte{}
		names, err := filepath.Glob(filepath.Join(dir, "*.inqj"))
		require.NoError(t, err)
		for _, name := range names {
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			files["dir/"+filepath.Base(name)] = data
		}
		require.NotEmpty(t, files)
		w, j, err := journaledWorld(t, faultfs.With(files))
		require.NoError(t, err)
		defer j.Close()
		defer w.close()
		want, err := os.ReadFile(filepath.Join(dir, "shows.txt"))
		require.NoError(t, err)
		handle, shows, _ := strings.Cut(string(want), "\n")
		require.Equal(t, shows, w.shows())

		require.NoError(t, w.queueOf("q").Delete(ctx, handle))
		fifo := w.queueOf("q.fifo")
		twice, err := fifo.Send(ctx, inq.Message{Body: "deleted", GroupID: "g", DeduplicationID: "gone"})
		require.NoError(t, err)
		require.True(t, twice.Duplicate())
		topic, err := w.Topic("t.fifo")
		require.NoError(t, err)
		again, err := topic.Publish(ctx, Message{Body: "p", GroupID: "g", DeduplicationID: "p"})
		require.NoError(t, err)
		require.True(t, again.Duplicate())
		narrow := w.queueOf("narrow")
		require.Equal(t, []string{"1"}, bodies(t, narrow))
		require.NoError(t, narrow.Purge(ctx))
		time.Sleep(time.Minute) // and then the queue takes what waited for it
		require.Equal(t, []string{"2"}, bodies(t, narrow))
	})
}

// shows is what can be seen of all queues and topics.
func (w *world) shows() string {
	ctx, all := w.Context(), &strings.Builder{}
	line := func(v ...any) {
		for i := range v {
			if _, text := v[i].(string); !text {
				data, err := json.Marshal(v[i])
				require.NoError(w, err)
				v[i] = string(data)
			}
		}
		fmt.Fprintln(all, v...)
	}
	names, err := w.broker.List("", "", 1000)
	require.NoError(w, err)
	for _, name := range names {
		attributes, err := w.broker.Attributes(ctx, name, "All")
		require.NoError(w, err)
		tags, err := w.broker.Tags(ctx, name)
		require.NoError(w, err)
		line("queue", name, attributes, tags)
		for m := range w.queueOf(name).Messages() {
			m.SentAt, m.FirstReceivedAt, m.VisibleAt = m.SentAt.UTC(), m.FirstReceivedAt.UTC(), m.VisibleAt.UTC()
			line("message", m)
		}
	}
	topics, _, err := w.Topics("")
	require.NoError(w, err)
	for _, topic := range topics {
		attributes, err := topic.Attributes()
		require.NoError(w, err)
		tags, err := w.Tags(ctx, topic.ARN())
		require.NoError(w, err)
		line("topic", attributes, tags)
	}
	subscriptions, _, err := w.Subscriptions("")
	require.NoError(w, err)
	for _, s := range subscriptions {
		attributes, err := s.Attributes()
		require.NoError(w, err)
		line("subscription", attributes)
	}
	apps, _, err := w.PlatformApplications("")
	require.NoError(w, err)
	for _, app := range apps {
		endpoints, _, err := w.Endpoints(app.ARN, "")
		require.NoError(w, err)
		line("application", app, endpoints)
	}
	sms, err := w.SMSAttributes()
	require.NoError(w, err)
	numbers, err := w.OptedOutNumbers()
	require.NoError(w, err)
	line("phones", sms, numbers)
	return all.String()
}

// writeJournal makes a journal with something of everything, and leaves it as a kill does.
func writeJournal(t *testing.T, dir string) {
	ctx, files := t.Context(), faultfs.New()
	w, j, err := journaledWorld(t, files)
	require.NoError(t, err)
	b := w.broker
	dead, err := b.CreateStandard("dead")
	require.NoError(t, err)
	q, err := b.CreateQueue(ctx, "q", map[string]string{"VisibilityTimeout": "43200", "MessageRetentionPeriod": "1209600", "Policy": `{"a":1}`,
		"KmsMasterKeyId": "alias/k", "RedrivePolicy": `{"deadLetterTargetArn":"` + dead.ARN() + `","maxReceiveCount":2}`}, map[string]string{"k": "v"})
	require.NoError(t, err)
	fifo, err := b.CreateQueue(ctx, "q.fifo", map[string]string{"FifoQueue": "true", "VisibilityTimeout": "43200", "DeduplicationScope": "messageGroup",
		"FifoThroughputLimit": "perMessageGroupId"}, nil)
	require.NoError(t, err)
	narrow, err := b.CreateStandard("narrow", inq.WithCapacity(1, 0))
	require.NoError(t, err)
	send := func(q inq.Queue, m inq.Message) {
		_, err := q.Send(ctx, m)
		require.NoError(t, err)
	}
	receive := func(q inq.Queue) inq.Delivery {
		ds, err := q.Receive(ctx, inq.ReceiveInput{})
		require.NoError(t, err)
		require.Len(t, ds, 1)
		return ds[0]
	}
	time.Sleep(goldenAge - 2*time.Minute)
	send(q, inq.Message{Body: "buried", TraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793", SenderID: "me"})
	buried := receive(q)
	require.NoError(t, buried.Bury(ctx, "no use"))
	send(q, inq.Message{Body: "held", Attributes: map[string]inq.Attribute{"s": inq.String("x"), "n": inq.Number("1"), "b": inq.Binary([]byte{0, 255})}})
	held := receive(q)
	send(q, inq.Message{Body: "released", GroupID: "tenant"})
	released := receive(q)
	require.NoError(t, released.ChangeVisibility(ctx, 0))
	send(q, inq.Message{Body: "late", Delay: 15 * time.Minute})
	send(q, inq.Message{Body: "deleted"})
	receive(q)
	for _, body := range []string{"deleted", "a", "b"} {
		send(fifo, inq.Message{Body: body, GroupID: "g", DeduplicationID: map[string]string{"deleted": "gone", "a": "1", "b": "2"}[body]})
	}
	gone := receive(fifo)
	require.NoError(t, gone.Delete(ctx))
	receive(fifo)
	require.NoError(t, b.SetTags(ctx, "q.fifo", map[string]string{"l": "w"}))

	topic, err := w.CreateTopic(ctx, "t", map[string]string{"DisplayName": "T"}, map[string]string{"k": "v"})
	require.NoError(t, err)
	w.subscribe(topic, Queue(narrow), WithRawDelivery())
	w.subscribe(topic, QueueARN(dead.ARN()), WithFilter(`{"n":[{"numeric":[">",1]}]}`),
		WithSubscriptionAttribute("RedrivePolicy", `{"deadLetterTargetArn":"`+dead.ARN()+`"}`))
	w.subscribe(topic, Email("a@example.com"))
	w.publish(topic, Message{Body: "1"})
	synctest.Wait()
	w.publish(topic, Message{Body: "2", Subject: "s", Attributes: map[string]inq.Attribute{"a": inq.String("x")}})
	ordered := w.fifo("t.fifo")
	w.subscribe(ordered, Queue(fifo), WithRawDelivery())
	w.publish(ordered, Message{Body: "p", GroupID: "g", DeduplicationID: "p"})
	app, err := w.CreatePlatformApplication("app", "GCM", map[string]string{"PlatformCredential": "secret"})
	require.NoError(t, err)
	_, err = w.CreatePlatformEndpoint(app, "token", map[string]string{"CustomUserData": "u"})
	require.NoError(t, err)
	require.NoError(t, w.SetSMSAttributes(map[string]string{"DefaultSMSType": "Promotional"}))
	require.NoError(t, w.OptOut("+491234"))
	synctest.Wait()
	time.Sleep(2 * time.Minute)
	synctest.Wait()

	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shows.txt"), []byte(held.ReceiptHandle()+"\n"+w.shows()), 0o644))
	for name, data := range files.Files() {
		if strings.HasSuffix(name, ".inqj") {
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), data, 0o644))
		}
	}
	w.close()
	require.NoError(t, j.Close())
}
