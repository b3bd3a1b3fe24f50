package snsapi_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"

	"example.com/inq/snsapi"
	"example.com/inq/topic"
)

// Any HTTP client talks to topics without a socket.
func ExampleNewRoundTripper() {
	account, err := topic.NewAccount()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer account.Close()
	client := http.Client{Transport: snsapi.NewRoundTripper(snsapi.NewHandler(account, snsapi.Options{}))}
	resp, err := client.PostForm("http://sns.invalid/", url.Values{"Action": {"CreateTopic"}, "Name": {"orders"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	var answer struct {
		ARN string `xml:"CreateTopicResult>TopicArn"`
	}
	if err := xml.NewDecoder(resp.Body).Decode(&answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.ARN)
	// Output: arn:aws:sns:us-east-1:000000000000:orders
}
