//go:build unix

package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is inqd as users run it.
type process struct {
	*exec.Cmd
	url    string
	log    io.Closer
	stderr *bufio.Reader
}

func startProcess(t *testing.T, binary string) *process {
	t.Helper()
	return startCommand(t, exec.Command(binary, "-addr", "127.0.0.1:0", "-queue", "q"))
}

func startCommand(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: command}
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() }) // only where the test fails; an ended process is left alone
	lines := bufio.NewReader(stdout)
	p.url = servedURL(t, lines)
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	p.log, p.stderr = stderr, bufio.NewReader(stderr)
	return p
}

// logged reads the log until a line says this.
func (p *process) logged(t *testing.T, message string) {
	t.Helper()
	for {
		line, err := p.stderr.ReadString('\n')
		require.NoError(t, err, "the log ended without %q", message)
		if strings.Contains(line, message) {
			return
		}
	}
}

// rest reads the log to its end, and waits for the process.
func (p *process) rest() error {
	_, _ = io.Copy(io.Discard, p.stderr)
	return p.Wait()
}

func TestInqd_Signals(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "inqd")
	built, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(built))

	t.Run("SIGTERM ends it well, however often it is sent", func(t *testing.T) {
		p := startProcess(t, binary)
		resp, err := http.Get(p.url + "/health")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, 200, resp.StatusCode)
		require.NoError(t, p.Process.Signal(syscall.SIGTERM))
		for range 20 {
			_ = p.Process.Signal(syscall.SIGTERM) // it may have ended meanwhile
		}
		p.logged(t, "msg=stopped")
		require.NoError(t, p.rest())
	})
	t.Run("SIGHUP stops it too", func(t *testing.T) {
		p := startProcess(t, binary)
		require.NoError(t, p.Process.Signal(syscall.SIGHUP))
		p.logged(t, "msg=stopped")
		require.NoError(t, p.rest())
	})
	t.Run("but not where it was told to ignore that", func(t *testing.T) {
		p := startCommand(t, exec.Command("sh", "-c", "trap '' HUP; exec "+binary+" -addr 127.0.0.1:0"))
		require.NoError(t, p.Process.Signal(syscall.SIGHUP))
		resp, err := http.Get(p.url + "/health")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, p.Process.Signal(syscall.SIGTERM))
		p.logged(t, "msg=stopped")
		require.NoError(t, p.rest())
	})
	t.Run("SIGTERM ends it well where nobody reads its log", func(t *testing.T) {
		p := startProcess(t, binary)
		require.NoError(t, p.log.Close())
		resp, err := http.Get(p.url + "/health")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, p.Process.Signal(syscall.SIGTERM))
		require.NoError(t, p.Wait())
	})
	t.Run("a second SIGINT ends it at once", func(t *testing.T) {
		p := startProcess(t, binary)
		// Half a request keeps the stop from ending.
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		head, _, _ := strings.Cut(request("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`), "\r\n\r\n")
		_, err = io.WriteString(conn, head+"\r\nExpect: 100-continue\r\n\r\n")
		require.NoError(t, err)
		_, err = bufio.NewReader(conn).ReadString('\n') // the server wants the body
		require.NoError(t, err)
		require.NoError(t, p.Process.Signal(os.Interrupt))
		p.logged(t, "msg=stopping")
		require.NoError(t, p.Process.Signal(os.Interrupt))
		var exit *exec.ExitError
		require.ErrorAs(t, p.rest(), &exit)
		assert.Equal(t, 130, exit.ExitCode())
	})
}
