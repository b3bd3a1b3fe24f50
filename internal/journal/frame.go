package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is a head of 16 bytes and a payload:
//
//	 0  length of the payload
//	 4  what was on disk when the frame was written, see synced
//	 8  checksum of the place and of the eight bytes before
//	12  checksum of the same and of the payload
//
// All numbers are little-endian. The head has a checksum of its own so that frames behind damage are found by their
// heads, without summing the payload that each random length would ask for.
const frameHead = 16

// lagging marks a synced value that counts segments. Without it the value is an offset: all segments before the frame's
// own are on disk, and its own up to there. With it, the segments before the frame's own are on disk but for that many,
// and nothing is said of the rest.
const lagging = 1 << 31

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// place is the sum over what all frames of a segment share: the log and the segment.
func place(id logID, segment uint32) uint32 {
	var b [24]byte
	copy(b[:], id[:])
	binary.LittleEndian.PutUint64(b[16:], uint64(segment))
	return crc32.Update(0, castagnoli, b[:])
}

// sums has room for what is summed, since what a checksum is given would otherwise be allocated for each.
type sums [16]byte

// head is the sum over place, offset and the first eight bytes of the head.
func (s *sums) head(place uint32, offset int64, head []byte) uint32 {
	binary.LittleEndian.PutUint64(s[:], uint64(offset))
	copy(s[8:], head[:8])
	return crc32.Update(place, castagnoli, s[:])
}

// putHead fills in the head of a frame, which begins at the offset of its segment.
func (s *sums) putHead(frame []byte, place uint32, offset int64, synced uint32) {
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-frameHead))
	binary.LittleEndian.PutUint32(frame[4:], synced)
	sum := s.head(place, offset, frame)
	binary.LittleEndian.PutUint32(frame[8:], sum)
	binary.LittleEndian.PutUint32(frame[12:], crc32.Update(sum, castagnoli, frame[frameHead:]))
}

// head is what a frame's head says.
type head struct {
	length int64
	synced uint32
	sum    uint32 // of place and head
	full   uint32 // of the payload as well
}

// parseHead returns what the head says, and whether its checksum is right.
func (s *sums) parseHead(b []byte, place uint32, offset int64) (head, bool) {
	h := head{
		length: int64(binary.LittleEndian.Uint32(b)),
		synced: binary.LittleEndian.Uint32(b[4:]),
		sum:    binary.LittleEndian.Uint32(b[8:]),
		full:   binary.LittleEndian.Uint32(b[12:]),
	}
	return h, s.head(place, offset, b) == h.sum
}

func (h head) holds(payload []byte) bool { return crc32.Update(h.sum, castagnoli, payload) == h.full }

// claim is the synced value of a frame of the segment, when all before p is on disk.
func claim(p position, segment uint32) uint32 {
	if p.segment >= segment {
		return uint32(p.offset)
	}
	return lagging | segment - p.segment
}

// claimed is the place before which all is on disk, as a frame of the segment says.
func claimed(synced, segment uint32) position {
	if synced&lagging == 0 {
		return position{segment, int64(synced)}
	}
	return position{segment - synced&^lagging, 0}
}

// frame is a frame on its way to the disk.
type frame struct {
	mark    uint64
	segment *segment
	buf     []byte // room for the head, and the records
	size    int64  // on disk, as planned
	weight  int64
	settle  []uint32
	known   map[uint32]struct{} // the streams in settle, once they are many
	carry   bool
	sends   bool // something in it is of class Send
	sealed  bool // nothing is added any more
}

// settlement is what Committed is to be called with.
type settlement struct {
	mark    uint64
	streams []uint32
	err     error
}

// settles adds streams to those that are told of the frame.
func (f *frame) settles(streams []uint32) {
	for _, s := range streams {
		if f.known != nil {
			if _, ok := f.known[s]; ok {
				continue
			}
			f.known[s] = struct{}{}
		} else {
			if contains(f.settle, s) {
				continue
			}
			if len(f.settle) == 16 {
				f.known = make(map[uint32]struct{}, 64)
				for _, k := range f.settle {
					f.known[k] = struct{}{}
				}
				f.known[s] = struct{}{}
			}
		}
		f.settle = append(f.settle, s)
	}
}

func contains(s []uint32, v uint32) bool {
	for i := len(s) - 1; i >= 0; i-- { // the newest first: calls of one stream come in rows
		if s[i] == v {
			return true
		}
	}
	return false
}

// spans is a set of marks that is made in rising order.
type spans []struct{ from, to uint64 }

func (s *spans) add(mark uint64) {
	if n := len(*s); n > 0 && (*s)[n-1].to+1 == mark {
		(*s)[n-1].to = mark
		return
	}
	*s = append(*s, struct{ from, to uint64 }{mark, mark})
}

func (s spans) has(mark uint64) bool {
	low, high := 0, len(s)
	for low < high {
		m := int(uint(low+high) >> 1)
		if s[m].to < mark {
			low = m + 1
		} else {
			high = m
		}
	}
	return low < len(s) && s[low].from <= mark
}
