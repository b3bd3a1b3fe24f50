package inq

import (
	"context"
	"strings"
	"testing"
)

var benchBody = strings.Repeat("x", 256)

func BenchmarkChannel(b *testing.B) {
	ch := make(chan string, 16)
	for b.Loop() {
		ch <- benchBody
		<-ch
	}
}

func BenchmarkStandardLifecycle(b *testing.B) {
	q, _ := NewStandard("bench")
	defer q.Close()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Send(ctx, Message{Body: benchBody}); err != nil {
			b.Fatal(err)
		}
		ds, err := q.Receive(ctx, ReceiveInput{})
		if err != nil || len(ds) != 1 {
			b.Fatal(err)
		}
		if err := ds[0].Delete(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardLifecycleInto(b *testing.B) {
	q, _ := NewStandard("bench")
	defer q.Close()
	ctx := context.Background()
	b.ReportAllocs()
	dst := make([]Delivery, 1)
	for b.Loop() {
		if _, err := q.Send(ctx, Message{Body: benchBody}); err != nil {
			b.Fatal(err)
		}
		n, err := q.ReceiveInto(ctx, dst, ReceiveInput{})
		if err != nil || n != 1 {
			b.Fatal(err)
		}
		if err := dst[0].Delete(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
