package sqsapi

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"example.com/inq"
)

// bodyDigest is MD5OfMessageBody and MD5OfBody (SQS: MD5-1).
func bodyDigest(body string) string {
	// The hash takes bytes only; in parts, the copy of a body stays on the stack.
	var part [1024]byte
	if len(body) <= len(part) {
		sum := md5.Sum(part[:copy(part[:], body)])
		return hex.EncodeToString(sum[:])
	}
	h := md5.New()
	for len(body) > 0 {
		n := copy(part[:], body)
		h.Write(part[:n])
		body = body[n:]
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Transport types in the digest of attributes (SQS: MD5-2).
const (
	transportText   = 1
	transportBinary = 2
)

// attributesDigest is MD5OfMessageAttributes and MD5OfMessageSystemAttributes, "" without
// attributes (SQS: MD5-2..4).
func attributesDigest(attributes map[string]inq.Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var b []byte
	add := func(text string) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		add(name)
		add(a.Type)
		if isBinary(a.Type) {
			b = append(b, transportBinary)
			b = binary.BigEndian.AppendUint32(b, uint32(len(a.Binary)))
			b = append(b, a.Binary...)
		} else {
			b = append(b, transportText)
			add(a.Value)
		}
	}
	sum := md5.Sum(b)
	return hex.EncodeToString(sum[:])
}

// isBinary tells whether values of a type, which may have a label, are bytes.
func isBinary(dataType string) bool {
	base, _, _ := strings.Cut(dataType, ".")
	return base == "Binary"
}
