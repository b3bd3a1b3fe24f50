package wire

import (
	"net/http"
	"strings"
)

// isJSON tells the protocol of a request: its content type decides, and where that is of neither
// protocol, whether it has a target. The path does not matter (SQS: WIRE-1, WIRE-2).
func isJSON(r *http.Request) bool {
	kind := strings.ToLower(r.Header.Get("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "application/x-amz-json-"):
		return true
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		return false
	}
	return r.Header.Get("X-Amz-Target") != ""
}

// jsonOperation finds the operation a JSON request names (SQS: WIRE-8).
func (s *Service) jsonOperation(r *http.Request) (*Operation, error) {
	if r.Method != http.MethodPost {
		return nil, Faultf(KindUnknownOperation, "The method must be POST.")
	}
	target := r.Header.Get("X-Amz-Target")
	if s.Target == "" {
		return nil, Faultf(KindUnknownOperation, "This service has the Query protocol only: parameters as application/x-www-form-urlencoded.")
	}
	if name, ok := strings.CutPrefix(target, s.Target); ok {
		if op := s.Operations[name]; op != nil {
			return op, nil
		}
	}
	if target == "" {
		return nil, Faultf(KindUnknownOperation, "The header X-Amz-Target is missing. It names the operation, such as %s%s.", s.Target, s.Example)
	}
	return nil, Faultf(KindUnknownOperation, "The target %q is not known.", Shown(target))
}

// operation finds the operation a Query request names, at a URL that names something or elsewhere
// (SQS: WIRE-10, WIRE-11).
func (q *queryCodec) operation(path string) (*Operation, error) {
	if q.action == "" {
		q.plain = q.service.Query.NoActionBody != ""
		return nil, q.service.Query.NoAction
	}
	op := q.service.Operations[q.action]
	if op == nil || op.AtRoot && path != "" {
		return nil, Faultf(KindUnknownOperation, "The action %s is not valid for this endpoint.", Shown(q.action))
	}
	q.name = op.Name
	return op, nil
}
