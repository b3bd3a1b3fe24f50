package filter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

// tenThousand are policies of which each message below matches three.
func tenThousand(b *testing.B, scope Scope) (policies []*Policy, x *Index[int]) {
	x = new(Index[int])
	for i := range 10_000 {
		p := mustCompile(b, fmt.Sprintf(`{"event":["order_placed","order_paid"],"customer":["c%d","vip%d"],"amount":[{"numeric":[">",%d]}]}`,
			i/3, i/3, i%7), scope, false)
		policies = append(policies, p)
		x.Add(p, i)
	}
	return policies, x
}

var benchAttributes = map[string]inq.Attribute{
	"event": inq.String("order_placed"), "customer": inq.String("c1234"), "amount": inq.Number("99.95"), "source": inq.String("web"),
}

const benchBody = `{"event":"order_placed","id":"o-778123","customer":"c1234","amount":99.95,"lines":[{"sku":"a-1","n":2},{"sku":"b-7","n":1}],"note":"leave it at the door"}`

func BenchmarkTenThousandIndexed(b *testing.B) {
	for _, scope := range []Scope{MessageAttributes, MessageBody} {
		b.Run(fmt.Sprintf("body=%v", scope == MessageBody), func(b *testing.B) {
			_, x := tenThousand(b, scope)
			var found []*Entry[int]
			b.ReportAllocs()
			for b.Loop() {
				found = x.Match(found[:0], benchEvent(x, scope))
			}
			require.Len(b, found, 3)
		})
	}
}

// BenchmarkTenThousandEach tries each compiled policy on an event that is made once.
func BenchmarkTenThousandEach(b *testing.B) {
	for _, scope := range []Scope{MessageAttributes, MessageBody} {
		b.Run(fmt.Sprintf("body=%v", scope == MessageBody), func(b *testing.B) {
			policies, x := tenThousand(b, scope)
			n := 0
			for b.Loop() {
				e := benchEvent(x, scope)
				n = 0
				for _, p := range policies {
					if p.Match(e) {
						n++
					}
				}
			}
			require.Equal(b, 3, n)
		})
	}
}

func benchEvent(x *Index[int], scope Scope) *Event {
	if scope == MessageBody {
		return x.Body(benchBody)
	}
	return x.Attributes(benchAttributes)
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(`{"event":["order_placed"],"customer":["c1"],"amount":[{"numeric":[">",5]}]}`, MessageAttributes, false); err != nil {
			b.Fatal(err)
		}
	}
}
