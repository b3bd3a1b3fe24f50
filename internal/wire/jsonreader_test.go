package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadJSON_WhatIsGivenTwiceIsRefused(t *testing.T) {
	for body, message := range map[string]string{
		`{"Entries":[],"QueueUrl":"q","Entries":null}`:                              "The request has Entries more than once.",
		`{"QueueUrl":"p","Entries":[{"Id":"a","MessageBody":"x","Id":"a"}]}`:        "The request has Id more than once.",
		`{"Entries":[{"MessageAttributes":{"k":{}},"MessageAttributes":{"j":{}}}]}`: "The request has MessageAttributes more than once.",
	} {
		assert.EqualError(t, readJSON([]byte(body), new(sendMessageBatchRequest), testCall()), "MalformedInput: "+message)
	}
	err := readJSON([]byte(`{"Entries":[{"MessageAttributes":{"k":{"StringValue":"x"},"k":{}}}]}`), new(sendMessageBatchRequest), testCall())
	assert.EqualError(t, err, "InvalidParameterValue: Message (user) attribute 'k' is given more than once.")
	err = readJSON([]byte(`{"tags":{"k":"x","k":"y"}}`), new(createQueueRequest), testCall())
	assert.EqualError(t, err, "MalformedInput: The request has k more than once.")
	assert.NoError(t, readJSON([]byte(`{"Unknown":1,"Unknown":2}`), new(createQueueRequest), testCall()))
}

func TestReadJSON_ReadsEveryTypeOfMember(t *testing.T) {
	var in struct {
		Text    *string
		Number  *int32
		Bytes   []byte
		List    []string
		Map     map[string]*string
		Structs []struct{ A *string }
	}
	require.NoError(t, readJSON([]byte(" {\t\"Text\" :\r\n\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 ä\" , \"Number\":-12,\"Bytes\":\"AAH/\","+
		`"List":["a",null,"b"],"Map":{"a":"1","b":null},"Structs":[{},null,{"A":"x"}],"Unknown":[1.5e-3,-0,{"a":[true,false,null,"\n"]},[],{}]} `), &in, testCall()))
	assert.Equal(t, "\"\\/\b\f\n\r\tä😀 ä", *in.Text)
	assert.Equal(t, int32(-12), *in.Number)
	assert.Equal(t, []byte{0, 1, 0xff}, in.Bytes)
	assert.Equal(t, []string{"a", "", "b"}, in.List)
	assert.Len(t, in.Map, 1, "null means absent")
	assert.Len(t, in.Structs, 3)
	assert.Equal(t, "x", *in.Structs[2].A)
}

func TestReadJSON_SaysWhatIsWrong(t *testing.T) {
	for body, message := range map[string]string{
		`[]`:                                        "The value of the request must be an object.",
		`{"QueueUrl":1}`:                            "NUMBER_VALUE can not be converted to a String",
		`{"QueueUrl":[]}`:                           "The value of QueueUrl must be a string.",
		`{"Entries":{}}`:                            "The value of Entries must be a list.",
		`{"Entries":[1]}`:                           "The value of Entries must be an object.",
		`{"Entries":[{"Id":true}]}`:                 "TRUE_VALUE can not be converted to a String",
		`{"Entries":[{"DelaySeconds":"5"}]}`:        "STRING_VALUE can not be converted to an Integer",
		`{"Entries":[{"DelaySeconds":false}]}`:      "FALSE_VALUE can not be converted to an Integer",
		`{"Entries":[{"DelaySeconds":{}}]}`:         "The value of DelaySeconds must be an integer.",
		`{"Entries":[{"DelaySeconds":5.0}]}`:        "The value of DelaySeconds must be an integer of 32 bits.",
		`{"Entries":[{"DelaySeconds":2147483648}]}`: "The value of DelaySeconds must be an integer of 32 bits.",
		`{"Entries":[{"DelaySeconds":1` + strings.Repeat("0", 400) + `}]}`: "The value of DelaySeconds must be an integer of 32 bits.",
		`{"Entries":[{"MessageAttributes":{"k":{"BinaryValue":"!"}}}]}`:    "The value of BinaryValue must be base64.",
		`{"Unknown":` + strings.Repeat("[", maxDepth) + `}`:                "The body of the request is nested too deep.",
		`{"Unknown":` + strings.Repeat(`{"a":`, maxDepth) + `1}`:           "The body of the request is nested too deep.",
		`{"QueueUrl":"` + "\xff" + `"}`:                                    "The body of the request is not valid UTF-8.",
		`{"QueueUrl":"a"`:                                                  "The body of the request is not valid JSON at byte 15.",
		`{"QueueUrl":"a"}}`:                                                "The body of the request is not valid JSON at byte 16.",
		`{"QueueUrl":"a` + "\n" + `"}`:                                     "The body of the request is not valid JSON at byte 14.",
	} {
		assert.EqualError(t, readJSON([]byte(body), new(sendMessageBatchRequest), testCall()), "MalformedInput: "+message, Cut(body, 80))
	}
	for _, body := range []string{` `, `nul`, `nullx`, `{`, `{"a"`, `{"a":`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[,]}`, `{"a":[}`,
		`{"a":01}`, `{"a":-}`, `{"a":+1}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":1e+}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":tru}`, `{"a":truex}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`,
		`{"a":"\u+123"}`, `{"a":"\`, `{"a":"\"`, `{"a":"\ud800"}`, `{"a":"\udc00"}`, `{"a":"\ud800\u0041"}`, `{"a":"\ud800x"}`, `{"a":"\ud800\ud800"}`, `{"\ud800":1}`, "\ufeff{}", "{}\x00", `{} {}`} {
		err := readJSON([]byte(body), &struct{}{}, testCall())
		var f *Fault
		if assert.ErrorAs(t, err, &f, body) {
			assert.Equal(t, KindSerialization, f.Kind)
		}
	}
	assert.NoError(t, readJSON([]byte(`{"Unknown":`+strings.Repeat("[", maxDepth-1)+strings.Repeat("]", maxDepth-1)+`}`), &struct{}{}, testCall()))
}

// FuzzReadJSON holds the reader against encoding/json.
func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"MessageBody":"a\ud83d\ude00\n","DelaySeconds":-0,"x":[1e5,{"y":null}]}`, `{"MessageBody":"a","MessageBody":"b"}`, `null`, `{"DelaySeconds":1.5}`,
		`{"QueueUrl":"\u0000","MessageAttributes":{"k":{"BinaryValue":"AA=="}}}`, `[]`, `{"a":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var members map[string]json.RawMessage
		legal := json.Unmarshal([]byte(body), &members) == nil && utf8.ValidString(body)
		switch err := readJSON([]byte(body), &struct{}{}, testCall()); {
		case err == nil:
			assert.True(t, legal, "accepted")
		case !strings.Contains(body, `\u`) && strings.Count(body, "{")+strings.Count(body, "[") < maxDepth:
			assert.False(t, legal, err)
		}
		var in sendMessageRequest
		if readJSON([]byte(body), &in, testCall()) != nil {
			return
		}
		require.True(t, legal)
		var text *string
		if raw, ok := members["MessageBody"]; ok {
			require.NoError(t, json.Unmarshal(raw, &text))
		}
		assert.Equal(t, text, in.MessageBody)
		var number *int32
		if raw, ok := members["DelaySeconds"]; ok {
			require.NoError(t, json.Unmarshal(raw, &number))
		}
		assert.Equal(t, number, in.DelaySeconds)
	})
}
