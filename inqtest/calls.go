package inqtest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// Call is one call of the API as it was seen.
type Call struct {
	Operation string // such as "SendMessage"
	Queue     string // the name of the queue, or topic, it was about; "" for none
	Entries   int    // messages in the request: the entries of a batch, or 1
	Failed    int    // entries of a batch that failed
	Received  int    // messages in the answer
	Payload   int    // bytes of bodies and attributes in request and answer
	Code      string // of the error; "" for success
}

// Billed is what SQS bills the call as: one request, and one more for each further 64 KiB of payload
// that was begun.
func (c *Call) Billed() int { return max(1, (c.Payload+chunk-1)/chunk) }

const chunk = 64 << 10

// Calls counts calls of the API, by operation and queue, as SQS and SNS would see and bill them.
//
// Counted are all requests over HTTP, be it by [Server.HTTPClient], the Handler or a socket, those that
// were refused among them; and the calls of the Go API that go through [Server.Count]. What code does
// with a queue of this process directly is no request, and is not counted: its effects are in the
// [Log]. Publishes are counted as calls, without their payload.
//
// Kept are sums, whatever the number of calls. It is safe for concurrent use.
type Calls struct {
	queues []string // nil: all
	*tallies
}

type tallies struct {
	mu sync.Mutex // guards what follows
	of map[tallyKey]*Tally
}

type tallyKey struct{ operation, queue string }

// Tally is a sum of calls.
type Tally struct {
	Calls    int         // requests
	Refused  int         // those of them that were answered with an error
	Empty    int         // receives that were answered with no message
	Entries  int         // messages in the requests
	Failed   int         // entries of batches that failed
	Received int         // messages in the answers
	Payload  int         // bytes of bodies and attributes
	Billed   int         // requests on the bill: see [Call.Billed]
	Batches  map[int]int // how many batches there were of each size
}

func newCalls() *Calls { return &Calls{tallies: &tallies{of: map[tallyKey]*Tally{}}} }

func (c *Calls) add(call *Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := tallyKey{call.Operation, call.Queue}
	t := c.of[key]
	if t == nil {
		t = &Tally{}
		c.of[key] = t
	}
	one := Tally{Calls: 1, Entries: call.Entries, Failed: call.Failed, Received: call.Received, Payload: call.Payload, Billed: call.Billed()}
	if call.Code != "" {
		one.Refused = 1
	} else if call.Operation == "ReceiveMessage" && call.Received == 0 {
		one.Empty = 1
	}
	if strings.HasSuffix(call.Operation, "Batch") {
		one.Batches = map[int]int{call.Entries: 1}
	}
	t.add(&one)
}

func (t *Tally) add(o *Tally) {
	t.Calls += o.Calls
	t.Refused += o.Refused
	t.Empty += o.Empty
	t.Entries += o.Entries
	t.Failed += o.Failed
	t.Received += o.Received
	t.Payload += o.Payload
	t.Billed += o.Billed
	for size, n := range o.Batches {
		if t.Batches == nil {
			t.Batches = map[int]int{}
		}
		t.Batches[size] += n
	}
}

// In returns the calls that were about one of the queues, or topics, of these names. It goes on
// counting with c.
func (c *Calls) In(names ...string) *Calls {
	return &Calls{queues: slices.Clone(names), tallies: c.tallies}
}

// Of returns the sum of the calls of these operations, such as "SendMessage" and "SendMessageBatch";
// of all where none is named.
func (c *Calls) Of(operations ...string) (sum Tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, t := range c.of {
		if c.has(key) && (len(operations) == 0 || slices.Contains(operations, key.operation)) {
			sum.add(t)
		}
	}
	return sum
}

func (c *Calls) has(key tallyKey) bool {
	return c.queues == nil || slices.Contains(c.queues, key.queue)
}

// Reset forgets all calls, also those that In leaves out.
func (c *Calls) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.of)
}

// String returns a table with a line for each operation and queue, and their sum.
func (c *Calls) String() string {
	c.mu.Lock()
	var keys []tallyKey
	of := map[tallyKey]Tally{}
	for key, t := range c.of {
		if c.has(key) {
			keys = append(keys, key)
			var copied Tally
			copied.add(t)
			of[key] = copied
		}
	}
	c.mu.Unlock()
	slices.SortFunc(keys, func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.operation, b.operation))
	})
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "queue\toperation\tcalls\tbilled\trefused\tempty\tmessages\tbatches")
	var sum Tally
	line := func(queue, operation string, t *Tally) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", queue, operation, t.Calls, t.Billed, t.Refused, t.Empty, t.Entries+t.Received, t.sizes())
	}
	for _, key := range keys {
		t := of[key]
		line(cmp.Or(key.queue, "-"), cmp.Or(key.operation, "?"), &t)
		sum.add(&t)
	}
	line("all", "", &sum)
	_ = w.Flush() // a strings.Builder takes everything
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// sizes tells the sizes of batches: 2×10 is two of ten.
func (t *Tally) sizes() string {
	var parts []string
	for _, size := range slices.Sorted(maps.Keys(t.Batches)) {
		parts = append(parts, fmt.Sprintf("%d×%d", t.Batches[size], size))
	}
	return strings.Join(parts, " ")
}

// Calls returns what was called so far, and goes on counting.
func (s *Server) Calls() *Calls { return s.calls }

// nameOf is the last part of an ARN, or the text itself.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
