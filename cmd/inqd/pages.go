package main

import (
	"net/http"
	"net/url"
)

// withoutPages refuses what a browser says it sends on behalf of a page of another origin. Any page
// may make a browser send simple requests to this machine, the Query protocol over GET among them,
// and nobody is asked who they are here. Clients of SQS do not send these headers. A page whose own
// name is made to resolve to this machine looks like no other origin, and passes.
func withoutPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fromPage(r) {
			http.Error(w, "inqd does not serve pages of other origins.", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func fromPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin": // none: the user typed the address
	default:
		return true
	}
	// Browsers leave that header out where the address is neither secure nor a loopback one.
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || from.Host != r.Host
}
