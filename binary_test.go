package inq

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// noText are bodies that SQS refuses.
var noText = []string{"", "\x00", "a\x1fb", "\xff\xfe\x00\x01", "half \xe4\xb8", "\uffff", "\ufffe", string([]byte{0x1f, 0x8b, 0x08, 0})}

// messageOf makes a message that differs from others of its body on FIFO, in one of their groups.
func messageOf(q *queue, body, id string) Message {
	m := Message{Body: body}
	if q.fifo != nil {
		m.GroupID, m.DeduplicationID = "g", id
	}
	return m
}

func TestWithoutSQSLimits_ABodyIsAnyBytes(t *testing.T) {
	ctx := context.Background()
	for _, attributes := range []map[string]Attribute{nil, {"a": String("v")}} {
		onBothTypes(t, func(s steps) {
			var batch []Message
			for i, body := range noText {
				m := messageOf(s.q, body, "single"+string(rune('a'+i)))
				m.Attributes = attributes
				_, err := s.q.Send(ctx, m)
				require.NoError(s, err, "%q", body)
				m = messageOf(s.q, body, "batch"+string(rune('a'+i)))
				m.Attributes = attributes
				batch = append(batch, m)
			}
			sent, err := s.q.SendBatch(ctx, batch)
			require.NoError(s, err)
			for i := range sent {
				require.NotEmpty(s, sent[i].ID(), "%q", noText[i])
			}
			all := append(append([]string{}, noText...), noText...)
			ds := s.gets(64, 0, all...)
			seen := 0
			for m := range s.q.Messages() {
				require.Equal(s, all[seen], m.Body)
				seen++
			}
			require.Equal(s, len(all), seen)
			require.NoError(s, s.q.DeleteAll(ctx, ds))
			require.Zero(s, s.q.Stats().Bytes)
		}, WithoutSQSLimits())
	}
}

// TestWithoutSQSLimits_OnlyBadEntriesOfABatchFail has empty bodies beside entries that are refused:
// what is empty is not what failed.
func TestWithoutSQSLimits_OnlyBadEntriesOfABatchFail(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		ms := []Message{messageOf(s.q, "", "1"), messageOf(s.q, "", "2"), messageOf(s.q, "", "3")}
		ms[1].Attributes = map[string]Attribute{"a": {}}
		sent, err := s.q.SendBatch(ctx, ms)
		requireFailures(s, err, map[int]error{1: ErrInvalidParameter})
		require.NotEmpty(s, sent[0].ID())
		require.Equal(s, Sent{}, sent[1])
		require.NotEmpty(s, sent[2].ID())
		s.gets(10, 0, "", "")
		require.EqualValues(s, 2, s.q.Stats().Sent)
	}, WithoutSQSLimits())
	q := testStandard(t, WithoutSQSLimits(), WithMaxMessageSize(2))
	sent, err := q.SendBatch(ctx, []Message{{}, {Body: "long"}, {Body: "\xff"}})
	requireFailures(t, err, map[int]error{1: ErrInvalidParameter})
	require.NotEmpty(t, sent[0].ID())
	require.NotEmpty(t, sent[2].ID())
	require.ElementsMatch(t, []string{"", "\xff"}, steps{t, &q.queue}.bodies())
}

// bodies are those of all messages, received or not.
func (s steps) bodies() (bodies []string) {
	for m := range s.q.Messages() {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func TestWithoutSQSLimits_ContentOfAnyBytesIsDeduplicated(t *testing.T) {
	q := testFIFO(t, WithoutSQSLimits(), WithContentBasedDeduplication(true))
	for _, body := range noText {
		for i := range 2 {
			sent, err := q.Send(context.Background(), Message{Body: body, GroupID: "g"})
			require.NoError(t, err)
			require.Equal(t, i == 1, sent.Duplicate(), "%q", body)
		}
	}
	ds, err := q.Receive(context.Background(), ReceiveInput{Max: 64})
	require.NoError(t, err)
	require.Equal(t, noText, bodiesOf(ds))
	require.Equal(t, contentID(""), ds[0].DeduplicationID())
}

// TestWithoutSQSLimits_BinaryDeadLettersMoveToAQueueWithLimitsAndBack shows that a body is checked
// where it is sent, and not where queues of one process pass it on: a dead letter must not be stuck.
func TestWithoutSQSLimits_BinaryDeadLettersMoveToAQueueWithLimitsAndBack(t *testing.T) {
	ctx := context.Background()
	onBothTypes(t, func(s steps) {
		dead := Local(testStandard(s))
		if s.q.fifo != nil {
			dead = testFIFO(s)
		}
		require.NoError(s, s.q.configure(&patch{settings: settings{target: dead, maxReceives: 1}, set: setDeadLetter}))
		for i, body := range noText {
			m := messageOf(s.q, body, string(rune('a'+i)))
			if s.q.fifo != nil {
				m.GroupID = m.DeduplicationID
			}
			_, err := s.q.Send(ctx, m)
			require.NoError(s, err)
		}
		s.gets(64, Zero, noText...)
		s.gets(64, Zero)
		s.counts(0, 0, 0)
		deadSteps := steps{s, localQueue(dead)}
		require.Equal(s, noText, deadSteps.bodies())

		for i, d := range deadSteps.gets(10, Zero, noText...) {
			letter := DeadLetter{ID: d.ID(), Body: d.Body, GroupID: "g"}
			want := ErrInvalidMessageContents
			if i == 0 {
				want = ErrMissingParameter
			}
			require.ErrorIs(s, dead.DeadLetter(ctx, letter), want, "%q: a letter that anybody may have written", d.Body)
			require.NoError(s, s.q.DeadLetter(ctx, letter))
		}
		require.NoError(s, s.q.Purge(ctx))

		task, err := dead.Redrive(ctx, RedriveInput{})
		require.NoError(s, err)
		<-task.Done()
		require.NoError(s, task.Err())
		require.Equal(s, noText, s.bodies())
		require.Empty(s, deadSteps.bodies())
	}, WithoutSQSLimits())
}

func TestDeadLetterTargets_KeepABinaryBodyWhole(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	file := deadLetterFile(t, path)
	var out bytes.Buffer
	log := DeadLetterLog(slog.New(slog.NewJSONHandler(&out, nil)), slog.LevelInfo)
	var want []DeadLetter
	for _, body := range noText {
		d := fullLetter()
		d.Body = body
		want = append(want, d)
		require.NoError(t, file.DeadLetter(ctx, d))
		out.Reset()
		require.NoError(t, log.DeadLetter(ctx, d))
		var record struct {
			Body       *string
			BodyBase64 *[]byte
		}
		require.NoError(t, json.Unmarshal(out.Bytes(), &record))
		if utf8.ValidString(body) {
			require.Equal(t, body, *record.Body)
			require.Nil(t, record.BodyBase64)
		} else {
			require.Equal(t, body, string(*record.BodyBase64))
			require.Nil(t, record.Body)
		}
	}
	require.Equal(t, want, lettersIn(t, path))
}

func TestJSON_AMessageIsReadBackAsItWas(t *testing.T) {
	for _, body := range append([]string{"text", "ü <&> \u2028", "\"\\"}, noText...) {
		m := Message{Body: body, Attributes: map[string]Attribute{"b": Binary([]byte{0, 255})}, Delay: time.Second, GroupID: "g",
			DeduplicationID: "d", TraceHeader: "t", SenderID: "s"}
		text, err := json.Marshal(m)
		require.NoError(t, err)
		var again Message
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, m, again, "%s", text)
		var members map[string]any
		require.NoError(t, json.Unmarshal(text, &members))
		_, isText := members["body"]
		_, isBinary := members["bodyBase64"]
		require.Equal(t, []bool{utf8.ValidString(body), !utf8.ValidString(body)}, []bool{isText, isBinary}, "%s", text)
	}
	text, err := json.Marshal(&Message{Body: "b"})
	require.NoError(t, err)
	require.Equal(t, `{"body":"b"}`, string(text))
	text, err = json.Marshal([]Message{{Body: "\xff", GroupID: "g"}})
	require.NoError(t, err)
	require.Equal(t, `[{"bodyBase64":"/w==","groupId":"g"}]`, string(text))

	m := Message{Body: "old", GroupID: "old"}
	require.NoError(t, json.Unmarshal([]byte(`{"groupId":"new"}`), &m))
	require.Equal(t, Message{Body: "old", GroupID: "new"}, m, "what is not there stays")
	require.NoError(t, json.Unmarshal([]byte(`null`), &m))
	require.Equal(t, Message{Body: "old", GroupID: "new"}, m)
	require.Error(t, json.Unmarshal([]byte(`{"bodyBase64":"?"}`), &m))
	require.Error(t, json.Unmarshal([]byte(`{"body":1}`), &m))
	require.Error(t, json.Unmarshal([]byte(`{"bodyBase64":7}`), &DeadLetter{}))
	require.NoError(t, json.Unmarshal([]byte(`{"bodyBase64":""}`), &m))
	require.Empty(t, m.Body)
}
