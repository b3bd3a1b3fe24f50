// Package topic is Amazon SNS inside a Go process: topics that copy each message to many subscribers,
// with filters, order, retries and dead letters. It stands beside package inq, whose queues are the
// most common subscribers.
//
// An account holds topics, as a broker holds queues:
//
//	account, err := topic.NewAccount(topic.WithBroker(broker))
//	...
//	orders, err := account.CreateStandard("orders")
//	...
//	_, err = orders.Subscribe(topic.Queue(billing))
//	_, err = orders.Subscribe(topic.Queue(shipping), topic.WithFilter(`{"event": ["order_paid"]}`))
//	...
//	_, err = orders.Publish(ctx, topic.Message{
//		Body:       `{"order": 17}`,
//		Attributes: map[string]inq.Attribute{"event": inq.String("order_paid")},
//	})
//
// # API at a glance
//
//	Account     NewAccount, Close, Shutdown; CreateStandard, CreateFIFO, CreateTopic, DeleteTopic;
//	            Topic, ByARN, Topics; Subscription, Subscriptions
//	Topic       Publish, PublishBatch; Subscribe, Subscriptions, Stats
//	Targets     Queue, QueueARN, Func or any Target, URL, SMS, Email, EmailJSON, Application
//	Subscribing WithFilter, WithBodyFilter, WithRawDelivery, WithDeadLetter, WithDeliveryPolicy
//	By text     Topic and Subscription: Attributes, SetAttribute; Account: Subscribe, Unsubscribe,
//	            Publish, Tags, SetTags, RemoveTags; Topic: AddPermission, RemovePermission,
//	            DataProtectionPolicy
//	HTTP        ConfirmSubscription, UnsubscribeByLink; Links, Certificate
//	Records     Outbox; PublishSMS, SMSAttributes, OptOut; CreatePlatformApplication,
//	            CreatePlatformEndpoint and their kin
//
// # Delivery
//
// What was accepted reaches each subscription whose filter policy takes it at least once, or its
// dead-letter queue, or it is counted and logged as failed: see [SubscriptionStats]. One subscription
// that is slow or fails delays no other and no publisher. What waits for it is bounded, see
// [WithWaiting], and lives as long as the process; what is left when the account is closed goes to
// the dead letters. Where the broker has a journal, all of it survives, see [WithBroker].
//
// A copy for a queue of this process is in the queue when Publish returns. Copies for other targets
// are delivered by goroutines that exist while there is something to do.
//
// Failures are followed by retries: for queues those of SNS, which go on for 23 days; for HTTP(S)
// endpoints and functions those of the delivery policy, three after 20 seconds each by default. A
// queue that does not exist, one that does not take the message, an answer in the 400s other than 429,
// and an error that matches [ErrRejected] are not tried again.
//
// # Order
//
// A FIFO topic accepts each deduplication id once in five minutes, and gives the messages of a group
// in the order of their publishes to each subscriber that is a FIFO queue or a function, also where
// deliveries fail. A Standard topic keeps no order.
//
// # Envelopes
//
// Subscribers get a JSON envelope around the message, with its id, its subject, its attributes and
// the time, unless they have raw delivery. Envelopes are those of SNS byte for byte. They are signed
// for HTTP(S) endpoints, with a key that is made for the process, and see [WithSignedQueues].
//
// # Time
//
// Retries, deduplication windows and tokens follow the clock of a [testing/synctest] bubble, so that
// an hour of retries takes microseconds in a test. Make the account in the bubble and close it there.
//
// # HTTP endpoints
//
// An HTTP(S) endpoint is asked to confirm before it gets messages. Only loopback addresses are
// reached unless [WithExternalEndpoints] is given, which says what that is about. [Account.Links]
// serves what the links in envelopes lead to.
//
// # Errors
//
// What is refused names the parameter and the value in a [*ParamError] that matches one of the
// package's sentinels with errors.Is, carries the text that SNS answers with, and changes nothing.
// Errors of a context come bare.
//
// # Differences from SNS
//
// The rules, with their evidence and our choices, are in docs/sns.md. Changes of filter policies apply
// at once. Access policies and encryption settings are kept, not acted on. Archiving and replay, and
// the protocols lambda and firehose, are refused. Retries have no jitter. Messages to phones,
// mailboxes and apps go into the [Outbox].
package topic
