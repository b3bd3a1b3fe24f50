package main

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestService_CutsOffSlowClients(t *testing.T) {
	whole := request("ReceiveMessage", poll)
	head := strings.Index(whole, "\r\n\r\n")
	for _, tt := range []struct {
		name  string
		sends string
		every time.Duration // a byte of the rest
		after time.Duration
	}{
		{"silent", "", 0, readHeaderTimeout},
		{"header that stops", whole[:head/2], 0, readHeaderTimeout},
		{"header byte by byte", whole[:head/2], time.Second, readHeaderTimeout},
		{"body that stops", whole[:head+8], 0, readTimeout},
		{"idle after an answer", request("ListQueues", "{}"), 0, idleTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBench(t, slog.LevelInfo)
				conn := s.pipes.dial(t)
				began := time.Now()
				var cut sync.WaitGroup
				cut.Go(func() {
					_, _ = io.Copy(io.Discard, conn)
					assert.Equal(t, tt.after, time.Since(began))
				})
				write(t, conn, tt.sends)
				if tt.every > 0 {
					for _, b := range whole[head/2 : head] {
						time.Sleep(tt.every)
						if _, err := conn.Write([]byte{byte(b)}); err != nil {
							break
						}
					}
				}
				cut.Wait()
				require.NoError(t, conn.Close())
				s.ended()
			})
		})
	}
}

func TestService_CutsOffAClientThatDoesNotRead(t *testing.T) {
	for _, patience := range []time.Duration{writeTimeout - time.Nanosecond, writeTimeout} {
		synctest.Test(t, func(t *testing.T) {
			s := newBench(t, slog.LevelInfo)
			conn := s.pipes.dial(t) // holds nothing back, so that a byte is written when it is read
			write(t, conn, request("ListQueues", "{}"))
			time.Sleep(patience)
			synctest.Wait()
			_, err := conn.Read(make([]byte, 1))
			if patience < writeTimeout {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, io.EOF)
			}
			require.NoError(t, conn.Close())
			s.ended()
		})
	}
}

// head is a request whose body the client has still to send.
func head(operation string, length int) string {
	whole := request(operation, strings.Repeat("x", length))
	return whole[:len(whole)-length]
}

func TestService_ABodyThatDoesNotComeIsTheClientsFault(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length int
		every  time.Duration // a kilobyte of it
		after  time.Duration
	}{
		{"small, stops", 100, 0, readTimeout},
		{"small, slow", 100_000, 29 * time.Second / 10, readTimeout},
		{"large, stops", 2 << 20, 0, 10 * time.Second},
		{"large, stops later", 2 << 20, 100 * time.Millisecond, 99*100*time.Millisecond + 10*time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBench(t, slog.LevelDebug)
				conn := s.pipes.dial(t)
				began := time.Now()
				write(t, conn, head("SendMessage", tt.length))
				var sender sync.WaitGroup
				sender.Go(func() {
					if tt.length > 1000 {
						for range 100 {
							if _, err := io.WriteString(conn, strings.Repeat("x", 1000)); err != nil {
								return
							}
							time.Sleep(tt.every)
						}
					}
				})
				status, text := answer(t, conn)
				assert.Equal(t, 408, status)
				assert.Contains(t, text, "RequestTimeoutException")
				assert.Equal(t, tt.after, time.Since(began))
				require.NoError(t, conn.Close())
				sender.Wait()
				s.ended()
				assert.Equal(t, "RequestTimeout", s.logged("request")[0]["error"])
			})
		})
	}
}

func TestService_RefusesALargeBodyThatWaitsToBeAskedFor(t *testing.T) {
	for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
		synctest.Test(t, func(t *testing.T) {
			s := newBench(t, slog.LevelInfo)
			conn := s.pipes.dial(t)
			write(t, conn, strings.Replace(head("SendMessage", 5<<20), "Content-Length", expect+"Content-Length", 1))
			began := time.Now()
			status, _ := answer(t, conn)
			assert.Equal(t, 413, status)
			assert.Zero(t, time.Since(began))
			_, err := io.Copy(io.Discard, conn)
			require.NoError(t, err)
			if expect == "" {
				assert.Greater(t, time.Since(began), time.Second, "the body may be on its way")
			} else {
				assert.Less(t, time.Since(began), time.Second, "it is not")
			}
			require.NoError(t, conn.Close())
			s.ended()
		})
	}
}

func TestService_CutsOffAClientThatDoesNotReadALargeAnswer(t *testing.T) {
	for _, patience := range []time.Duration{5*time.Second - time.Nanosecond, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := newBench(t, slog.LevelInfo)
			_, err := s.queue.Send(t.Context(), inq.Message{Body: strings.Repeat(`"`, 1<<20)})
			require.NoError(t, err)
			conn := s.pipes.dial(t)
			write(t, conn, request("ReceiveMessage", `{"QueueUrl":"q"}`))
			part := make([]byte, 1<<16)
			for range 5 { // a piece now and then is enough
				time.Sleep(patience)
				synctest.Wait()
				n, err := io.ReadFull(conn, part)
				if patience < 10*time.Second {
					require.NoError(t, err)
					continue
				}
				require.Zero(t, n)
				require.ErrorIs(t, err, io.EOF)
				break
			}
			require.NoError(t, conn.Close())
			s.ended()
		})
	}
}

func TestService_StopIsNotHeldUpByClientsWithoutARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		var conns []net.Conn
		for _, sends := range []string{"", "P", "POST / HTTP/1.1\r\nHost: h\r\n"} {
			for range 20 {
				conn := s.pipes.dial(t)
				write(t, conn, sends)
				conns = append(conns, conn)
			}
		}
		idle := s.pipes.dial(t)
		write(t, idle, request("ListQueues", "{}"))
		answer(t, idle)
		synctest.Wait()
		began := time.Now()
		s.stop()
		require.NoError(t, <-s.served)
		assert.Less(t, time.Since(began), time.Second, "the server looks again after milliseconds")
		assert.Empty(t, s.logged("requests under way are cut off"))
		for _, conn := range append(conns, idle) {
			require.NoError(t, conn.Close())
		}
		s.ended()
	})
}

func TestService_StopIsBoundedWithAnswersThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		for range 10 {
			_, err := s.queue.Send(t.Context(), inq.Message{Body: strings.Repeat(`"`, 1<<17)})
			require.NoError(t, err)
		}
		var conns []net.Conn
		for range 30 {
			conn := s.pipes.dial(t)
			write(t, conn, request("ReceiveMessage", `{"QueueUrl":"q","MaxNumberOfMessages":10,"VisibilityTimeout":0}`))
			conns = append(conns, conn)
		}
		synctest.Wait()
		began := time.Now()
		s.stop()
		require.NoError(t, <-s.served)
		assert.Equal(t, stopTimeout, time.Since(began))
		assert.Less(t, stopTimeout, exitTimeout)
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		s.ended()
	})
}

func TestService_RefusesALargeHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		conn := s.pipes.dial(t)
		go func() { // the server does not read all of it
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\nX: "+strings.Repeat("x", maxHeaderBytes+1<<13)+"\r\n\r\n")
		}()
		status, _ := answer(t, conn)
		assert.Equal(t, 431, status)
		require.NoError(t, conn.Close())
		s.ended()
	})
}

func TestService_StopAnswersLongPollsAtOnceAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		var polls []net.Conn
		for range 20 {
			conn := s.pipes.dial(t)
			write(t, conn, request("ReceiveMessage", poll))
			polls = append(polls, conn)
		}
		synctest.Wait()
		// A send is half there when the stop comes. It is carried out.
		sending := s.pipes.dial(t)
		text := request("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`)
		write(t, sending, text[:len(text)-1])
		synctest.Wait()
		began := time.Now()
		s.stop()
		for _, conn := range polls {
			status, text := answer(t, conn)
			assert.Equal(t, 200, status)
			assert.Equal(t, "{}", text)
			require.NoError(t, conn.Close())
		}
		assert.Zero(t, time.Since(began))
		synctest.Wait()
		assert.Empty(t, s.served, "it waits for the send")
		time.Sleep(stopTimeout - time.Second)
		write(t, sending, text[len(text)-1:])
		status, _ := answer(t, sending)
		assert.Equal(t, 200, status)
		require.NoError(t, <-s.served)
		assert.Equal(t, inq.Counts{Visible: 1}, s.queue.Stats().Counts)
		assert.Equal(t, []map[string]any{{"level": "INFO", "msg": "stopping", "long_polls": 20.0, "timeout": float64(stopTimeout)}}, s.logged("stopping"))
		assert.Empty(t, s.logged("requests under way are cut off"))
		require.NoError(t, sending.Close())
		s.ended()
	})
}

func TestService_StopIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBench(t, slog.LevelInfo)
		conn := s.pipes.dial(t)
		text := request("SendMessage", `{"QueueUrl":"q","MessageBody":"b"}`)
		write(t, conn, text[:len(text)-1])
		synctest.Wait()
		began := time.Now()
		s.stop()
		require.NoError(t, <-s.served)
		assert.Equal(t, stopTimeout, time.Since(began))
		assert.Len(t, s.logged("requests under way are cut off"), 1)
		_, err := io.WriteString(conn, text[len(text)-1:])
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		assert.Zero(t, s.queue.Stats().Counts)
		require.NoError(t, conn.Close())
		s.ended()
	})
}
