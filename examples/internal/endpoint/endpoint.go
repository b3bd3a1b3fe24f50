// Package endpoint connects example programs to an SQS that is not in their process.
package endpoint

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"example.com/inq/inqaws"
)

// Client makes a client for an endpoint such as https://sqs.eu-central-1.amazonaws.com. Credentials
// are those of the environment, in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN;
// a server of inq takes any, also none. Programs that run on Amazon rather take all this from the
// SDK's config package.
func Client(url, region string) *sqs.Client {
	return sqs.New(sqs.Options{
		Region:       region,
		BaseEndpoint: aws.String(url),
		Credentials:  aws.CredentialsProviderFunc(credentials),
		HTTPClient:   inqaws.NewHTTPClient(nil),
	})
}

func credentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
	}
	if c.AccessKeyID == "" {
		c.AccessKeyID, c.SecretAccessKey = "none", "none" // the SDK has to sign with something
	}
	return c, nil
}
