package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
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
	handler := testService(t, b, slog.New(slog.NewTextHandler(io.Discard, nil)), new(config)).server.Handler
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

func TestService_BeyondLoopbackAGetThatChangesSomethingNeedsASignature(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("victim")
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		name    string
		ip      string
		method  string
		query   string
		header  string // Authorization
		allowed bool   // by -unsigned-get
		want    int
	}{
		{"loopback", "127.0.0.1", "GET", "Action=SendMessage&MessageBody=x", "", false, 200},
		{"loopback, v6", "::1", "GET", "Action=SendMessage&MessageBody=x", "", false, 200},
		{"beyond", "192.0.2.1", "GET", "Action=SendMessage&MessageBody=x", "", false, 403},
		{"beyond, receive", "192.0.2.1", "GET", "Action=ReceiveMessage", "", false, 403},
		{"beyond, delete", "2001:db8::1", "GET", "Action=DeleteQueue", "", false, 403},
		{"beyond, spelled otherwise", "192.0.2.1", "GET", "%41ction=Delete%51ueue", "", false, 403},
		{"beyond, two actions", "192.0.2.1", "GET", "Action=DeleteQueue&Action=ListQueueTags", "", false, 403},
		{"beyond, reads", "192.0.2.1", "GET", "Action=ListQueueTags", "", false, 200},
		{"beyond, POST", "192.0.2.1", "POST", "Action=SendMessage&MessageBody=x", "", false, 200},
		{"beyond, signed", "192.0.2.1", "GET", "Action=SendMessage&MessageBody=x", "AWS4-HMAC-SHA256 Credential=x", false, 200},
		{"beyond, signed by a page", "192.0.2.1", "GET", "Action=SendMessage&MessageBody=x&X-Amz-Signature=x&X-Amz-Algorithm=AWS4-HMAC-SHA256", "", false, 403},
		{"beyond, of a password", "192.0.2.1", "GET", "Action=SendMessage&MessageBody=x", "Basic eDp5", false, 403},
		{"beyond, allowed", "192.0.2.1", "GET", "Action=SendMessage&MessageBody=x", "", true, 200},
	} {
		handler := testService(t, b, log, &config{unsignedGet: tt.allowed}).server.Handler
		r := httptest.NewRequest(tt.method, "/000000000000/victim?"+tt.query, nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.ParseIP(tt.ip), Port: 9324})))
		if tt.header != "" {
			r.Header.Set("Authorization", tt.header)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, tt.want, w.Code, tt.name)
	}
	assert.Equal(t, 5, q.Stats().Visible)
}

func TestReadme_TheLineForCurlSends(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	line := regexp.MustCompile("`curl -d '([^']+)' http://127\\.0\\.0\\.1:9324(/[^`]+)`").FindStringSubmatch(string(readme))
	require.Len(t, line, 3)
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	q, err := b.CreateStandard("jobs")
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodPost, line[2], strings.NewReader(line[1]))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl -d does
	w := httptest.NewRecorder()
	testService(t, b, slog.New(slog.NewTextHandler(io.Discard, nil)), new(config)).server.Handler.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, 1, q.Stats().Visible)
}

func TestBanner_TheLinesForCurlWork(t *testing.T) {
	b, err := inq.NewBroker()
	require.NoError(t, err)
	defer b.Close()
	handler := testService(t, b, slog.New(slog.NewTextHandler(io.Discard, nil)), new(config)).server.Handler
	text := banner("http://127.0.0.1:9324", "http://127.0.0.1:9324", b.Region(), b.Account(), "", "")
	lines := regexp.MustCompile(`    curl -d '([^']+)'(?: --data-urlencode '([^=]+)=HANDLE')? http://127\.0\.0\.1:9324(/\S+)?\n`).FindAllStringSubmatch(text, -1)
	require.Len(t, lines, 4)
	handle := ""
	for _, line := range lines {
		form := line[1]
		if line[2] != "" {
			form += "&" + line[2] + "=" + url.QueryEscape(handle)
		}
		r := httptest.NewRequest(http.MethodPost, "/"+strings.TrimPrefix(line[3], "/"), strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, "%s: %s", form, w.Body)
		if found := regexp.MustCompile("<ReceiptHandle>(.*)</ReceiptHandle>").FindStringSubmatch(w.Body.String()); found != nil {
			handle = found[1]
		}
	}
	q, err := b.Queue("jobs")
	require.NoError(t, err)
	require.EqualValues(t, 1, q.Stats().Deleted)
}
