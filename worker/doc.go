// Package worker does jobs from a queue.
package worker
