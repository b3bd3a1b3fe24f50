package wire

// AttributeValue is MessageAttributeValue in an answer.
type AttributeValue struct {
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"` // base64 on the wire
	DataType    *string `json:",omitempty"`
}

// Attribute is MessageAttributeValue in a request.
type Attribute struct {
	StringValue      *string
	BinaryValue      []byte
	DataType         *string
	StringListValues Reserved `query:"StringListValue"`
	BinaryListValues Reserved `query:"BinaryListValue"`
}

// Reserved is a member that no request may have; true where it is there.
type Reserved bool

// Attributes are message attributes of a request, as far as they are kept. "" is the name of those
// that have none.
type Attributes struct {
	Named     map[string]Attribute
	Left      int // how many are not kept, since there are too many in any case
	LeftBytes int // of these, at least
}
