package inq

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzOperations drives the run of model_run_test.go with bytes instead of random numbers: the
// first one says on what queues. With -fuzzminimizetime=1x it does not spend its time on making
// long inputs shorter.
func FuzzOperations(f *testing.F) {
	setups := []modelSetup{
		{groups: 2, retention: usualRetention},
		{fifo: true, groups: 2, retention: usualRetention},
		{deadLetters: true, groups: 2, retention: []time.Duration{time.Minute, 2 * time.Minute}},
		{fifo: true, deadLetters: true, groups: 2, retention: []time.Duration{time.Minute, 2 * time.Minute}},
	}
	for i := range setups {
		for _, step := range []byte{1, 7, 31, 101} {
			data := []byte{byte(i)}
			for k := range 600 {
				data = append(data, byte(k)*step+byte(k>>3))
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 4000 {
			return
		}
		setup, data := setups[int(data[0])%len(setups)], data[1:]
		draw := func(n int) int {
			k := 0
			for m := n; m > 1 && len(data) > 0; m >>= 8 {
				k, data = k<<8|int(data[0]), data[1:]
			}
			return k % n
		}
		synctest.Test(t, func(t *testing.T) {
			driveModel(t, setup, draw, "this input", func() bool { return len(data) > 0 })
		})
	})
}

// FuzzBody compares the fast check of bodies with one that goes by characters (SQS: MSG-3).
func FuzzBody(f *testing.F) {
	for _, s := range []string{"", "a", "plain text of some length", "tab\tfeed\nreturn\r", "nul \x00", "unit separator \x1f", "delete \x7f", "\ufffd stays",
		"\ufffe", "\uffff", "\ue000\ud7ff", "\U00010000\U0010ffff", "cut short \xe2\x82", "surrogate \xed\xa0\x80", "overlong \xc0\x80", "beyond \xf4\x90\x80\x80",
		"1234567\x01", "12345678\x01", "1234567é\x01", "é234567\xff9", "\x80", "aaaaaaaa\x80\x20\x1f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := -1
		for i, c := range s {
			valid := c == 0x9 || c == 0xA || c == 0xD || 0x20 <= c && c <= 0xD7FF || 0xE000 <= c && c <= 0xFFFD || 0x10000 <= c && c <= 0x10FFFF
			if c == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
				valid = false // not UTF-8
			}
			if !valid {
				want = i
				break
			}
		}
		require.Equal(t, want, invalidText(s), "%q", s)
		if want >= 0 {
			require.NotEmpty(t, invalidTextReason(s, want))
		}
	})
}

var numberForm = regexp.MustCompile(`^[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$`)

// FuzzNumber compares the check of numbers with one that computes their value (SQS: MSG-10).
func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-0", "+1", "1.5", ".5", "5.", ".", "", "+", "e5", "1e", "1e5", "1E-5", "1e+5", "1e+-5", "--1", "1 ", "0x1", "1_000", "Inf", "NaN", "1.2.3",
		"1e126", "1.1e126", "1e127", "10e125", "0.1e127", "1e-128", "0.1e-127", "9e-129", "100e-130", "0e999999999999", "1e99999999999999999999", "0.000e-500",
		strings.Repeat("9", 38), strings.Repeat("9", 39), "0" + strings.Repeat("9", 38), strings.Repeat("9", 38) + "0", "0." + strings.Repeat("0", 60) + "1", "١"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		require.Equal(t, isNumber(s), checkNumber(s) == "", "%q: %s", s, checkNumber(s))
	})
}

func isNumber(s string) bool {
	parts := numberForm.FindStringSubmatch(s)
	if parts == nil || parts[1]+parts[2] == "" {
		return false
	}
	// The value is whole times ten to the power of scale.
	whole, ok := new(big.Int).SetString(parts[1]+parts[2], 10)
	if !ok || whole.Sign() == 0 {
		return ok
	}
	scale := new(big.Int)
	if parts[3] != "" {
		scale.SetString(strings.TrimPrefix(parts[3], "+"), 10)
	}
	scale.Sub(scale, big.NewInt(int64(len(parts[2]))))
	digits := strings.TrimRight(whole.String(), "0")
	scale.Add(scale, big.NewInt(int64(len(whole.String())-len(digits))))
	if len(digits) > 38 || scale.CmpAbs(big.NewInt(1000)) > 0 {
		return false
	}
	value, _ := new(big.Int).SetString(digits, 10)
	ten := func(n int64) *big.Rat {
		return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil))
	}
	v := new(big.Rat).SetInt(value)
	if n := scale.Int64(); n >= 0 {
		v.Mul(v, ten(n))
	} else {
		v.Quo(v, ten(-n))
	}
	return v.Cmp(new(big.Rat).Inv(ten(128))) >= 0 && v.Cmp(ten(126)) <= 0
}

// FuzzReceiptHandle checks that a queue knows its own handles and no others (SQS: receipt-handle
// table).
func FuzzReceiptHandle(f *testing.F) {
	own, foreign := newIdentity(false), newIdentity(false)
	f.Add("", uint64(1), uint32(1), uint32(1), uint8(0), byte('A'))
	f.Add(strings.Repeat("A", 32), uint64(1<<63), uint32(1<<31), uint32(0), uint8(31), byte('\n'))
	f.Add(strings.Repeat("\n", 32), uint64(7), uint32(3), uint32(9), uint8(31), byte('\r'))
	f.Add(foreign.handle(receipt{seq: 1, slot: 1, receive: 1}), uint64(0), uint32(0), uint32(0), uint8(16), byte('='))
	f.Fuzz(func(t *testing.T, text string, seq uint64, slot, receive uint32, at uint8, put byte) {
		if rc, err := own.parse(text); err == nil {
			require.Equal(t, own.handle(rc), text)
		} else if text == "" {
			require.ErrorIs(t, err, ErrMissingParameter)
		} else {
			require.ErrorIs(t, err, ErrReceiptHandleInvalid)
		}
		for i := range uint32(300) { // what is left out in an altered handle may be zero by chance
			rc := receipt{seq: seq, slot: slot, receive: receive + i}
			handle := own.handle(rc)
			got, err := own.parse(handle)
			require.NoError(t, err)
			require.Equal(t, rc, got)
			_, err = foreign.parse(handle)
			require.ErrorIs(t, err, ErrReceiptHandleInvalid)
			altered := []byte(handle)
			altered[int(at)%len(altered)] = put
			if string(altered) == handle {
				continue
			}
			_, err = own.parse(string(altered))
			require.ErrorIs(t, err, ErrReceiptHandleInvalid, "%q made of %q", altered, handle)
		}
	})
}

// FuzzAttributes compares the checks of names and types with their rules read one by one (SQS:
// MSG-6, MSG-7), and the size that a message is given (SQS: MSG-1).
func FuzzAttributes(f *testing.F) {
	for _, s := range []string{"name", "a.b", ".a", "a.", "a..b", "AWS.x", "aws.", "Amazon.x", "amazonx", "øßä", "a b", "a!", "\xff", "", "-", "_9", strings.Repeat("é", 256), strings.Repeat("é", 257)} {
		f.Add(s, "String", "v", []byte(nil))
	}
	for _, s := range []string{"", "Number", "Number.", "Number.float", "Binary.gif", "string", "Strings", "String.\x00", "String..", "String." + strings.Repeat("x", 249), "String." + strings.Repeat("x", 250)} {
		f.Add("n", s, "1", []byte(nil))
		f.Add("n", s, "", []byte{1})
	}
	letters := regexp.MustCompile(`^[\p{L}0-9_.-]+$`)
	reserved := regexp.MustCompile(`^(?i:aws|amazon)\.`)
	kind := regexp.MustCompile(`^(String|Number|Binary)(?:\.(?s:.+))?$`)
	f.Fuzz(func(t *testing.T, name, typ, value string, bytes []byte) {
		characters := utf8.RuneCountInString(name)
		validName := utf8.ValidString(name) && letters.MatchString(name) && characters <= 256 && !reserved.MatchString(name) &&
			!slices.Contains(strings.Split(name, "."), "")
		require.Equal(t, validName, checkAttributeName(name) == nil, "%q", name)

		valid := len(typ) <= 256 && invalidText(typ) < 0
		switch base := kind.FindStringSubmatch(typ); {
		case base == nil:
			valid = false
		case base[1] == "Binary":
			valid = valid && value == "" && len(bytes) > 0
		default:
			valid = valid && len(bytes) == 0 && value != "" && invalidText(value) < 0 && (base[1] != "Number" || isNumber(value))
		}
		a := Attribute{Type: typ, Value: value, Binary: bytes}
		require.Equal(t, valid, a.check(name) == nil, "%+v", a)

		m := Message{Body: "body", Attributes: map[string]Attribute{name: a}}
		size, err := m.check(&settings{})
		if !validName || !valid {
			require.ErrorIs(t, err, ErrInvalidParameter)
			return
		}
		require.NoError(t, err)
		require.Equal(t, len("body")+len(name)+len(typ)+len(value)+len(bytes), size)
	})
}
