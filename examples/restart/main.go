// Restart kills its own service in the middle of the work, three times, and shows that no job is lost:
// the queue of the service is in a journal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"example.com/inq"
	"example.com/inq/examples/internal/program"
	"example.com/inq/examples/internal/progress"
)

const about = `restart shows a queue that survives its process.

It starts a service, which is this program with -work: a queue in a journal, and
a worker that does its jobs. Three times, in the middle of the work, it kills the
service as kill -9 does, so that nothing can be saved at the last moment, and
starts it again. The service finds its jobs in the journal and goes on. At the end
the program counts: every job that was sent is done; those that a killed process
had in its hands are done once more, because a queue delivers at least once. It
fails if the numbers do not add up, and takes a few seconds.

With -dir the journal stays, and a run that was stopped by Ctrl-C goes on when it
is started again. The service alone, which ends when its standard input does:

    go run ./examples/restart -work -dir jobs.journal
`

const kills = 3

func main() { program.Main(run) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := program.NewFlags("restart", stdout, about)
	jobs := flags.Int("jobs", 60, "how many jobs are sent, where there is no journal yet")
	dir := flags.String("dir", "", "`directory` of the journal (default: one that is removed at the end)")
	work := flags.Bool("work", false, "be the service")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *jobs < 20 || *jobs > 10_000:
		return program.Usagef("-jobs is %d and must be from 20 to 10000", *jobs)
	case *work && *dir == "":
		return program.Usagef("-work needs -dir, the directory of the journal")
	case *work:
		return serve(ctx, os.Stdin, stdout, *dir, *jobs)
	}
	if *dir == "" {
		made, err := os.MkdirTemp("", "inq-restart-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(made)
		*dir = made
	}
	return supervise(ctx, stdout, *dir, *jobs)
}

// supervise runs the service until everything is done, and kills it on the way.
func supervise(ctx context.Context, stdout io.Writer, dir string, jobs int) error {
	fmt.Fprintf(stdout, "The journal is in %s.\n", dir)
	l := ledger{done: map[string]int{}}
	for round := 0; ; round++ {
		p, err := startProcess(dir, jobs)
		if err != nil {
			return err
		}
		if err := l.begin(p, round); err != nil {
			return errors.Join(err, p.stop(func(string) {}))
		}
		if l.show == nil {
			l.show = progress.New(stdout, "done", l.expected)
			defer l.show.End()
		}
		l.show.Note("Process %d finds %d jobs in the journal, and %d are sent.", p.cmd.Process.Pid, p.found, p.sent)
		until := l.expected // done by then
		if round < kills {
			until = min(max(l.expected*(round+1)/(kills+1), len(l.done)+1), l.expected-1)
		}
		if err := l.follow(ctx, p, until); err != nil {
			return errors.Join(err, p.stop(l.count))
		}
		if ctx.Err() != nil || p.finished() {
			if err := p.stop(l.count); err != nil {
				return err
			}
			break
		}
		if err := p.kill(); err != nil {
			return err
		}
		l.show.Note("Process %d is killed: %d of %d jobs are done.", p.cmd.Process.Pid, len(l.done), l.expected)
		l.kills++
		l.rest(p)
	}
	return l.end(ctx, dir)
}

// ledger is what the processes have said.
type ledger struct {
	expected int            // jobs that have to be done
	done     map[string]int // how often each was
	kills    int
	show     progress.Progress
}

// begin takes down how many jobs there are at the start of a process.
func (l *ledger) begin(p *process, round int) error {
	if err := p.begin(); err != nil {
		return err
	}
	if round == 0 {
		l.expected = p.found + p.sent
	}
	if l.expected == 0 {
		return errors.New("the journal has no jobs left; remove its directory for a new run")
	}
	return nil
}

// follow counts jobs until so many are done and there is a process to kill, or the process has none left, or
// ctx ends. Whoever is to do the last jobs also does those again that were done and not yet deleted.
func (l *ledger) follow(ctx context.Context, p *process, until int) error {
	for !p.finished() && (until == l.expected || len(l.done) < until) {
		select {
		case job, more := <-p.done:
			if !more {
				return fmt.Errorf("the service ended by itself: %w", errors.Join(p.cmd.Wait(), errors.New("its error is above")))
			}
			p.did++
			l.count(job)
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// rest counts what a process that has ended said at last.
func (l *ledger) rest(p *process) {
	for job := range p.done {
		l.count(job)
	}
}

func (l *ledger) count(job string) {
	if l.done[job]++; l.done[job] == 1 {
		l.show.Step()
	}
}

// end looks into the journal and compares.
func (l *ledger) end(ctx context.Context, dir string) error {
	left, err := leftIn(dir)
	if err != nil {
		return err
	}
	again := 0
	for _, times := range l.done {
		again += times - 1
	}
	if ctx.Err() != nil && left > 0 {
		l.show.Note("Stopped: %d jobs are done, and %d are left in the journal.", len(l.done), left)
		return nil
	}
	l.show.Note("%d jobs, %d kills: %d done, %d of them once more because a killed process had them in its hands, %d left.",
		l.expected, l.kills, len(l.done), again, left)
	if len(l.done) != l.expected || left != 0 {
		return fmt.Errorf("%d jobs are done and %d are left of %d: the numbers do not add up", len(l.done), left, l.expected)
	}
	return nil
}

// leftIn returns how many jobs a journal has.
func leftIn(dir string) (n int, err error) {
	journal, err := inq.OpenJournal(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	queue, err := inq.NewStandard(queueName, inq.WithJournal(journal))
	if err != nil {
		return 0, err
	}
	counts, err := queue.Counts(context.Background())
	return counts.Visible + counts.NotVisible + counts.Delayed, err
}
