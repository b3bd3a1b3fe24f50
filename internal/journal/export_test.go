package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// Rewrite changes the header of a segment and makes its sum right.
func Rewrite(segment []byte, change func(head []byte)) {
	change(segment)
	binary.LittleEndian.PutUint32(segment[60:], crc32.Checksum(segment[:60], castagnoli))
}

// Forge changes a byte in the first frame of a segment and makes its sums right.
func Forge(segment []byte, number uint32) {
	h, _ := parseSegmentHeader(segment)
	frame := segment[segmentHead:]
	length := frameHead + binary.LittleEndian.Uint32(frame)
	frame[frameHead+20] ^= 1
	new(sums).putHead(frame[:length], place(h.id, number), segmentHead, binary.LittleEndian.Uint32(frame[4:]))
}

// Swap exchanges the payloads of the first two frames of a segment, which are of one length, and makes their sums right.
func Swap(segment []byte, number uint32) {
	h, _ := parseSegmentHeader(segment)
	length := frameHead + int(binary.LittleEndian.Uint32(segment[segmentHead:]))
	first, second := segment[segmentHead:][:length], segment[segmentHead+length:][:length]
	for i := frameHead; i < length; i++ {
		first[i], second[i] = second[i], first[i]
	}
	for i, f := range [][]byte{first, second} {
		new(sums).putHead(f, place(h.id, number), int64(segmentHead+i*length), binary.LittleEndian.Uint32(f[4:]))
	}
}
