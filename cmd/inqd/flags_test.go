package main

import (
	"bytes"
	"flag"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFlags_Defaults(t *testing.T) {
	c, err := parseFlags(nil, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, &config{addr: "127.0.0.1:9324", region: "us-east-1", account: "000000000000", logLevel: slog.LevelInfo, logFormat: "text"}, c)
}

func TestFlags_All(t *testing.T) {
	c, err := parseFlags([]string{"-addr", ":0", "-region=eu-central-1", "-account", "123456789012", "-relaxed", "-log-level", "debug",
		"-log-format", "json", "-queue", "a", "-queue", "b.fifo,VisibilityTimeout=1", "-url", "https://example.com/sqs/", "-unsigned-get",
		"-max-queues", "1", "-max-messages", "2", "-max-bytes", "3000000000", "-max-connections", "4"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, &config{addr: ":0", url: "https://example.com/sqs", region: "eu-central-1", account: "123456789012", relaxed: true, unsignedGet: true,
		maxQueues: 1, maxMessages: 2, maxBytes: 3_000_000_000, maxConnections: 4, logLevel: slog.LevelDebug, logFormat: "json",
		queues: []queueSpec{
			{text: "a", name: "a", attributes: map[string]string{}},
			{text: "b.fifo,VisibilityTimeout=1", name: "b.fifo", attributes: map[string]string{"FifoQueue": "true", "VisibilityTimeout": "1"}},
		}}, c)
	c, err = parseFlags([]string{"-relaxed=false"}, io.Discard)
	require.NoError(t, err)
	assert.False(t, c.relaxed)
}

func TestFlags_RefusalsNameFlagValueAndWhatIsAllowed(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-addr|nowhere", `invalid value "nowhere" for flag -addr: must be host:port, such as 127.0.0.1:9324 or [::1]:9324, or :9324 for all interfaces`},
		{"-addr|::1:9324", `invalid value "::1:9324" for flag -addr: must be host:port, such as 127.0.0.1:9324 or [::1]:9324, or :9324 for all interfaces`},
		{"-addr|h:65536", `invalid value "h:65536" for flag -addr: the port must be from 0 to 65535`},
		{"-addr|h:http", `invalid value "h:http" for flag -addr: the port must be from 0 to 65535`},
		{"-region|US", `invalid value "US" for flag -region: must be 1 to 63 lower-case letters, digits and hyphens`},
		{"-region|", `invalid value "" for flag -region: must be 1 to 63 lower-case letters, digits and hyphens`},
		{"-account|12", `invalid value "12" for flag -account: must be 12 digits`},
		{"-relaxed=perhaps", `invalid boolean value "perhaps" for -relaxed: must be true or false`},
		{"-log-level|trace", `invalid value "trace" for flag -log-level: must be debug, info, warn or error`},
		{"-log-format|xml", `invalid value "xml" for flag -log-format: must be text or json`},
		{"-unsigned-get=perhaps", `invalid boolean value "perhaps" for -unsigned-get: must be true or false`},
		{"-url|localhost:9324", `invalid value "localhost:9324" for flag -url: must be a URL such as http://queues.test:9324 or https://example.com/sqs`},
		{"-url|http://", `invalid value "http://" for flag -url: must be a URL such as http://queues.test:9324 or https://example.com/sqs`},
		{"-url|http://h?x=y", `invalid value "http://h?x=y" for flag -url: must be a URL such as http://queues.test:9324 or https://example.com/sqs`},
		{"-max-queues|-1", `invalid value "-1" for flag -max-queues: must be a whole number, 0 or more`},
		{"-max-messages|1.5", `invalid value "1.5" for flag -max-messages: must be a whole number, 0 or more`},
		{"-max-bytes|1GB", `invalid value "1GB" for flag -max-bytes: must be a whole number, 0 or more`},
		{"-max-connections|99999999999999999999", `invalid value "99999999999999999999" for flag -max-connections: must be a whole number, 0 or more`},
		{"-queue|", `invalid value "" for flag -queue: must begin with the name of a queue`},
		{"-queue|a|-queue|a,DelaySeconds=1", `invalid value "a,DelaySeconds=1" for flag -queue: queue a is given twice`},
		{"-port|1", `flag provided but not defined: -port`},
		{"-addr", `flag needs an argument: -addr`},
		{"jobs", `unexpected argument "jobs"; all arguments are flags`},
	} {
		_, err := parseFlags(strings.Split(tt.args, "|"), io.Discard)
		assert.EqualError(t, err, tt.want)
		var stderr bytes.Buffer
		assert.Equal(t, 2, status(err, &stderr), tt.args)
		assert.Equal(t, "inqd: "+tt.want+"\nRun inqd -h for help.\n", stderr.String())
	}
}

func TestFlags_HelpExplainsEveryFlag(t *testing.T) {
	for _, ask := range []string{"-h", "-help", "--help"} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), []string{ask}, &stdout, &stderr)
		assert.ErrorIs(t, err, flag.ErrHelp)
		assert.Zero(t, status(err, &stderr))
		assert.Empty(t, stderr.String())
		for _, name := range []string{"addr", "region", "account", "queue", "relaxed", "log-level", "log-format", "url", "unsigned-get",
			"max-queues", "max-messages", "max-bytes", "max-connections"} {
			assert.Contains(t, stdout.String(), "  -"+name)
		}
	}
}

func TestLogger_FormatAndLevel(t *testing.T) {
	var text, json bytes.Buffer
	l := (&config{logFormat: "text", logLevel: slog.LevelWarn}).logger(&text)
	l.Info("low")
	l.Warn("high")
	(&config{logFormat: "json"}).logger(&json).Info("one")
	assert.Contains(t, text.String(), "level=WARN msg=high")
	assert.NotContains(t, text.String(), "low")
	assert.Contains(t, json.String(), `"msg":"one"`)
}
