package inq_test

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// TestReadme_ShowsProgramsThatRun keeps the code of the README what it is elsewhere: the first
// program is an example that runs in continuous integration, and the first test is the one below.
// Module inqaws checks the blocks that use it.
func TestReadme_ShowsProgramsThatRun(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	program, err := os.ReadFile("examples/first/main.go")
	require.NoError(t, err)
	own, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	blocks := goBlocks(string(readme))
	require.Len(t, blocks, 5)
	require.Equal(t, string(program), blocks[0])
	require.Contains(t, string(own), blocks[1])
	for _, code := range blocks[2:] {
		require.Contains(t, code, "inqaws.")
	}
}

// goBlocks returns the Go code of a Markdown text.
func goBlocks(text string) (blocks []string) {
	for _, part := range strings.Split(text, "```go\n")[1:] {
		code, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, code)
	}
	return blocks
}

func TestAJobThatFailsIsTriedAgainAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		jobs, err := inq.NewStandard("jobs", inq.WithVisibilityTimeout(12*time.Hour))
		require.NoError(t, err)
		defer jobs.Close()
		_, err = jobs.Send(ctx, inq.Message{Body: "job"})
		require.NoError(t, err)

		_, err = jobs.Receive(ctx, inq.ReceiveInput{}) // a worker takes it and crashes
		require.NoError(t, err)
		time.Sleep(12*time.Hour - time.Nanosecond)
		early, err := jobs.Receive(ctx, inq.ReceiveInput{})
		require.NoError(t, err)
		require.Empty(t, early)
		again, err := jobs.Receive(ctx, inq.ReceiveInput{Wait: time.Second})
		require.NoError(t, err)
		require.Equal(t, 2, again[0].ReceiveCount) // one nanosecond later, and no real time has passed
	})
}
