package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// process is a service that was started, from the outside.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer // ends the service
	lines *bufio.Scanner
	found int         // jobs that it found in the journal
	sent  int         // jobs that it sent
	did   int         // jobs that were taken from done
	done  chan string // jobs that it has done; closed when it has ended
}

// finished reports whether it has done all that it found and sent.
func (p *process) finished() bool { return p.did >= p.found+p.sent }

func startProcess(dir string, jobs int) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, "-work", "-dir", dir, "-jobs", strconv.Itoa(jobs)), done: make(chan string, 16)}
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.lines = bufio.NewScanner(stdout)
	return p, p.cmd.Start()
}

// begin reads the first line, and the others from then on.
func (p *process) begin() error {
	if !p.lines.Scan() {
		close(p.done)
		return fmt.Errorf("the service did not start: %v", p.lines.Err())
	}
	if _, err := fmt.Sscanf(p.lines.Text(), firstLine, &p.found, &p.sent); err != nil {
		close(p.done)
		return fmt.Errorf("the service began with %q: %w", p.lines.Text(), err)
	}
	go func() {
		defer close(p.done)
		for p.lines.Scan() {
			if job, ok := strings.CutPrefix(p.lines.Text(), doneLine); ok {
				p.done <- job
			}
		}
	}()
	return nil
}

// kill ends the service at once: with SIGKILL where there are signals. It cannot do anything about it.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_, _ = p.cmd.Process.Wait() // the status of one that was killed says nothing
	return nil
}

// stop lets the service finish what it has begun, and calls count with each job that it has done meanwhile.
func (p *process) stop(count func(job string)) error {
	_ = p.stdin.Close() // it may have ended already
	for job := range p.done {
		count(job)
	}
	_, err := p.cmd.Process.Wait()
	return err
}
