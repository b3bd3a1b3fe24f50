// Package conformance tests everything that behaves like an [inq.Queue]: wrappers that count,
// trace, encrypt or disturb, and implementations of their own. One call in a test runs the cases
// that this module keeps for itself, each named for the rule of Amazon SQS that it proves:
//
//   - [RunWrapper] for something that takes a queue and is one;
//   - [RunQueue] for an implementation, on a database say, that makes its own queues;
//   - [RunAPI] for a way to a whole service, with its operations on queues: a client of SQS;
//   - [RunTopics] for the same of topics: a client of SNS, beside one of SQS.
//
// # Cases
//
// A case is a subtest, RULE/NAME, such as LC-2/a_delayed_message_ends_a_long_poll_when_its_delay_ends,
// and can be run alone with go test -run. The rules with their evidence are in docs/sqs.md and
// docs/sns.md of the repository; ids that begin with QUEUE are about what inq.Queue promises in Go, beyond SQS. Every
// case opens a new, empty account and leaves nothing behind.
//
// With [Time] each case runs in a [testing/synctest] bubble of its own: hours of visibility timeouts
// pass in no time, and are exact to the nanosecond. A goroutine that does not end with the case
// fails it. Without Time the cases that wait do not run.
//
// # Results
//
// A case ends at its first failure, which tells the rule, the case, what was expected and what came
// instead. What cannot be proven over some way is no failure:
//
//   - a case that needs more than the harness gives, see [Needs], does not run;
//   - an implementation that lacks something refuses it with an error that matches
//     [errors.ErrUnsupported], see [RunQueue], and the case is skipped;
//   - what is another way on purpose stands in [Differs], with the reason, and is skipped.
//
// The log of the test, which go test -v shows, counts the cases that passed, those that were skipped
// and why, and those that did not run.
//
// The cases grow with this module: a new version may find what an old one did not.
package conformance
