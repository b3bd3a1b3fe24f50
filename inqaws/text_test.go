package inqaws

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// bad is a text that JSON cannot carry.
const bad = "a\xffb"

// A queue in the process refuses these, and the SDK would replace the bad bytes and send the rest.
var badMessages = map[string]inq.Message{
	"body":             {Body: bad},
	"cut body":         {Body: "\xe2\x82"},
	"surrogate":        {Body: "\xed\xa0\x80"},
	"trace header":     {Body: "a", TraceHeader: bad},
	"group":            {Body: "a", GroupID: bad},
	"attribute value":  {Body: "a", Attributes: map[string]inq.Attribute{"n": inq.String(bad)}},
	"attribute number": {Body: "a", Attributes: map[string]inq.Attribute{"n": inq.Number(bad)}},
	"attribute name":   {Body: "a", Attributes: map[string]inq.Attribute{bad: inq.String("v")}},
	"attribute type":   {Body: "a", Attributes: map[string]inq.Attribute{"n": {Type: "String." + bad, Value: "v"}}},
}

func TestText_WhatTheSDKWouldAlterIsRefusedAsInProcess(t *testing.T) {
	b := newBroker(t)
	localStandard, err := b.CreateStandard("q")
	require.NoError(t, err)
	localFIFO, err := b.CreateFIFO("q.fifo", inq.WithContentBasedDeduplication(true))
	require.NoError(t, err)
	for name, local := range map[string]inq.Queue{"q": localStandard, "q.fifo": localFIFO} {
		q, w := overWire(t, b, name)
		messages := map[string]inq.Message{}
		for what, m := range badMessages {
			if q.fifo && m.GroupID == "" {
				m.GroupID = "g"
			}
			messages[what] = m
		}
		if q.fifo {
			messages["deduplication id"] = inq.Message{Body: "a", GroupID: "g", DeduplicationID: bad}
		}
		for what, m := range messages {
			_, want := local.Send(t.Context(), m)
			require.Error(t, want)
			_, err := q.Send(t.Context(), m)
			requireSameRefusal(t, want, err, what)
			_, err = q.SendBatch(t.Context(), []inq.Message{m, m})
			var failed *inq.BatchError
			require.ErrorAs(t, err, &failed, what)
			require.Len(t, failed.Failed, 2)
			requireSameRefusal(t, want, failed.Failed[1].Err, what)
		}
		for _, call := range []func(inq.Queue) error{
			func(q inq.Queue) error { return q.Delete(t.Context(), bad) },
			func(q inq.Queue) error { return q.ChangeVisibility(t.Context(), bad, 0) },
			func(q inq.Queue) error { return q.DeleteBatch(t.Context(), []string{bad, bad}) },
			func(q inq.Queue) error {
				return q.ChangeVisibilityBatch(t.Context(), []inq.VisibilityChange{{ReceiptHandle: bad}})
			},
		} {
			requireSameRefusal(t, call(local), call(q), name)
		}
		if q.fifo {
			_, want := local.Receive(t.Context(), inq.ReceiveInput{AttemptID: bad})
			_, err := q.Receive(t.Context(), inq.ReceiveInput{AttemptID: bad})
			requireSameRefusal(t, want, err, "attempt id")
		}
		assert.Empty(t, w.operations(), "nothing was sent")
	}
}

// requireSameRefusal demands the same sentinel and parameter.
func requireSameRefusal(t *testing.T, want, got error, what string) {
	t.Helper()
	requireSameMeaning(t, want, got, what)
	var wanted, found *inq.ParamError
	require.ErrorAs(t, want, &wanted, what)
	require.ErrorAs(t, got, &found, what)
	require.Equal(t, wanted.Param, found.Param, what)
	require.Equal(t, wanted.Err, found.Err, what)
	require.NotEmpty(t, found.Reason, what)
}

func TestText_TheOtherEntriesOfABatchGo(t *testing.T) {
	b := newBroker(t)
	_, err := b.CreateStandard("q")
	require.NoError(t, err)
	q, w := overWire(t, b, "q")
	sent, err := q.SendBatch(t.Context(), []inq.Message{{Body: bad}, {Body: "1"}, {Body: "a", TraceHeader: bad}, {Body: "2", Delay: inq.Zero}, {Body: ""}})
	var failed *inq.BatchError
	require.ErrorAs(t, err, &failed)
	require.Len(t, failed.Failed, 3)
	for i, want := range []struct {
		index int
		err   error
	}{{0, inq.ErrInvalidMessageContents}, {2, inq.ErrInvalidParameter}, {4, inq.ErrMissingParameter}} {
		assert.Equal(t, want.index, failed.Failed[i].Index)
		assert.ErrorIs(t, failed.Failed[i].Err, want.err)
		assert.Empty(t, sent[want.index].ID())
	}
	ds := receive(t, q)
	require.Len(t, ds, 2)
	assert.Equal(t, []string{sent[1].ID(), sent[3].ID()}, []string{ds[0].ID(), ds[1].ID()})

	err = q.ChangeVisibilityBatch(t.Context(), []inq.VisibilityChange{{ReceiptHandle: bad}, {ReceiptHandle: ds[0].ReceiptHandle()}})
	require.ErrorAs(t, err, &failed)
	require.Len(t, failed.Failed, 1)
	assert.Equal(t, 0, failed.Failed[0].Index)
	err = q.DeleteBatch(t.Context(), []string{ds[1].ReceiptHandle(), bad})
	require.ErrorAs(t, err, &failed)
	require.Len(t, failed.Failed, 1)
	assert.Equal(t, 1, failed.Failed[0].Index)
	c, err := q.Counts(t.Context())
	require.NoError(t, err)
	assert.Equal(t, inq.Counts{Visible: 1}, c)
	assert.Equal(t, 1, w.operations()["SendMessageBatch"])
}

// What is no character of XML is valid UTF-8, and arrives as it is: the other side refuses it.
func TestText_WhatJSONCarriesIsLeftToTheOtherSide(t *testing.T) {
	for _, body := range []string{"\x00", "\x07", "\ufffe", "\uffff", "�", "</script>\u2028"} {
		w := new(wire)
		_, err := NewQueue(NewClient(newBroker(t), func(o *sqs.Options) { o.HTTPClient = w }), "q").Send(t.Context(), inq.Message{Body: body})
		require.NoError(t, err)
		assert.Equal(t, body, w.last()["MessageBody"])
	}
}
