package sqsapi

import (
	"net/http"
	"strings"

	"example.com/inq"
	"example.com/inq/internal/wire"
)

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
func (c call) queueURL(name string) string {
	base := c.baseURL
	if base == "" {
		scheme, host := "http://", c.Request.Host
		if c.Request.TLS != nil {
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
func (c call) queue(url *string) (inq.Local, error) {
	if url == nil && c.Path != "" {
		return c.wrapped(c.broker.Queue(c.Path))
	}
	if url == nil || *url == "" {
		return nil, missing("QueueUrl")
	}
	name, host := splitQueueURL(*url)
	if region, ok := awsRegion(host); ok && region != c.broker.Region() {
		return nil, wire.Faultf(kindInvalidAddress, "The address %s is not valid for this endpoint.", wire.Shown(*url))
	}
	return c.wrapped(c.broker.Queue(name))
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
