package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"syscall"
)

// run is the program: it serves until ctx ends, and then stops. It returns nil after a stop,
// flag.ErrHelp after it explained itself, and a *usageError for arguments it does not take. The
// first line on stdout ends with the URL it serves.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if len(args) > 0 && args[0] == "journal" {
		return runJournal(ctx, args[1:], stdout)
	}
	c, err := parseFlags(args, stdout)
	if err != nil {
		return err
	}
	log := c.logger(stderr)
	listener, err := net.Listen("tcp", c.addr) // first, since it is what fails most, and is quick
	if err != nil {
		return listenError(c.addr, err)
	}
	defer listener.Close()
	if c.data != "" {
		if c.journal, err = c.openData(log); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.journal.Close()) }()
	}
	broker, err := c.newBroker(ctx)
	if err != nil {
		return err
	}
	defer broker.Close()
	base := baseURL(listener.Addr())
	if c.links = c.url; c.links == "" {
		c.links = base
	}
	s, err := newService(broker, log, c)
	if err != nil {
		return err
	}
	fmt.Fprint(stdout, banner(base, c.links, c.region, c.account, firstQueue(c.queues), c.data))
	s.log.Info("started", "url", base, "region", c.region, "account", c.account, "queues", len(c.queues), "relaxed", c.relaxed)
	if !loopback(listener.Addr()) {
		s.log.Warn("other machines may reach this address, and whoever reaches it can use the queues", "addr", listener.Addr().String())
	}
	return s.serve(ctx, listener)
}

// status is the exit status for what run returned. It says on stderr what went wrong.
func status(err error, stderr io.Writer) int {
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "inqd: %v\nRun inqd -h for help.\n", err)
		return 2
	default:
		fmt.Fprintf(stderr, "inqd: %v\n", err)
		return 1
	}
}

func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use, maybe by another inqd; choose another address with -addr, where port 0 means any free one", addr)
	}
	return fmt.Errorf("cannot listen on %s: %w", addr, err)
}

// baseURL is where a client on this machine reaches the listener.
func baseURL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// loopback reports whether only this machine reaches the address.
func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
