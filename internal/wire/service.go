package wire

import "net/http"

// Service is an API: its operations, and how it spells what the protocols leave to a service.
type Service struct {
	Name       string // in errors of Go
	Operations map[string]*Operation

	// Target is what X-Amz-Target begins with in AWS JSON, with the dot; "" for a service that has only
	// the Query protocol.
	Target  string
	Example string // an operation to name in errors
	Shapes  string // namespace of its errors in AWS JSON
	Query   QueryStyle
	Bounds  Bounds

	// Fault translates what an operation returns; a *Fault in the error is one already.
	Fault func(error) *Fault
	// Missing refuses a request without a required member.
	Missing func(name string) *Fault
	// AttributeTwice refuses a message with two attributes of a name.
	AttributeTwice func(name string) *Fault
	// Begin is called when the operation is known, and nothing else has been read: the service finds
	// what the call is about and sets Own. nil: it has nothing to find.
	Begin func(c *Call, op *Operation) error
	// Path tells what the URL of a Query request names, "" for nothing. nil: URLs name nothing.
	Path func(*http.Request) string
	// Endless reports whether all entries of a batch are kept, for a service without its limits. find
	// returns a member of the request, nil where it is not there. nil: never.
	Endless func(c *Call, find func(name string) *string) bool
}

// QueryStyle is what differs between services in the Query protocol.
type QueryStyle struct {
	Namespace string // of XML
	Head      string // what stands before the first element
	Detail    string // behind the message of an error
	// NoAction is the refusal of a request without an action, and NoActionBody the whole answer; ""
	// for an error as any other.
	NoAction     *Fault
	NoActionBody string
}

// Bounds of what is made of a request, in both protocols. Beyond them it is refused in any case, so
// that nothing more needs to be kept of it, except by a service without its limits.
type Bounds struct {
	Entries    int // of a list of structures
	Attributes int // of a message
	Names      int // of attributes of a resource, and tags
	// Parameter is how many bytes of memory a parameter of Query can take beside its own, for the
	// budget of large requests; 0 where the other bounds leave little.
	Parameter int64
}

// Operation is one operation of a service. What it does is written once, in terms of a request and a
// result that are structs; the codecs fill the one and write the other.
type Operation struct {
	Name    string
	AtRoot  bool       // is refused at a URL that names something (SQS: WIRE-11)
	Reads   bool       // changes nothing
	Void    bool       // answers AWS JSON without a body (SQS: CAP-16)
	Creates bool       // what it is about need not exist
	Link    bool       // links lead to it, so that any GET request may ask for it
	Input   func() any // a new request, a pointer to a struct
	Run     func(c *Call, in any) (out any, err error)
}

// Answering makes an operation that has a result. To is what the service makes of a call.
func Answering[To, In, Out any](name string, to func(*Call) To, run func(To, *In) (*Out, error)) *Operation {
	return &Operation{
		Name:  name,
		Input: func() any { return new(In) },
		Run: func(c *Call, in any) (any, error) {
			out, err := run(to(c), in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
}

// Acting makes an operation whose success says it all.
func Acting[To, In any](name string, to func(*Call) To, run func(To, *In) error) *Operation {
	return &Operation{
		Name:  name,
		Input: func() any { return new(In) },
		Run:   func(c *Call, in any) (any, error) { return nil, run(to(c), in.(*In)) },
	}
}

// ByName makes the table of a service's operations.
func ByName(operations ...*Operation) map[string]*Operation {
	table := make(map[string]*Operation, len(operations))
	for _, o := range operations {
		table[o.Name] = o
	}
	return table
}

// codec is a request in one of the protocols: it reads what is asked and writes the answer.
type codec interface {
	// read fills the struct that in points to.
	read(in any, c *Call) error
	// result writes the struct that out points to; nil is the result of an operation that has none.
	// An answer may be written more than once, and each time is the same.
	result(o *output, out any, id string)
	fault(o *output, head http.Header, f *Fault, id string)
	contentType() []string
}
