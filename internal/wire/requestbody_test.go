package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestBuffers_OfLargeMessagesAreNotKept(t *testing.T) {
	large := &requestBody{append(make([]byte, 0, maxPooled+1), 'x')}
	large.release()
	assert.Len(t, large.text, 1, "left as it was")
	small := &requestBody{append(make([]byte, 0, maxPooled), 'x')}
	small.release()
	assert.Empty(t, small.text)
}
