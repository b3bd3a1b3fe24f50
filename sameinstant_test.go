package inq

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What happens at one and the same instant happens in an order too.

func TestLC5_AMessageThatGoesToTheBackStandsInFrontOfOneSentAtThatInstant(t *testing.T) {
	const timeout = 30 * time.Second
	ctx := context.Background()
	for name, send := range map[string]func(s steps){
		"alone": func(s steps) { s.send("new") },
		"with attributes": func(s steps) {
			_, err := s.q.Send(ctx, Message{Body: "new", Attributes: map[string]Attribute{"a": String("b")}})
			require.NoError(s, err)
		},
		"in a batch": func(s steps) {
			_, err := s.sendBatch("new")
			require.NoError(s, err)
		},
		"as a dead letter": func(s steps) {
			require.NoError(s, s.asTarget().DeadLetter(ctx, DeadLetter{Body: "new", SentAt: time.Now()}))
		},
	} {
		for timer, lost := range map[string]bool{"timer in time": false, "timer late": true} {
			scene(t, name+"/"+timer, func(t *testing.T) {
				s := standardSteps(t)
				s.send("old")
				for range poisonReceives - 1 {
					s.change(s.one(timeout), 0)
				}
				s.one(timeout)
				if lost {
					s.loseTimer() // then the send itself finds what is due
				}
				time.Sleep(timeout)
				send(s)
				s.gets(10, timeout, "old", "new")
			})
		}
	}
}

func TestLC5_MessagesThatTimeOutAtOneInstantGoToTheBackInTheOrderOfTheirReceives(t *testing.T) {
	// The earlier receive asks for more than the queue's timeout of 30 seconds, the later one for just
	// that, which queues keep in another place.
	scene(t, "a longer timeout first", func(t *testing.T) {
		s := standardSteps(t)
		s.send("a", "b", "c")
		for range poisonReceives - 1 {
			for _, d := range s.gets(2, time.Second, "a", "b") {
				s.change(&d, 0)
			}
		}
		require.Equal(t, "a", s.one(time.Minute).Body)
		time.Sleep(30 * time.Second)
		require.Equal(t, "b", s.one(0).Body)
		time.Sleep(30 * time.Second)
		s.gets(10, 0, "c", "a", "b")
	})
}
