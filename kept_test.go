package inq

import (
	"math/rand/v2"
	"testing"
	"time"

	"example.com/inq/internal/journal"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// anyKept makes a kept message with whatever parts the numbers say.
func anyKept(r *rand.Rand) (k kept, x putExtra) {
	some := func() bool { return r.IntN(2) == 0 }
	text := func() string {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.IntN(256))
		}
		return string(b)
	}
	at := func() int64 { return int64(r.Uint64() >> 2) }
	k = kept{body: text(), group: text(), dedup: text(), seq: r.Uint64() >> r.IntN(60), slot: 1 + r.Uint32()>>(1+r.IntN(28)),
		state: durableState(r.IntN(3)), alone: some(), enqueued: at(), at: at(), left: at() >> r.IntN(60), first: never}
	if some() {
		k.left = never
	}
	if some() {
		k.turn = turn{r.Uint64(), r.Uint32()}
	}
	if some() {
		k.receive, k.received = 1+r.Uint32()>>4, at()
	}
	if some() {
		k.first = at()
	}
	if some() {
		ra := &rare{}
		k.rare = ra
		if some() {
			ra.attributes = map[string]Attribute{"s": String("v" + text()), "n": Number("1"), "b": Binary([]byte("x" + text())), "empty": {Type: "Binary", Binary: []byte{}}}
			for name, a := range ra.attributes {
				ra.attrBytes += len(name) + len(a.Type) + len(a.Value) + len(a.Binary)
			}
		}
		for _, s := range []*string{&ra.traceHeader, &ra.senderID, &ra.dedupID, &ra.sourceARN, &ra.reason} {
			if some() {
				*s = "t" + text()
			}
		}
		if some() {
			ra.id = uuid.New()
		}
		if some() {
			ra.countBefore = r.Uint32()
		}
		if some() {
			ra.movedIn, ra.came = true, at()
		}
		ra.lentSender = some()
		if k.moved = some(); k.moved {
			ra.place = place{at(), r.Uint64()}
		}
		if some() {
			ra.uncounted, ra.spared = k.receive/2, r.Uint32()
		}
	}
	if some() {
		x.from, x.fromSeq = 1+r.Uint32(), r.Uint64()
	}
	if some() {
		x.keyed, x.key = true, [2]uint64{r.Uint64(), r.Uint64()}
	}
	return k, x
}

func TestKept_OutlivesItsRecord(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	intern := func(b []byte) string { return string(b) }
	for range 5000 {
		want, x := anyKept(r)
		shift := int64(r.Uint64() >> 4)
		record := appendPut(nil, &want, &x, shift)
		d := recordReader{data: record}
		slot, seq, bits, got := d.readPutHead()
		k := kept{slot: slot, seq: seq}
		d.readPut(&k, bits, &got, intern)
		require.True(t, d.ok())
		want.shift(shift)
		k.shift(0)
		require.Equal(t, x, got)
		require.Equal(t, want, k)
		if x.keyed {
			d = recordReader{data: record}
			_, _, _, got = d.readPutHead()
			require.Equal(t, want.enqueued, d.readKey(&got))
			require.Equal(t, x, got)
		}

		// What can change, into another message.
		other, _ := anyKept(r)
		d = recordReader{data: appendChange(nil, &want, 0)}
		require.Equal(t, want.slot, d.uint32())
		require.Equal(t, want.seq, d.uvarint())
		d.readMutable(&other)
		require.True(t, d.ok())
		require.Empty(t, d.data)
		require.Equal(t, []any{want.state, want.alone, want.moved, want.receive, want.left, want.first, want.at},
			[]any{other.state, other.alone, other.moved, other.receive, other.left, other.first, other.at})
		if want.rare != nil {
			if other.rare == nil {
				other.rare = &rare{}
			}
			require.Equal(t, []any{want.rare.uncounted, want.rare.spared}, []any{other.rare.uncounted, other.rare.spared})
		}
	}
}

func TestKept_ARecordThatIsCutIsRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		k, x := anyKept(r)
		k.body, k.dedup = "", "d"
		record := appendPut(nil, &k, &x, 0)
		for n := range record {
			d := recordReader{data: record[:n]}
			slot, seq, bits, got := d.readPutHead()
			other := kept{slot: slot, seq: seq}
			d.readPut(&other, bits, &got, func(b []byte) string { return string(b) })
			require.False(t, d.ok(), "%d of %d bytes", n, len(record))
		}
		change := appendChange(nil, &k, 0)
		for n := range change {
			d := recordReader{data: change[:n]}
			d.uint32()
			d.uvarint()
			d.readMutable(&other)
			require.False(t, d.ok())
		}
	}
}

var other kept

func FuzzJournalRecord(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		k, x := anyKept(r)
		f.Add(recordPut, appendPut(nil, &k, &x, 0))
		f.Add(recordChange, appendChange(nil, &k, 0))
	}
	f.Add(recordGone, appendGone(nil, 7))
	f.Add(recordDedup, appendDedup(nil, &dedupEntry{seq: 1, at: 2}, 3))
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		rd := newReading(&Journal{}, time.Now().UnixNano())
		rd.stream(1).stream = &stream{number: 1}
		record := journal.Record{Stream: 1, Kind: kind, Segment: 1, Data: data}
		if rd.first(record) == nil {
			_ = rd.second(record)
		}
		record.Stream = 0
		_ = rd.first(record)
	})
}
