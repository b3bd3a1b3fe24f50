package main

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// connections is the listener of a server, and its connections.
type connections struct {
	net.Listener
	room   chan struct{} // one for each connection there may be, nil for no bound
	closed chan struct{}
	close  sync.Once

	mu     sync.Mutex         // guards everything below
	open   map[*conn]struct{} // those not closed yet
	ending bool               // closeFresh was called
}

// newConnections makes a listener that accepts at most so many connections at a time, 0 for no bound.
// Others wait until one is closed.
func newConnections(l net.Listener, most int) *connections {
	c := &connections{Listener: l, closed: make(chan struct{}), open: map[*conn]struct{}{}}
	if most > 0 {
		c.room = make(chan struct{}, most)
	}
	return c
}

func (l *connections) Accept() (net.Conn, error) {
	if l.room != nil {
		select {
		case l.room <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	accepted, err := l.Listener.Accept()
	if err != nil {
		l.leave()
		return nil, err
	}
	c := &conn{Conn: accepted, of: l}
	c.fresh.Store(true)
	l.mu.Lock()
	l.open[c] = struct{}{}
	ending := l.ending
	l.mu.Unlock()
	if ending {
		_ = c.Close() // nobody would serve it
		return nil, net.ErrClosed
	}
	return c, nil
}

// leave makes room for another connection.
func (l *connections) leave() {
	if l.room != nil {
		<-l.room
	}
}

func (l *connections) Close() error {
	l.close.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// closeFresh closes the connections over which no whole header of a request has come, and those that
// are accepted from now on. A server that stops serves no request that begins now, but waits five
// seconds and more for it.
func (l *connections) closeFresh() {
	l.mu.Lock()
	l.ending = true
	var fresh []*conn
	for c := range l.open {
		if c.fresh.Load() {
			fresh = append(fresh, c)
		}
	}
	l.mu.Unlock()
	for _, c := range fresh {
		_ = c.Close() // nobody needs it
	}
}

const (
	// maxAhead is how much a connection reads ahead.
	maxAhead = 4 << 10
	// aheadAfter is when it begins. Mostly the byte that was read is the first of the next request, and
	// the server asks for the rest at once.
	aheadAfter = 100 * time.Millisecond
)

// conn is a connection of a server that notices its client's end in one more case. While a handler
// runs, the server reads a byte to learn whether the client ends its side, and where it gets one looks
// no further. So a client that sends something behind its long poll and goes away would not be missed,
// and would be handed messages. In that case, which is rare, conn reads on.
type conn struct {
	net.Conn
	of     *connections
	fresh  atomic.Bool // no header has come
	closed sync.Once
	watch  atomic.Bool // any of what is below, except for gone, is set

	mu      sync.Mutex         // guards everything below
	gone    context.CancelFunc // ends the contexts of its requests
	later   *time.Timer        // begins to read ahead
	reading bool               // it reads ahead
	ahead   []byte             // what was read and not asked for yet
	err     error              // what ended the reading, and was not returned yet
	more    chan struct{}      // closed when the reading has brought something
}

// requests returns the context of the connection's requests, which ends when the client has ended its
// side or the connection is closed.
func (c *conn) requests(ctx context.Context) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, c.gone = context.WithCancel(ctx)
	return ctx
}

func (c *conn) end() {
	c.mu.Lock()
	gone := c.gone
	c.mu.Unlock()
	if gone != nil {
		gone()
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := 0, error(nil)
	if c.watch.Load() {
		n, err = c.readAhead(p)
	}
	if n == 0 && err == nil {
		n, err = c.Conn.Read(p)
	}
	if n == 1 && len(p) == 1 && err == nil { // as the server reads while a handler runs
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.reading {
			c.watch.Store(true)
			c.later = time.AfterFunc(aheadAfter, c.lookAhead)
		}
	}
	return n, err
}

// readAhead returns what was read ahead, and waits for it while it comes. It may return nothing.
func (c *conn) readAhead(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.later != nil {
		c.later.Stop()
		c.later = nil
	}
	for len(c.ahead) == 0 && c.reading {
		more := c.more
		c.mu.Unlock()
		<-more
		c.mu.Lock()
	}
	n = copy(p, c.ahead)
	c.ahead = c.ahead[n:]
	if n == 0 { // and nothing is being read
		err, c.err, c.ahead = c.err, nil, nil
		c.watch.Store(false)
	}
	return n, err
}

// lookAhead reads ahead until it has enough or there is no more. When a deadline ends that, whoever
// reads next sees it by the deadline that holds then.
func (c *conn) lookAhead() {
	c.mu.Lock()
	if c.later == nil { // the server reads by itself
		c.mu.Unlock()
		return
	}
	c.later, c.reading, c.more = nil, true, make(chan struct{})
	c.mu.Unlock()
	buf := make([]byte, 512)
	for reading := true; reading; {
		n, err := c.Conn.Read(buf)
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil && !late {
			c.end()
		}
		c.mu.Lock()
		c.ahead = append(c.ahead, buf[:n]...)
		if !late {
			c.err = err
		}
		reading = err == nil && len(c.ahead) < maxAhead
		c.reading = reading
		close(c.more)
		c.more = make(chan struct{})
		c.mu.Unlock()
	}
}

// CloseWrite ends the server's side, which a server does so that its last answer arrives.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.closed.Do(func() {
		c.end()
		c.mu.Lock()
		if c.later != nil {
			c.later.Stop()
			c.later = nil
		}
		c.mu.Unlock()
		c.of.mu.Lock()
		delete(c.of.open, c)
		c.of.mu.Unlock()
		c.of.leave()
	})
	return err
}
