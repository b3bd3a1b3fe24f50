package snsapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/topic"
)

func TestWire_RequestsThatAreNone(t *testing.T) {
	c := newClient(t)
	c.do(request("")).fails(400, "MissingAction", "The request must contain the parameter Action.")
	c.call("Nothing").fails(400, "InvalidAction", "The action Nothing is not valid for this endpoint.")
	c.do(request("Action=%zz")).fails(400, "MalformedInput", `The request is not URL-encoded: invalid URL escape "%zz"`)
	c.do(request("Action=Publish&Message="+strings.Repeat("x", DefaultMaxBytes))).fails(413, "RequestEntityTooLarge", "Request must not be longer than 1572864 bytes.")
	req := request("{}")
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r := c.do(req)
	assert.Equal(t, 400, r.status)
	assert.Contains(t, r.body, "UnknownOperationException")
}

func TestWire_ParametersInTheURLOfAPOST(t *testing.T) {
	c := newClient(t)
	req := request("")
	req.URL.RawQuery = form("Action=CreateTopic", "Name=t")
	c.do(req).ok()
}

func TestWire_JSONForThoseWhoAcceptIt(t *testing.T) {
	c := newClient(t)
	on := c.topic("t")
	req, err := http.NewRequest(http.MethodGet, base+"/?Action=ListTopics", nil)
	require.NoError(t, err)
	req.Header.Set("Accept", "application/json")
	r := c.do(req)
	assert.Equal(t, "application/json", r.header.Get("Content-Type"))
	var out struct {
		ListTopicsResponse struct {
			ListTopicsResult struct{ Topics []struct{ TopicArn string } }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.body), &out))
	assert.Equal(t, on, out.ListTopicsResponse.ListTopicsResult.Topics[0].TopicArn)
}

func TestWire_AClosedAccountIsUnavailable(t *testing.T) {
	c := newClient(t)
	require.NoError(t, c.account.Close())
	r := c.call("ListTopics")
	assert.Equal(t, 503, r.status)
	assert.Contains(t, r.body, "<Type>Receiver</Type><Code>ServiceUnavailable</Code>")
}

func TestErrorTable_KnowsEveryErrorOfTopics(t *testing.T) {
	for _, row := range kinds {
		f := toFault(row.err)
		assert.Equal(t, row.kind, f.Kind)
		assert.NotEmpty(t, f.Message)
	}
	assert.Equal(t, kindServiceUnavailable, toFault(errors.New("disk on fire")).Kind)
	assert.Equal(t, "text", toFault(&topic.ParamError{Err: topic.ErrInvalidParameter, Text: "text"}).Message)
}

func TestRegions_AreApartOnOneHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		accounts := []*topic.Account{c.account}
		c.rt = NewRoundTripper(NewHandler(c.account, Options{
			Regions: func(region string, create bool) (*topic.Account, error) {
				for _, a := range accounts {
					if a.Region() == region {
						return a, nil
					}
				}
				if !create {
					return nil, nil
				}
				a, err := topic.NewAccount(topic.WithRegion(region), topic.WithAccountID(c.account.ID()))
				if err == nil {
					t.Cleanup(func() { _ = a.Close() })
					accounts = append(accounts, a)
				}
				return a, err
			},
			Accounts: func() []*topic.Account { return accounts },
		}))
		c.topic("t")
		c.region = "eu-west-1"
		assert.Contains(t, c.call("ListTopics").ok(), "<Topics/>")
		c.call("GetTopicAttributes", "TopicArn="+arn+"t").invalid("Invalid parameter: TopicArn")
		assert.Len(t, accounts, 1, "only a create makes a region")
		other := c.topic("t")
		assert.Equal(t, "arn:aws:sns:eu-west-1:123456789012:t", other)
		c.call("Subscribe", "TopicArn="+other, "Protocol=email", "Endpoint=a@example.com").ok()
		token := c.token(accounts[1])
		c.region = ""
		c.call("ConfirmSubscription", "TopicArn="+arn+"t", "Token="+token).invalid("Invalid parameter: Topic")
		sub := c.call("ConfirmSubscription", "TopicArn="+other, "Token="+token).value("SubscriptionArn")
		c.call("Unsubscribe", "SubscriptionArn="+sub).ok()
		_, err := accounts[1].Subscription(sub)
		assert.ErrorIs(t, err, topic.ErrSubscriptionDoesNotExist)
		c.region = "ap-south-1"
		c.call("Publish", "PhoneNumber=+15551234", "Message=m").ok()
		require.Len(t, accounts, 3, "what is sent must be found somewhere")
		assert.Len(t, accounts[2].Outbox().Messages(), 1)
		c.region = "NO REGION"
		assert.Equal(t, 400, c.call("ListTopics").status)
	})
}

func TestAnswered_TellsWhatARequestWasAbout(t *testing.T) {
	c := newClient(t)
	var got []Answer
	c.rt = NewRoundTripper(NewHandler(c.account, Options{Answered: func(_ *http.Request, a Answer) { got = append(got, a) }}))
	c.topic("t")
	c.call("GetTopicAttributes", "TopicArn=x")
	c.call("ListTopics")
	c.call("Nothing")
	require.Len(t, got, 4)
	for i, want := range []Answer{
		{Operation: "CreateTopic", Resource: "t", Region: "us-east-1", Status: 200},
		{Operation: "GetTopicAttributes", Resource: "x", Region: "us-east-1", Status: 400, Code: "InvalidParameter"},
		{Operation: "ListTopics", Region: "us-east-1", Status: 200},
		{Status: 400, Code: "InvalidAction"},
	} {
		assert.NotZero(t, got[i].Bytes)
		assert.NotZero(t, got[i].RequestBytes)
		got[i].Bytes, got[i].RequestBytes, got[i].Duration = 0, 0, 0
		assert.Equal(t, want, got[i])
	}
}

func TestIsRequest_TellsSNSFromSQS(t *testing.T) {
	scoped := func(service string) *http.Request {
		req := request("Action=Nothing")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260131/us-east-1/"+service+"/aws4_request, Signature=00")
		return req
	}
	targeted := request("{}")
	targeted.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
	for name, tt := range map[string]struct {
		req  *http.Request
		want bool
	}{
		"scope of SNS":       {scoped("sns"), true},
		"scope of SQS":       {scoped("sqs"), false},
		"JSON":               {targeted, false},
		"version of SNS":     {request("Action=AddPermission&Version=2010-03-31"), true},
		"version of SQS":     {request("Version=2012-11-05&Action=Publish"), false},
		"action of SNS":      {request("Action=Publish&Message=" + strings.Repeat("x", 10_000)), true},
		"action of SQS":      {request("Action=SendMessage"), false},
		"action of both":     {request("Action=AddPermission"), false},
		"nothing":            {request(""), false},
		"link":               {httptest.NewRequest(http.MethodGet, base+"/?Action=Unsubscribe&SubscriptionArn=x", nil), true},
		"certificate":        {httptest.NewRequest(http.MethodGet, base+topic.CertificatePath(), nil), true},
		"action far behind":  {request("Message=" + strings.Repeat("x", 10_000) + "&Action=Publish"), false},
		"action that is cut": {request("Message=" + strings.Repeat("x", 4080) + "&Action=PublishBatch"), false},
		"escaped names":      {request("%41ction=Pub%6Cish"), true},
	} {
		assert.Equal(t, tt.want, IsRequest(tt.req), name)
	}
	body := "Action=Publish&Message=" + strings.Repeat("x", 10_000)
	req := request(body)
	require.True(t, IsRequest(req))
	read, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	assert.Equal(t, body, string(read), "can be read again")
}

// FuzzRequest holds that no request makes a fault of the service.
func FuzzRequest(f *testing.F) {
	for name := range operations {
		f.Add("Action=" + name + "&TopicArn=" + arn + "t&Name=n&Protocol=sqs&Endpoint=" + arn + "q&Message=m&ResourceArn=" + arn + "t&Tags.member.1.Key=a&Tags.member.1.Value=b&TagKeys.member.1=a")
		f.Add("Action=" + name + "&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=m&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=k&TopicArn=" + arn + "t")
		f.Add("Action=" + name + "&Attributes.entry.1.key=FilterPolicy&Attributes.entry.1.value=%7B%22k%22%3A%5B1%5D%7D&AttributeName=Policy&AttributeValue=%7B%7D&Label=l&AWSAccountId.member.1=1&phoneNumber=1")
	}
	f.Fuzz(func(t *testing.T, body string) {
		synctest.Test(t, func(t *testing.T) {
			b, err := inq.NewBroker(inq.WithAccount("123456789012"))
			require.NoError(t, err)
			defer b.Close()
			a, err := topic.NewAccount(topic.WithBroker(b))
			require.NoError(t, err)
			defer a.Close()
			_, err = a.CreateStandard("t")
			require.NoError(t, err)
			h := NewHandler(a, Options{})
			req := request(body)
			IsRequest(req)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			assert.Less(t, w.Code, 500, w.Body.String())
			assert.NoError(t, xml.Unmarshal(w.Body.Bytes(), new(struct{ XMLName xml.Name })), w.Body.String())
			get := httptest.NewRequest(http.MethodGet, base, nil)
			get.URL.RawQuery = body
			get.Header.Set("Accept", "application/json")
			again := httptest.NewRecorder()
			h.ServeHTTP(again, get)
			assert.Less(t, again.Code, 500, again.Body.String())
			assert.True(t, json.Valid(again.Body.Bytes()), again.Body.String())
		})
	})
}
