package main

import "strings"

// banner is what a user reads and pastes. The first line ends with the URL, for programs that read
// it. URLs of queues begin with queueBase; queue is one that exists, or "".
func banner(base, queueBase, region, account, queue string) string {
	text := textBanner
	name := queue
	if name == "" {
		name = "jobs"
		text = strings.Replace(text, "{create}", "    aws sqs create-queue --endpoint-url {base} --queue-name {queue}\n", 1)
	}
	return strings.NewReplacer("{create}", "", "{base}", base, "{region}", region, "{url}", queueBase+"/"+account+"/"+name, "{queue}", name).Replace(text)
}

const textBanner = `inqd serves Amazon SQS on {base}

Clients want credentials and a region, which are not checked. SDKs of 2024 and later,
but not every AWS CLI, take the address from here as well and need no other setting:

    export AWS_ACCESS_KEY_ID=inq AWS_SECRET_ACCESS_KEY=inq AWS_REGION={region} AWS_DEFAULT_REGION={region}
    export AWS_ENDPOINT_URL_SQS={base}

AWS CLI:

{create}    aws sqs send-message --endpoint-url {base} --queue-url {url} --message-body hello
    aws sqs receive-message --endpoint-url {base} --queue-url {url} --wait-time-seconds 20
    aws sqs delete-message --endpoint-url {base} --queue-url {url} --receipt-handle HANDLE

Go (aws-sdk-go-v2, whose own HTTP client loses large answers of a fast server now and then):

    cfg, err := config.LoadDefaultConfig(ctx)
    client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
        o.BaseEndpoint, o.HTTPClient = aws.String("{base}"), inqaws.NewHTTPClient(nil)
    })

Python (boto3):

    sqs = boto3.client("sqs", endpoint_url="{base}")

JavaScript (@aws-sdk/client-sqs):

    const sqs = new SQSClient({ endpoint: "{base}" });

Messages end with this process. Ctrl-C stops it.
`
