package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// perSecond is how many events crm takes in a second.
const perSecond = 10

// servers are those of the customers, each under a path of its own.
type servers struct {
	mu       sync.Mutex     // guards everything below
	tries    map[string]int // requests for an event
	taken    map[string]int // how often an event was taken
	repaired bool
	second   int64 // the one that inSecond counts
	inSecond int
}

func newServers() *servers {
	return &servers{tries: make(map[string]int), taken: make(map[string]int)}
}

// repair makes billing work.
func (s *servers) repair() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repaired = true
}

// counts returns how many events were taken, and how many of them came again after that.
func (s *servers) counts() (taken, again int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.taken {
		if n > 1 {
			again++
		}
	}
	return len(s.taken), again
}

func (s *servers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e event
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[e.ID]++
	switch customer := strings.TrimPrefix(r.URL.Path, "/"); customer {
	case "shop":
		if len(s.tries)%4 == 0 && s.tries[e.ID] == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	case "crm":
		if now := time.Now().Unix(); now != s.second {
			s.second, s.inSecond = now, 0
		}
		if s.inSecond++; s.inSecond > perSecond {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
	case "billing":
		if !s.repaired {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
	default:
		w.WriteHeader(http.StatusGone)
		return
	}
	s.taken[e.ID]++
}
