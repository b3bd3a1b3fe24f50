package sqsapi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"example.com/inq"
	"example.com/inq/sqsapi"
)

// A real endpoint, for SDKs of any language: here the older Query protocol, spoken by hand.
func ExampleNewHandler() {
	b, err := inq.NewBroker()
	if err != nil {
		panic(err)
	}
	defer b.Close()
	server := httptest.NewServer(sqsapi.NewHandler(b, sqsapi.Options{BaseURL: "http://queues.test"}))
	defer server.Close()

	resp, err := http.Get(server.URL + "/?Action=CreateQueue&QueueName=jobs")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.StatusCode, strings.Contains(string(text), "<QueueUrl>http://queues.test/000000000000/jobs</QueueUrl>"))
	// Output: 200 true
}

// No socket: the handler runs in the goroutine of the caller.
func ExampleNewRoundTripper() {
	b, err := inq.NewBroker()
	if err != nil {
		panic(err)
	}
	defer b.Close()
	client := &http.Client{Transport: sqsapi.NewRoundTripper(sqsapi.NewHandler(b, sqsapi.Options{}))}

	req, err := http.NewRequest(http.MethodPost, "http://sqs.test/", strings.NewReader(`{"QueueName":"jobs"}`))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
	resp, err := client.Do(req)
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output: {"QueueUrl":"http://sqs.test/000000000000/jobs"}
}
