package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written is what a codec writes.
func written(write func(o *output)) string {
	o := newOutput()
	defer o.release()
	write(o)
	if !o.over {
		return string(o.buf)
	}
	var b strings.Builder
	size := o.size
	o.reset(&b)
	write(o)
	o.flush()
	if o.size != size || int64(b.Len()) != size {
		panic("an answer has two lengths")
	}
	return b.String()
}

// FuzzJSONWriter holds the writer against encoding/json, at every length that matters to the output.
func FuzzJSONWriter(f *testing.F) {
	for _, text := range []string{"", "plain", `"\/`, "\b\f\n\r\t\x00\x1f\x7f", "<&>", "ä😀\u2028", "\xff\xc3", "\ufffd"} {
		f.Add(text, []byte(text), false, int64(len(text)), uint16(len(text)))
	}
	f.Fuzz(func(t *testing.T, text string, b []byte, flag bool, number int64, long uint16) {
		type inner struct {
			Text   string                    `json:",omitempty"`
			Values map[string]AttributeValue `json:",omitempty"`
		}
		long += maxKept - 1<<15
		out := struct {
			Text, Long string
			Maybe      *string `json:",omitempty"`
			Number     int64
			MaybeInt   *int64 `json:",omitempty"`
			Flag       bool
			List       []string          `json:"list"`
			Map        map[string]string `json:",omitempty"`
			Inner      []inner           `json:",omitempty"`
		}{text, strings.Repeat("x", int(long)) + text, &text, number, &number, flag, []string{text, ""}, map[string]string{text: text, "b": ""},
			[]inner{{}, {text, map[string]AttributeValue{text: {StringValue: &text, BinaryValue: b}, "z": {DataType: &text}}}}}
		got := written(func(o *output) { jsonWriter{output: o}.object(reflect.ValueOf(&out).Elem()) })
		var want, have any
		standard, err := json.Marshal(out)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(standard, &want))
		require.NoError(t, json.Unmarshal([]byte(got), &have))
		assert.Equal(t, want, have)
	})
}

func TestOutput_IsTheSameInPiecesAsInOne(t *testing.T) {
	for _, size := range []int{0, 1, 1 << 10, maxKept - 1, maxKept, maxKept + 1, 3 * maxKept, 3*maxKept + 1} {
		for _, piece := range []int{1, 7, 1000, maxKept, maxKept + 1} {
			text := strings.Repeat("0123456789", size/10+1)[:size]
			write := func(o *output) {
				for rest := text; rest != ""; {
					n := min(piece, len(rest))
					if n == 1 {
						o.byte(rest[0])
					} else {
						o.text(rest[:n])
					}
					rest = rest[n:]
				}
			}
			require.True(t, text == written(write), "%d in pieces of %d", size, piece)
			o := newOutput()
			write(o)
			assert.Equal(t, size > maxKept, o.over)
			assert.Equal(t, int64(size), o.size)
			assert.LessOrEqual(t, cap(o.buf), maxKept)
			o.release()
		}
	}
}

func TestOutput_EndsWithTheClient(t *testing.T) {
	o := newOutput()
	defer o.release()
	client := &leaving{room: 2 * maxKept}
	o.reset(client)
	for range 100 {
		o.text(strings.Repeat("x", maxKept))
	}
	o.flush()
	assert.ErrorIs(t, o.err, io.ErrClosedPipe)
	assert.Equal(t, 3, client.writes, "none after the one that failed")
	assert.Equal(t, int64(100*maxKept), o.size)
}

// leaving is a writer that fails after so many bytes.
type leaving struct {
	bytes.Buffer
	room, writes int
}

func (l *leaving) Write(b []byte) (int, error) {
	l.writes++
	if l.room -= len(b); l.room < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestWriteBase64_InParts(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 767, 768, 769, 5000} {
		b := bytes.Repeat([]byte{0xfe, 1, 2}, n)[:n]
		assert.Equal(t, base64.StdEncoding.EncodeToString(b), written(func(o *output) { writeBase64(o, b) }))
	}
}
