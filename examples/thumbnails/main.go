// Thumbnails turns a folder of pictures into thumbnails: one message per picture in a standard queue, a worker that handles
// several at a time, and a dead-letter file for the pictures that cannot be decoded.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"example.com/inq"
	"example.com/inq/examples/internal/program"
	"example.com/inq/examples/internal/progress"
	"example.com/inq/worker"
)

const about = `thumbnails makes a thumbnail of every PNG and JPEG file in a folder.

Each picture is one message in a standard queue. A worker (package worker)
receives the messages, has several pictures worked on at a time, and deletes the
messages of those that are done. A picture that cannot be decoded is tried three
times and then goes to the dead-letter file, one line of JSON with the name and
the reason.

Without -in it first renders sample pictures, three of them cut short on
purpose. Ctrl-C finishes the pictures that are in work and says what is left; a
second Ctrl-C stops at once.
`

func main() { program.Main(run) }

// settings are what the flags say.
type settings struct {
	in, out string
	workers int
	size    int
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var s settings
	flags := program.NewFlags("thumbnails", stdout, about)
	flags.StringVar(&s.in, "in", "", "`folder` with the pictures; its subfolders are left out (default: sample pictures)")
	flags.StringVar(&s.out, "out", "", "`folder` for the thumbnails and the dead-letter file (default: a new temporary one)")
	flags.IntVar(&s.workers, "workers", runtime.NumCPU(), "how many pictures are worked on at the same time")
	flags.IntVar(&s.size, "size", 256, "longer side of a thumbnail in `pixels`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case s.workers < 1 || s.workers > 1000:
		return program.Usagef("-workers is %d and must be from 1 to 1000", s.workers)
	case s.size < 1 || s.size > 10_000:
		return program.Usagef("-size is %d and must be from 1 to 10000", s.size)
	}
	if err := s.prepareFolders(ctx, stdout); err != nil {
		return err
	}
	return makeThumbnails(ctx, s, stdout)
}

// prepareFolders makes the folders that were not given, and renders samples where there are no pictures to work on.
func (s *settings) prepareFolders(ctx context.Context, stdout io.Writer) error {
	if s.in != "" && s.out != "" {
		return s.checkFolders()
	}
	temporary, err := os.MkdirTemp("", "inq-thumbnails-")
	if err != nil {
		return err
	}
	if s.out == "" {
		s.out = filepath.Join(temporary, "thumbnails")
	}
	if s.in != "" {
		return s.checkFolders()
	}
	s.in = filepath.Join(temporary, "pictures")
	if err := os.Mkdir(s.in, 0o755); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Rendering sample pictures into %s\n", s.in)
	shown := progress.New(stdout, "rendered", len(sampleNames()))
	err = renderSamples(ctx, s.in, shown.Step)
	shown.End()
	if err != nil {
		return fmt.Errorf("rendering sample pictures: %w", err)
	}
	return s.checkFolders()
}

// checkFolders makes the folder for the thumbnails. It must not be the one of the pictures, which the thumbnails, of the same
// names, would replace.
func (s *settings) checkFolders() error {
	in, err := os.Stat(s.in)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	out, err := os.Stat(s.out)
	if err != nil {
		return err
	}
	if os.SameFile(in, out) {
		return program.Usagef("-in and -out are the same folder")
	}
	return nil
}

// makeThumbnails sends a message for each picture and has a worker handle them all.
func makeThumbnails(ctx context.Context, s settings, stdout io.Writer) error {
	file, err := newDeadLetterFile(s.out)
	if err != nil {
		return err
	}
	defer file.Close()
	queue, err := inq.NewStandard("thumbnails", inq.WithDeadLetter(file, maxReceives))
	if err != nil {
		return err
	}
	defer queue.Close()
	pictures, err := sendPictures(ctx, queue, s.in, stdout)
	if err != nil {
		return err
	}

	shown := progress.New(stdout, "done", pictures)
	m := &maker{note: shown.Note, work: func(picture string) error {
		return makeThumbnail(filepath.Join(s.in, picture), filepath.Join(s.out, picture), s.size)
	}}
	runner, err := newRunner(queue, m, s.workers)
	if err != nil {
		return err
	}
	// The queue's observer tells when the last picture is deleted or a dead letter. That ends the worker, as Ctrl-C does.
	working, stop := context.WithCancel(ctx)
	defer stop()
	if err := queue.Configure(inq.WithObserver(countDown(pictures, shown, stop))); err != nil {
		return err
	}
	began := time.Now()
	err = runner.Run(working)
	took := time.Since(began)
	shown.End()
	return errors.Join(err, summarize(s, stdout, queue.Stats(), runner.Stats(), m, took))
}

// countDown returns an observer that shows each picture that leaves the queue, and calls finished after the last. A queue
// calls its observer from one goroutine at a time, so the count needs no lock.
func countDown(left int, shown progress.Progress, finished func()) func([]inq.Event) {
	return func(events []inq.Event) {
		for _, e := range events {
			switch e.Kind {
			case inq.EventDeadLetterFailed:
				shown.Note("the dead-letter file cannot be written, which is tried again: %v", e.Err)
			case inq.EventDeleted, inq.EventDeadLettered:
				shown.Step()
				if left--; left == 0 {
					finished()
				}
			}
		}
	}
}

// sendPictures sends a message for each picture in a folder and returns how many there are.
func sendPictures(ctx context.Context, queue inq.Queue, dir string, stdout io.Writer) (sent int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	others := 0
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if !isPicture(e.Name()) {
			others++
			continue
		}
		switch _, err := queue.Send(ctx, inq.Message{Body: e.Name()}); {
		case errors.Is(err, inq.ErrInvalidMessageContents):
			// The name of a file can be any bytes, a message has to be text.
			fmt.Fprintf(stdout, "Left out, as its name is not plain text: %q\n", e.Name())
		case err != nil:
			return sent, err
		default:
			sent++
		}
	}
	if others != 0 {
		fmt.Fprintf(stdout, "Left out, as neither PNG nor JPEG by name: %d\n", others)
	}
	if sent == 0 {
		return 0, fmt.Errorf("there are no PNG or JPEG files in %s", dir)
	}
	return sent, nil
}

const deadLetterFile = "dead-letters.jsonl"

// newDeadLetterFile starts an empty file. inq would append to an old one; here each run tries the whole folder
// again, so what an earlier run said about it is out of date.
func newDeadLetterFile(dir string) (*inq.DeadLetterFile, error) {
	name := filepath.Join(dir, deadLetterFile)
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return inq.NewDeadLetterFile(name)
}

// summarize prints what was done. It returns an error unless every picture is a thumbnail now, or a dead letter for a
// reason of its own.
func summarize(s settings, stdout io.Writer, queue inq.Stats, done worker.Stats, m *maker, took time.Duration) error {
	left := queue.Visible + queue.NotVisible + queue.Delayed
	dead := int(queue.DeadLettered)
	made := int(queue.Sent) - dead - left

	fmt.Fprintf(stdout, "\n%d thumbnails in %.1f s with %d workers, %.1f messages per second\n",
		made, took.Seconds(), s.workers, float64(made+dead)/took.Seconds())
	fmt.Fprintf(stdout, "  pictures      %4d\n", queue.Sent)
	fmt.Fprintf(stdout, "  thumbnails    %4d  in %s\n", made, s.out)
	fmt.Fprintf(stdout, "  dead letters  %4d  in %s\n", dead, filepath.Join(s.out, deadLetterFile))
	fmt.Fprintf(stdout, "  retries       %4d\n", done.Failed)
	fmt.Fprintf(stdout, "  extensions    %4d  of leases of slow pictures\n", done.ExtendCalls)
	if left != 0 {
		fmt.Fprintf(stdout, "  left          %4d  of which %d wait for another attempt\n", left, queue.NotVisible)
		return fmt.Errorf("stopped before the end, with %d pictures left", left)
	}
	if n := m.foreign.Load(); n != 0 {
		return fmt.Errorf("%d dead letters are not the pictures' fault, see the lines above", n)
	}
	return nil
}
