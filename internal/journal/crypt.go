package journal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// keyID tells keys apart without telling anything about them.
type keyID [8]byte

func derive(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func idOf(key []byte) (id keyID) {
	copy(id[:], derive(key, []byte("inq journal key id")))
	return id
}

// keyring holds the keys by id.
type keyring struct {
	current []byte // of new segments; nil: no encryption
	id      keyID
	byID    map[keyID][]byte
}

func newKeyring(current []byte, old [][]byte) (keyring, error) {
	k := keyring{byID: map[keyID][]byte{}}
	if current != nil {
		if len(current) != KeySize {
			return k, fmt.Errorf("journal: Key has %d bytes, want %d", len(current), KeySize)
		}
		k.current, k.id = append([]byte(nil), current...), idOf(current)
		k.byID[k.id] = k.current
	}
	for i, o := range old {
		if len(o) != KeySize {
			return k, fmt.Errorf("journal: OldKeys[%d] has %d bytes, want %d", i, len(o), KeySize)
		}
		k.byID[idOf(o)] = append([]byte(nil), o...)
	}
	return k, nil
}

// payloadOverhead is what encryption adds to a payload: the nonce before it and the tag behind it.
const payloadOverhead = 12 + 16

// payloadCipher encrypts the payloads of one segment. Each segment has a key of its own, derived from the log's key, so
// that the random nonces of any number of frames stay far from the number where two of them would meet.
type payloadCipher struct {
	aead cipher.AEAD
	key  keyID
	head [24]byte // id of the log and number of the segment, then the offset of the frame
	work []byte
}

func newPayloadCipher(key []byte, id logID, number uint32) *payloadCipher {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(number))
	block, err := aes.NewCipher(derive(key, []byte("inq journal segment key"), id[:], n[:]))
	if err != nil {
		panic("bug: " + err.Error()) // the sum has the length of a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("bug: " + err.Error())
	}
	c := &payloadCipher{aead: aead, key: idOf(key)}
	copy(c.head[:], id[:])
	return c
}

// place is what is authenticated with a payload: the frame's place in the log.
func (c *payloadCipher) place(number uint32, offset int64) []byte {
	binary.LittleEndian.PutUint32(c.head[16:], number)
	binary.LittleEndian.PutUint32(c.head[20:], uint32(offset))
	return c.head[:]
}

// seal appends the payload to dst, encrypted.
func (c *payloadCipher) seal(dst, payload []byte, number uint32, offset int64) []byte {
	return c.aead.Seal(dst, nil, payload, c.place(number, offset))
}

// open decrypts a payload. The result is valid until the next call.
func (c *payloadCipher) open(payload []byte, number uint32, offset int64) ([]byte, error) {
	plain, err := c.aead.Open(c.work[:0], nil, payload, c.place(number, offset))
	if err == nil {
		c.work = plain
	}
	return plain, err
}
