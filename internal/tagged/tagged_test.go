package tagged

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func record() []byte {
	b := Uint(nil, 1, math.MaxUint64)
	b = Int(b, 2, math.MinInt64)
	b = Bool(b, 3, true)
	b = Text(b, 4, "text\x00")
	b = Text(b, 4, []byte{})
	return Fields(b, math.MaxUint32, func(dst []byte) []byte { return Int(dst, 5, -1) })
}

func TestFieldsComeBackInTheirOrder(t *testing.T) {
	r := Read(record())
	next := func(tag uint32) {
		require.True(t, r.Next())
		require.Equal(t, tag, r.Tag())
	}
	next(1)
	require.Equal(t, uint64(math.MaxUint64), r.Uint())
	next(2)
	require.Equal(t, int64(math.MinInt64), r.Int())
	next(3)
	require.True(t, r.Bool())
	next(4)
	require.Equal(t, "text\x00", r.Text())
	next(4)
	require.Empty(t, r.Bytes())
	next(math.MaxUint32)
	inner := Read(r.Bytes())
	require.True(t, inner.Next())
	require.Equal(t, int64(-1), inner.Int())
	require.False(t, inner.Next())
	require.NoError(t, inner.Err())
	require.False(t, r.Next())
	require.NoError(t, r.Err())
}

func TestAFieldOfAnotherKindIsRefused(t *testing.T) {
	r := Read(record())
	require.True(t, r.Next())
	require.Empty(t, r.Text())
	require.ErrorIs(t, r.Err(), ErrMalformed)
	require.False(t, r.Next(), "nothing is read behind an error")
	require.Zero(t, r.Uint())
}

func TestAnUnknownFieldIsNamed(t *testing.T) {
	r := Read(Uint(nil, 99, 0))
	require.True(t, r.Next())
	r.Unknown()
	require.ErrorContains(t, r.Err(), "field 99 is not known to this version")
	require.False(t, r.Next())
}

func TestARecordThatIsCutNeverPanicsAndNeverHasMoreThanBefore(t *testing.T) {
	whole := record()
	for n := range whole {
		count := 0
		r := Read(whole[:n])
		for r.Next() {
			count++
		}
		require.LessOrEqual(t, count, 6, "cut at %d", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(record())
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Read(data)
		for r.Next() {
			_, _, _ = r.Tag(), len(r.rest), r.kind
		}
	})
}
