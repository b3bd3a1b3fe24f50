package filter

// Match reports whether the policy takes a message, given as an event of the policy's scope.
func (p *Policy) Match(e *Event) bool {
	for _, b := range p.branches {
		if b.matches(e) {
			return true
		}
	}
	return false
}

// matches reports whether all conditions hold. Where the message has arrays of objects, they have
// to hold together: for each array in one element.
func (b branch) matches(e *Event) bool {
	if e.invalid {
		return false
	}
	if len(e.elements) > 1 {
		return b.matchesTogether(e)
	}
	for _, c := range b {
		leaves := e.fields[c.path]
		if len(leaves) == 0 {
			if !c.absent || e.none {
				return false
			}
			continue
		}
		found := false
		for i := range leaves {
			if found = c.matches(leaves[i].value); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// assignment is the search for one element of each array such that all conditions hold. Conditions
// are bits.
type assignment struct {
	*Event
	direct []uint64 // by element: conditions that a leaf right there meets
	within []uint64 // by element: conditions that a leaf there or further inside meets
	inside []uint64 // by array: the same for all of its elements
	second int      // how many second choices may still be tried
}

// secondChoices bounds what is spent on messages that spell one path in two ways, see assignment.meets.
const secondChoices = 64

func (b branch) matchesTogether(e *Event) bool {
	a := assignment{Event: e, second: secondChoices}
	need := uint64(0)
	for i, c := range b {
		leaves := e.fields[c.path]
		if len(leaves) == 0 {
			if !c.absent {
				return false
			}
			continue
		}
		bit, found := uint64(1)<<i, false
		for j := range leaves {
			if !c.matches(leaves[j].value) {
				continue
			}
			if a.direct == nil {
				a.direct = make([]uint64, len(e.elements))
			}
			a.direct[leaves[j].element] |= bit
			found = true
		}
		if !found {
			return false
		}
		need |= bit
	}
	if need == 0 || need&^a.direct[0] == 0 {
		return true
	}
	a.within = append([]uint64(nil), a.direct...)
	a.inside = make([]uint64, len(e.arrays))
	for i := len(e.elements) - 1; i > 0; i-- { // from the inside out
		in := e.elements[i].array
		a.inside[in] |= a.within[i]
		a.within[e.arrays[in].owner] |= a.within[i]
	}
	return a.meets(0, need)
}

// meets reports whether the conditions can be met in an element. Those that no leaf right there
// meets are for the arrays in it, each of which has to meet its share in one of its elements.
//
// Arrays have different shares, since they have different paths, except where a message spells one
// path in two ways, as in {"a.b": [..], "a": {"b": [..]}}. Then the first of them that meets all it
// could meet does, and another has to meet at least what no array behind it can.
func (a *assignment) meets(at int32, need uint64) bool {
	need &^= a.direct[at]
	if need&^a.within[at] != 0 {
		return false
	}
	for in := a.elements[at].first; in >= 0 && need != 0; in = a.arrays[in].next {
		share := need & a.inside[in]
		if share == 0 {
			continue
		}
		if a.metByOne(in, share) {
			need &^= share
			continue
		}
		others := uint64(0)
		for next := a.arrays[in].next; next >= 0; next = a.arrays[next].next {
			others |= a.inside[next]
		}
		own := share &^ others
		if own == share {
			return false
		}
		if a.second--; own != 0 && (a.second < 0 || !a.metByOne(in, own)) {
			return false
		}
		need &^= own
	}
	return need == 0
}

// metByOne reports whether one element of an array meets all of the conditions.
func (a *assignment) metByOne(in int32, share uint64) bool {
	for at := a.arrays[in].first; at != 0; at = a.elements[at].next {
		if share&^a.within[at] == 0 && a.meets(at, share) {
			return true
		}
	}
	return false
}
