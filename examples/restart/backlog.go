package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"example.com/inq"
)

// A saved message is one line of the backlog file.
//
// What a producer gave comes back as it was: body, attributes, group, deduplication id, trace header, sender, and what is left
// of a delay. What the queue gave does not: at the next start the message has a new id and sequence number, no receives, and
// its retention begins again. On FIFO a delay belongs to the queue and begins again as well. A FIFO queue remembers the
// deduplication ids of the messages that come back, and not those of messages that were deleted before.
type saved struct {
	Message   inq.Message `json:"message"`
	NotBefore time.Time   `json:"notBefore,omitzero"` // end of the delay, on Standard
}

// save writes messages to a file, in their order. The file is the old one or the new one, whole, whatever happens meanwhile:
// the lines go to a file beside it, which takes its place when everything is on the disk.
func save(name string, messages iter.Seq[inq.Snapshot]) (n int, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	for m := range messages {
		line := saved{Message: m.Message()}
		if m.State == "delayed" && m.SequenceNumber == "" {
			line.NotBefore = m.VisibleAt
		}
		if err := lines.Encode(line); err != nil {
			return 0, err
		}
		n++
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	return n, os.Rename(f.Name(), name)
}

// restore sends the messages of a file that save wrote, in their order. No file is as good as an empty one. A file with a
// line that makes no sense is refused as a whole: better to have somebody look at it than to go on without its messages.
//
// The file stays until the next save replaces it. If the process is killed before that, the next start sends
// the same messages once more: some are handled twice, none is lost.
func restore(ctx context.Context, queue inq.Queue, name string) (n int, err error) {
	messages, err := load(name)
	if err != nil {
		return 0, err
	}
	for _, m := range messages {
		m.Message.Delay = inq.Zero // otherwise the queue's own delay would begin again
		if left := time.Until(m.NotBefore); left > 0 {
			m.Message.Delay = left
		}
		if _, err := queue.Send(ctx, m.Message); err != nil {
			return n, fmt.Errorf("%s: message %d: %w", name, n+1, err)
		}
		n++
	}
	return n, nil
}

func load(name string) ([]saved, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var messages []saved
	for lines := json.NewDecoder(bufio.NewReader(f)); ; {
		var m saved
		switch err := lines.Decode(&m); {
		case errors.Is(err, io.EOF):
			return messages, nil
		case err != nil:
			return nil, fmt.Errorf("%s: message %d: %w", name, len(messages)+1, err)
		}
		messages = append(messages, m)
	}
}
