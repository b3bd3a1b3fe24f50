package wire

import (
	"net/http"
	"strings"
)

// Scope returns the region and the service that a request is signed for, by its signature's scope, ""
// where it is not signed or the signature has no scope. Nobody checks the signature.
func Scope(r *http.Request) (region, service string) {
	credential := ""
	if header := r.Header.Get("Authorization"); header != "" {
		_, credential, _ = strings.Cut(header, "Credential=")
		credential, _, _ = strings.Cut(credential, ",")
	} else if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	// ACCESSKEY/20260131/us-east-1/sqs/aws4_request; the key may have slashes of its own. The scope of
	// a signature for several regions, SigV4A, has none.
	rest, signed := strings.CutSuffix(strings.TrimSpace(credential), "/aws4_request")
	if !signed {
		return "", ""
	}
	rest, service, _ = cutLast(rest)
	rest, region, _ = cutLast(rest)
	if _, date, ok := cutLast(rest); !ok || len(date) != len("20260131") {
		return "", service
	}
	return region, service
}

func cutLast(path string) (before, last string, found bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}
