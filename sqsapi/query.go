package sqsapi

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// queryCodec is the Query protocol (SQS: section 9.2). It answers in XML, or in JSON of its own
// kind.
type queryCodec struct {
	name   string // of the operation, once it is known
	action string // what the request says
	form   node
	json   bool // the client wants JSON (SQS: WIRE-17)
	plain  bool // a request without an action, which gets a short answer
}

// Bounds of a form: ten entries with ten attributes each are some 400 parameters of six levels.
const (
	maxParameters = 10_000
	maxLevels     = 8
)

// node is what parameters have in common up to a dot: Entry.1.Id and Entry.1.MessageBody share
// Entry and Entry.1 (SQS: WIRE-12).
type node struct {
	value string
	given bool // a parameter ends here
	below map[string]*node
}

// parse reads the parameters of the body and of the URL. Where both have one, that of the body
// counts.
func (q *queryCodec) parse(r *http.Request, body []byte) error {
	switch r.Method {
	case http.MethodPost:
		if err := q.add(string(body)); err != nil {
			return err
		}
	case http.MethodGet:
		q.json = strings.Contains(r.Header.Get("Accept"), "application/json")
	default:
		return nil // has no action then
	}
	if err := q.add(r.URL.RawQuery); err != nil {
		return err
	}
	if a := q.form.below["Action"]; a != nil {
		q.action = a.value
	}
	return nil
}

// add adds URL-encoded parameters.
func (q *queryCodec) add(encoded string) error {
	if strings.Count(encoded, "&") >= maxParameters {
		return faultf(kindSerialization, "The request has too many parameters.")
	}
	for encoded != "" {
		var pair string
		pair, encoded, _ = strings.Cut(encoded, "&")
		if pair == "" {
			continue
		}
		key, raw, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		value := ""
		if err == nil {
			value, err = url.QueryUnescape(raw)
		}
		if err != nil {
			return faultf(kindSerialization, "The request is not URL-encoded: %s", shown(err.Error()))
		}
		if n := q.form.at(key); n != nil && !n.given {
			if len(value) == len(raw) { // it may be part of the request, which no message must hold on to
				value = strings.Clone(value)
			}
			n.value, n.given = value, true
		}
	}
	return nil
}

// at returns the place of a parameter, nil where it is deeper than any that an operation has.
func (n *node) at(key string) *node {
	if strings.Count(key, ".") >= maxLevels {
		return nil
	}
	for part := range strings.SplitSeq(key, ".") {
		next := n.below[part]
		if next == nil {
			next = &node{}
			if n.below == nil {
				n.below = map[string]*node{}
			}
			n.below[part] = next
		}
		n = next
	}
	return n
}

// items returns the elements of a list in the order of their numbers, which start at 1 and may have
// gaps. A single one may come without a number; names are the members that tell it where it is no
// plain value, as in Attribute.Name and Attribute.Value, by which older clients set an attribute.
func (n *node) items(names ...string) []*node {
	type item struct {
		number int
		*node
	}
	var all []item
	for key, below := range n.below {
		if number, err := strconv.ParseUint(key, 10, 31); err == nil && key[0] != '0' {
			all = append(all, item{int(number), below})
		}
	}
	single := n.given || slices.ContainsFunc(names, func(name string) bool { return n.below[name] != nil })
	if len(all) == 0 && single {
		return []*node{n}
	}
	slices.SortFunc(all, func(a, b item) int { return cmp.Compare(a.number, b.number) })
	list := make([]*node, len(all))
	for i, it := range all {
		list[i] = it.node
	}
	return list
}

// text returns the value of a parameter below n, nil where it is not given.
func (n *node) text(name string) *string {
	if p := n.below[name]; p != nil && p.given {
		return &p.value
	}
	return nil
}

// read fills in from the form, which is not kept: what waits must not hold it.
func (q *queryCodec) read(in any) error {
	form := q.form
	q.form = node{}
	return form.fill(reflect.ValueOf(in).Elem())
}

// member is how a field is called in the Query protocol: its tag "query", else its own name. A map
// has two more names in the tag, those of key and value of an element; a list and a map are
// flattened, so that the first name is that of an element too.
type member struct{ name, key, value string }

func memberOf(f reflect.StructField) member {
	tag, ok := f.Tag.Lookup("query")
	if !ok {
		return member{name: f.Name}
	}
	name, rest, _ := strings.Cut(tag, ",")
	key, value, _ := strings.Cut(rest, ",")
	return member{name, key, value}
}

// fill sets the fields of a struct from the parameters below n. Fields without one stay nil.
func (n *node) fill(to reflect.Value) error {
	for i := range to.NumField() {
		f := to.Type().Field(i)
		if f.Anonymous {
			if err := n.fill(to.Field(i)); err != nil {
				return err
			}
			continue
		}
		m := memberOf(f)
		below := n.below[m.name]
		if below == nil {
			continue
		}
		if err := below.set(to.Field(i), m); err != nil {
			return err
		}
	}
	return nil
}

// set sets a field.
func (n *node) set(to reflect.Value, m member) error {
	switch field := to.Addr().Interface().(type) {
	case **string:
		if n.given {
			*field = &n.value
		}
	case **int32:
		if !n.given {
			return nil
		}
		number, err := strconv.ParseInt(n.value, 10, 32)
		if err != nil {
			return faultf(kindSerialization, "Value %s for parameter %s is not an integer.", shown(n.value), m.name)
		}
		*field = new(int32)
		**field = int32(number)
	case *[]byte:
		if !n.given {
			return nil
		}
		b, err := base64.StdEncoding.DecodeString(n.value)
		if err != nil {
			return faultf(kindSerialization, "The value of parameter %s is not base64.", m.name)
		}
		*field = b
	case *[]string:
		for _, item := range n.items() {
			*field = append(*field, item.value)
		}
	case *map[string]*string:
		*field = map[string]*string{}
		for _, item := range n.items(m.key, m.value) {
			key, value := item.text(m.key), item.text(m.value)
			if key == nil {
				return missing(m.name + "." + m.key)
			}
			if value == nil {
				return missing(m.name + "." + m.value)
			}
			(*field)[*key] = value
		}
	case *map[string]attributeValue:
		*field = map[string]attributeValue{}
		for _, item := range n.items(m.key, m.value) {
			key := item.text(m.key)
			if key == nil {
				return missing(m.name + "." + m.key)
			}
			if _, twice := (*field)[*key]; twice { // (SQS: MSG-6)
				return faultf(kindInvalidParameter, "Message (user) attribute '%s' is given more than once.", shown(*key))
			}
			var v attributeValue
			if below := item.below[m.value]; below != nil {
				if err := below.fill(reflect.ValueOf(&v).Elem()); err != nil {
					return err
				}
			}
			(*field)[*key] = v
		}
	default:
		if to.Kind() != reflect.Slice || to.Type().Elem().Kind() != reflect.Struct {
			panic("bug: a request has a field of type " + to.Type().String())
		}
		items := n.items()
		to.Set(reflect.MakeSlice(to.Type(), len(items), len(items)))
		for i, item := range items {
			if err := item.fill(to.Index(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
