package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
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

// allowGet tells whether a GET request may change something. Where a browser is given an address that
// is neither secure nor a loopback one it sends neither of the headers by which pages are told, and any
// page can make it send a GET request. It cannot make it send a signature in a header, which clients of
// SQS do. A signature in the URL proves nothing: a page writes what it likes there.
func allowGet(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return local == nil || loopback(local) || strings.HasPrefix(r.Header.Get("Authorization"), "AWS")
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
