package topic

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/internal/durable"
	"example.com/inq/internal/tagged"
)

// records are one of each kind, with every field set.
func records() []record {
	at, texts := time.Unix(1, 234), map[string]string{"": "", "a": "b", "Ä": "\x00"}
	return []record{
		&accountRecord{run: 1 << 40, sms: texts},
		&optedOutRecord{"+49"},
		&topicRecord{name: "t.fifo", fifo: true, deleted: true, key: make([]byte, 16), first: 1 << 63, values: texts, protection: "{}", tags: texts, ended: 9},
		&subscriptionRecord{topic: 1, id: uuid.UUID{1, 2}, protocol: "sqs", endpoint: "e", textKey: "k", reference: true, attributes: texts,
			deadLetterARN: "arn", confirmed: true, authenticated: true, guarded: true, ended: true},
		&tokenRecord{text: "ff", subscription: 3, at: at},
		&platformRecord{of: kindApplication, arn: "a", platform: "GCM", name: "n", attributes: texts},
		&platformRecord{of: kindEndpoint, arn: "a", application: 7, attributes: texts},
		&dedupRecord{topic: 1, text: "g d", number: 1 << 43, at: at},
		&publicationRecord{topic: 1, number: 2, at: at, dedup: "d", message: Message{Body: "b", Subject: "s", Structure: "json", GroupID: "g", DeduplicationID: "i",
			TraceHeader: "t", Attributes: map[string]inq.Attribute{"text": inq.String("v"), "bytes": inq.Binary([]byte{}), "list": {Type: "String.Array", Value: "[]"}}}},
		&copyRecord{of: kindCopy, publication: 1, subscription: 2, attempts: 3, due: at},
		&copyRecord{of: kindConfirmation, subscription: 2, attempts: 3, due: at,
			confirmation: confirmation{kind: "k", id: "i", token: "t", at: at.UTC(), version: "2", base: "http://h"}},
	}
}

// blank returns an empty record of the kind.
func blank(k durable.Kind) record {
	switch k {
	case kindAccount:
		return &accountRecord{}
	case kindTopic:
		return &topicRecord{}
	case kindSubscription:
		return &subscriptionRecord{}
	case kindToken:
		return &tokenRecord{}
	case kindApplication, kindEndpoint:
		return &platformRecord{of: k}
	case kindDedup:
		return &dedupRecord{}
	case kindOptedOut:
		return &optedOutRecord{}
	case kindPublication:
		return &publicationRecord{}
	}
	return &copyRecord{of: k}
}

func TestRecordsComeBackAsTheyWereWritten(t *testing.T) {
	for _, want := range records() {
		got := blank(want.kind())
		require.NoError(t, decodeRecord(durable.Object{Number: 1, Kind: want.kind(), Data: want.fields(nil)}, got))
		require.Equal(t, want, got)
	}
}

func TestEveryRecordRefusesAFieldOfANewerVersion(t *testing.T) {
	for _, r := range records() {
		data := tagged.Uint(r.fields(nil), 1000, 0)
		err := decodeRecord(durable.Object{Number: 5, Kind: r.kind(), Data: data}, blank(r.kind()))
		require.ErrorContains(t, err, "that this version cannot read: tagged: field 1000 is not known to this version")
	}
}

func TestARecordThatIsCutIsRefusedOrHasLess(t *testing.T) {
	for _, r := range records() {
		data := r.fields(nil)
		for n := range data {
			got := blank(r.kind())
			if decodeRecord(durable.Object{Kind: r.kind(), Data: data[:n]}, got) == nil {
				require.NotEqual(t, r, got)
			}
		}
	}
}
