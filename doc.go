// Package inq is Amazon SQS inside a Go process.
package inq
