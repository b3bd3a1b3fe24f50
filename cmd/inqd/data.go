package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"example.com/inq"
)

// syncMode is the flag -sync.
type syncMode struct {
	text     string // as it was given, "" where it was not
	os       bool
	interval time.Duration // 0: none
}

func (m *syncMode) set(text string) error {
	*m = syncMode{text: text, os: text == "os"}
	if text == "always" || m.os {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("must be always, os, or a time such as 100ms")
	}
	m.interval = d
	return nil
}

func (m *syncMode) option() inq.JournalOption {
	switch {
	case m.os:
		return inq.WithSync(inq.SyncOS)
	case m.interval > 0:
		return inq.WithSyncInterval(m.interval)
	}
	return inq.WithSync(inq.SyncAlways)
}

// progressEvery is how often a long recovery says how far it is.
const progressEvery = 2 * time.Second

// openData opens the journal in the directory of -data. One that takes its time tells how far it is.
func (c *config) openData(log *slog.Logger) (*inq.Journal, error) {
	options := []inq.JournalOption{c.sync.option(), inq.WithJournalLogger(log)}
	if c.keyFile != "" {
		keys, err := readKeys(c.keyFile)
		if err != nil {
			return nil, err
		}
		options = append(options, inq.WithJournalKey(keys[0], keys[1:]...))
	}
	began := time.Now()
	next := began.Add(progressEvery)
	options = append(options, inq.WithJournalProgress(func(done, total int64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(progressEvery)
			log.Info("reading", "data", c.data, "bytes", done, "of", total)
		}
	}))
	j, err := inq.OpenJournal(c.data, options...)
	switch {
	case errors.Is(err, inq.ErrJournalInUse):
		return nil, fmt.Errorf("%w: maybe another inqd has -data %s", err, c.data)
	case errors.Is(err, inq.ErrJournalCorrupt):
		return nil, fmt.Errorf("%w\nNothing was changed. inqd journal salvage %s NEW copies all that is whole to a new directory", err, c.data)
	case err != nil:
		return nil, err
	}
	stats := j.Stats()
	log.Info("data is read", "data", c.data, "queues", len(j.Queues()), "bytes", stats.Bytes, "segments", stats.Segments, "took", time.Since(began).Round(time.Millisecond))
	return j, nil
}

// keyDigits is the length of a key in hexadecimal digits.
const keyDigits = 64

// readKeys reads the keys in a file, one in a line: the first is the one to write with. Empty lines and
// those that begin with # are left out.
func readKeys(name string) (keys [][]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 1<<20))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := hex.DecodeString(line)
		if err != nil || len(line) != keyDigits {
			return nil, fmt.Errorf("%s: line %d must be a key of %d hexadecimal digits; openssl rand -hex 32 makes one", name, n, keyDigits)
		}
		keys = append(keys, key)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s has no key; openssl rand -hex 32 makes one", name)
	}
	return keys, nil
}
