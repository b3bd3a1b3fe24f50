package worker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/worker"
)

type email struct {
	To  string `json:"to"`
	Try func() `json:"-"`
}

var sendEmail = worker.NewKind[email]("email.send", "send_email")

func TestKind_Message(t *testing.T) {
	m, err := sendEmail.Message(email{To: "ann@example.com"}, worker.Delay(time.Minute), worker.Group("ann"), worker.Dedup("1"), nil)
	require.NoError(t, err)
	require.Equal(t, inq.Message{
		Body:            `{"to":"ann@example.com"}`,
		Attributes:      map[string]inq.Attribute{"kind": inq.String("email.send")},
		Delay:           time.Minute,
		GroupID:         "ann",
		DeduplicationID: "1",
	}, m)
	require.Equal(t, "email.send", sendEmail.Name())

	_, err = worker.NewKind[func()]("f").Message(func() {})
	require.ErrorContains(t, err, `arguments of kind "f"`)
	for _, name := range []string{"", "with space", "ü", strings.Repeat("x", 81), "line\n"} {
		_, err := worker.NewKind[int](name).Message(1)
		require.ErrorIs(t, err, inq.ErrInvalidParameter, name)
	}
	_, err = worker.NewKind[int](strings.Repeat("x", 80)).Message(1)
	require.NoError(t, err)
	_, err = sendEmail.Send(t.Context(), nil, email{})
	require.ErrorIs(t, err, inq.ErrMissingParameter)
	_, err = (worker.Kind[int]{}).Send(t.Context(), standard(t), 1)
	require.ErrorIs(t, err, inq.ErrInvalidParameter)
}

func TestMux_GivesEachKindToItsHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		log := newDiary()
		mux := worker.NewMux()
		around := func(name string) worker.Middleware {
			return func(h worker.Handler) worker.Handler {
				return worker.HandlerFunc(func(ctx context.Context, d *inq.Delivery) error {
					log.add("%s begins", name)
					err := h.Handle(ctx, d)
					log.add("%s ends with %v", name, err)
					return err
				})
			}
		}
		sendEmail.Handle(mux, func(_ context.Context, j worker.Job[email]) error {
			log.add("email to %s, attempt %d, %s", j.Args.To, j.Attempt(), j.Body)
			panic("no server")
		}, around("outer"), around("inner"))
		worker.NewKind[int]("count").Handle(mux, func(_ context.Context, j worker.Job[int]) error {
			log.add("count %d", j.Args)
			return nil
		})
		_, err := sendEmail.Send(t.Context(), q, email{To: "ann"})
		require.NoError(t, err)
		_, err = worker.NewKind[int]("count").Send(t.Context(), q, 7)
		require.NoError(t, err)
		_, err = q.Send(t.Context(), inq.Message{Body: `{"to":"bob"}`, Attributes: map[string]inq.Attribute{"kind": inq.String("send_email")}})
		require.NoError(t, err)
		r, err := worker.New(q, mux, quiet, worker.WithConcurrency(1), after(time.Hour), worker.WithMiddleware(around("all"), nil2()))
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop(nil)
		require.Equal(t, []string{
			"0s all begins", "0s outer begins", "0s inner begins", `0s email to ann, attempt 1, {"to":"ann"}`,
			"0s inner ends with worker: panic: no server", "0s outer ends with worker: panic: no server", "0s all ends with worker: panic: no server",
			"0s all begins", "0s count 7", "0s all ends with <nil>",
			"0s all begins", "0s outer begins", "0s inner begins", `0s email to bob, attempt 1, {"to":"bob"}`,
			"0s inner ends with worker: panic: no server", "0s outer ends with worker: panic: no server", "0s all ends with worker: panic: no server",
		}, log.get())
	})
}

// nil2 is a middleware that does nothing.
func nil2() worker.Middleware { return func(h worker.Handler) worker.Handler { return h } }

// A worker of an old version backs off from what only new ones know, and logs each such kind once.
func TestMux_AnUnknownKindBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		mux := worker.NewMux()
		sendEmail.Handle(mux, func(context.Context, worker.Job[email]) error { return nil })
		for range 3 {
			_, err := worker.NewKind[int]("new").Send(t.Context(), q, 1)
			require.NoError(t, err)
		}
		send(t, q, "of no kind")
		var log records
		r, err := worker.New(q, mux, log.option(), after(time.Minute))
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(5*time.Minute + time.Second)
		stop(nil)
		require.EqualValues(t, 24, r.Stats().Failed)
		require.Equal(t, 2, strings.Count(log.String(), "level=WARN"))
		require.Contains(t, log.String(), `no handler for kind \"new\"`)
		require.Contains(t, log.String(), "the message names no kind")
		require.Equal(t, 4, counts(t, q).NotVisible)
	})
}

func TestMux_ABodyThatDoesNotDecodeIsBuried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target, reasons := buried(10)
		q := standard(t, target)
		mux := worker.NewMux()
		sendEmail.Handle(mux, func(context.Context, worker.Job[email]) error { return nil })
		_, err := q.Send(t.Context(), inq.Message{Body: "no JSON", Attributes: map[string]inq.Attribute{"kind": inq.String("email.send")}})
		require.NoError(t, err)
		r, err := worker.New(q, mux, quiet)
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Len(t, *reasons, 1)
		require.Contains(t, (*reasons)[0], `no JSON: worker: body of kind "email.send" does not decode: invalid character`)
	})
}

func TestMux_DefaultAndEnvelopes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		q := standard(t)
		log := newDiary()
		mux := worker.NewMux(worker.WithSNSEnvelopes(), nil, worker.WithDefault(worker.HandlerFunc(func(_ context.Context, d *inq.Delivery) error {
			log.add("default %s", d.Body)
			return nil
		})))
		sendEmail.Handle(mux, func(_ context.Context, j worker.Job[email]) error {
			log.add("to %s by %.20s", j.Args.To, j.Body)
			return nil
		})
		send(t, q, "plain", `{"Type":"Other","Message":"x"}`,
			`{"Type":"Notification","MessageId":"1","Message":"{\"to\":\"ann\"}","MessageAttributes":{"kind":{"Type":"String","Value":"email.send"}}}`)
		_, err := sendEmail.Send(t.Context(), q, email{To: "bob"})
		require.NoError(t, err)
		r, err := worker.New(q, mux, quiet, worker.WithConcurrency(1))
		require.NoError(t, err)
		stop := run(t, r)
		time.Sleep(time.Second)
		stop(nil)
		require.Equal(t, []string{"0s default plain", `0s default {"Type":"Other","Message":"x"}`,
			`0s to ann by {"Type":"Notificatio`, `0s to bob by {"to":"bob"}`}, log.get())
	})
}

// What is wrong about kinds New refuses.
func TestMux_BadInput(t *testing.T) {
	q := standard(t)
	nothing := func(context.Context, worker.Job[int]) error { return nil }
	kind := func(name string, aliases ...string) worker.Kind[int] { return worker.NewKind[int](name, aliases...) }
	for name, c := range map[string]struct {
		mux  func(m *worker.Mux)
		want error
		text string
	}{
		"empty":     {func(*worker.Mux) {}, inq.ErrMissingParameter, "Mux: handles no kinds"},
		"twice":     {func(m *worker.Mux) { kind("a").Handle(m, nothing); kind("a").Handle(m, nothing) }, inq.ErrInvalidParameter, `kind "a": is handled already`},
		"alias":     {func(m *worker.Mux) { kind("a").Handle(m, nothing); kind("b", "a").Handle(m, nothing) }, inq.ErrInvalidParameter, `kind "a": is handled already`},
		"own alias": {func(m *worker.Mux) { kind("a", "a").Handle(m, nothing) }, inq.ErrInvalidParameter, `kind "a": is handled already`},
		"no name":   {func(m *worker.Mux) { kind("").Handle(m, nothing) }, inq.ErrInvalidParameter, "must be 1 to 80"},
		"bad alias": {func(m *worker.Mux) { kind("a", "b c").Handle(m, nothing) }, inq.ErrInvalidParameter, `kind "b c"`},
		"nil func":  {func(m *worker.Mux) { kind("a").Handle(m, nil) }, inq.ErrMissingParameter, "f: must not be nil"},
		"nil mw":    {func(m *worker.Mux) { kind("a").Handle(m, nothing, nil) }, inq.ErrMissingParameter, "mw: must not be nil"},
		"mw gives nil": {func(m *worker.Mux) { kind("a").Handle(m, nothing, func(worker.Handler) worker.Handler { return nil }) }, inq.ErrMissingParameter,
			"mw: must not be nil"},
	} {
		t.Run(name, func(t *testing.T) {
			var zero worker.Mux
			for _, m := range []*worker.Mux{worker.NewMux(), &zero} {
				c.mux(m)
				_, err := worker.New(q, m)
				require.ErrorIs(t, err, c.want)
				require.ErrorContains(t, err, c.text)
				d := inq.NewDelivery(nil, inq.DeliveryFields{Body: "1"})
				require.Error(t, m.Handle(t.Context(), &d))
			}
		})
	}
	_, err := worker.New(q, worker.NewMux(worker.WithDefault(nil)))
	require.ErrorIs(t, err, inq.ErrMissingParameter)
	kind("a").Handle(nil, nothing) // nowhere to tell
}

func TestJob_IsADelivery(t *testing.T) {
	d := inq.NewDelivery(nil, inq.DeliveryFields{ID: "id", ReceiveCount: 3})
	j := worker.Job[int]{Delivery: &d, Args: 1}
	require.Equal(t, "id 3", fmt.Sprint(j.ID(), " ", j.Attempt()))
}
