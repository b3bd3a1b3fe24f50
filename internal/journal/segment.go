package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"
)

// A segment begins with a header of 64 bytes:
//
//	 0  "inqjrnl" and a line feed
//	 8  version of the format
//	12  cipher of the payloads: 0 none, 1 AES-256-GCM
//	16  id of the log
//	32  number of the segment
//	40  id of the key, zeros without a cipher
//	48  size of the segment before it, 0 for the first of a log
//	56  zeros
//	60  checksum of the bytes before
//
// Magic, version and checksum stay where they are in all versions.
const (
	segmentHead   = 64
	segmentMagic  = "inqjrnl\n"
	formatVersion = 1
	cipherNone    = 0
	cipherAES     = 1
	segmentSuffix = ".inqj"
	reserveName   = "reserve"
	lockName      = "lock"
)

type logID [16]byte

type segmentHeader struct {
	version uint32
	cipher  uint32
	id      logID
	number  uint64
	key     keyID
	before  int64
}

func (h segmentHeader) encode() []byte {
	b := make([]byte, segmentHead)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], h.version)
	binary.LittleEndian.PutUint32(b[12:], h.cipher)
	copy(b[16:], h.id[:])
	binary.LittleEndian.PutUint64(b[32:], h.number)
	copy(b[40:], h.key[:])
	binary.LittleEndian.PutUint64(b[48:], uint64(h.before))
	binary.LittleEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli))
	return b
}

// parseSegmentHeader returns false where the bytes are no whole header.
func parseSegmentHeader(b []byte) (h segmentHeader, ok bool) {
	if len(b) < segmentHead || string(b[:8]) != segmentMagic ||
		crc32.Checksum(b[:60], castagnoli) != binary.LittleEndian.Uint32(b[60:]) {
		return h, false
	}
	h.version = binary.LittleEndian.Uint32(b[8:])
	h.cipher = binary.LittleEndian.Uint32(b[12:])
	copy(h.id[:], b[16:])
	h.number = binary.LittleEndian.Uint64(b[32:])
	copy(h.key[:], b[40:])
	h.before = int64(binary.LittleEndian.Uint64(b[48:]))
	return h, true
}

// segment is one file of the log. Below mu of the log but for file and seal, which belong to the holder of the write turn
// while the segment is the tail, and to the holder of the sync turn after.
type segment struct {
	number  uint32
	size    int64 // written, 0 while there is no file
	planned int64 // size with all frames that are still to be written
	live    int64 // weight of what lives here
	place   uint32
	file    File
	cipher  *payloadCipher // nil without encryption
}

func segmentName(number uint32) string { return fmt.Sprintf("%016x", number) + segmentSuffix }

// segmentNumber is the number in the name of a segment's file; false for other files.
func segmentNumber(name string) (uint32, bool) {
	hex, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(hex) != 16 || strings.ToLower(hex) != hex {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	return uint32(n), err == nil && n > 0
}

func (l *Log) path(name string) string { return path.Join(l.dir, name) }

// scanner reads the frames of a segment, one after another.
type scanner struct {
	file   io.ReaderAt
	size   int64
	place  uint32
	offset int64 // of the frame to come
	buf    []byte
	at     int64 // offset of buf in the file
	sums   sums
}

const scanBuffer = 256 << 10

// window returns n bytes from the offset on, or fewer at the end of the file. They are valid until the next call.
func (s *scanner) window(offset, n int64) ([]byte, error) {
	n = min(n, s.size-offset)
	if n <= 0 {
		return nil, nil
	}
	if offset >= s.at && offset+n <= s.at+int64(len(s.buf)) {
		return s.buf[offset-s.at:][:n], nil
	}
	want := min(max(n, scanBuffer), s.size-offset)
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	s.buf, s.at = s.buf[:want], offset
	if got, err := s.file.ReadAt(s.buf, offset); err != nil && !(err == io.EOF && int64(got) == want) {
		s.buf = s.buf[:0]
		return nil, fmt.Errorf("journal: reading: %w", err)
	}
	return s.buf[:n], nil
}

// frameAt returns the frame at the offset; ok is false where there is no whole one.
func (s *scanner) frameAt(offset int64) (h head, payload []byte, ok bool, err error) {
	b, err := s.window(offset, frameHead)
	if err != nil || len(b) < frameHead {
		return h, nil, false, err
	}
	if h, ok = s.sums.parseHead(b, s.place, offset); !ok || h.length > s.size-offset-frameHead {
		return h, nil, false, nil
	}
	b, err = s.window(offset, frameHead+h.length)
	if err != nil {
		return h, nil, false, err
	}
	payload = b[frameHead:]
	return h, payload, h.holds(payload), nil
}

// next returns the frame at s.offset and goes on to the one after it. It returns false at the first place that holds no
// whole frame, which is the end of the segment if it is s.size.
func (s *scanner) next() (h head, payload []byte, ok bool, err error) {
	h, payload, ok, err = s.frameAt(s.offset)
	if ok {
		s.offset += frameHead + h.length
	}
	return h, payload, ok, err
}

// search looks for a whole frame from the offset on, wherever it may begin, and returns its offset, or -1.
func (s *scanner) search(offset int64) (int64, error) {
	for ; offset <= s.size-frameHead; offset++ {
		b, err := s.window(offset, frameHead)
		if err != nil {
			return -1, err
		}
		if h, ok := s.sums.parseHead(b, s.place, offset); !ok || h.length > s.size-offset-frameHead {
			continue
		}
		_, _, ok, err := s.frameAt(offset)
		if ok || err != nil {
			return offset, err
		}
	}
	return -1, nil
}
