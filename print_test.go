package inq

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// printed is a value in all the ways in which one comes to be printed.
func printed(t *testing.T, v any) (texts []string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%s"} {
		texts = append(texts, fmt.Sprintf(verb, v))
	}
	return append(texts, fmt.Sprint(v))
}

// logged is what slog writes of a value under the key v.
func logged(v any) string {
	var out bytes.Buffer
	withoutTime := func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: withoutTime})).Info("", "v", v)
	return strings.TrimSuffix(out.String(), "\n")
}

func TestPrint_ShowsWhatTellsValuesApart(t *testing.T) {
	d := NewDelivery(nil, DeliveryFields{ID: "id-1", Body: "resize \"cat\"", GroupID: "ann", ReceiveCount: 2, SenderID: "s"})
	sent := NewSent(SentFields{ID: "id-1", SequenceNumber: "007", Duplicate: true})
	snapshot := Snapshot{ID: "id-1", Body: "b", GroupID: "ann", State: StateNotVisible, ReceiveCount: 2, lent: "s"}
	letter := DeadLetter{ID: "id-1", Body: "b", GroupID: "ann", Source: "jobs", SourceARN: "arn", Reason: "too often", ReceiveCount: 2, from: &queue{}}
	event := Event{Seq: 3, Time: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Kind: EventDeadLetterFailed, GroupID: "ann", ReceiveCount: 2, Err: errors.New("no"), Body: "b"}
	for _, c := range []struct {
		value, pointer any
		text, log      string
	}{
		{d, &d, `Delivery{id="id-1" group="ann" receiveCount=2 body="resize \"cat\""}`, `v.id=id-1 v.group=ann v.receiveCount=2 v.body="resize \"cat\""`},
		{sent, &sent, `Sent{id="id-1" sequenceNumber="007" duplicate=true}`, `v.id=id-1 v.sequenceNumber=007 v.duplicate=true`},
		{snapshot, &snapshot, `Snapshot{id="id-1" group="ann" state="not visible" receiveCount=2 body="b"}`,
			`v.id=id-1 v.group=ann v.state="not visible" v.receiveCount=2 v.body=b`},
		{letter, &letter, `DeadLetter{id="id-1" queue="jobs" reason="too often" group="ann" receiveCount=2 body="b"}`,
			`v.id=id-1 v.queue=jobs v.reason="too often" v.group=ann v.receiveCount=2 v.body=b`},
		{event, &event, `Event{seq=3 at="2026-01-02T03:04:05.000000006Z" kind="dead-letter failed" group="ann" receiveCount=2 error="no" body="b"}`,
			`v.seq=3 v.at=2026-01-02T03:04:05.000000006Z v.kind="dead-letter failed" v.group=ann v.receiveCount=2 v.error=no v.body=b`},
		{Event{Seq: 1, Kind: EventPurged, Count: 9}, &Event{Seq: 1, Kind: EventPurged, Count: 9}, `Event{seq=1 kind="purged" count=9}`,
			`v.seq=1 v.kind=purged v.count=9`},
		{Delivery{}, &Delivery{}, `Delivery{}`, ``},
		{Sent{}, &Sent{}, `Sent{}`, ``},
		{Snapshot{}, &Snapshot{}, `Snapshot{}`, ``},
		{DeadLetter{}, &DeadLetter{}, `DeadLetter{}`, ``},
	} {
		for _, v := range []any{c.value, c.pointer} {
			for _, text := range printed(t, v) {
				require.Equal(t, c.text, text)
			}
			require.Equal(t, c.log, logged(v), c.text)
		}
		require.Equal(t, "["+c.text+"]", fmt.Sprint([]any{c.value}))
	}
	require.Equal(t, "<nil>", fmt.Sprint((*Delivery)(nil)))
}

func TestPrint_CutsABodyBetweenCharacters(t *testing.T) {
	whole := strings.Repeat("x", 128)
	require.Equal(t, `Delivery{body="`+whole+`"}`, Delivery{Body: whole}.String())
	require.Equal(t, `Delivery{body="`+whole+`..." bodyBytes=129}`, Delivery{Body: whole + "x"}.String())
	require.Equal(t, `Delivery{body="`+whole+`..." bodyBytes=1048576}`, Delivery{Body: strings.Repeat("x", 1<<20)}.String())
	for before := range 5 {
		begin := strings.Repeat("x", 128-before)
		text := Snapshot{Body: begin + "\U0001F600" + "..."}.String()
		if before == 4 {
			begin += "\U0001F600"
		}
		require.Equal(t, fmt.Sprintf(`Snapshot{body=%q bodyBytes=%d}`, begin+"...", 128-before+7), text)
	}
	require.Contains(t, DeadLetter{Body: strings.Repeat("\x80", 200)}.String(), `\x80..." bodyBytes=200`, "no text, and cut all the same")
	require.Equal(t, `Delivery{body="\xff\x00"}`, Delivery{Body: "\xff\x00"}.String())
}

// TestPrint_ADeliveryOfAQueueShowsNothingOfTheQueue prints what queues give out, and queues
// themselves, while others use them: the race detector would see a look behind the lock.
func TestPrint_ADeliveryOfAQueueShowsNothingOfTheQueue(t *testing.T) {
	onBothTypes(t, func(s steps) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 50 {
				s.send(fmt.Sprintf("h-%d", i))
			}
		}()
		s.send("g-1")
		sent, err := s.q.Send(context.Background(), s.message("g-2"))
		require.NoError(s, err)
		d := s.one(time.Minute)
		for _, v := range []any{*d, d, sent, s.q.self} {
			for _, text := range append(printed(t, v), logged(v)) {
				require.NotContains(s, text, "0x", "%T", v)
				require.Less(s, len(text), 200)
			}
		}
		require.Contains(s, d.String(), d.ID())
		require.Contains(s, sent.String(), sent.ID())
		require.Equal(s, s.q.Config().String(), fmt.Sprint(s.q.self))
		<-done
	})
}

func TestPrint_QueuesBrokersTasksAndTargetsShowTheirNames(t *testing.T) {
	ctx := context.Background()
	b := testBroker(t, WithRegion("eu-west-3"), WithoutCooldowns())
	dead, err := b.CreateStandard("dead")
	require.NoError(t, err)
	jobs, err := b.CreateStandard("jobs", WithDeadLetter(dead, 1))
	require.NoError(t, err)
	task, err := dead.Redrive(ctx, RedriveInput{})
	require.NoError(t, err)
	<-task.Done()
	fifo, err := b.CreateFIFO("a.fifo")
	require.NoError(t, err)
	require.NoError(t, b.DeleteQueue(ctx, "dead"))
	file := deadLetterFile(t, t.TempDir()+"/dead.jsonl")
	for want, v := range map[string]any{
		"standard queue jobs":                         jobs,
		"fifo queue a.fifo":                           fifo,
		"broker of account 000000000000 in eu-west-3": b,
		"move task " + task.ID() + " of queue dead, COMPLETED, 0 of 0 moved": task,
		"arn:aws:sqs:eu-west-3:000000000000:dead":                            jobs.Config().DeadLetter,
		"dead-letter file " + file.path:                                      file,
		"standard queue ":                                                    &Standard{},
	} {
		for _, text := range printed(t, v) {
			require.Equal(t, want, text)
		}
		require.Contains(t, logged(v), strings.TrimSpace(want))
	}
}
