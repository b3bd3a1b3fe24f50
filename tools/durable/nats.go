package main

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// jetStream is a work queue of a NATS server in this process, whose files are synced at each write.
type jetStream struct {
	server   *server.Server
	conn     *nats.Conn
	stream   jetstream.JetStream
	consumer jetstream.Consumer
}

func openNATS(dir string) (queue, error) {
	s, err := server.NewServer(&server.Options{ServerName: "q", JetStream: true, StoreDir: dir, SyncAlways: true, DontListen: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the server does not start")
	}
	q := &jetStream{server: s}
	if q.conn, err = nats.Connect("", nats.InProcessServer(s)); err != nil {
		return nil, err
	}
	if q.stream, err = jetstream.New(q.conn); err != nil {
		return nil, err
	}
	ctx := context.Background()
	stream, err := q.stream.CreateStream(ctx, jetstream.StreamConfig{Name: "q", Subjects: []string{"q"}, Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy})
	if err != nil {
		return nil, err
	}
	q.consumer, err = stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{Durable: "c", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 10_000})
	return q, err
}

func (q *jetStream) send(ctx context.Context, body []byte) error {
	_, err := q.stream.Publish(ctx, "q", body)
	return err
}

func (q *jetStream) lifecycle(ctx context.Context, body []byte) error {
	if err := q.send(ctx, body); err != nil {
		return err
	}
	m, err := q.consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
	if err != nil {
		return err
	}
	return m.DoubleAck(ctx)
}

func (q *jetStream) close() error {
	q.conn.Close()
	q.server.Shutdown()
	q.server.WaitForShutdown()
	return nil
}
