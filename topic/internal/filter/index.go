package filter

import (
	"slices"

	"example.com/inq"
)

// An Index finds the policies that take a message without trying each: by the exact values that
// they demand. A policy is tried only where the message has one of the values of one of its keys, or
// where it has no key with nothing but exact values. All policies of an index have its scope.
//
// Reading calls may run at once, changing ones not.
type Index[T any] struct {
	paths  map[string]*path[T]
	always postings[T] // branches that may match a message with none of their keys
	serial uint64
}

// path is what an index knows of a path that a policy names, or of the beginning of one.
type path[T any] struct {
	name       string
	conditions int // that are at the path
	below      int // that are at longer ones
	strings    map[string]postings[T]
	numbers    map[number]postings[T]
	literals   [kinds]postings[T]
	present    postings[T] // branches that need a leaf here, whatever its value
}

type postings[T any] []*posting[T]

// posting is a branch of a policy, and where to find it.
type posting[T any] struct {
	branch branch
	owner  *Entry[T]
}

// An Entry is a policy in an index.
type Entry[T any] struct {
	Value    T
	policy   *Policy
	serial   uint64
	postings []place[T]
}

// place is where a posting stands.
type place[T any] struct {
	posting   *posting[T]
	condition *condition // whose values it is found by, or whose path; nil: always
}

// Len returns the number of paths that policies name, beginnings included.
func (x *Index[T]) Len() int { return len(x.paths) }

// Add puts a policy into the index, with the value that matches are reported by.
func (x *Index[T]) Add(p *Policy, v T) *Entry[T] {
	if x.paths == nil {
		x.paths = map[string]*path[T]{}
	}
	x.serial++
	e := &Entry[T]{Value: v, policy: p, serial: x.serial}
	for _, b := range p.branches {
		for _, c := range b {
			x.refer(c.path, 1)
		}
		at := place[T]{&posting[T]{b, e}, x.best(b)}
		e.postings = append(e.postings, at)
		x.lists(at.condition, func(l *postings[T]) { *l = append(*l, at.posting) })
	}
	return e
}

// Scope returns the scope of the policy.
func (e *Entry[T]) Scope() Scope { return e.policy.scope }

// Remove takes a policy out.
func (x *Index[T]) Remove(e *Entry[T]) {
	for _, at := range e.postings {
		x.lists(at.condition, func(l *postings[T]) {
			*l = slices.DeleteFunc(*l, func(p *posting[T]) bool { return p == at.posting })
		})
	}
	for _, b := range e.policy.branches {
		for _, c := range b {
			x.refer(c.path, -1)
		}
	}
	e.postings = nil
}

// refer counts a condition at a path and at all of its beginnings.
func (x *Index[T]) refer(name string, n int) {
	x.path(name).conditions += n
	for i := range len(name) {
		if name[i] == '.' {
			p := x.path(name[:i])
			p.below += n
			x.forget(p)
		}
	}
	x.forget(x.path(name))
}

func (x *Index[T]) path(name string) *path[T] {
	p := x.paths[name]
	if p == nil {
		p = &path[T]{name: name}
		x.paths[name] = p
	}
	return p
}

func (x *Index[T]) forget(p *path[T]) {
	if p.conditions == 0 && p.below == 0 {
		delete(x.paths, p.name)
	}
}

// best returns the condition by which a branch is found: of those with exact values only the one
// whose values the fewest others are found by; else one that needs a leaf; else none.
func (x *Index[T]) best(b branch) *condition {
	var best, needed *condition
	least := 0
	for _, c := range b {
		if !c.indexable() {
			if !c.absent {
				needed = c
			}
			continue
		}
		cost := c.exact.len()
		x.lists(c, func(l *postings[T]) { cost += len(*l) })
		if best == nil || cost < least {
			best, least = c, cost
		}
	}
	if best != nil {
		return best
	}
	return needed
}

// lists calls f for every list that a branch found by a condition is in. An empty one is dropped
// when f is done.
func (x *Index[T]) lists(c *condition, f func(*postings[T])) {
	if c == nil {
		f(&x.always)
		return
	}
	p := x.paths[c.path]
	if p == nil {
		return
	}
	if !c.indexable() {
		f(&p.present)
		return
	}
	for _, s := range c.exact.strings {
		through(&p.strings, s, f)
	}
	for _, n := range c.exact.numbers {
		through(&p.numbers, n, f)
	}
	for kind, in := range c.exact.literals {
		if in {
			f(&p.literals[kind])
		}
	}
}

// through calls f for the list at a key of a map.
func through[K comparable, T any](m *map[K]postings[T], key K, f func(*postings[T])) {
	l := (*m)[key]
	f(&l)
	switch {
	case len(l) == 0:
		delete(*m, key)
	case *m == nil:
		*m = map[K]postings[T]{key: l}
	default:
		(*m)[key] = l
	}
}

// Attributes makes an event of the attributes of a message, of which only those are read that a
// policy in the index names.
func (x *Index[T]) Attributes(attributes map[string]inq.Attribute) *Event {
	return newAttributes(attributes, x)
}

// Body makes an event of the text of a message, of which only those parts are read that a policy in
// the index names.
func (x *Index[T]) Body(text string) *Event { return newBody(text, x) }

func (x *Index[T]) wants(name []byte) (string, bool, bool) {
	p := x.paths[string(name)]
	if p == nil {
		return "", false, false
	}
	return p.name, p.conditions > 0, p.below > 0
}

// Match appends the values of all policies that take the message to dst, each once and in the order
// in which they were added.
func (x *Index[T]) Match(dst []*Entry[T], e *Event) []*Entry[T] {
	if e.invalid {
		return dst
	}
	from := len(dst)
	try := func(l postings[T]) {
		for _, p := range l {
			if p.branch.matches(e) {
				dst = append(dst, p.owner)
			}
		}
	}
	try(x.always)
	for name, leaves := range e.fields {
		p := x.paths[name]
		if p == nil {
			continue
		}
		try(p.present)
		for i := range leaves {
			switch l := &leaves[i]; l.kind {
			case kindString:
				try(p.strings[l.text])
			case kindNumber:
				try(p.numbers[l.number])
			default:
				try(p.literals[l.kind])
			}
		}
	}
	found := dst[from:]
	slices.SortFunc(found, func(a, b *Entry[T]) int {
		switch {
		case a.serial < b.serial:
			return -1
		case a.serial > b.serial:
			return 1
		}
		return 0
	})
	return dst[:from+len(slices.Compact(found))]
}
