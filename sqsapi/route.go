package sqsapi

import (
	"net/http"
	"strings"

	"example.com/inq"
)

// isJSON tells the protocol of a request: its content type decides, and where that is of neither
// protocol, whether it has a target. The path does not matter (SQS: WIRE-1, WIRE-2).
func isJSON(r *http.Request) bool {
	kind := strings.ToLower(r.Header.Get("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "application/x-amz-json-"):
		return true
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		return false
	}
	return r.Header.Get("X-Amz-Target") != ""
}

const targetPrefix = "AmazonSQS."

// jsonOperation finds the operation a JSON request names (SQS: WIRE-8).
func jsonOperation(r *http.Request) (*operation, error) {
	if r.Method != http.MethodPost {
		return nil, faultf(kindUnknownOperation, "The method must be POST.")
	}
	target := r.Header.Get("X-Amz-Target")
	if name, ok := strings.CutPrefix(target, targetPrefix); ok {
		if op := operations[name]; op != nil {
			return op, nil
		}
	}
	if target == "" {
		return nil, faultf(kindUnknownOperation, "The header X-Amz-Target is missing. It names the operation, such as %sSendMessage.", targetPrefix)
	}
	return nil, faultf(kindUnknownOperation, "The target %q is not known.", shown(target))
}

// operation finds the operation a Query request names, at the URL of a queue or elsewhere (SQS:
// WIRE-10, WIRE-11).
func (q *queryCodec) operation(queue string) (*operation, error) {
	if q.action == "" {
		q.plain = true
		return nil, &fault{kind: kindNoAction}
	}
	op := operations[q.action]
	if op == nil || op.account && queue != "" {
		return nil, faultf(kindUnknownOperation, "The action %s is not valid for this endpoint.", shown(q.action))
	}
	q.name = op.name
	return op, nil
}

// pathQueue returns the name of the queue whose URL a request was sent to, "" for none. A slash
// behind an account and a name is how requests are written that put their parameters into the URL.
func pathQueue(r *http.Request) string {
	path := r.URL.Path
	if url, ok := strings.CutSuffix(path, "/"); ok && strings.Count(url, "/") >= 2 {
		path = url
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// queueURL is the URL of a queue for the client of this call (SQS: WIRE-18, WIRE-20).
func (c *call) queueURL(name string) string {
	base := c.baseURL
	if base == "" {
		scheme, host := "http://", c.r.Host
		if c.r.TLS != nil {
			scheme = "https://"
		}
		if host == "" { // HTTP/1.0
			scheme, host = "https://", "sqs."+c.broker.Region()+".amazonaws.com"
		}
		base = scheme + host
	}
	return c.broker.QueueURL(base, name)
}

// queue finds the queue that a request names, or that a Query request was sent to (SQS: WIRE-10,
// MGT-13).
func (c *call) queue(url *string) (inq.Local, error) {
	if url == nil && c.path != "" {
		return c.broker.Queue(c.path)
	}
	if url == nil || *url == "" {
		return nil, missing("QueueUrl")
	}
	name, host := splitQueueURL(*url)
	if region, ok := awsRegion(host); ok && region != c.broker.Region() {
		return nil, faultf(kindInvalidAddress, "The address %s is not valid for this endpoint.", shown(*url))
	}
	return c.broker.Queue(name)
}

// splitQueueURL returns the last element of a queue URL's path, and its host in lower case without
// the port. What is no URL is a path or the bare name.
func splitQueueURL(url string) (name, host string) {
	if cut := strings.IndexAny(url, "?#"); cut >= 0 {
		url = url[:cut]
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		host, url, _ = strings.Cut(rest, "/")
		host = host[strings.LastIndexByte(host, '@')+1:]
		host, _, _ = strings.Cut(strings.ToLower(host), ":")
	}
	return url[strings.LastIndexByte(url, '/')+1:], host
}

// awsRegion returns the region that a host of AWS belongs to, "" for an unknown form. Other hosts
// belong to none.
func awsRegion(host string) (region string, aws bool) {
	host, aws = strings.CutSuffix(strings.TrimSuffix(host, ".cn"), ".amazonaws.com")
	if !aws {
		return "", false
	}
	if host == "queue" { // SQS: WIRE-18
		return "us-east-1", true
	}
	if region, ok := strings.CutSuffix(host, ".queue"); ok {
		return region, true
	}
	host = strings.TrimSuffix(host, ".vpce")
	for _, service := range []string{"sqs.", "sqs-fips."} {
		if region, ok := strings.CutPrefix(host, service); ok {
			return region, true
		}
	}
	if _, region, ok := strings.Cut(host, ".sqs."); ok { // a VPC endpoint
		return region, true
	}
	if !strings.Contains(host, ".") { // a region alone, as old clients have it (SQS: CAP-15)
		return host, true
	}
	return "", true
}
