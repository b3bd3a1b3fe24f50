package main

import "strings"

// banner is what a user reads and pastes. The first line ends with the URL, for programs that read
// it. URLs of queues begin with queueBase; queue is one that exists, or "",
// and data is the directory that keeps everything, or "".
func banner(base, queueBase, region, account, queue, data string) string {
	text := textBanner
	if data != "" {
		text = strings.Replace(text, "Messages end with this process.", "Queues, topics and messages are kept in {data}.", 1)
	}
	name := queue
	if name == "" {
		name = "jobs"
		text = strings.Replace(text, "{create}", "    aws sqs create-queue --endpoint-url {base} --queue-name {queue}\n", 1)
		text = strings.Replace(text, "{create}", "    curl -d 'Action=CreateQueue&QueueName={queue}' {base}\n", 1)
	}
	return strings.NewReplacer("{create}", "", "{base}", base, "{region}", region, "{url}", queueBase+"/"+account+"/"+name, "{queue}", name,
		"{account}", account, "{topic}", "arn:aws:sns:"+region+":"+account+":orders", "{dutch}", queueBase+"/"+account+"/dutch", "{data}", data).Replace(text)
}

const textBanner = `inqd serves Amazon SQS and SNS on {base}

Clients want credentials, which are not checked, and a region, each of which has queues and
topics of its own. SDKs of 2024 and later, but not every AWS CLI, take the address from here
as well and need no other setting:

    export AWS_ACCESS_KEY_ID=inq AWS_SECRET_ACCESS_KEY=inq AWS_REGION={region} AWS_DEFAULT_REGION={region}
    export AWS_ENDPOINT_URL_SQS={base}
    export AWS_ENDPOINT_URL_SNS={base}

AWS CLI:

{create}    aws sqs send-message --endpoint-url {base} --queue-url {url} --message-body hello
    aws sqs receive-message --endpoint-url {base} --queue-url {url} --wait-time-seconds 20
    aws sqs delete-message --endpoint-url {base} --queue-url {url} --receipt-handle HANDLE

    aws sns create-topic --endpoint-url {base} --name orders
    aws sqs create-queue --endpoint-url {base} --queue-name dutch
    aws sns subscribe --endpoint-url {base} --topic-arn {topic} --protocol sqs --notification-endpoint arn:aws:sqs:{region}:{account}:dutch --attributes '{"FilterPolicy":"{\"country\":[\"NL\"]}"}'
    aws sns publish --endpoint-url {base} --topic-arn {topic} --message first --message-attributes '{"country":{"DataType":"String","StringValue":"NL"}}'
    aws sns publish --endpoint-url {base} --topic-arn {topic} --message second --message-attributes '{"country":{"DataType":"String","StringValue":"DE"}}'
    aws sqs receive-message --endpoint-url {base} --queue-url {dutch}

curl:

{create}    curl -d 'Action=SendMessage&MessageBody=hello' {url}
    curl -d 'Action=ReceiveMessage&WaitTimeSeconds=20' {url}
    curl -d 'Action=DeleteMessage' --data-urlencode 'ReceiptHandle=HANDLE' {url}

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
