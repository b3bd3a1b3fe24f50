//go:build unix

package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// BenchmarkIdlePolls keeps 1,000 long polls open over sockets, and reports what they cost while
// nothing happens: the memory of each, with the client's end of its connection, and the CPU time of
// the process in a second. An operation is a tenth of a second. The polls last 20 seconds, and the
// benchmark must be over by then.
func BenchmarkIdlePolls(b *testing.B) {
	const polls = 1000
	broker, err := inq.NewBroker()
	require.NoError(b, err)
	defer broker.Close()
	q, err := broker.CreateStandard("q")
	require.NoError(b, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	service := testService(b, broker, slog.New(slog.DiscardHandler), new(config))
	go func() { ended <- service.serve(ctx, listener) }()
	defer func() {
		stop()
		require.NoError(b, <-ended)
	}()

	before := memory()
	for range polls {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(b, err)
		defer conn.Close()
		_, err = io.WriteString(conn, request("ReceiveMessage", poll))
		require.NoError(b, err)
	}
	for q.Stats().WaitingReceives != polls {
		runtime.Gosched()
	}
	each := float64(int64(memory())-int64(before)) / polls

	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	used, began := cpu(b), time.Now()
	for b.Loop() {
		<-tick.C
	}
	used = cpu(b) - used
	b.ReportMetric(each, "B/poll")
	b.ReportMetric(used.Seconds()*1000/time.Since(began).Seconds(), "cpu-ms/s")
	require.Equal(b, polls, q.Stats().WaitingReceives, "the polls are over; measure for less than 20 seconds")
}

func memory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// cpu returns the CPU time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
