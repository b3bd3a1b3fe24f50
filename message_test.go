package inq

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sendErr sends m to a Standard queue and returns the refusal, nil if it was accepted. A refused
// send changes nothing.
func sendErr(t *testing.T, q *Standard, m Message) error {
	t.Helper()
	before := q.Stats()
	_, err := q.Send(context.Background(), m)
	if err != nil {
		before.OldestAge, before.QuietOldestAge = 0, 0
		after := q.Stats()
		after.OldestAge, after.QuietOldestAge = 0, 0
		require.Equal(t, before, after)
	}
	return err
}

func TestMSG1and2_TheSizeCountsBodyAndAttributesOnly(t *testing.T) {
	ctx := context.Background()
	attributes := map[string]Attribute{
		"text":   {Type: "String.label", Value: "é…"},            // 4 + 12 + 5
		"number": {Type: "Number", Value: "42"},                  // 6 + 6 + 2
		"bytes":  {Type: "Binary.png", Binary: make([]byte, 10)}, // 5 + 10 + 10
		"ø":      String("x"),                                    // 2 + 6 + 1
	}
	const attributeBytes = 21 + 14 + 25 + 9
	for _, limit := range []int{1024, 5000, 1 << 20} {
		for _, c := range []struct {
			name string
			m    Message
			free int // bytes the body may have
		}{
			{"body alone", Message{}, limit},
			{"attributes", Message{Attributes: attributes}, limit - attributeBytes},
			{"what does not count", Message{TraceHeader: strings.Repeat("t", 500), SenderID: strings.Repeat("s", 500),
				GroupID: strings.Repeat("g", 128)}, limit},
		} {
			t.Run(fmt.Sprint(limit, c.name), func(t *testing.T) {
				q := testStandard(t, WithMaxMessageSize(limit))
				// Two-byte characters, to tell bytes from characters.
				body := strings.Repeat("é", c.free/2) + strings.Repeat("x", c.free%2)
				for _, fit := range []string{body, body[2:], body[:2]} {
					c.m.Body = fit
					require.NoError(t, sendErr(t, q, c.m))
				}
				require.Equal(t, uint64(3*(limit-c.free)+2*c.free), q.Stats().SentBytes)
				require.Equal(t, int64(3*(limit-c.free)+2*c.free), q.Stats().Bytes)
				reason := "bytes of body and attributes"
				if limit == maxMessageSize {
					reason += liftedText
				}
				for _, over := range []int{1, 100} {
					c.m.Body = body + strings.Repeat("y", over)
					err := sendErr(t, q, c.m)
					requireRefusal(t, err, ErrInvalidParameter)
					require.Equal(t, ParamError{Err: ErrInvalidParameter, Param: "MessageSize", Value: limit + over, Max: limit,
						Reason: reason}, *requireParamError(t, err))
				}
				// What was stored comes back.
				for _, want := range []string{body, body[2:], body[:2]} {
					ds, err := q.Receive(ctx, ReceiveInput{})
					require.NoError(t, err)
					require.True(t, want == ds[0].Body)
					require.NoError(t, ds[0].Delete(ctx))
				}
				require.Zero(t, q.Stats().Bytes)
			})
		}
	}
}

// badText are pieces that make any text invalid, with what the refusal says.
var badText = []struct{ text, says string }{
	{"\x00", "U+0000"}, {"\x01", "U+0001"}, {"\x08", "U+0008"}, {"\x0b", "U+000B"}, {"\x0c", "U+000C"}, {"\x0e", "U+000E"}, {"\x1f", "U+001F"},
	{"\uFFFE", "U+FFFE"}, {"\uFFFF", "U+FFFF"},
	{"\xed\xa0\x80", "invalid UTF-8"}, {"\xed\xbf\xbf", "invalid UTF-8"}, // surrogate halves
	{"\x80", "invalid UTF-8"}, {"\xbf", "invalid UTF-8"}, {"\xc3", "invalid UTF-8"}, {"\xc3(", "invalid UTF-8"}, {"\xc0\x80", "invalid UTF-8"},
	{"\xe2\x82", "invalid UTF-8"}, {"\xe0\x80\x80", "invalid UTF-8"}, {"\xf0\x9f\x98", "invalid UTF-8"}, {"\xf4\x90\x80\x80", "invalid UTF-8"},
	{"\xf8\x88\x80\x80\x80", "invalid UTF-8"}, {"\xfe", "invalid UTF-8"}, {"\xff", "invalid UTF-8"},
}

// goodText are characters at the edges of what is allowed.
var goodText = []string{"\t", "\n", "\r", " ", "!", "~", "\x7f", "\u0080", "é", "\u07ff", "\u0800", "€", "\ud7ff", "\ue000", "\ufffd", "\U00010000",
	"\U0001fffe", "😀", "\U0010ffff", "\r\n", "&quot;", `"`}

func TestMSG3_CharactersAtEveryAlignment(t *testing.T) {
	for _, filler := range []string{"a", " ", "é", "€", "😀", "\t"} {
		for before := range 18 {
			for _, after := range []int{0, 1, 7, 8, 9, 16} {
				head, tail := strings.Repeat(filler, before), strings.Repeat("z", after)
				for _, b := range badText {
					text := head + b.text + tail
					require.Equal(t, len(head), invalidText(text), "%q", text)
				}
				for _, g := range goodText {
					require.Equal(t, -1, invalidText(head+g+tail), "%q", head+g+tail)
				}
			}
		}
	}
}

func TestMSG3_EveryCharacterIsJudgedByTheRule(t *testing.T) {
	for r := rune(0); r <= 0x10ffff; r++ {
		if r == 0x3000 { // the planes are uniform from here to their ends
			r = 0xd700
		}
		if r == 0x10100 {
			r = 0x10ff00
		}
		want := r == 9 || r == 10 || r == 13 || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
		if 0xd800 <= r && r <= 0xdfff {
			continue // cannot be written as UTF-8
		}
		if want != (invalidText("1234567"+string(r)) < 0) || want != (invalidText(string(r)) < 0) {
			require.Equal(t, want, invalidText(string(r)) < 0, "%U", r)
		}
	}
}

func TestMSG3_ABodyWithOtherCharactersIsRefused(t *testing.T) {
	q := testStandard(t)
	for _, b := range badText {
		err := sendErr(t, q, Message{Body: "abc" + b.text})
		requireRefusal(t, err, ErrInvalidMessageContents)
		p := requireParamError(t, err)
		require.Equal(t, "MessageBody", p.Param)
		require.Nil(t, p.Value)
		require.Contains(t, p.Reason, b.says)
		require.Contains(t, p.Reason, "at byte 3;")
	}
	s := steps{t, &q.queue}
	for _, g := range goodText {
		s.send(g)
		s.delete(s.gets(1, 0, g)...) // kept byte for byte
	}
}

func TestMSG4_AnEmptyBodyIsMissing(t *testing.T) {
	q := testStandard(t)
	err := sendErr(t, q, Message{Attributes: map[string]Attribute{"a": String("b")}})
	requireRefusal(t, err, ErrMissingParameter)
	require.Equal(t, "MessageBody", requireParamError(t, err).Param)
	require.NoError(t, sendErr(t, q, Message{Body: " "}))
}

func TestMSG5_AtMostTenAttributes(t *testing.T) {
	q := testStandard(t)
	attributes := map[string]Attribute{}
	for i := range 10 {
		attributes[fmt.Sprint("a", i)] = String("v")
	}
	require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: attributes}))
	attributes["b"] = String("v")
	err := sendErr(t, q, Message{Body: "b", Attributes: attributes})
	requireRefusal(t, err, ErrInvalidParameter)
	require.Equal(t, ParamError{Err: ErrInvalidParameter, Param: "MessageAttributes", Value: 11, Max: 10,
		Reason: "number of message attributes"}, *requireParamError(t, err))
	require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{}}))
}

func TestMSG6_NamesOfAttributes(t *testing.T) {
	q := testStandard(t)
	for _, name := range []string{"a", "Z", "0", "_", "-", "a.b", "a_b-c.9", "øßä", "É", "aws", "amazon", "awsx.a", "a.aws.b", "xamazon.a", "AWSa",
		strings.Repeat("n", 255), strings.Repeat("n", 256), strings.Repeat("é", 256)} {
		require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{name: String("v")}}), "%q", name)
	}
	for _, name := range []string{"", ".", ".a", "a.", "a..b", "..", "a b", "a!", `a"`, "a§", "(a", "a?", "a/b", "a\x00", "a\xff", "a\n", "😀",
		"AWS.", "aws.a", "Aws.b", "AmAzOn.c", "Amazon.", "AWS.SQS.x", strings.Repeat("n", 257), strings.Repeat("é", 257)} {
		err := sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{name: String("v")}})
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, "MessageAttributes", requireParamError(t, err).Param, "%q", name)
		require.Equal(t, name, requireParamError(t, err).Value)
		require.NotEmpty(t, requireParamError(t, err).Reason)
	}
	// Case sensitive: these are two.
	require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"a": String("1"), "A": String("2")}}))
}

func TestMSG7to11_TypesAndValuesOfAttributes(t *testing.T) {
	q := testStandard(t)
	for _, c := range []struct {
		rule string
		a    Attribute
		ok   bool
	}{
		{"MSG-7", Attribute{Type: "String", Value: "v"}, true},
		{"MSG-7", Attribute{Type: "String.x", Value: "v"}, true},
		{"MSG-7", Attribute{Type: "String.a.b.c", Value: "v"}, true},
		{"MSG-7", Attribute{Type: "Number.float", Value: "1"}, true},
		{"MSG-7", Attribute{Type: "Binary.gif", Binary: []byte{0}}, true},
		{"MSG-7", Attribute{Type: "String." + strings.Repeat("x", 249), Value: "v"}, true}, // 256
		{"MSG-7", Attribute{Type: "String." + strings.Repeat("x", 250), Value: "v"}, false},
		{"MSG-7", Attribute{Type: "String." + strings.Repeat("x", 255), Value: "v"}, false}, // 262
		{"MSG-7", Attribute{Type: "string", Value: "v"}, false},
		{"MSG-7", Attribute{Type: "STRING", Value: "v"}, false},
		{"MSG-7", Attribute{Type: "Strings", Value: "v"}, false},
		{"MSG-7", Attribute{Type: "Text", Value: "v"}, false},
		{"MSG-7", Attribute{Type: " String", Value: "v"}, false},
		{"MSG-7", Attribute{Type: ".String", Value: "v"}, false},
		{"MSG-7", Attribute{Type: "String.", Value: "v"}, false},
		{"MSG-7", Attribute{Type: "String.\x00", Value: "v"}, false},
		{"MSG-8", Attribute{Type: "String"}, false},
		{"MSG-8", Attribute{Type: "Number"}, false},
		{"MSG-8", Attribute{Type: "Binary"}, false},
		{"MSG-8", Attribute{Type: "Binary", Binary: []byte{}}, false},
		{"MSG-11", Attribute{Value: "v"}, false},
		{"MSG-11", Attribute{}, false},
		{"MSG-11", Attribute{Type: "Binary", Value: "v"}, false},
		{"MSG-11", Attribute{Type: "Binary", Value: "v", Binary: []byte{1}}, false},
		{"MSG-11", Attribute{Type: "String", Binary: []byte{1}}, false},
		{"MSG-11", Attribute{Type: "String", Value: "v", Binary: []byte{1}}, false},
		{"MSG-11", Attribute{Type: "Number", Value: "1", Binary: []byte{1}}, false},
		{"MSG-11", Attribute{Type: "String", Value: "v", Binary: []byte{}}, true},
	} {
		err := sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"fine": Number("1"), "name": c.a}})
		if c.ok {
			require.NoError(t, err, "%v", c)
			continue
		}
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, "MessageAttributes.name", requireParamError(t, err).Param, "%v", c)
		require.NotEmpty(t, requireParamError(t, err).Reason)
	}
	// MSG-9: another error than for the body. Binary values may be any bytes.
	for _, b := range badText {
		requireRefusal(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"a": String("x" + b.text)}}), ErrInvalidParameter)
		require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"a": Binary([]byte(b.text))}}))
	}
}

func TestMSG10_Numbers(t *testing.T) {
	q := testStandard(t)
	digits := func(n int) string { return strings.Repeat("9", n) }
	for _, n := range []string{"0", "-0", "+0", "1", "-1", "+1", "007", "1.5", "-1.5", ".5", "5.", "1e5", "1E5", "1e+5", "1e-5", "0.0", "0e999999999999999999999",
		digits(38), "-" + digits(38), digits(19) + "." + digits(19), digits(38) + strings.Repeat("0", 88), strings.Repeat("0", 100) + digits(38),
		"0." + strings.Repeat("0", 127) + "1", "1e126", "1e+126", "-1e126", "1.0e126", "0.1e127", "1e-128", "9e125", "9e-128", "10e-129",
		"1" + strings.Repeat("0", 126)} {
		require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"n": Number(n)}}), "%q", n)
	}
	for _, n := range []string{"-", "+", ".", "e5", "1e", "1e+", "1e-", "1ee5", "--1", "+-1", "1-", "1.2.3", "0x10", "1_000", "1,5", " 1", "1 ", "NaN", "Inf", "-Infinity", "one",
		"١", "1e5.5", "1e--5", digits(39), "1." + digits(38), digits(20) + "." + digits(19), "1e127", "2e126", "1.1e126", "-2e126", "1e-129", "9e-129", "0.9e-128",
		"1e999999999999999999999", "1e-999999999999999999999", "10e126"} {
		err := sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"n": Number(n)}})
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, "MessageAttributes.n", requireParamError(t, err).Param, "%q", n)
		require.Equal(t, n, requireParamError(t, err).Value)
	}
	// Kept as written.
	require.NoError(t, q.Purge(context.Background()))
	require.NoError(t, sendErr(t, q, Message{Body: "b", Attributes: map[string]Attribute{"n": Number("+001.50e0")}}))
	s := steps{t, &q.queue}
	require.Equal(t, map[string]Attribute{"n": {Type: "Number", Value: "+001.50e0"}}, s.one(0).Attributes())
}

func TestMSG13_TraceHeaderAndSender(t *testing.T) {
	q := testStandard(t)
	s := steps{t, &q.queue}
	require.NoError(t, sendErr(t, q, Message{Body: "b", TraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793", SenderID: "AIDA:me"}))
	d := s.one(0)
	require.Equal(t, "Root=1-5759e988-bd862e3fe1be46a994272793", d.TraceHeader())
	require.Equal(t, "AIDA:me", d.SenderID())
	longest := strings.Repeat("ä", 1024)
	require.NoError(t, sendErr(t, q, Message{Body: "b", TraceHeader: longest, SenderID: longest}))
	for param, m := range map[string]Message{"AWSTraceHeader": {Body: "b", TraceHeader: longest + "x"}, "SenderId": {Body: "b", SenderID: longest + "x"}} {
		err := sendErr(t, q, m)
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, ParamError{Err: ErrInvalidParameter, Param: param, Value: 2049, Max: 2048, Reason: "must not be longer than 2048 bytes"}, *requireParamError(t, err))
	}
	_, err := NewStandard("q", WithSenderID(longest+"x"))
	requireRefusal(t, err, ErrInvalidParameter)
	for _, b := range badText {
		err := sendErr(t, q, Message{Body: "b", TraceHeader: b.text})
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, "AWSTraceHeader", requireParamError(t, err).Param)
		err = sendErr(t, q, Message{Body: "b", SenderID: b.text})
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, "SenderId", requireParamError(t, err).Param)
	}
}

func TestMSG14_TheDelayOfAMessage(t *testing.T) {
	q := testStandard(t)
	for _, d := range []time.Duration{0, Zero, 1, time.Second, 15*time.Minute - 1, 15 * time.Minute} {
		require.NoError(t, sendErr(t, q, Message{Body: "b", Delay: d}))
	}
	for _, d := range []time.Duration{-1, -time.Second, 15*time.Minute + 1, Forever, Zero + 1} {
		err := sendErr(t, q, Message{Body: "b", Delay: d})
		requireRefusal(t, err, ErrInvalidParameter)
		require.Equal(t, ParamError{Err: ErrInvalidParameter, Param: "DelaySeconds", Value: d, Min: time.Duration(0), Max: 15 * time.Minute}, *requireParamError(t, err))
	}
}

func TestMSG15and16_IdsOnStandard(t *testing.T) {
	q := testStandard(t)
	err := sendErr(t, q, Message{Body: "b", DeduplicationID: "x"})
	requireRefusal(t, err, ErrInvalidParameter)
	require.Equal(t, "MessageDeduplicationId", requireParamError(t, err).Param)
	require.NoError(t, sendErr(t, q, Message{Body: "b", GroupID: "tenant"}))
	s := steps{t, &q.queue}
	d := s.one(0)
	require.Equal(t, "tenant", d.GroupID)
	require.Empty(t, d.DeduplicationID())
}

func TestSend_CopiesAttributes(t *testing.T) {
	onBothTypes(t, func(s steps) {
		m := s.message("g-1")
		raw := []byte{1, 2, 3}
		m.Attributes = map[string]Attribute{"bytes": Binary(raw), "text": String("before")}
		want := map[string]Attribute{"bytes": Binary([]byte{1, 2, 3}), "text": String("before")}
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		n := s.message("g-2")
		n.Attributes = m.Attributes
		_, err = s.q.SendBatch(context.Background(), []Message{n})
		require.NoError(s, err)
		raw[0] = 99
		m.Attributes["text"] = String("after")
		m.Attributes["new"] = String("x")
		delete(m.Attributes, "bytes")
		for snapshot := range s.q.Messages() {
			require.Equal(s, want, snapshot.Attributes)
		}
		for _, d := range s.receive(10, 0) {
			require.Equal(s, want, d.Attributes())
			// What a consumer makes of it for a resend is its own copy.
			d.Message().Attributes["text"] = String("other")
			require.Equal(s, want, d.Attributes())
		}
	})
}

func TestSend_OneMapCanBeSentByManyAtOnce(t *testing.T) {
	q := testStandard(t)
	attributes := map[string]Attribute{"bytes": Binary([]byte{1, 2, 3}), "text": String("v"), "n": Number("1")}
	done := make(chan error)
	for range 8 {
		go func() {
			var err error
			for range 50 {
				if _, e := q.Send(context.Background(), Message{Body: "b", Attributes: attributes}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-done)
	}
	require.Equal(t, 400, q.Stats().Visible)
	for snapshot := range q.Messages() {
		require.Equal(t, attributes, snapshot.Attributes)
	}
}

func TestDeliveryMessage_IsWhatAProducerWouldSendAgain(t *testing.T) {
	onBothTypes(t, func(s steps) {
		m := s.message("g-1")
		m.GroupID = "g"
		m.Attributes = map[string]Attribute{"a": Binary([]byte{1})}
		m.TraceHeader, m.SenderID = "trace", "me"
		_, err := s.q.Send(context.Background(), m)
		require.NoError(s, err)
		m.DeduplicationID = "" // it would make the copy a duplicate
		d := s.one(0)
		require.Equal(s, m, d.Message())
	})
}
