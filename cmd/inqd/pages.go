package main

import "net/http"

// withoutPages refuses what a browser sends on behalf of a page. Any page may make a browser send
// simple requests to this machine, the Query protocol over GET among them, and nobody is asked who
// they are here. Browsers say of each request to a loopback address where it comes from; clients of
// SQS do not send these headers.
func withoutPages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Sec-Fetch-Site") {
		case "", "none", "same-origin": // none: the user typed the address
			next.ServeHTTP(w, r)
		default:
			http.Error(w, "inqd does not serve pages of other origins.", http.StatusForbidden)
		}
	})
}
