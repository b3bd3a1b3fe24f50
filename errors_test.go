package inq

import (
	"errors"
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

// sentinels are all errors a program can match.
var sentinels = map[string]error{
	"ErrClosed": ErrClosed, "ErrQueueDoesNotExist": ErrQueueDoesNotExist, "ErrQueueExists": ErrQueueExists,
	"ErrQueueDeletedRecently": ErrQueueDeletedRecently, "ErrPurgeInProgress": ErrPurgeInProgress, "ErrFull": ErrFull,
	"ErrOverLimit": ErrOverLimit, "ErrInvalidParameter": ErrInvalidParameter, "ErrMissingParameter": ErrMissingParameter,
	"ErrInvalidMessageContents": ErrInvalidMessageContents, "ErrInvalidAttributeName": ErrInvalidAttributeName,
	"ErrInvalidAttributeValue": ErrInvalidAttributeValue, "ErrEmptyBatch": ErrEmptyBatch, "ErrTooManyEntries": ErrTooManyEntries,
	"ErrBatchTooLong": ErrBatchTooLong, "ErrReceiptHandleInvalid": ErrReceiptHandleInvalid,
	"ErrReceiptHandleExpired": ErrReceiptHandleExpired, "ErrNotInFlight": ErrNotInFlight,
	"ErrNoDeadLetterTarget": ErrNoDeadLetterTarget, "ErrNotDeadLetterQueue": ErrNotDeadLetterQueue,
	"ErrTaskRunning": ErrTaskRunning, "ErrNoSource": ErrNoSource,
}

// requireRefusal demands that err matches want and no other sentinel.
func requireRefusal(t testing.TB, err, want error) {
	t.Helper()
	require.Error(t, err)
	for name, s := range sentinels {
		require.Equal(t, s == want, errors.Is(err, s), "%s: %v", name, err)
	}
}
