package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"

	"example.com/inq"
)

const about = `inqd serves the HTTP APIs of Amazon SQS and SNS, on one address: all operations, for
the AWS CLI and every AWS SDK. Credentials are not checked. Messages end with the process,
or with -data are kept in a directory.

    inqd
    inqd -data inqd.data
    inqd -queue jobs,VisibilityTimeout=10 -queue orders.fifo,ContentBasedDeduplication=true
    inqd -queue dead -queue 'jobs,RedrivePolicy={"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":3}'

The first line on standard output ends with the URL it serves; lines to paste for
clients follow. A request is about the region that it is signed for, one that is not
signed about that of -region; each region has queues and topics of its own, and begins
when something is created in it. E-mails, text messages and pushes go nowhere.
The log goes to standard error. GET /health answers 200.
SIGTERM, SIGHUP or Ctrl-C stops it within 8 seconds: long polls are answered as
empty, other requests get 7 seconds to finish, the exit status is 0. A second
Ctrl-C ends it at once.

    inqd journal check DIR          look whether the files under -data are whole
    inqd journal salvage DIR NEW    copy all that is whole of them to a new directory

Flags:
`

const aboutQueue = "create a queue at the start: its `name[,Attribute=value]...` with the attributes of CreateQueue.\n" +
	"A value that begins with { is JSON up to its closing brace. A name that ends in .fifo makes\n" +
	"a FIFO queue; FifoQueue=true need not be said. A RedrivePolicy may name a queue that is\n" +
	"given before or after. Can be repeated"

// config is what the arguments say.
type config struct {
	addr              string
	url               string // what queue URLs begin with, "" for what each request was sent to
	links             string // what links in envelopes begin with, once it is known
	region            string
	account           string
	queues            []queueSpec
	relaxed           bool
	unsignedGet       bool
	externalEndpoints bool  // topics send to HTTP endpoints anywhere
	maxQueues         int   // 0: no bound, as in all of these
	maxMessages       int   // of each queue
	maxBytes          int64 // of each queue
	maxConnections    int
	data              string       // directory of the journal, "" for none
	sync              syncMode     // of the journal
	keyFile           string       // "": nothing is encrypted
	journal           *inq.Journal // once it is open
	logLevel          slog.Level
	logFormat         string
}

// A usageError says what is wrong with the arguments.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// parseFlags reads the arguments. It returns flag.ErrHelp after it explained them on stdout, and a
// *usageError that names flag, value and what is allowed.
func parseFlags(args []string, stdout io.Writer) (*config, error) {
	c := &config{addr: "127.0.0.1:9324", region: "us-east-1", account: "000000000000", logFormat: "text"}
	f := flag.NewFlagSet("inqd", flag.ContinueOnError)
	f.SetOutput(io.Discard) // what it would print about an error is in the error
	f.Usage = func() {}
	f.Func("addr", "listen on this `host:port`; port 0 is any free one (default "+c.addr+")", c.setAddr)
	f.Func("url", "let the URLs of queues begin with this `url`, such as http://queues.test:9324, rather than\nwith the host that each request was sent to", c.setURL)
	f.Func("region", "`region` of requests that are not signed, and of the queues given here (default "+c.region+")", c.setRegion)
	f.Func("account", "`account` in the URLs and ARNs of queues and topics, 12 digits (default "+c.account+")", c.setAccount)
	f.Func("queue", aboutQueue, c.addQueue)
	f.BoolFunc("relaxed", "no 60-second rules: purge again, and create under the name of a deleted queue, at once", setBool(&c.relaxed))
	f.BoolFunc("unsigned-get", "let a GET request from beyond this machine change something without an Authorization\n"+
		"header; any page in a browser that reaches the address can send one", setBool(&c.unsignedGet))
	f.BoolFunc("external-endpoints", "let topics send to HTTP endpoints anywhere, not only on this machine. Whoever can subscribe can\n"+
		"then make this process send requests to any address that it reaches", setBool(&c.externalEndpoints))
	f.Func("max-queues", "hold at most `n` queues in each region (default 0, no bound)", setNumber(&c.maxQueues))
	f.Func("max-messages", "hold at most `n` messages in each queue (default 0, no bound)", setNumber(&c.maxMessages))
	f.Func("max-bytes", "hold at most `n` bytes of bodies and attributes in each queue (default 0, no bound)", setNumber(&c.maxBytes))
	f.Func("max-connections", "serve at most `n` connections at a time; others wait until one is closed (default 0, no bound)", setNumber(&c.maxConnections))
	f.Func("data", "keep queues, messages and topics in this `directory`, and go on with what is in it (default: in\n"+
		"memory, for as long as the process lives)", c.setData)
	f.Func("sync", "with -data, answer a send or a delete when the disk has it: always (default); every `interval`,\n"+
		"such as 100ms, in which a power cut loses that much; or os, when the operating system likes", c.sync.set)
	f.Func("key-file", "with -data, encrypt by the key in this `file`: 64 hexadecimal digits, as openssl rand -hex 32\n"+
		"makes them. Further lines are older keys, which are only read with", c.setKeyFile)
	f.Func("log-level", "log from this `level` on: debug (each request), info, warn or error (default info)", c.setLogLevel)
	f.Func("log-format", "`format` of the log: text or json (default "+c.logFormat+")", c.setLogFormat)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, about)
		f.SetOutput(stdout)
		f.PrintDefaults()
		return nil, flag.ErrHelp
	case err != nil:
		return nil, &usageError{err}
	case f.NArg() != 0:
		return nil, &usageError{fmt.Errorf("unexpected argument %q; all arguments are flags", f.Arg(0))}
	case c.data == "" && c.sync.text != "":
		return nil, &usageError{errors.New("flag -sync says how -data is kept, which is not given")}
	case c.data == "" && c.keyFile != "":
		return nil, &usageError{errors.New("flag -key-file encrypts -data, which is not given")}
	}
	return c, nil
}

func (c *config) setData(dir string) error {
	if c.data = dir; dir == "" {
		return errors.New("must be a directory")
	}
	return nil
}

func (c *config) setKeyFile(name string) error {
	if c.keyFile = name; name == "" {
		return errors.New("must be a file")
	}
	return nil
}

func (c *config) setAddr(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New("must be host:port, such as 127.0.0.1:9324 or [::1]:9324, or :9324 for all interfaces")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("the port must be from 0 to 65535")
	}
	c.addr = text
	return nil
}

func (c *config) setRegion(text string) error {
	c.region = text
	return allowed(inq.WithRegion(text))
}

func (c *config) setAccount(text string) error {
	c.account = text
	return allowed(inq.WithAccount(text))
}

// allowed asks a broker, who knows the rule, for what is wrong with an option.
func allowed(o inq.BrokerOption) error {
	_, err := inq.NewBroker(o)
	var p *inq.ParamError
	if errors.As(err, &p) {
		return errors.New(p.Reason)
	}
	return err
}

func (c *config) addQueue(text string) error {
	q, err := parseQueue(text)
	if err != nil {
		return err
	}
	for _, other := range c.queues {
		if other.name == q.name {
			return fmt.Errorf("queue %s is given twice", q.name)
		}
	}
	c.queues = append(c.queues, q)
	return nil
}

// setURL takes what a queue URL can begin with.
func (c *config) setURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be a URL such as http://queues.test:9324 or https://example.com/sqs")
	}
	c.url = strings.TrimRight(text, "/")
	return nil
}

func setBool(to *bool) func(string) error {
	return func(text string) (err error) {
		if *to, err = strconv.ParseBool(text); err != nil {
			return errors.New("must be true or false")
		}
		return nil
	}
}

// setNumber takes a number that is not negative.
func setNumber[N int | int64](to *N) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || int64(N(n)) != n {
			return errors.New("must be a whole number, 0 or more")
		}
		*to = N(n)
		return nil
	}
}

func (c *config) setLogLevel(text string) error {
	level, ok := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[text]
	if !ok {
		return errors.New("must be debug, info, warn or error")
	}
	c.logLevel = level
	return nil
}

func (c *config) setLogFormat(text string) error {
	if text != "text" && text != "json" {
		return errors.New("must be text or json")
	}
	c.logFormat = text
	return nil
}

func (c *config) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
