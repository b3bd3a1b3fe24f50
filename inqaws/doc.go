// Package inqaws joins inq and version 2 of the AWS SDK for Go, in both directions.
//
// It is a module of its own, so that programs without it do without the SDK.
package inqaws
