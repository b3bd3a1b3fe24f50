package inq

import "testing"

func checkInvariants(t testing.TB, q *queue) {}
