package progress

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhereNobodyWatchesEachTenthIsALine(t *testing.T) {
	var out bytes.Buffer
	p := New(&out, "sent", 25)
	p.Note("%d letters", 25)
	for range 6 {
		p.Step()
	}
	p.End()
	require.Equal(t, "25 letters\nsent: 3 of 25\nsent: 5 of 25\n", out.String())
	require.False(t, IsTerminal(&out))
}
