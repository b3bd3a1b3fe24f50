package inqaws

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/stretchr/testify/require"

	"example.com/inq"
	"example.com/inq/conformance"
	"example.com/inq/topic"
)

// sdk carries the operations of package conformance over a client. The inputs and outputs of the
// SDK have the names of SQS, as the requests and results of the suite do.
type sdk struct{ client *sqs.Client }

func (s sdk) Call(ctx context.Context, operation string, in, out any) error {
	call := reflect.ValueOf(s.client).MethodByName(operation)
	if !call.IsValid() {
		return fmt.Errorf("bug: the SDK has no operation %s", operation)
	}
	input := reflect.New(call.Type().In(1).Elem())
	if err := conformance.Copy(input.Interface(), in); err != nil {
		return err
	}
	results := call.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, failed := results[1].Interface().(error); failed {
		return Translate(err)
	}
	return conformance.Copy(out, results[0].Interface())
}

func newService(t testing.TB, opts []inq.BrokerOption) (*inq.Broker, sdk) {
	b, err := inq.NewBroker(opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b, sdk{NewClient(b)}
}

func TestConformance_Client(t *testing.T) {
	conformance.RunAPI(t, conformance.APIHarness{
		Gives: conformance.Time | conformance.Members | conformance.Texts | conformance.Engine,
		Open: func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
			b, api := newService(t, opts)
			return conformance.Service{API: api, Broker: b}
		},
	})
}

func TestConformance_Queue(t *testing.T) {
	conformance.RunAPI(t, conformance.APIHarness{
		Gives: conformance.Time | conformance.Zeros | conformance.Engine | conformance.Queues,
		Open: func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
			b, api := newService(t, opts)
			queue := func(url string) (inq.Queue, error) { return NewQueue(api.client, url), nil }
			return conformance.Service{API: api, Queue: queue, Broker: b}
		},
	})
}

// snsAPI carries the operations of SNS over a client.
type snsAPI struct{ client *sns.Client }

func (s snsAPI) Call(ctx context.Context, operation string, in, out any) error {
	call := reflect.ValueOf(s.client).MethodByName(operation)
	if !call.IsValid() {
		return fmt.Errorf("bug: the SDK has no operation %s", operation)
	}
	input := reflect.New(call.Type().In(1).Elem())
	if err := conformance.Copy(input.Interface(), in); err != nil {
		return err
	}
	results := call.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, failed := results[1].Interface().(error); failed {
		return err
	}
	return conformance.Copy(out, results[0].Interface())
}

func TestConformance_TopicsClient(t *testing.T) {
	conformance.RunTopics(t, conformance.APIHarness{
		Gives: conformance.Time | conformance.Members | conformance.Texts | conformance.Engine,
		Open: func(t testing.TB, opts ...inq.BrokerOption) conformance.Service {
			b, api := newService(t, opts)
			a, err := topic.NewAccount(topic.WithBroker(b))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, a.Close()) })
			return conformance.Service{API: api, Topics: snsAPI{NewSNSClient(a)}, Broker: b}
		},
	})
}
