package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"example.com/inq"
	"example.com/inq/internal/durable"
	"example.com/inq/internal/wire"
	"example.com/inq/topic"
)

// maxRegions is how many regions there can be. Only a request that creates something makes one, but
// anyone can name any.
const maxRegions = 64

// region is what one region has: queues and topics of its own.
type region struct {
	broker  *inq.Broker
	account *topic.Account
}

// regions are those that clients have created something in, and the one of -region.
type regions struct {
	config *config
	log    *slog.Logger
	home   *region

	mu     sync.Mutex         // guards everything below
	all    map[string]*region // by name
	hinted map[string]bool    // queues that a hint was logged about, with their regions
}

// newRegions makes the regions of a service whose first broker is b, which stays the caller's to close.
func newRegions(b *inq.Broker, log *slog.Logger, c *config) (*regions, error) {
	r := &regions{config: c, log: log, all: map[string]*region{}, hinted: map[string]bool{}}
	r.home = &region{broker: b}
	r.all[b.Region()] = r.home
	// Topics that the journal has go on at once with what waits, and find no queue before all regions
	// are there.
	r.mu.Lock()
	err := r.restoreLocked()
	if err == nil {
		err = r.newAccountsLocked()
	}
	r.mu.Unlock()
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// restoreLocked makes the brokers of the regions that the journal has something of. r.mu must be held.
func (r *regions) restoreLocked() error {
	if r.config.journal == nil {
		return nil
	}
	account, others := r.home.broker.Account(), 0
	for _, arn := range slices.Concat(r.config.journal.Queues(), durable.Names(r.config.journal)) {
		parts := strings.Split(arn, ":")
		if len(parts) < 5 || parts[4] != account {
			others++
			continue
		}
		if name := parts[3]; r.all[name] == nil {
			b, err := inq.NewBroker(r.config.brokerOptions(name)...)
			if err != nil {
				return fmt.Errorf("region %s: %w", name, err)
			}
			r.all[name] = &region{broker: b}
		}
	}
	if others > 0 {
		r.log.Warn("the data has queues of other accounts, which are kept and not served", "account", account, "others", others)
	}
	return nil
}

// newAccountsLocked makes the topics of regions that have none yet. r.mu must be held.
func (r *regions) newAccountsLocked() (err error) {
	for _, region := range r.all {
		if region.account == nil {
			if region.account, err = r.newAccount(region.broker); err != nil {
				return err
			}
		}
	}
	return nil
}

// newAccount makes the topics of a region. They reach the queues of all regions.
func (r *regions) newAccount(b *inq.Broker) (*topic.Account, error) {
	options := []topic.AccountOption{topic.WithBroker(b), topic.WithQueues(r.queue), topic.WithLogger(r.log)}
	if r.config.externalEndpoints {
		options = append(options, topic.WithExternalEndpoints())
	}
	if r.config.links != "" {
		options = append(options, topic.WithBaseURL(r.config.links))
	}
	return topic.NewAccount(options...)
}

var (
	errTooManyQueues = wire.Faultf(&wire.Kind{Shape: "OverLimit", Code: "OverLimit", Status: 403}, "%d regions exist, and no more are allowed.", maxRegions)
	errTooManyTopics = wire.Faultf(&wire.Kind{Shape: "TopicLimitExceeded", Code: "TopicLimitExceeded", Status: 403}, "%d regions exist, and no more are allowed.", maxRegions)
	errTooMany       = errors.New("too many regions")
)

// find returns a region. One that does not exist is made with create, else nil.
func (r *regions) find(name string, create bool) (*region, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.all[name]
	if found != nil || !create {
		return found, nil
	}
	if len(r.all) >= maxRegions {
		return nil, errTooMany
	}
	b, err := inq.NewBroker(r.config.brokerOptions(name)...)
	if err != nil {
		return nil, err
	}
	a, err := r.newAccount(b)
	if err != nil {
		return nil, err
	}
	found = &region{b, a}
	r.all[name] = found
	r.log.Info("a region begins", "region", name, "regions", len(r.all))
	return found, nil
}

// brokerOf is sqsapi's way to a region.
func (r *regions) brokerOf(name string, create bool) (*inq.Broker, error) {
	found, err := r.find(name, create)
	switch {
	case errors.Is(err, errTooMany):
		return nil, errTooManyQueues
	case err != nil || found == nil:
		return nil, err
	}
	return found.broker, nil
}

// accountOf is snsapi's way to a region.
func (r *regions) accountOf(name string, create bool) (*topic.Account, error) {
	found, err := r.find(name, create)
	switch {
	case errors.Is(err, errTooMany):
		return nil, errTooManyTopics
	case errors.Is(err, inq.ErrInvalidParameter):
		return nil, &topic.ParamError{Err: topic.ErrInvalidParameter, Param: "Region", Value: name, Reason: "is no name of a region",
			Text: "Invalid parameter: Region"}
	case err != nil || found == nil:
		return nil, err
	}
	return found.account, nil
}

// list returns all regions in the order of their names.
func (r *regions) list() []*region {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.all), func(a, b *region) int { return cmp.Compare(a.broker.Region(), b.broker.Region()) })
}

func (r *regions) accounts() []*topic.Account {
	var accounts []*topic.Account
	for _, region := range r.list() {
		accounts = append(accounts, region.account)
	}
	return accounts
}

// queue finds a queue by its ARN, in whatever region.
func (r *regions) queue(arn string) (inq.Queue, error) {
	found := r.home
	if parts := strings.Split(arn, ":"); len(parts) > 3 {
		if found, _ = r.find(parts[3], false); found == nil {
			return nil, inq.ErrQueueDoesNotExist
		}
	}
	return found.broker.ByARN(arn)
}

// maxHints bounds what is remembered of hints, and so how many are logged.
const maxHints = 1000

// hint logs, once, that a queue which a request did not find is there in another region.
func (r *regions) hint(name, queue string) {
	if queue == "" {
		return
	}
	for _, other := range r.list() {
		if other.broker.Region() == name {
			continue
		}
		if _, err := other.broker.Queue(queue); err != nil {
			continue
		}
		r.mu.Lock()
		key := name + " " + queue
		again := r.hinted[key] || len(r.hinted) >= maxHints
		if !again {
			r.hinted[key] = true
		}
		r.mu.Unlock()
		if !again {
			r.log.Warn("a queue does not exist in the region that a request was signed for, but in another", "queue", queue, "region", name, "exists_in", other.broker.Region())
		}
		return
	}
}

// closeTopics ends all topics. What could not be delivered yet goes to the dead letters.
func (r *regions) closeTopics() {
	for _, region := range r.list() {
		if region.account != nil { // else the start has failed
			_ = region.account.Close() // always nil
		}
	}
}

// close ends all topics, and the queues of all regions but the first.
func (r *regions) close() {
	r.closeTopics()
	for _, region := range r.list() {
		if region != r.home {
			_ = region.broker.Close() // always nil
		}
	}
}
