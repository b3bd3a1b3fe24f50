package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestService_APageOfAnotherOriginCannotSend(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("jobs")
	require.NoError(t, err)
	handler := newService(b, slog.New(slog.NewTextHandler(io.Discard, nil))).server.Handler
	for site, want := range map[string]int{"": 200, "none": 200, "same-origin": 200, "same-site": 403, "cross-site": 403, "unknown": 403} {
		r := httptest.NewRequest(http.MethodGet, "/000000000000/jobs?Action=SendMessage&MessageBody=x", nil)
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, "%q", site)
	}
	assert.Equal(t, 3, q.Stats().Visible)
}
