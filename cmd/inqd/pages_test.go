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
	for _, tt := range []struct {
		name, value string
		want        int
	}{
		{"Sec-Fetch-Site", "", 200}, {"Sec-Fetch-Site", "none", 200}, {"Sec-Fetch-Site", "same-origin", 200},
		{"Sec-Fetch-Site", "same-site", 403}, {"Sec-Fetch-Site", "cross-site", 403}, {"Sec-Fetch-Site", "unknown", 403},
		{"Origin", "http://example.com", 200}, // the Host of the request below
		{"Origin", "http://example.com:80", 403}, {"Origin", "http://page.test", 403}, {"Origin", "null", 403}, {"Origin", "://", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/000000000000/jobs?Action=SendMessage&MessageBody=x", nil)
		r.Header.Set(tt.name, tt.value)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, tt.want, w.Code, "%s: %q", tt.name, tt.value)
	}
	assert.Equal(t, 4, q.Stats().Visible)
}
