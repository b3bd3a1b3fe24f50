package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// server is inqd as a process of its own.
type server struct {
	*testing.T
	cmd *exec.Cmd
	url string
}

// serve starts a process, which a test ends by kill.
func serve(t *testing.T, binary string, args ...string) *server {
	t.Helper()
	s := &server{T: t, cmd: exec.Command(binary, append([]string{"-addr", "127.0.0.1:0"}, args...)...)}
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	s.cmd.Stderr = io.Discard
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // only where the test fails; an ended process is left alone
	lines := bufio.NewReader(stdout)
	s.url = servedURL(t, lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return s
}

// kill ends the process as kill -9 does.
func (s *server) kill() {
	require.NoError(s, s.cmd.Process.Kill())
	_ = s.cmd.Wait() // it was killed
}

// ask makes a request of the Query protocol, of a region, and returns the answer.
func (s *server) ask(region, service string, parameters ...string) string {
	s.Helper()
	form := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, s.url, strings.NewReader(form.Encode()))
	require.NoError(s, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=inq/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(s, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(s, err)
	require.Equal(s, http.StatusOK, resp.StatusCode, string(text))
	return string(text)
}

// sqs is ask for queues of the first region.
func (s *server) sqs(parameters ...string) string {
	s.Helper()
	return s.ask("us-east-1", "sqs", parameters...)
}

// element returns what stands in an element of an answer.
func element(t *testing.T, answer, name string) string {
	t.Helper()
	found := regexp.MustCompile("<" + name + ">([^<]*)</" + name + ">").FindStringSubmatch(answer)
	require.NotNil(t, found, "%s in %s", name, answer)
	return found[1]
}

func TestDataSurvivesKill(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "inqd")
	built, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"-data", dir, "-queue", "jobs,VisibilityTimeout=3600", "-queue", "copies"}
	const queue = "/000000000000/jobs"

	s := serve(t, binary, args...)
	s.sqs("Action", "SendMessage", "QueueUrl", queue, "MessageBody", "taken")
	handle := element(t, s.sqs("Action", "ReceiveMessage", "QueueUrl", queue), "ReceiptHandle")
	sent := element(t, s.sqs("Action", "SendMessage", "QueueUrl", queue, "MessageBody", "hello"), "MessageId")
	s.ask("eu-west-1", "sqs", "Action", "CreateQueue", "QueueName", "far", "Attribute.1.Name", "DelaySeconds", "Attribute.1.Value", "7")
	topicARN := element(t, s.ask("us-east-1", "sns", "Action", "CreateTopic", "Name", "orders"), "TopicArn")
	s.ask("us-east-1", "sns", "Action", "Subscribe", "TopicArn", topicARN, "Protocol", "sqs", "Endpoint", "arn:aws:sqs:us-east-1:000000000000:copies",
		"Attributes.entry.1.key", "RawMessageDelivery", "Attributes.entry.1.value", "true")
	s.ask("us-east-1", "sns", "Action", "Publish", "TopicArn", topicARN, "Message", "first")
	s.kill()

	s = serve(t, binary, args...)
	got := s.sqs("Action", "ReceiveMessage", "QueueUrl", queue, "MaxNumberOfMessages", "10")
	require.Equal(t, sent, element(t, got, "MessageId"), "the only one that is visible")
	require.Equal(t, "hello", element(t, got, "Body"))
	s.sqs("Action", "DeleteMessage", "QueueUrl", queue, "ReceiptHandle", handle)
	counts := s.sqs("Action", "GetQueueAttributes", "QueueUrl", queue, "AttributeName.1", "ApproximateNumberOfMessagesNotVisible")
	require.Equal(t, "1", element(t, counts, "Value"), "the handle of the process before has deleted its message")
	require.Equal(t, "7", element(t, s.ask("eu-west-1", "sqs", "Action", "GetQueueAttributes", "QueueUrl", "/000000000000/far", "AttributeName.1", "DelaySeconds"), "Value"))
	require.Contains(t, s.ask("us-east-1", "sns", "Action", "ListSubscriptionsByTopic", "TopicArn", topicARN), "arn:aws:sqs:us-east-1:000000000000:copies")
	s.ask("us-east-1", "sns", "Action", "Publish", "TopicArn", topicARN, "Message", "second")
	got = s.sqs("Action", "ReceiveMessage", "QueueUrl", "/000000000000/copies", "MaxNumberOfMessages", "10")
	require.Contains(t, got, "<Body>first</Body>")
	require.Contains(t, got, "<Body>second</Body>")
	in := exec.Command(binary, "journal", "check", dir)
	output, err := in.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "stop the process that has it open")
	s.kill()

	output, err = exec.Command(binary, "journal", "check", dir).CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "is whole")
}

func TestDataIsKeptByAStopAndTheLogSaysSo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, "-data", dir, "-sync", "os", "-queue", "jobs")
	p.call("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": "hello"}, nil)
	p.stop()
	require.NoError(t, <-p.ended)
	require.Contains(t, p.log.String(), "msg=stopped messages_kept=1 data="+dir)
	require.NotContains(t, p.log.String(), "lost")

	p = start(t, "-data", dir, "-sync", "100ms")
	var got received
	p.call("ReceiveMessage", map[string]any{"QueueUrl": "jobs"}, &got)
	require.Len(t, got.Messages, 1)
	require.Contains(t, p.log.String(), `msg="data is read" data=`+dir+" queues=1")
	p.stop()
	require.NoError(t, <-p.ended)
}

func TestDataOfAnotherInqdIsInUse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, "-data", dir)
	err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", dir}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "maybe another inqd has -data "+dir)
	p.stop()
	require.NoError(t, <-p.ended)
}

func TestEncryptedDataNeedsItsKey(t *testing.T) {
	dir := t.TempDir()
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	first, second := strings.Repeat("1f", 32), strings.Repeat("2E", 32)
	require.NoError(t, os.WriteFile(keys, []byte("# the key of this year\n"+first+"\n"), 0o600))
	p := start(t, "-data", data, "-key-file", keys, "-queue", "jobs")
	p.call("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": "a secret that nobody reads"}, nil)
	p.stop()
	require.NoError(t, <-p.ended)
	files, err := filepath.Glob(filepath.Join(data, "*"))
	require.NoError(t, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.False(t, bytes.Contains(text, []byte("a secret")), name)
	}

	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", data}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "key")
	require.NoError(t, os.WriteFile(keys, []byte(second+"\n"), 0o600))
	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", data, "-key-file", keys}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "key")
	var looked strings.Builder
	require.NoError(t, run(t.Context(), []string{"journal", "check", data}, &looked, io.Discard), "the checksums need no key")
	require.Contains(t, looked.String(), "encrypted with key ")
	require.ErrorContains(t, run(t.Context(), []string{"journal", "salvage", data, filepath.Join(dir, "new")}, io.Discard, io.Discard), "give it by -key-file")

	require.NoError(t, os.WriteFile(keys, []byte(second+"\n"+first+"\n"), 0o600))
	p = start(t, "-data", data, "-key-file", keys)
	var got received
	p.call("ReceiveMessage", map[string]any{"QueueUrl": "jobs"}, &got)
	require.Len(t, got.Messages, 1, "the new key comes first, and the old one still reads")
	p.stop()
	require.NoError(t, <-p.ended)
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"journal", "check", "-key-file", keys, data}, &out, io.Discard))
	require.Contains(t, out.String(), "is whole")
}

func TestDamagedDataIsRefusedAndLeftAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, "-data", dir, "-queue", "jobs")
	for range 20 {
		p.call("SendMessage", map[string]any{"QueueUrl": "jobs", "MessageBody": strings.Repeat("x", 1000)}, nil)
	}
	p.stop()
	require.NoError(t, <-p.ended)
	segments, err := filepath.Glob(filepath.Join(dir, "*.inqj"))
	require.NoError(t, err)
	require.NotEmpty(t, segments)
	slices.Sort(segments)
	damaged, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	damaged[bytes.LastIndex(damaged[:8000], []byte("xxx"))] ^= 1
	require.NoError(t, os.WriteFile(segments[0], damaged, 0o600))

	err = run(t.Context(), []string{"-addr", "127.0.0.1:0", "-data", dir}, io.Discard, io.Discard)
	require.ErrorContains(t, err, filepath.Base(segments[0]))
	require.ErrorContains(t, err, "inqd journal salvage "+dir+" NEW")
	err = run(t.Context(), []string{"journal", "check", dir}, io.Discard, io.Discard)
	require.ErrorContains(t, err, "inqd journal salvage "+dir+" NEW")
	var out strings.Builder
	copied := filepath.Join(filepath.Dir(dir), "new")
	require.NoError(t, run(t.Context(), []string{"journal", "salvage", dir, copied}, &out, io.Discard))
	require.Regexp(t, filepath.Base(segments[0])+`: \d+ bytes, \d+ frames, \d+ records\n    \d+ bytes from byte \d+ on: `, out.String())
	require.Regexp(t, `What stood in the damaged bytes, \d+ in all, is missing there`, out.String())
	after, err := os.ReadFile(segments[0])
	require.NoError(t, err)
	require.Equal(t, damaged, after, "the first directory stays as it is")
	require.ErrorContains(t, run(t.Context(), []string{"journal", "salvage", dir, copied}, io.Discard, io.Discard), "new")

	p = start(t, "-data", copied)
	var got struct{ Attributes map[string]string }
	p.call("GetQueueAttributes", map[string]any{"QueueUrl": "jobs", "AttributeNames": []string{"All"}}, &got)
	require.Equal(t, "19", got.Attributes["ApproximateNumberOfMessages"], "all but the damaged one")
	p.stop()
	require.NoError(t, <-p.ended)
}

func TestFlagsAboutDataThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	require.NoError(t, os.WriteFile(keys, []byte("abc\n"), 0o600))
	for _, c := range []struct {
		text string
		args []string
	}{
		{"flag -sync says how -data is kept", []string{"-sync", "os"}},
		{"flag -key-file encrypts -data", []string{"-key-file", keys}},
		{"must be always, os, or a time such as 100ms", []string{"-data", dir, "-sync", "often"}},
		{"must be always, os, or a time such as 100ms", []string{"-data", dir, "-sync", "0s"}},
		{"must be a directory", []string{"-data", ""}},
		{"line 1 must be a key of 64 hexadecimal digits", []string{"-addr", "127.0.0.1:0", "-data", filepath.Join(dir, "data"), "-key-file", keys}},
		{"no such file", []string{"-addr", "127.0.0.1:0", "-data", filepath.Join(dir, "data"), "-key-file", keys + "x"}},
		{"journal needs to be told what to do", []string{"journal"}},
		{"journal check needs one directory", []string{"journal", "check"}},
		{"journal check needs one directory", []string{"journal", "check", "a", "b"}},
		{"journal salvage needs two directories", []string{"journal", "salvage", "a"}},
		{`can check or salvage, not "repair"`, []string{"journal", "repair", dir}},
		{"flag provided but not defined", []string{"journal", "check", "-fix", dir}},
	} {
		require.ErrorContains(t, run(context.Background(), c.args, io.Discard, io.Discard), c.text, "%q", c.args)
	}
	var help strings.Builder
	require.Error(t, run(context.Background(), []string{"journal", "-h"}, &help, io.Discard))
	require.Contains(t, help.String(), "inqd journal salvage [flags] DIR NEW")
}
