package inq

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fullLetter has a value for everything.
func fullLetter() DeadLetter {
	return DeadLetter{
		ID: "0196b1a4-0000-7000-8000-000000000001", Body: "line one\nline two \"<&>\" ü", Attributes: map[string]Attribute{
			"b": Binary([]byte{0, 10, 255}), "n": Number("1.50"), "s": {Type: "String.own", Value: "v"}},
		GroupID: "g", DeduplicationID: "d", SequenceNumber: "00000000000000000007", TraceHeader: "trace", SenderID: "sender",
		Source: "queue", SourceARN: "arn:aws:sqs:local:000000000000:queue", Reason: "why", ReceiveCount: 3,
		SentAt: time.Unix(1, 5).UTC(), FirstReceivedAt: time.Unix(2, 0).UTC(),
	}
}

// deadLetterFile opens a file target that is closed when the test ends.
func deadLetterFile(t *testing.T, path string) *DeadLetterFile {
	t.Helper()
	f, err := NewDeadLetterFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// lettersIn reads a file of dead letters back.
func lettersIn(t *testing.T, path string) (letters []DeadLetter) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(content))
	for lines.Scan() {
		var d DeadLetter
		require.NoError(t, json.Unmarshal(lines.Bytes(), &d))
		letters = append(letters, d)
	}
	require.NoError(t, lines.Err())
	if len(content) > 0 {
		require.True(t, bytes.HasSuffix(content, []byte("\n")), "the last line is whole")
	}
	return letters
}

func TestDeadLetterFunc_IsCalledWithWhatTheQueueGives(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "value")
	var got DeadLetter
	f := DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
		require.Equal(t, "value", ctx.Value(key{}))
		got = d
		return ErrFull
	})
	require.Equal(t, ErrFull, f.DeadLetter(ctx, fullLetter()))
	require.Equal(t, fullLetter(), got)
}

func TestDeadLetterFile_LinesAreReadBackAsTheyWere(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	f := deadLetterFile(t, path)
	require.Empty(t, lettersIn(t, path), "the file is there from the start")
	bare := DeadLetter{ID: "x", Body: "b"}
	require.NoError(t, f.DeadLetter(ctx, fullLetter()))
	require.NoError(t, f.DeadLetter(ctx, bare))
	require.Equal(t, []DeadLetter{fullLetter(), bare}, lettersIn(t, path))
}

func TestDeadLetterFile_TakesWhatAQueueHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "dead.jsonl")
		ctx := context.Background()
		s := standardSteps(t, WithDeadLetter(deadLetterFile(t, path), 1))
		attrs := map[string]Attribute{"b": Binary([]byte{0, 255})}
		sent, err := s.q.Send(ctx, Message{Body: "a", Attributes: attrs, GroupID: "g", TraceHeader: "trace", SenderID: "them"})
		require.NoError(t, err)
		d := s.one(time.Minute)
		s.change(d, 0)
		s.meets()
		letters := lettersIn(t, path)
		require.Len(t, letters, 1)
		l := letters[0]
		require.True(t, l.SentAt.Equal(d.SentAt()))
		require.True(t, l.FirstReceivedAt.Equal(d.FirstReceivedAt()))
		require.NotEmpty(t, l.Reason)
		l.SentAt, l.FirstReceivedAt, l.Reason = time.Time{}, time.Time{}, ""
		require.Equal(t, DeadLetter{ID: sent.ID(), Body: "a", Attributes: attrs, GroupID: "g", TraceHeader: "trace", SenderID: "them",
			Source: "queue", SourceARN: s.q.ARN(), ReceiveCount: 1}, l)
		s.counts(0, 0, 0)
	})
}

func TestDeadLetterFile_AppendsToWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	for i := range 3 {
		f, err := NewDeadLetterFile(path)
		require.NoError(t, err)
		require.NoError(t, f.DeadLetter(context.Background(), DeadLetter{Body: fmt.Sprint(i)}))
		require.NoError(t, f.Close())
	}
	require.Equal(t, []DeadLetter{{Body: "0"}, {Body: "1"}, {Body: "2"}}, lettersIn(t, path))
}

func TestDeadLetterFile_ManyWritersDoNotMixTheirLines(t *testing.T) {
	const writers, each = 8, 50
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	f := deadLetterFile(t, path)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				body := fmt.Sprintf("%d-%d-%s", w, i, strings.Repeat("x", 5000))
				if err := f.DeadLetter(context.Background(), DeadLetter{Body: body}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	next := [writers]int{}
	for _, d := range lettersIn(t, path) {
		var w, i int
		_, err := fmt.Sscanf(d.Body, "%d-%d-", &w, &i)
		require.NoError(t, err)
		require.Equal(t, next[w], i, "each writer's own order")
		next[w]++
	}
	for w := range writers {
		require.Equal(t, each, next[w])
	}
}

func TestDeadLetterFile_AfterCloseTheQueueKeepsTheMessage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	onBothTypes(t, func(s steps) {
		f, err := NewDeadLetterFile(path)
		require.NoError(s, err)
		require.NoError(s, f.Close())
		require.NoError(s, f.Close(), "a second time")
		require.ErrorContains(s, f.DeadLetter(context.Background(), DeadLetter{Body: "b"}), path)
		require.NoError(s, s.q.configure(&patch{settings: settings{target: f, maxReceives: 1}, set: setDeadLetter}))
		s.send("g-1")
		s.change(s.one(time.Minute), 0)
		s.gets(1, time.Minute)
		s.counts(0, 1, 0)
		time.Sleep(time.Second)
		s.counts(1, 0, 0)
	})
	require.Empty(t, lettersIn(t, path))
}

func TestDeadLetterFile_FailuresAreToldWithTheirCause(t *testing.T) {
	_, err := NewDeadLetterFile(t.TempDir())
	require.ErrorContains(t, err, "inq: dead-letter file: ")
	_, err = NewDeadLetterFile(filepath.Join(t.TempDir(), "missing", "dead.jsonl"))
	require.ErrorIs(t, err, os.ErrNotExist)

	letter := fullLetter()
	letter.SentAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // has no JSON form
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	f := deadLetterFile(t, path)
	require.ErrorContains(t, f.DeadLetter(context.Background(), letter), "inq: dead-letter file: ")
	require.Empty(t, lettersIn(t, path))

	// A file that the operating system took away.
	f.mu.Lock()
	inner := f.file
	f.mu.Unlock()
	require.NoError(t, inner.Close())
	require.ErrorIs(t, f.DeadLetter(context.Background(), fullLetter()), os.ErrClosed)
	f.mu.Lock()
	f.file = nil // closed already
	f.mu.Unlock()
}

func TestDeadLetterLog_WritesARecordAndLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		handler := slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})
		s := standardSteps(t, WithDeadLetter(DeadLetterLog(slog.New(handler), slog.LevelWarn), 1))
		_, err := s.q.Send(context.Background(), Message{Body: "a", GroupID: "g"})
		require.NoError(t, err)
		d := s.one(time.Minute)
		s.change(d, 0)
		s.meets()
		s.counts(0, 0, 0)
		var record map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &record))
		require.Equal(t, []any{"WARN", "queue", d.ID(), "g", "a", 1.0},
			[]any{record["level"], record["queue"], record["id"], record["group"], record["body"], record["receiveCount"]})
		require.NotEmpty(t, record["reason"])
		require.NotEmpty(t, record["sentAt"])

		out.Reset()
		require.NoError(t, DeadLetterLog(slog.New(handler), slog.LevelInfo).DeadLetter(context.Background(), fullLetter()))
		require.Empty(t, out.String(), "below the handler's level")
	})
}

func TestDeadLetterLog_WithoutALoggerUsesTheDefaultOfTheMoment(t *testing.T) {
	target := DeadLetterLog(nil, slog.LevelError)
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var out bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, target.DeadLetter(context.Background(), fullLetter()))
	require.Contains(t, out.String(), "level=ERROR")
	require.Contains(t, out.String(), "reason=why")
}
