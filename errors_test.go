package inq

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// requireParamError returns the ParamError that err is.
func requireParamError(t testing.TB, err error) *ParamError {
	t.Helper()
	var p *ParamError
	require.ErrorAs(t, err, &p)
	return p
}
