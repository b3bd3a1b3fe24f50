package topic

import (
	"log/slog"
	"net/http"
	"strings"

	"example.com/inq"
)

// An AccountOption configures an [Account].
type AccountOption interface{ applyAccount(*accountConfig) }

type accountOption func(*accountConfig)

func (o accountOption) applyAccount(c *accountConfig) { o(c) }

// accountConfig is what options of an account set.
type accountConfig struct {
	broker        *inq.Broker
	region        string
	id            string
	queues        func(arn string) (inq.Queue, error)
	logger        *slog.Logger
	baseURL       string
	transport     http.RoundTripper
	external      bool
	signQueues    bool
	unlimited     bool
	extended      bool
	waitingCopies int
	waitingBytes  int64
	outboxSize    int
	published     func(*Topic, *Message, Published)
}

// WithBroker lets the account deliver to the queues of b by their ARNs, and gives it the region and
// the account number of b unless others are set. Where b has a journal (see [inq.WithBrokerJournal]) the
// account is in it too, one of each region and number at a time: topics, subscriptions, tokens,
// deduplication ids and what waits to be delivered are there again when an account is made anew, and a
// publish returns when it is durable. Subscriptions of functions are not, nor what waits for them, the
// [Outbox], and the numbers of Stats. A queue that was given by reference and is none of b has to be
// subscribed again; what is for it waits.
func WithBroker(b *inq.Broker) AccountOption {
	return accountOption(func(c *accountConfig) { c.broker = b })
}

// WithRegion sets the region in the ARNs of topics: 1 to 63 lower-case letters, digits and hyphens.
// Default is that of the broker, else "us-east-1".
func WithRegion(region string) AccountOption {
	return accountOption(func(c *accountConfig) { c.region = region })
}

// WithAccountID sets the account in the ARNs of topics: 12 digits. Default is that of the broker,
// else "000000000000".
func WithAccountID(id string) AccountOption {
	return accountOption(func(c *accountConfig) { c.id = id })
}

// WithQueues sets how a queue is found by its ARN, for subscriptions and dead-letter queues that are
// named so. Default is the broker's ByARN. Where f returns an error that matches
// [inq.ErrQueueDoesNotExist], the copy cannot be delivered (SNS: FAN-6); after any other one it is
// tried again. f is called often and by many goroutines, and should be quick.
func WithQueues(f func(arn string) (inq.Queue, error)) AccountOption {
	return accountOption(func(c *accountConfig) { c.queues = f })
}

// WithLogger sets where deliveries that failed for good are written, at level Warn. Default, and
// with nil, is [slog.Default] at the time of each record.
func WithLogger(l *slog.Logger) AccountOption {
	return accountOption(func(c *accountConfig) { c.logger = l })
}

// WithBaseURL sets what links in envelopes begin with: those to confirm and to end a subscription,
// and to the certificate. It is the address at which [Account.Links], or a server of the SNS API,
// answers. Default is the address of SNS in the account's region, where nobody knows these links.
func WithBaseURL(url string) AccountOption {
	return accountOption(func(c *accountConfig) { c.baseURL = url })
}

// WithTransport makes rt carry the requests to HTTP(S) endpoints, instead of connections made by the
// account. Where they go is then the matter of rt: the rule that only loopback addresses are reached
// does not hold.
func WithTransport(rt http.RoundTripper) AccountOption {
	return accountOption(func(c *accountConfig) { c.transport = rt })
}

// WithExternalEndpoints lets the account send to HTTP(S) endpoints anywhere. Without it only
// loopback addresses are reached, and a subscription of another fails to be confirmed.
//
// Whoever can subscribe can then make this process send requests to any address it can reach,
// inside a private network too, and learn from what is delivered and what fails whether something
// answers there. Use it only where every subscriber is trusted.
func WithExternalEndpoints() AccountOption {
	return accountOption(func(c *accountConfig) { c.external = true })
}

// WithSignedQueues has the envelopes that go to queues, functions and the outbox signed like those
// that go to HTTP(S) endpoints. Without it they have an empty signature: making one takes longer
// than a thousand sends to a queue, and few look at it behind a queue.
func WithSignedQueues() AccountOption {
	return accountOption(func(c *accountConfig) { c.signQueues = true })
}

// WithoutSNSLimits lifts the quotas and sizes of SNS: 262,144 bytes of message and batch, batches of
// 10, 200 filter policies of a topic and 10,000 of an account, 100 subscriptions of a FIFO topic,
// 100,000 standard and 1,000 FIFO topics. Code that relies on it does not run on SNS.
func WithoutSNSLimits() AccountOption {
	return accountOption(func(c *accountConfig) { c.unlimited = true })
}

// WithExtendedFilters takes filter policies with operators that the rule engine of the vendor has
// and SNS does not document: wildcard and exactly; anything-but with suffix, wildcard and
// equals-ignore-case, and with lists of those and of prefixes (SNS: FLT-34, FLT-41).
func WithExtendedFilters() AccountOption {
	return accountOption(func(c *accountConfig) { c.extended = true })
}

// WithWaiting bounds the copies that wait in each subscription to be delivered or tried again: their
// number and the bytes of their messages and attributes. A copy that would exceed a bound goes to
// the dead letters of the subscription at once, or is counted as failed; a publish never waits.
// Default 10,000 copies and 64 MiB; at least 1 each.
func WithWaiting(copies int, bytes int64) AccountOption {
	return accountOption(func(c *accountConfig) { c.waitingCopies, c.waitingBytes = copies, bytes })
}

// WithOutboxSize sets how many messages the outbox keeps, at least 1. Default 10,000. One more
// pushes out the oldest, which is counted.
func WithOutboxSize(messages int) AccountOption {
	return accountOption(func(c *accountConfig) { c.outboxSize = messages })
}

// WithPublished has f called with each message that a topic accepts, duplicates included, after the
// topic has taken it and before subscribers have it: for a log, or for counting. f runs in the goroutine
// of the publish, several at once, and must neither change the message nor keep its map of attributes.
func WithPublished(f func(t *Topic, m *Message, p Published)) AccountOption {
	return accountOption(func(c *accountConfig) { c.published = f })
}

// build makes an account as the options say.
func (c *accountConfig) build() (*Account, error) {
	if c.broker != nil {
		if c.region == "" {
			c.region = c.broker.Region()
		}
		if c.id == "" {
			c.id = c.broker.Account()
		}
		if c.queues == nil {
			b := c.broker
			c.queues = func(arn string) (inq.Queue, error) { return b.ByARN(arn) }
		}
	}
	if c.queues == nil {
		c.queues = func(arn string) (inq.Queue, error) { return nil, inq.ErrQueueDoesNotExist }
	}
	if c.region == "" {
		c.region = "us-east-1"
	}
	if c.id == "" {
		c.id = "000000000000"
	}
	switch {
	case len(c.region) > 63 || strings.Trim(c.region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return nil, invalid("Region", c.region, "must be 1 to 63 lower-case letters, digits and hyphens")
	case len(c.id) != 12 || strings.Trim(c.id, "0123456789") != "":
		return nil, invalid("Account", c.id, "must be 12 digits")
	case c.waitingCopies < 1:
		return nil, invalid("Waiting", c.waitingCopies, "must be at least 1 copy")
	case c.waitingBytes < 1:
		return nil, invalid("Waiting", c.waitingBytes, "must be at least 1 byte")
	case c.outboxSize < 1:
		return nil, invalid("OutboxSize", c.outboxSize, "must be at least 1 message")
	}
	if c.baseURL == "" {
		c.baseURL = "https://sns." + c.region + ".amazonaws.com"
	}
	return c.open()
}
