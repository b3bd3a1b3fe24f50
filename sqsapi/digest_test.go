package sqsapi

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/inq"
)

func TestMD51_DigestOfABody(t *testing.T) {
	assert.Equal(t, "78e731027d8fd50ed642340b7c9a63b3", bodyDigest("message"))
	assert.Equal(t, "d41d8cd98f00b204e9800998ecf8427e", bodyDigest(""))
	// Longer than the part that is hashed at once.
	assert.Equal(t, "cabe45dcc9ae5b66ba86600cca6b8ba8", bodyDigest(strings.Repeat("a", 1000)))
	assert.Equal(t, "7707d6ae4e027c70eea2a935c2296f21", bodyDigest(strings.Repeat("a", 1000000)))
}

func TestMD52_DigestOfAttributes(t *testing.T) {
	text := inq.String
	for want, attributes := range map[string]map[string]inq.Attribute{
		"":                                 {},
		"a45daa70926828a2f0a1db3418e6feb4": {"k": text("x")},
		"96f38bfa55199109d94e1ae1c9489278": {
			"city": text("Zürich"), "price.eur": {Type: "Number.float", Value: "12.50"}, "raw": inq.Binary([]byte{0, 1, 0xff}),
		},
		"4c360f3fdafd970e05fae2f149d997f5": {"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")},
		"fca026605781cb4126a1e9044df24232": {"Hello": text("There"), "General": text("Kenobi")},
		"a311262e065454b75da111d535b8dacd": {"Hello": text("There")},
		"ae7155c6026991b6d54b11589678bf9c": {"Foo": text("Bar")},
		"adb59cd4678ea5a855436b949cd07ab6": {"MyAttribute": text("foobar")},
		"235c5c510d26fb653d073faed50ae77c": {"timestamp": inq.Number("1493147359900")},
		"8cbe4db156db8a94db8b801b7addb984": {"attr1": inq.Binary([]byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"))},
		"5ae4d5d7636402d80f4eb6d213245a88": {"AWSTraceHeader": text("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")},
	} {
		assert.Equal(t, want, attributesDigest(attributes), "%v", attributes)
	}
}
