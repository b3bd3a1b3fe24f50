package inq

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"sync"
	"unicode/utf8"
)

// DeadLetterFunc makes a [DeadLetterTarget] of a function.
type DeadLetterFunc func(ctx context.Context, d DeadLetter) error

// DeadLetter calls f.
func (f DeadLetterFunc) DeadLetter(ctx context.Context, d DeadLetter) error { return f(ctx, d) }

// sameTarget reports whether two targets are known to be one. One of a type that cannot be compared,
// such as a function, is always another.
func sameTarget(a, b DeadLetterTarget) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// Message returns what a producer would send to have this message once more: body, attributes
// (copied), group, trace header, and the sender where the sender gave one. The deduplication id is
// left out, since it would make the copy a duplicate.
func (d *DeadLetter) Message() Message {
	return Message{Body: d.Body, Attributes: cloneAttributes(d.Attributes), GroupID: d.GroupID, TraceHeader: d.TraceHeader,
		SenderID: senderGiven(d.SenderID, d.lent)}
}

// DeadLetterFile is a [DeadLetterTarget] that appends each message to a file, as one line of JSON in
// the form of [DeadLetter], with binary values and a binary body in base64. A line is there whole or
// not at all when DeadLetter returns, as far as the operating system has it; nothing is synced to the
// disk. It is safe for concurrent use, by several queues too, but not by several processes on one
// file.
type DeadLetterFile struct {
	path string

	mu   sync.Mutex // guards everything below, and the order of lines
	file *os.File   // nil after Close
}

// NewDeadLetterFile opens the file for appending and creates it where it does not exist. Close it
// when no queue uses it any more.
func NewDeadLetterFile(path string) (*DeadLetterFile, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("inq: dead-letter file: %w", err)
	}
	return &DeadLetterFile{path: path, file: f}, nil
}

// DeadLetter appends a line. After Close it fails, and the queue keeps the message and offers it
// again later.
func (t *DeadLetterFile) DeadLetter(_ context.Context, d DeadLetter) error {
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("inq: dead-letter file: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return fmt.Errorf("inq: dead-letter file %s is closed", t.path)
	}
	before, err := t.file.Stat()
	if err != nil {
		return fmt.Errorf("inq: dead-letter file: %w", err)
	}
	if _, err := t.file.Write(append(line, '\n')); err != nil {
		// A disk that filled up in the middle must not leave half a line for the next one to
		// continue.
		_ = t.file.Truncate(before.Size())
		return fmt.Errorf("inq: dead-letter file: %w", err)
	}
	return nil
}

// Close closes the file. It can be called again.
func (t *DeadLetterFile) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}

// DeadLetterLog returns a [DeadLetterTarget] that writes each message to l at the given level and
// lets it go. The body is part of the record: as body, or as bodyBase64 where it is not valid UTF-8
// and a handler could not write it whole. A nil l is [slog.Default] at the time of each
// message.
func DeadLetterLog(l *slog.Logger, level slog.Level) DeadLetterTarget {
	return DeadLetterFunc(func(ctx context.Context, d DeadLetter) error {
		log := l
		if log == nil {
			log = slog.Default()
		}
		body := slog.String("body", d.Body)
		if !utf8.ValidString(d.Body) {
			body = slog.String("bodyBase64", base64.StdEncoding.EncodeToString([]byte(d.Body)))
		}
		log.Log(ctx, level, "dead letter",
			slog.String("queue", d.Source), slog.String("id", d.ID), slog.String("reason", d.Reason),
			slog.Int("receiveCount", d.ReceiveCount), slog.Time("sentAt", d.SentAt), slog.String("group", d.GroupID),
			body)
		return nil
	})
}
