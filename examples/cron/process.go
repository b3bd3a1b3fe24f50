package main

import (
	"bufio"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"time"
)

// patience is how long a process has to end when it is told to.
const patience = 5 * time.Second

// start starts this program once more, to send to the queue with this URL. What it prints goes to say, line by line.
func start(queueURL string, say func(line string)) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "-join", queueURL)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // when it ends the process does; so it never outlives this one
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			say(lines.Text())
		}
	}()
	return &process{
		stop: func() error {
			stdin.Close()
			late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
			defer late.Stop()
			<-read
			return cmd.Wait()
		},
		kill: func() {
			cmd.Process.Kill()
			<-read
			_ = cmd.Wait() // says that it was killed
		},
	}, nil
}

// origin is the scheme and host of a URL.
func origin(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	if u.Host == "" {
		return "", fmt.Errorf("%s is not the URL of a queue", raw)
	}
	return u.Scheme + "://" + u.Host, nil
}
