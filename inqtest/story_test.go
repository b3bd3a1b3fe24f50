package inqtest_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/inqtest"
	"example.com/inq/topic"
)

// lifetime is what happens in the tests of stories: two messages, one of which is buried.
func lifetime(t *testing.T, s *inqtest.Server) (id string) {
	t.Helper()
	dead := s.Standard("dead")
	q := s.Standard("orders", inq.WithDeadLetter(dead, 2))
	_, err := q.Send(t.Context(), inq.Message{Body: "one", Delay: time.Minute})
	require.NoError(t, err)
	time.Sleep(time.Minute)
	synctest.Wait()
	d := receive(t, q)
	send(t, q, "two")
	time.Sleep(30 * time.Second)
	synctest.Wait()
	require.NoError(t, d.ChangeVisibility(t.Context(), time.Hour))
	d = receive(t, q)
	require.NoError(t, d.Bury(t.Context(), "broken"))
	return d.ID()
}

func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inqtest.New(t)
		id := lifetime(t, s)
		want := strings.TrimPrefix(`
message LONGID
     +0s  orders     sent "one"
   +1m0s  orders     arrived "one"
   +1m0s  orders     received "one" receive 1
  +1m30s  orders     timed out "one" receive 1
  +1m30s  orders     lapsed "one" receive 1: a call by a handle whose receive was over, without effect
  +1m30s  orders     received "one" receive 2
  +1m30s  orders     leaving "one" receive 2
  +1m30s  orders     dead-lettered "one" receive 2
  +1m30s  dead       moved in "one" receive 2
`, "\n")
		assert.Equal(t, want+"now in dead: The message is receivable now, and the next receive takes it.", masked(s.Story(id)))
		assert.Equal(t, s.Story(id), s.Story(id[:8]))
		d := receive(t, s.Standard("dead"))
		require.NoError(t, d.Delete(t.Context()))
		assert.Equal(t, want+`  +1m30s  dead       received "one" receive 3
  +1m30s  dead       deleted "one" receive 3
now: The message is gone.`, masked(s.Story(id)))
		assert.Equal(t, `The log knows no message "unknown".`, s.Story("unknown"))
		assert.Equal(t, `The log knows no message "".`, s.Story(""))
	})
}

func TestStory_OfWhatIsNotUnique(t *testing.T) {
	s := inqtest.New(t)
	q := s.Standard("q")
	for range 17 { // two of them begin with the same digit
		send(t, q, "x")
	}
	seen := map[string]bool{}
	for e := range s.Log().All() {
		if seen[e.ID[:1]] {
			assert.Regexp(t, `The log knows [2-9] messages that begin with ".".`, s.Story(e.ID[:1]))
			return
		}
		seen[e.ID[:1]] = true
	}
	t.Error("17 messages begin with 16 digits")
}

func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "testdata", "life.txt")
		const timeline = `+0s      orders     sent #1 "one"
+1m0s    orders     arrived #1 "one"
+1m0s    orders     received #1 "one" receive 1
+1m0s    orders     sent #2 "two"
+1m30s   dead       moved in #1 "one" receive 2
+1m30s   orders     timed out #1 "one" receive 1
+1m30s   orders     lapsed #1 "one" receive 1: a call by a handle whose receive was over, without effect
+1m30s   orders     received #1 "one" receive 2
+1m30s   orders     leaving #1 "one" receive 2
+1m30s   orders     dead-lettered #1 "one" receive 2
`
		test := func(tb inqtest.TB, filters ...inqtest.Filter) {
			s := inqtest.New(tb)
			lifetime(t, s)
			s.Golden(path, filters...)
			s.Reset()
		}
		var r recorder
		got := r.run(func(tb inqtest.TB) { test(tb) })
		assert.True(t, r.Failed())
		assert.True(t, strings.HasPrefix(got, "inqtest: "+path+" is not there; -inqtest.update writes it:\n+0s      orders     sent #1 \"one\"\n"), got)

		require.NoError(t, flag.Set("inqtest.update", "true"))
		passing(t, func(tb inqtest.TB) { test(tb) })
		require.NoError(t, flag.Set("inqtest.update", "false"))
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, timeline, string(written))
		passing(t, func(tb inqtest.TB) { test(tb) })

		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(strings.Replace(timeline, "two", "2", 1), "\n", "\r\n")), 0o600))
		failing(t, `inqtest: the log differs from `+path+`; -inqtest.update writes it anew
       +0s      orders     sent #1 "one"
       +1m0s    orders     arrived #1 "one"
       +1m0s    orders     received #1 "one" receive 1
  want +1m0s    orders     sent #2 "2"
  got  +1m0s    orders     sent #2 "two"`, func(tb inqtest.TB) { test(tb) })
		failing(t, `inqtest: the log differs from `+path+`; -inqtest.update writes it anew
       +0s      orders     sent #1 "one"
  want +1m0s    orders     arrived #1 "one"
  got  +1m0s    orders     sent #2 "two"`, func(tb inqtest.TB) { test(tb, inqtest.Sent) })
	})
}

func TestGolden_OutsideABubbleHasNoTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "life.txt")
	require.NoError(t, os.WriteFile(path, []byte("q          sent #1 \"one\"\nq          purged 1 message\n"), 0o600))
	passing(t, func(tb inqtest.TB) {
		s := inqtest.New(tb)
		q := s.Standard("q")
		send(t, q, "one")
		require.NoError(t, q.Purge(t.Context()))
		s.Golden(path)
	})
	require.NoError(t, os.WriteFile(path, []byte("q          sent #1 \"one\""), 0o600)) // as some editors end a file
	passing(t, func(tb inqtest.TB) {
		s := inqtest.New(tb)
		send(t, s.Standard("q"), "one")
		s.Golden(path)
	})
	failing(t, "inqtest: the log differs from "+path+"; -inqtest.update writes it anew\n"+
		"  want q          sent #1 \"one\"\n  got  (nothing more)", func(tb inqtest.TB) { inqtest.New(tb).Golden(path) })
	var r recorder
	assert.Contains(t, r.run(func(tb inqtest.TB) {
		s := inqtest.New(tb, inqtest.WithKept(1))
		send(t, s.Standard("q"), "zero", "one")
		s.Golden(path)
	}), "  want q          sent #1 \"one\"\n  got  (1 entry before these dropped)\n")
	failing(t, "inqtest: Golden: read .: is a directory", func(tb inqtest.TB) { inqtest.New(tb).Golden(".") })
}

// A test program with a flag of its own keeps it.
func TestGolden_HeedsAnUpdateFlagOfTheTests(t *testing.T) {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "")
	}
	require.NoError(t, flag.Set("update", "true"))
	defer func() { require.NoError(t, flag.Set("update", "false")) }()
	path := filepath.Join(t.TempDir(), "none.txt")
	passing(t, func(tb inqtest.TB) { inqtest.New(tb).Golden(path) })
	assert.FileExists(t, path)
	failing(t, "inqtest: Golden: mkdir "+path+": not a directory", func(tb inqtest.TB) { inqtest.New(tb).Golden(filepath.Join(path, "x")) })
}

func TestSNSBody(t *testing.T) {
	for _, name := range []string{"news", "news.fifo"} {
		m := topic.Message{Body: `say "hi"`, Subject: "s", Attributes: map[string]inq.Attribute{"n": inq.Number("17")}}
		if name == "news.fifo" {
			m.GroupID, m.DeduplicationID = "g", "d"
		}
		var got struct {
			Type, Message, Subject, TopicArn string
			MessageAttributes                map[string]struct{ Type, Value string }
		}
		passing(t, func(tb inqtest.TB) { require.NoError(t, json.Unmarshal([]byte(inqtest.SNSBody(tb, name, m)), &got)) })
		assert.Equal(t, "Notification", got.Type)
		assert.Equal(t, m.Body, got.Message)
		assert.Equal(t, "s", got.Subject)
		assert.Equal(t, "arn:aws:sns:us-east-1:000000000000:"+name, got.TopicArn)
		assert.Equal(t, "17", got.MessageAttributes["n"].Value)
	}
	failing(t, "inqtest: SNSBody: topic: invalid parameter: Message \"\": must not be empty", func(tb inqtest.TB) {
		inqtest.SNSBody(tb, "news", topic.Message{})
	})
	passing(t, func(tb inqtest.TB) {
		inqtest.SNSBody(tb, "news", topic.Message{Body: strings.Repeat("\x7f\"", 128<<10)})
	})
}

func TestS3Event(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 5e6, time.UTC)
	got := inqtest.S3Event(inqtest.S3Object{Bucket: "photos", Key: "red flowers/été & more+.jpg", Size: 17, ETag: "e", Time: at},
		inqtest.S3Object{Bucket: "photos", Key: "k", Event: "ObjectRemoved:Delete", Region: "eu-west-1", Time: at})
	assert.JSONEq(t, `{"Records":[
		{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-01-31T12:00:00.005Z","eventName":"ObjectCreated:Put",
		 "userIdentity":{"principalId":"inqtest"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
		 "responseElements":{"x-amz-id-2":"inqtest","x-amz-request-id":"0000000000000001"},
		 "s3":{"s3SchemaVersion":"1.0","configurationId":"inqtest",
		  "bucket":{"name":"photos","ownerIdentity":{"principalId":"inqtest"},"arn":"arn:aws:s3:::photos"},
		  "object":{"key":"red+flowers/%C3%A9t%C3%A9+%26+more%2B.jpg","size":17,"eTag":"e","sequencer":"0000000000000001"}}},
		{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-01-31T12:00:00.005Z","eventName":"ObjectRemoved:Delete",
		 "userIdentity":{"principalId":"inqtest"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},
		 "responseElements":{"x-amz-id-2":"inqtest","x-amz-request-id":"0000000000000002"},
		 "s3":{"s3SchemaVersion":"1.0","configurationId":"inqtest",
		  "bucket":{"name":"photos","ownerIdentity":{"principalId":"inqtest"},"arn":"arn:aws:s3:::photos"},
		  "object":{"key":"k","sequencer":"0000000000000002"}}}]}`, got)
	assert.Equal(t, `{"Records":[]}`, inqtest.S3Event())
	assert.Contains(t, inqtest.S3Event(inqtest.S3Object{Bucket: "b", Key: "empty"}), `"size":0`)
}

// At one instant it does not matter who was first, except where a queue promises an order.
func TestGolden_IsTheSameWhicheverGoroutineWasFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "life.txt")
	require.NoError(t, os.WriteFile(path, []byte(`+0s      orders     purged 1 message
+0s      orders     sent #1 "one"
+0s      orders     received #1 "one" receive 1
+0s      orders     deleted #1 "one" receive 1
+0s      orders     sent #2 "two"
+0s      orders     received #2 "two" receive 1
+0s      orders     deleted #2 "two" receive 1
+0s      orders.fifo sent #3 "a1" group "a"
+0s      orders.fifo sent #5 "a2" group "a"
+0s      orders.fifo deduplicated #3 group "a"
+0s      orders.fifo received #3 "a1" group "a" receive 1
+0s      orders.fifo received #5 "a2" group "a" receive 1
+0s      orders.fifo deleted #3 "a1" group "a" receive 1
+0s      orders.fifo deleted #5 "a2" group "a" receive 1
+0s      orders.fifo sent #4 "b1" group "b"
+0s      orders.fifo received #4 "b1" group "b" receive 1
+0s      orders.fifo deleted #4 "b1" group "b" receive 1
`), 0o600))
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 1, 0, 2, 3}, {2, 0, 3, 1, 4}} {
		synctest.Test(t, func(t *testing.T) {
			s := inqtest.New(t)
			q := s.Standard("orders")
			f := s.FIFO("orders.fifo", inq.WithContentBasedDeduplication(true))
			send(t, q, "zero")
			require.NoError(t, q.Purge(t.Context()))
			send(t, q, "one", "two")
			for _, body := range []string{"a1", "b1", "a2", "a1"} {
				_, err := f.Send(t.Context(), inq.Message{Body: body, GroupID: body[:1]})
				require.NoError(t, err)
			}
			ds, err := q.Receive(t.Context(), inq.ReceiveInput{Max: 10})
			require.NoError(t, err)
			more, err := f.Receive(t.Context(), inq.ReceiveInput{Max: 10})
			require.NoError(t, err)
			ds = append(ds, more...)
			for _, i := range order {
				require.NoError(t, ds[i].Delete(t.Context()))
			}
			notZero := inqtest.Match("not zero", func(e inqtest.Entry) bool { return e.Body != "zero" })
			s.Golden(path, notZero)
		})
	}
}
