package wire

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestScope_IsThatOfTheSignature(t *testing.T) {
	for header, want := range map[string][2]string{
		"": {},
		"AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=00": {"eu-west-1", "sqs"},
		"AWS4-HMAC-SHA256 Credential=a/b/c/20260131/us-east-1/sns/aws4_request,Signature=00":                     {"us-east-1", "sns"},
		"AWS4-ECDSA-P256-SHA256 Credential=AKID/20260131/sqs/aws4_request, Signature=00":                         {"", "sqs"},
		"AWS4-HMAC-SHA256 Credential=/aws4_request":                                                              {},
		"AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/sqs/other":                                          {},
		"Bearer x": {},
	} {
		region, service := Scope(&http.Request{URL: new(url.URL), Header: http.Header{"Authorization": {header}}})
		assert.Equal(t, want, [2]string{region, service}, header)
	}
	u, err := url.Parse("http://h/?Action=X&X-Amz-Credential=AKID%2F20260131%2Fap-south-1%2Fsns%2Faws4_request")
	assert.NoError(t, err)
	region, service := Scope(&http.Request{URL: u})
	assert.Equal(t, "ap-south-1 sns", region+" "+service)
}

func FuzzScope(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/sqs/aws4_request, Signature=00")
	f.Add("Credential=////aws4_request")
	f.Fuzz(func(t *testing.T, header string) {
		region, service := Scope(&http.Request{URL: new(url.URL), Header: http.Header{"Authorization": {header}}})
		assert.NotContains(t, region+service, "/")
	})
}
