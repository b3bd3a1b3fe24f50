package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"maragu.dev/goqite"
	_ "modernc.org/sqlite"
)

// table is a queue of goqite in an SQLite file with full syncs.
type table struct {
	db    *sql.DB
	queue *goqite.Queue
}

// schema is the table that goqite works on, with the columns that it names.
const schema = `
	CREATE TABLE goqite (
		id TEXT PRIMARY KEY DEFAULT ('m_' || lower(hex(randomblob(16)))),
		queue TEXT NOT NULL,
		body BLOB NOT NULL,
		created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
		updated TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
		timeout TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
		received INTEGER NOT NULL DEFAULT 0,
		priority INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE INDEX goqite_next ON goqite (queue, priority DESC, created);`

func openGoqite(dir string) (queue, error) {
	db, err := sql.Open("sqlite", filepath.Join(dir, "q.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, err
	}
	return &table{db, goqite.New(goqite.NewOpts{DB: db, Name: "q"})}, nil
}

func (q *table) send(ctx context.Context, body []byte) error {
	return q.queue.Send(ctx, goqite.Message{Body: body})
}

func (q *table) lifecycle(ctx context.Context, body []byte) error {
	if err := q.send(ctx, body); err != nil {
		return err
	}
	m, err := q.queue.Receive(ctx)
	if err != nil || m == nil {
		return errors.Join(err, errors.New("nothing received"))
	}
	return q.queue.Delete(ctx, m.ID)
}

func (q *table) close() error { return q.db.Close() }
