//go:build !race

package snsapi

// The race detector makes sync.Pool forget at random, so that costs are held without it.

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeated numbers parameters from n down to 1, which is the order that takes most time.
func repeated(n int, parameters string) string {
	var b strings.Builder
	for i := n; i > 0; i-- {
		b.WriteString(strings.ReplaceAll(parameters, "#", fmt.Sprint(i)))
	}
	return b.String()
}

func TestHandler_ParametersCountForTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		topic := c.topic("t")
		h := NewHandler(c.account, Options{MaxTotalBytes: 1 << 20})
		c.rt = NewRoundTripper(h)
		require.NoError(t, h.server.Budget.Take(t.Context(), 600_000))
		body := "Action=Publish&Message=m&TopicArn=" + topic + repeated(400, "&MessageAttributes.entry.#.Name=a#&MessageAttributes.entry.#.Value.DataType=String&MessageAttributes.entry.#.Value.StringValue=x")
		began := time.Now()
		c.do(request(body)).fails(429, "Throttled", "Rate exceeded")
		assert.Equal(t, 2*time.Second, time.Since(began))
		h.server.Budget.Give(600_000)
		c.do(request(body)).ok()
		assert.Equal(t, int64(1<<20), h.server.Budget.Left())
	})
}

func TestHandler_MemoryOfHostileRequests(t *testing.T) {
	c := newClient(t)
	topic := c.topic("t")
	h := NewHandler(c.account, Options{})
	for name, tt := range map[string]struct {
		body string
		most float64 // of the body's size
	}{
		"attributes":         {"Action=Publish&Message=m&TopicArn=" + topic + repeated(3000, "&MessageAttributes.entry.#.Name=#&MessageAttributes.entry.#.Value.DataType=String&MessageAttributes.entry.#.Value.StringValue="), 12},
		"names alone":        {"Action=Publish&Message=m&TopicArn=" + topic + repeated(9000, "&MessageAttributes.entry.#.Name=#"), 20},
		"entries":            {"Action=PublishBatch&TopicArn=" + topic + repeated(4000, "&PublishBatchRequestEntries.member.#.Id=#&PublishBatchRequestEntries.member.#.Message=m"), 2},
		"attributes of them": {"Action=PublishBatch&TopicArn=" + topic + repeated(4000, "&PublishBatchRequestEntries.member.1.MessageAttributes.entry.#.Name=#&PublishBatchRequestEntries.member.1.MessageAttributes.entry.#.Value.x=#"), 9},
		"tags":               {"Action=TagResource&ResourceArn=" + topic + repeated(4000, "&Tags.member.#.Key=#&Tags.member.#.Value=#"), 2},
		"tag keys":           {"Action=UntagResource&ResourceArn=" + topic + repeated(9000, "&TagKeys.member.#=#"), 3},
		"topic attributes":   {"Action=CreateTopic&Name=n" + repeated(4000, "&Attributes.entry.#.key=#&Attributes.entry.#.value=#"), 2},
		"nobody knows":       {"Action=Publish&TopicArn=" + topic + repeated(9000, "&Unknown.entry.#.Name=#"), 2},
		"a deep policy":      {"Action=CreateTopic&Name=n&Attributes.entry.1.key=DeliveryPolicy&Attributes.entry.1.value=" + strings.Repeat("%7B%22a%22%3A", 20_000), 12},
		"a deep filter":      {"Action=Subscribe&Protocol=sms&Endpoint=%2B15551234&TopicArn=" + topic + "&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value=" + strings.Repeat("%7B%22a%22%3A", 20_000), 12},
	} {
		req := request(tt.body)
		w := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h.ServeHTTP(w, req)
		runtime.ReadMemStats(&after)
		times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(tt.body))
		t.Logf("%-20s %8d bytes allocate %.1f times as much, %d", name, len(tt.body), times, w.Code)
		assert.Contains(t, []int{200, 400}, w.Code, name)
		assert.Less(t, times, tt.most, name)
	}
	assert.Equal(t, 1, strings.Count(c.call("ListTopics").body, "<member>"))
}
