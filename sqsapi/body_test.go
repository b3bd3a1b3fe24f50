package sqsapi

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestMSG3and4_QueuesWithoutLimitsAreSentTextOverTheWireAllTheSame(t *testing.T) {
	c := newClient(t)
	limits := map[string]inq.Option{"with": inq.Options(), "without": inq.WithoutSQSLimits()}
	for name, option := range limits {
		url, fifo := c.standard(name, option), c.fifo(name+".fifo", option)
		group := `,'MessageGroupId':'g','MessageDeduplicationId':'d'`
		for _, q := range []struct{ url, group string }{{url, ""}, {fifo, group}} {
			for _, body := range []string{``, `,'MessageBody':''`, `,'MessageBody':null`} {
				c.json("SendMessage", `{'QueueUrl':'`+q.url+`'`+body+q.group+`}`).missingParameter("MessageBody")
			}
			for body, character := range map[string]string{`\u0000`: "0", `a\u001f`: "1F", `\uffff`: "FFFF", `long enough for eight at a time \ufffe`: "FFFE"} {
				c.json("SendMessage", `{'QueueUrl':'`+q.url+`','MessageBody':'`+body+`'`+q.group+`}`).
					fails(400, sdkError+"InvalidMessageContents", "InvalidMessageContents", badCharacter(character))
			}
			members := q.group + `}`
			assert.Equal(t, `{"Failed":[{"Id":"a","SenderFault":true,"Code":"EmptyValue","Message":"The request must contain the parameter MessageBody."},`+
				`{"Id":"b","SenderFault":true,"Code":"EmptyValue","Message":"The request must contain the parameter MessageBody."},`+
				`{"Id":"c","SenderFault":true,"Code":"InvalidMessageContents","Message":"`+badCharacter("0")+`"}]}`,
				c.json("SendMessageBatch", `{'QueueUrl':'`+q.url+`','Entries':[{'Id':'a'`+members+`,{'Id':'b','MessageBody':''`+members+
					`,{'Id':'c','MessageBody':'\u0000'`+members+`]}`).ok(), name)
		}
		c.query(url, "SendMessage", "MessageBody=\xff").failsQuery(400, "InvalidMessageContents", badCharacter("FF"))
		c.query(url, "SendMessage", "MessageBody=").failsQuery(400, "MissingParameter", "The request must contain the parameter MessageBody.")

		// What is refused takes nothing with it, and leaves nothing behind.
		sent := c.json("SendMessageBatch", `{'QueueUrl':'`+fifo+`','Entries':[{'Id':'a','MessageGroupId':'g','MessageDeduplicationId':'1'},`+
			`{'Id':'b','MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'2'}]}`).ok()
		assert.Contains(t, sent, `"Successful":[{"Id":"b"`)
		assert.Equal(t, "b", c.receive(fifo, ``)[0].Body)
		assert.Empty(t, c.receive(url, ``))
	}
}

// TestReceiveMessage_ShowsABinaryBodyAsText has bodies that only the process can send. The digest is
// that of what is shown, or a client would refuse the answer.
func TestReceiveMessage_ShowsABinaryBodyAsText(t *testing.T) {
	c := newClient(t, inq.WithoutCooldowns())
	url := c.standard("q", inq.WithoutSQSLimits(), inq.WithVisibilityTimeout(0))
	for body, want := range map[string]string{
		"":                        "",
		"\x00":                    "\uFFFD",
		"a\x1fb\tc\r\n":           "a\uFFFDb\tc\r\n",
		"\xff\xfe":                "\uFFFD\uFFFD",
		"half \xe4\xb8":           "half \uFFFD\uFFFD",
		"\uFFFE\uFFFF\uFFFD":      "\uFFFD\uFFFD\uFFFD",
		"zip\x1f\x8b, \U0001F600": "zip\uFFFD\uFFFD, \U0001F600",
	} {
		_, err := c.queue("q").Send(t.Context(), inq.Message{Body: body})
		require.NoError(t, err)
		m := c.receive(url, ``)[0]
		assert.Equal(t, want, m.Body, "%q", body)
		assert.Equal(t, bodyDigest(want), m.MD5OfBody, "%q", body)
		text := c.query(url, "ReceiveMessage").ok()
		assert.Equal(t, want, receivedBody(t, text), "%q", body)
		assert.Contains(t, text, "<MD5OfBody>"+bodyDigest(want)+"</MD5OfBody>")
		require.NoError(t, c.queue("q").Purge(t.Context()))
	}
}

func TestIsText_TellsWhatSQSTakes(t *testing.T) {
	for _, r := range []rune{0, 8, 9, 10, 11, 12, 13, 14, 0x1f, 0x20, 0x7f, 0x80, 0xd7ff, 0xe000, 0xfffd, 0xfffe, 0xffff, 0x10000, 0x10ffff} {
		want := r == 9 || r == 10 || r == 13 || r >= 0x20 && r != 0xfffe && r != 0xffff
		for before := range 18 {
			for _, fill := range []string{"x", "\n", "é", "\x7f"} {
				body := strings.Repeat(fill, before) + string(r) + strings.Repeat(fill, 17-before)
				assert.Equal(t, want, isText(body), "%q", body)
				if want {
					assert.Equal(t, body, shownBody(body))
				} else {
					assert.True(t, isText(shownBody(body)), "%q", body)
					assert.Equal(t, utf8.RuneCountInString(body), utf8.RuneCountInString(shownBody(body)))
				}
			}
		}
	}
	for _, body := range []string{"\xff", "12345678\xff", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"} {
		assert.False(t, isText(body), "%q", body)
	}
	assert.True(t, isText(""))
}
