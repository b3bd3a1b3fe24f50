package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readForm fills in from URL-encoded parameters.
func readForm(in any, encoded string, c *Call) error {
	q := &queryCodec{service: c.Service, parameters: [2][]byte{[]byte(encoded)}}
	return q.read(in, c)
}

func TestForm_ValuesDoNotHoldOnToTheRequest(t *testing.T) {
	encoded := []byte("MessageBody=b&MessageGroupId=a+b&QueueUrl=%71&Rest=" + strings.Repeat("x", 100))
	var in sendMessageRequest
	q := &queryCodec{service: testService, parameters: [2][]byte{encoded}}
	require.NoError(t, q.read(&in, testCall()))
	for _, value := range []struct {
		got  *string
		want string
	}{{in.MessageBody, "b"}, {in.MessageGroupId, "a b"}, {in.QueueUrl, "q"}} {
		require.Equal(t, value.want, *value.got)
		first := uintptr(unsafe.Pointer(unsafe.StringData(*value.got)))
		start := uintptr(unsafe.Pointer(&encoded[0]))
		assert.True(t, first < start || first >= start+uintptr(len(encoded)), value.want)
	}
}

func TestForm_KeepsWhatCountsAndCountsTheRest(t *testing.T) {
	s := testCall()
	var batch sendMessageBatchRequest
	require.NoError(t, readForm(&batch, strings.TrimPrefix(repeatedForm(40, "&SendMessageBatchRequestEntry.#.Id=#&SendMessageBatchRequestEntry.#.MessageBody=b"), "&"), s))
	assert.Len(t, batch.Entries, testBounds.Entries)
	assert.EqualValues(t, 40-testBounds.Entries, s.left)
	var send sendMessageRequest
	require.NoError(t, readForm(&send, "MessageBody=b"+repeatedForm(40, "&MessageAttribute.#.Name=#&MessageAttribute.#.Value.StringValue=abc"), testCall()))
	assert.Len(t, send.MessageAttributes.Named, testBounds.Attributes)
	assert.Equal(t, 40-testBounds.Attributes, send.MessageAttributes.Left)
	assert.Equal(t, (40-testBounds.Attributes)*(2+3), send.MessageAttributes.LeftBytes)
	assert.EqualError(t, readForm(new(receiveMessageRequest), "AttributeName=a"+repeatedForm(maxListed, "&AttributeName.#=a"), testCall()),
		"MalformedInput: A list of the request has more than 1000 elements.")
}

func repeatedForm(n int, parameters string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(parameters, "#", fmt.Sprint(i+1)))
	}
	return b.String()
}

func TestEntriesBeyondTheLimit_AreKeptWhereTheServiceSaysSo(t *testing.T) {
	const n = 200
	form := strings.TrimPrefix(repeatedForm(n, "&SendMessageBatchRequestEntry.#.Id=#"), "&") + "&QueueUrl=h%2Fq"
	text := `{"Entries":[` + strings.TrimSuffix(strings.Repeat(`{"Id":"a"},`, n), ",") + `],"QueueUrl":"h/q"}`
	for _, endless := range []bool{true, false} {
		for name, read := range map[string]func(in *sendMessageBatchRequest, c *Call) error{
			"Query": func(in *sendMessageBatchRequest, c *Call) error { return readForm(in, form, c) },
			"JSON":  func(in *sendMessageBatchRequest, c *Call) error { return readJSON([]byte(text), in, c) },
		} {
			var urls []string
			service := *testService
			service.Endless = func(_ *Call, find func(string) *string) bool {
				urls = append(urls, *find("QueueUrl"))
				return endless
			}
			c := NewServer(&service, Options{}).NewCall(nil)
			var in sendMessageBatchRequest
			require.NoError(t, read(&in, c))
			assert.Equal(t, n, len(in.Entries)+int(c.left), name)
			assert.Equal(t, endless, c.left == 0, name)
			assert.Equal(t, []string{"h/q"}, urls, "once: to find it takes a look through the whole request")
			assert.Equal(t, "h/q", *in.QueueUrl)
		}
	}
}

// FuzzUnescape holds the reader of URL-encoded text against net/url.
func FuzzUnescape(f *testing.F) {
	for _, text := range []string{"a+b%20c", "%", "%4", "%zz", "%C3%A4", "%%%", "a%2", "+%2B"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, wantErr := url.QueryUnescape(text)
		got, err := unescapeText([]byte(text))
		assert.Equal(t, wantErr == nil, err == nil)
		assert.Equal(t, wantErr == nil, checkEscapes([]byte(text)) == nil)
		key, keyErr := unescape(nil, []byte(text))
		assert.Equal(t, wantErr == nil, keyErr == nil)
		if err == nil {
			assert.Equal(t, want, got)
			assert.Equal(t, want, string(key))
		}
	})
}

func TestQuery_ParametersAreNotKeptOnceTheyAreRead(t *testing.T) {
	q := &queryCodec{service: testService}
	require.NoError(t, q.parse(&http.Request{Method: http.MethodPost, URL: new(url.URL)}, []byte("Action=ReceiveMessage&QueueUrl=q&Unknown=x")))
	var in receiveMessageRequest
	require.NoError(t, q.read(&in, testCall()))
	assert.Equal(t, "q", *in.QueueUrl)
	assert.Zero(t, q.parameters, "a long poll would hold them")
}

func TestForm_ListsAndMapsWithANameOfTheirOwn(t *testing.T) {
	var in struct {
		Tags       []struct{ Key, Value *string } `query:"Tags.member"`
		TagKeys    []string                       `query:"TagKeys.member"`
		Attributes map[string]*string             `query:"Attributes.entry,key,value"`
		Values     Attributes                     `query:"MessageAttributes.entry,Name,Value"`
	}
	require.NoError(t, readForm(&in, "Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=1&TagKeys.member.1=x&TagKeys.member.2=y&"+
		"Attributes.entry.1.key=k&Attributes.entry.1.value=v&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String", testCall()))
	require.Len(t, in.Tags, 2)
	assert.Equal(t, "a", *in.Tags[0].Key)
	assert.Equal(t, "1", *in.Tags[0].Value)
	assert.Nil(t, in.Tags[1].Value)
	assert.Equal(t, []string{"x", "y"}, in.TagKeys)
	assert.Equal(t, "v", *in.Attributes["k"])
	assert.Equal(t, "String", *in.Values.Named["n"].DataType)
	in.Tags, in.TagKeys = nil, nil
	require.NoError(t, readForm(&in, "Tags=&TagKeys.member=", testCall()), "which is how empty ones are written")
	assert.Empty(t, in.Tags)
	for _, stray := range []string{"Tags.1.Key=a", "Tags=x", "Tags.member.x.Key=a", "TagKeys.1=a", "Attributes.1.key=a", "Attributes.entry=a"} {
		name, _, _ := strings.Cut(stray, "=")
		assert.EqualError(t, readForm(&in, stray, testCall()), "MalformedInput: The request has the parameter "+name+", which the operation does not have.")
	}
}

func TestShapes_KnowEveryField(t *testing.T) {
	of := reflect.TypeFor[sendMessageBatchRequest]()
	s := shapeOf(of)
	for _, f := range reflect.VisibleFields(of) {
		require.NotNil(t, s.members[f.Name], f.Name)
		assert.Equal(t, f.Index, s.members[f.Name].index)
	}
}
