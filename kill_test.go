package inq_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// TestKill starts a process that sends, receives and deletes in a journal, kills it at a random moment,
// and looks what the next one finds, again and again. The process says on a pipe what it is about to do
// and what was done: what it said in time is what its user knows. All sync modes take turns, each with a
// directory of its own.
//
// 100 rounds take some seconds. INQ_KILL_ROUNDS sets another number; 1000 is what a release is tried
// with.
func TestKill(t *testing.T) {
	rounds := 100
	if text := os.Getenv("INQ_KILL_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "INQ_KILL_ROUNDS")
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ledgers := map[string]*ledger{}
	for round := range rounds {
		mode := killModes[round%len(killModes)]
		l := ledgers[mode]
		if l == nil {
			l = &ledger{t: t, mode: mode, dir: t.TempDir(), messages: map[string]*killMessage{}}
			ledgers[mode] = l
		}
		l.round(round, time.Duration(random.Int64N(int64(30*time.Millisecond))))
	}
	for _, mode := range killModes {
		if l := ledgers[mode]; l != nil {
			l.round(-1, 0) // what is there at last
			t.Logf("%s: %d kills, %d poison jobs that ended the process; acknowledged sends %d, acknowledged deletes %d, found %d, lost %d, doubled %d",
				mode, l.kills, l.exits, l.sent, l.deleted, l.found, l.lost, l.doubled)
			require.Zero(t, l.lost, mode)
			require.Zero(t, l.doubled, mode)
			dead := 0
			for body, m := range l.messages {
				if strings.HasPrefix(body, "poison") && m.dead {
					dead++
				}
			}
			require.GreaterOrEqual(t, dead, l.exits/killReceives-1, "poison jobs are dead letters after %d receives", killReceives)
		}
	}
}

var killModes = []string{"always", "interval", "os"}

// killReceives is how often a poison job is received before it is a dead letter.
const killReceives = 3

// killMessage is what is known of a message.
type killMessage struct {
	id       string // once its send was acknowledged
	deleting bool
	deleted  bool
	received int
	dead     bool
}

// ledger is what the processes of one mode have said.
type ledger struct {
	t        *testing.T
	mode     string
	dir      string
	messages map[string]*killMessage // by body
	last     int                     // number of the last body

	kills, exits, sent, deleted, found, lost, doubled int
}

// round runs one process: with -1 to its own end, without a send or a receive.
func (l *ledger) round(number int, life time.Duration) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "INQ_KILL_DIR="+l.dir, "INQ_KILL_MODE="+l.mode, "INQ_KILL_ROUND="+strconv.Itoa(number), "INQ_KILL_FROM="+strconv.Itoa(l.last))
	stdout, err := cmd.StdoutPipe()
	require.NoError(l.t, err)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(l.t, cmd.Start())
	var timer *time.Timer
	here := map[string]bool{} // what this process found at its start
	ready, ended := false, false
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // the last line may be half
			require.ErrorIs(l.t, err, io.EOF)
			break
		}
		words := strings.Fields(line)
		if len(words) == 0 || !strings.HasPrefix(words[0], "kill:") {
			continue
		}
		switch what := strings.TrimPrefix(words[0], "kill:"); what {
		case "ready":
			l.compare(here)
			ready = true
			if number >= 0 {
				timer = time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
			}
		case "end":
			ended = true
		case "found":
			require.False(l.t, here[words[2]], "%s was found twice", words[2])
			here[words[2]] = true
			l.foundOne(words[1], words[2], words[3])
		default:
			l.note(what, words[1:])
		}
	}
	err = cmd.Wait()
	if timer != nil {
		timer.Stop()
	}
	var exit *exec.ExitError
	switch {
	case !ready:
		require.NoError(l.t, err, "round %d, %s: the journal was not opened: %s", number, l.mode, stderr.String())
	case errors.As(err, &exit) && exit.ExitCode() == killExit:
		l.exits++
	case ended:
	default:
		l.kills++
	}
}

// foundOne looks at a message that a process found at its start.
func (l *ledger) foundOne(queue, body, id string) {
	l.found++
	m := l.messages[body]
	require.NotNil(l.t, m, "nobody sent %s", body)
	switch {
	case m.deleted:
		l.doubled++
		l.t.Errorf("%s: %s is there, and its delete was acknowledged", l.mode, body)
	case m.id != "" && m.id != id:
		l.doubled++
		l.t.Errorf("%s: %s is there as %s, and was acknowledged as %s", l.mode, body, id, m.id)
	}
	m.id, m.deleting = id, false // it was accepted, as is known now
	m.dead = queue == "dead"
}

// compare looks for what should have been found and was not.
func (l *ledger) compare(here map[string]bool) {
	for body, m := range l.messages {
		switch {
		case here[body] || m.deleted:
		case m.id == "": // its send was not acknowledged, and is known to have failed now
			delete(l.messages, body)
		case m.deleting:
			m.deleted = true
		default:
			l.lost++
			l.t.Errorf("%s: %s was acknowledged and is not there", l.mode, body)
			delete(l.messages, body)
		}
	}
}

// note takes down what a process says.
func (l *ledger) note(what string, words []string) {
	body := words[0]
	m := l.messages[body]
	if what == "send" {
		require.Nil(l.t, m)
		n, err := strconv.Atoi(body[strings.LastIndexByte(body, '-')+1:])
		require.NoError(l.t, err)
		l.last = max(l.last, n)
		l.messages[body] = &killMessage{}
		return
	}
	require.NotNil(l.t, m, "%s %s", what, body)
	switch what {
	case "sent":
		l.sent++
		m.id = words[1]
	case "got":
		if m.deleted {
			l.doubled++
			l.t.Errorf("%s: %s was delivered after an acknowledged delete", l.mode, body)
		}
		count, err := strconv.Atoi(words[1])
		require.NoError(l.t, err)
		require.Greater(l.t, count, m.received, "%s: receives of %s are counted", l.mode, body)
		m.received = count // more than one higher where a process was killed with the lease written and nothing said
		if strings.HasPrefix(body, "poison") {
			require.LessOrEqual(l.t, m.received, killReceives, "%s ends the process for ever", body)
		}
	case "delete":
		m.deleting = true
	case "deleted":
		l.deleted++
		m.deleting, m.deleted = false, true
	default:
		require.Fail(l.t, "what is "+what)
	}
}

// killExit is the status of a process that a poison job has ended.
const killExit = 3

// TestKilledProcess is the process of TestKill, and nothing without it.
func TestKilledProcess(t *testing.T) {
	dir := os.Getenv("INQ_KILL_DIR")
	if dir == "" {
		return
	}
	round, err := strconv.Atoi(os.Getenv("INQ_KILL_ROUND"))
	require.NoError(t, err)
	from, err := strconv.Atoi(os.Getenv("INQ_KILL_FROM"))
	require.NoError(t, err)
	mode := map[string]inq.JournalOption{"always": inq.WithSync(inq.SyncAlways), "interval": inq.WithSyncInterval(5 * time.Millisecond), "os": inq.WithSync(inq.SyncOS)}
	j, err := inq.OpenJournal(dir, mode[os.Getenv("INQ_KILL_MODE")], inq.WithSegmentSize(64<<10), inq.WithReleaseOnOpen())
	require.NoError(t, err)
	dead, err := inq.NewStandard("dead", inq.WithJournal(j))
	require.NoError(t, err)
	jobs, err := inq.NewStandard("jobs", inq.WithJournal(j), inq.WithDeadLetter(dead, killReceives))
	require.NoError(t, err)
	orders, err := inq.NewFIFO("orders.fifo", inq.WithJournal(j))
	require.NoError(t, err)
	for _, q := range []inq.Local{dead, jobs, orders} {
		place := 0
		for m := range q.Messages() {
			say("found", q.Name(), m.Body, m.ID)
			if q == inq.Local(orders) {
				n, err := strconv.Atoi(m.Body[strings.LastIndexByte(m.Body, '-')+1:])
				require.NoError(t, err)
				require.Greater(t, n, place, "the order of a group")
				place = n
			}
		}
	}
	say("ready")
	if round >= 0 {
		kills := make(chan struct{})
		go sendUntilKilled(jobs, orders, from, round)
		for _, q := range []inq.Queue{jobs, jobs, orders} {
			go receiveUntilKilled(q)
		}
		<-kills // for ever
	}
	say("end")
	require.NoError(t, j.Close())
}

// say writes a line at once, so that it is in the pipe whatever comes next.
func say(what string, words ...string) {
	fmt.Fprintf(os.Stdout, "kill:%s %s\n", what, strings.Join(words, " "))
}

// sendUntilKilled sends 200 jobs and orders, by one, two or three at a time. Bodies end in a number that
// grows.
func sendUntilKilled(jobs *inq.Standard, orders *inq.FIFO, from, round int) {
	ctx := context.Background()
	for n := from + 1; n < from+200; {
		var batch []inq.Message
		queue := inq.Queue(jobs)
		kind := "job"
		switch {
		case n%10 == 0 || n%10 == 5:
			queue, kind = orders, "order"
		case n == from+1 && round/len(killModes)%8 == 0:
			kind = "poison"
		}
		for range 1 + n%3 {
			m := inq.Message{Body: fmt.Sprintf("%s-%d", kind, n)}
			if kind == "order" {
				m.GroupID, m.DeduplicationID = "g", m.Body
			}
			batch = append(batch, m)
			say("send", m.Body)
			n++
		}
		var sent []inq.Sent
		var err error
		if len(batch) == 1 {
			var one inq.Sent
			one, err = queue.Send(ctx, batch[0])
			sent = []inq.Sent{one}
		} else {
			sent, err = queue.SendBatch(ctx, batch)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for i := range sent {
			say("sent", batch[i].Body, sent[i].ID())
		}
	}
}

// receiveUntilKilled handles messages: a third is left for later, poison ends the process, all else is
// deleted.
func receiveUntilKilled(q inq.Queue) {
	ctx := context.Background()
	for {
		ds, err := q.Receive(ctx, inq.ReceiveInput{Max: 3, Wait: 20 * time.Second})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for i := range ds {
			say("got", ds[i].Body, strconv.Itoa(ds[i].ReceiveCount))
		}
		for i := range ds {
			d := &ds[i]
			switch {
			case strings.HasPrefix(d.Body, "poison"):
				os.Exit(killExit)
			case strings.HasSuffix(d.Body, "3") && d.ReceiveCount == 1:
				err = d.ChangeVisibility(ctx, time.Hour)
			default:
				say("delete", d.Body)
				if err = d.Delete(ctx); err == nil {
					say("deleted", d.Body)
				}
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
}
