package topic

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sort"
)

// roster keeps items in the order in which they came, so that a list can be read page by page while
// items come and go. Its owner's lock guards it.
type roster[T any] struct {
	places []rosterPlace[T] // by number; gone ones stay until half of all are gone
	gone   int
	last   uint64
}

type rosterPlace[T any] struct {
	number uint64
	item   *T // nil: gone
}

// add returns the number of the new item.
func (r *roster[T]) add(item *T) uint64 {
	r.last++
	r.places = append(r.places, rosterPlace[T]{r.last, item})
	return r.last
}

// at is the index of the first place with at least this number.
func (r *roster[T]) at(number uint64) int {
	return sort.Search(len(r.places), func(i int) bool { return r.places[i].number >= number })
}

// remove takes an item out by its number. One that is not there stays away.
func (r *roster[T]) remove(number uint64) {
	i := r.at(number)
	if i == len(r.places) || r.places[i].number != number || r.places[i].item == nil {
		return
	}
	r.places[i].item = nil
	if r.gone++; r.gone > len(r.places)/2 {
		r.places = slices.DeleteFunc(r.places, func(p rosterPlace[T]) bool { return p.item == nil })
		r.places = slices.Clip(r.places)
		r.gone = 0
	}
}

// len is the number of items.
func (r *roster[T]) len() int { return len(r.places) - r.gone }

// page returns up to most items behind a number, and the number to go on behind; 0 when there is no
// more.
func (r *roster[T]) page(after uint64, most int) (items []*T, next uint64) {
	for i := r.at(after + 1); i < len(r.places); i++ {
		p := r.places[i]
		if p.item == nil {
			continue
		}
		if len(items) == most {
			return items, next
		}
		items = append(items, p.item)
		next = p.number
	}
	return items, 0
}

// all returns every item.
func (r *roster[T]) all() []*T {
	items, _ := r.page(0, r.len())
	return items
}

// pageSize is how many items a page of a list has (SNS: TOP-10).
const pageSize = 100

// pageOf reads the page that a token leads to and returns the token of the next one, "" behind the
// last.
func pageOf[T any](r *roster[T], token string) (items []*T, next string, err error) {
	after := uint64(0)
	if token != "" {
		b, err := base64.StdEncoding.DecodeString(token)
		if err != nil || len(b) != 8 {
			return nil, "", invalidName("NextToken", token, "must be one that a list returned")
		}
		after = min(binary.BigEndian.Uint64(b), 1<<63)
	}
	items, number := r.page(after, pageSize)
	if number != 0 {
		next = base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, number))
	}
	return items, next, nil
}
