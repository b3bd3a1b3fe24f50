package filter

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Limits of a policy (SNS: FLT-16, FLT-18, FLT-22).
const (
	maxComplexity = 150
	maxKeys       = 5
	maxSize       = 256 << 10
	// maxConditions is how many keys one branch of a policy may have. The complexity does not bound
	// it, since inside $or a key with one value counts for nothing.
	maxConditions = 64
)

// Scope is what a policy looks at (SNS: FLT-2).
type Scope uint8

// The two scopes.
const (
	MessageAttributes Scope = iota
	MessageBody
)

// An Error says why a policy is refused, in the words of the service.
type Error struct {
	Text string
	// Bare is set where the service does not put "FilterPolicy: " in front of the text.
	Bare bool
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// A Policy is a compiled filter policy. It is never changed.
type Policy struct {
	scope    Scope
	branches []branch // of which one has to match
}

// Scope returns what the policy looks at.
func (p *Policy) Scope() Scope { return p.scope }

// branch is one way to match a policy: all of its conditions hold (SNS: FLT-1).
type branch []*condition

// condition is a key of a policy with its values, of which one has to match.
type condition struct {
	at       *step  // until the path is made
	path     string // names of the keys from the root, with dots between them (SNS: FLT-9)
	exact    valueSet
	patterns []pattern // all but exact values and exists:false
	absent   bool      // exists:false is among the values
}

// matches reports whether one of the values takes a leaf.
func (c *condition) matches(v value) bool {
	if v.kind == kindOpaque {
		return false
	}
	if c.exact.has(v) {
		return true
	}
	for i := range c.patterns {
		if c.patterns[i].matches(v) {
			return true
		}
	}
	return false
}

// indexable reports that the condition holds for no leaf but those with its exact values.
func (c *condition) indexable() bool { return len(c.patterns) == 0 && !c.absent }

// Compile reads a policy. With extended it takes the operators of the vendor's rule engine that the
// service does not document for subscriptions: wildcard, exactly, and further forms of anything-but
// (SNS: FLT-34, FLT-41). The error is an [*Error].
//
// A policy without keys is none: Compile returns nil (SNS: SUB-15).
func Compile(text string, scope Scope, extended bool) (*Policy, error) {
	if len(text) > maxSize {
		return nil, &Error{Text: fmt.Sprintf("Filter policy is too large, it must not be longer than %d bytes", maxSize)}
	}
	root, fault := parse(text)
	if fault != "" {
		return nil, &Error{Text: "failed to parse JSON. " + fault}
	}
	c := compiler{extended: extended}
	if !root.object {
		return nil, &Error{Text: "Filter is not an object"}
	}
	if len(root.members) == 0 {
		return nil, nil
	}
	rule := c.rule(&root, nil)
	switch {
	case c.err != nil:
		return nil, c.err
	case c.nested && scope == MessageAttributes:
		return nil, &Error{Bare: true, Text: "Filter policy scope MessageAttributes does not support nested filter policy"}
	case len(root.members) > maxKeys:
		return nil, &Error{Text: "Filter policy can not have more than 5 keys"}
	case rule.complexity(1) > maxComplexity || rule.longest() > maxConditions:
		return nil, &Error{Text: "Filter policy is too complex"}
	}
	p := &Policy{scope: scope, branches: rule.expand([]branch{nil})}
	for _, b := range p.branches {
		for _, c := range b {
			if c.at != nil { // not yet met in another branch
				c.path, c.at = c.at.String(), nil
			}
		}
	}
	return p, nil
}

// step is a key on the way from the root of a policy. Only what is no fault is worth the whole path
// as text: ten thousand keys inside one with a long name would take gigabytes.
type step struct {
	parent *step
	key    string
}

// String joins the keys with dots.
func (s *step) String() string {
	if s.parent == nil {
		return s.key
	}
	return s.parent.String() + "." + s.key
}

// rule is an object of a policy, compiled: all of its parts have to match.
type rule struct {
	conditions []*condition
	lengths    []int    // of the conditions' lists
	nested     []rule   // objects inside
	choices    [][]rule // $or: of each, one has to match
}

// complexity is the product over all lists of their length times the depth of their key, where $or
// counts as the sum of its branches and adds no depth (SNS: FLT-16). It stops counting far above the
// limit.
func (r *rule) complexity(depth int) int {
	product := 1
	times := func(n int) { product = min(product*min(n, 1<<20), 1<<20) }
	for _, n := range r.lengths {
		times(n * depth)
	}
	for i := range r.nested {
		times(r.nested[i].complexity(depth + 1))
	}
	for _, choice := range r.choices {
		sum := 0
		for i := range choice {
			sum = min(sum+choice[i].complexity(depth), 1<<20)
		}
		times(sum)
	}
	return product
}

// longest is the largest number of conditions that one way to match the rule has.
func (r *rule) longest() int {
	n := len(r.conditions)
	for i := range r.nested {
		n += r.nested[i].longest()
	}
	for _, choice := range r.choices {
		most := 0
		for i := range choice {
			most = max(most, choice[i].longest())
		}
		n += most
	}
	return n
}

// expand returns the ways to match what the given ones demand and the rule as well. There are no
// more of them than the complexity says.
func (r *rule) expand(ways []branch) []branch {
	for i := range ways {
		ways[i] = append(slices.Clip(ways[i]), r.conditions...)
	}
	for i := range r.nested {
		ways = r.nested[i].expand(ways)
	}
	for _, choice := range r.choices {
		var all []branch
		for i := range choice {
			all = append(all, choice[i].expand(slices.Clone(ways))...)
		}
		ways = all
	}
	return ways
}

// compiler turns the tree of a policy into rules and stops at the first fault, in the order of the
// text (SNS: FLT-20).
type compiler struct {
	extended bool
	nested   bool // an object lies in an object
	err      *Error
}

// refuse notes the first fault.
func (c *compiler) refuse(format string, args ...any) {
	if c.err == nil {
		c.err = &Error{Text: fmt.Sprintf(format, args...)}
	}
}

// rule compiles an object of a policy, found at the given step.
func (c *compiler) rule(n *node, parent *step) (r rule) {
	if len(n.members) == 0 {
		c.refuse("Empty objects are not allowed")
	}
	for i := range n.members {
		m := &n.members[i]
		at := &step{parent, m.key}
		switch {
		case c.err != nil:
			return r
		case m.key == "$or" && isChoice(&m.node):
			var choice []rule
			for j := range m.elements {
				choice = append(choice, c.rule(&m.elements[j], parent))
			}
			r.choices = append(r.choices, choice)
		case m.object:
			c.nested = true
			r.nested = append(r.nested, c.rule(&m.node, at))
		case m.array:
			r.conditions = append(r.conditions, c.condition(&m.node, at))
			r.lengths = append(r.lengths, len(m.elements))
		default:
			c.refuse("\"%s\" must be an object or an array", m.key)
		}
	}
	return r
}

// reserved are the words that make $or an ordinary key where an object inside uses one as the name
// of a field (SNS: FLT-15).
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
	"date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
}

// isChoice tells $or the operator from a key of that name.
func isChoice(n *node) bool {
	if !n.array || len(n.elements) < 2 {
		return false
	}
	for i := range n.elements {
		e := &n.elements[i]
		if !e.object || slices.ContainsFunc(e.members, func(m member) bool { return slices.Contains(reserved, m.key) }) {
			return false
		}
	}
	return true
}

// condition compiles the list of values of a key.
func (c *compiler) condition(n *node, at *step) *condition {
	out := &condition{at: at}
	if len(n.elements) == 0 {
		c.refuse("Empty arrays are not allowed")
	}
	for i := range n.elements {
		e := &n.elements[i]
		switch {
		case c.err != nil:
			return out
		case e.object:
			p, absent := c.expression(e)
			if absent {
				out.absent = true
			} else {
				out.patterns = append(out.patterns, p)
			}
		case e.array:
			c.refuse("Match value must be String, number, true, false, or null")
		default:
			out.exact.add(e.value)
		}
	}
	return out
}

// expression compiles {operator: operand}. The opposite of exists has no pattern: it is told by
// absent.
func (c *compiler) expression(n *node) (p pattern, absent bool) {
	if len(n.members) == 0 {
		c.refuse("Match expression name not found")
		return p, false
	}
	name, operand := n.members[0].key, &n.members[0].node
	surplus := "Only one key allowed in match expression"
	switch {
	case name == "prefix":
		p = c.texts(prefix, name, operand)
	case name == "suffix":
		p = c.texts(suffix, name, operand)
	case name == "equals-ignore-case":
		p = c.texts(equalsIgnoreCase, name, operand)
	case name == "exactly" && c.extended:
		p = c.texts(exactly, "exact", operand)
	case name == "wildcard" && c.extended:
		p = c.texts(wildcard, name, operand)
	case name == "cidr":
		p = c.cidr(operand)
	case name == "numeric":
		p = c.numeric(operand)
		surplus = "Too many elements in numeric expression" // the words of the service
	case name == "anything-but":
		p = c.anythingBut(operand)
		if !operand.object {
			surplus = "Too many elements in numeric expression"
		}
	case name == "exists":
		p.operator = exists
		absent = operand.kind == kindFalse
		if operand.object || operand.array || operand.kind != kindTrue && operand.kind != kindFalse {
			c.refuse("exists match pattern must be either true or false.")
		}
	default:
		c.refuse("Unrecognized match type %s", name)
	}
	if len(n.members) > 1 {
		c.refuse("%s", surplus)
	}
	return p, absent
}

// isString tells a string from everything else.
func (n *node) isString() bool { return !n.object && !n.array && n.kind == kindString }

func (n *node) isNumber() bool { return !n.object && !n.array && n.kind == kindNumber }

// texts compiles an operator whose operand is a string.
func (c *compiler) texts(op operator, name string, operand *node) (p pattern) {
	p.operator = op
	if !operand.isString() {
		c.refuse("%s match pattern must be a string", name)
		return p
	}
	text := operand.text
	if op == wildcard {
		text = c.wildcard(text)
	}
	p.texts = []string{text}
	return p
}

// wildcard resolves the escapes of a pattern: \* and \\ stand for the characters themselves.
func (c *compiler) wildcard(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*':
			if i+1 < len(text) && text[i+1] == '*' {
				c.refuse("Consecutive wildcard characters at pos %d", i)
			}
			b.WriteString(star)
		case '\\':
			if i++; i == len(text) || text[i] != '*' && text[i] != '\\' {
				c.refuse("Invalid escape character at pos %d", i-1)
				return ""
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// anythingBut compiles the operand of anything-but: a value, a list of values of one type, or a
// pattern on text (SNS: FLT-32, FLT-33).
func (c *compiler) anythingBut(operand *node) (p pattern) {
	switch {
	case operand.object:
		return c.anythingButPattern(operand)
	case operand.isString() || operand.isNumber():
		p.values.add(operand.value)
		return p
	case !operand.array:
		c.refuse("Value of anything-but must be an array or single string/number value.")
		return p
	}
	for i := range operand.elements {
		e := &operand.elements[i]
		if !e.isString() && !e.isNumber() {
			c.refuse("Inside anything but list, start|null|boolean is not supported.")
			return p
		}
		p.values.add(e.value)
	}
	if (len(p.values.strings) == 0) == (len(p.values.numbers) == 0) {
		c.refuse("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return p
}

// anythingButPattern compiles {"prefix": "x"} and, extended, the others of its kind.
func (c *compiler) anythingButPattern(n *node) (p pattern) {
	if len(n.members) == 0 {
		c.refuse("Anything-But expression name not found")
		return p
	}
	name, operand := n.members[0].key, &n.members[0].node
	p.not = true
	switch {
	case name == "prefix":
		p.operator = prefix
	case name == "suffix" && c.extended:
		p.operator = suffix
	case name == "equals-ignore-case" && c.extended:
		p.operator = equalsIgnoreCase
	case name == "wildcard" && c.extended:
		p.operator = wildcard
	default:
		c.refuse("Unsupported anything-but pattern: %s", name)
		return p
	}
	list := []node{*operand}
	if operand.array && c.extended {
		if list = operand.elements; len(list) == 0 {
			c.refuse("Empty arrays are not allowed")
		}
	}
	for i := range list {
		one := c.texts(p.operator, name, &list[i])
		if c.err == nil && list[i].text == "" {
			c.refuse("Null prefix/suffix not allowed")
		}
		p.texts = append(p.texts, one.texts...)
	}
	if len(n.members) > 1 {
		c.refuse("Only one key allowed in match expression")
	}
	return p
}

// cidr compiles a network. It reaches from the address as it is written to the last one of the
// network, as in the vendor's rule engine (SNS: FLT-40).
func (c *compiler) cidr(operand *node) (p pattern) {
	p.operator = cidr
	if !operand.isString() {
		c.refuse("prefix match pattern must be a string") // sic
		return p
	}
	parts := strings.Split(strings.TrimRight(operand.text, "/"), "/")
	if len(parts) != 2 {
		c.refuse("Malformed CIDR, one '/' required")
		return p
	}
	bits, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		c.refuse("Malformed CIDR, mask bits must be an integer")
		return p
	}
	if bits < 0 {
		c.refuse("Malformed CIDR, mask bits must not be negative")
		return p
	}
	addr, ok := parseAddress(parts[0])
	switch {
	case !looksLikeAddress(parts[0]):
		c.refuse("Nonstandard IP address: %s", parts[0])
		return p
	case !ok:
		c.refuse("Invalid IP address: %s", parts[0])
		return p
	case addr.Is4() && bits > 31:
		c.refuse("IPv4 mask bits must be < 32")
		return p
	case bits > 127:
		c.refuse("IPv6 mask bits must be < 128")
		return p
	}
	top := addr.AsSlice()
	for i := int(bits); i < addr.BitLen(); i++ {
		top[i/8] |= 0x80 >> (i % 8)
	}
	p.from = addr
	p.to, _ = netip.AddrFromSlice(top)
	return p
}

// numeric compiles a comparison or a range (SNS: FLT-38 and section 13.3). It goes from token to
// token as the service does, since the texts show where it stopped.
func (c *compiler) numeric(operand *node) (p pattern) {
	p.operator = numeric
	if !operand.array {
		c.refuse("Value of numeric must be an array.")
		return p
	}
	end := node{value: value{kind: kinds, text: "]"}}
	token := func(i int) *node {
		if i < len(operand.elements) {
			return &operand.elements[i]
		}
		return &end
	}
	name := token(0)
	if !name.isString() {
		c.refuse("Invalid member in numeric match: %s", name.token())
		return p
	}
	first, s := token(1), &p.numbers
	word := name.text
	switch word {
	case "=":
		s.hasLow, s.hasHigh = true, true
		word = "equals"
	case ">", ">=":
		s.hasLow, s.openLow = true, word == ">"
	case "<", "<=":
		s.hasHigh, s.openHigh = true, word == "<"
	default:
		c.refuse("Unrecognized numeric range operator: %s", word)
		return p
	}
	if !first.isNumber() {
		c.refuse("Value of %s must be numeric", word)
		return p
	}
	s.low, s.high = first.number, first.number
	if len(operand.elements) == 2 {
		return p
	}
	if s.hasHigh {
		c.refuse("Too many elements in numeric expression")
		return p
	}
	second, top := token(2), token(3)
	switch {
	case !second.isString():
		c.refuse("Bad value in numeric range: %s", second.token())
	case second.text != "<" && second.text != "<=":
		c.refuse("Bad numeric range operator: %s", second.text)
	case !top.isNumber():
		c.refuse("Value of %s must be numeric", second.text)
	case len(operand.elements) > 4:
		c.refuse("Too many terms in numeric range expression")
	case s.low.compare(top.number) >= 0:
		c.refuse("Bottom must be less than top")
	}
	s.hasHigh, s.openHigh, s.high = true, second.text == "<", top.number
	return p
}
