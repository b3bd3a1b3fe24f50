package filter

import (
	"math"
	"strings"
)

// number is a decimal number cut off behind its sixth decimal (SNS: FLT-25): 0.digits times ten to
// the power of exp. Equal numbers are equal values, so that a number can be a key of a map, however
// it was written. Nothing is rounded, and nothing is too large.
type number struct {
	negative bool
	exp      int32
	digits   string // without zeros at either end; "" is zero, and then the other fields are zero too
}

// decimals is how many digits behind the point count.
const decimals = 6

// maxExponent is where exponents end: no number with a larger one can be told from another.
const maxExponent = 1 << 29

// parseNumber reads digits with an optional sign, point and exponent, as JSON writes them and as an
// attribute of type Number may: "+5", ".5" and "5." are numbers too.
func parseNumber(text string) (n number, ok bool) {
	s := text
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.negative = s[0] == '-'
		s = s[1:]
	}
	exponent := int64(0)
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		if exponent, ok = parseExponent(s[at+1:]); !ok {
			return number{}, false
		}
		s = s[:at]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return number{}, false
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		significant := strings.TrimLeft(fraction, "0")
		exponent -= int64(len(fraction) - len(significant))
		n.digits = significant
	} else {
		exponent += int64(len(whole))
		n.digits = whole
		if strings.Trim(fraction, "0") != "" {
			n.digits = whole + fraction
		}
	}
	if keep := exponent + decimals; keep <= 0 {
		return number{}, true
	} else if keep < int64(len(n.digits)) {
		n.digits = n.digits[:keep]
	}
	n.digits = strings.TrimRight(n.digits, "0")
	if n.digits == "" {
		return number{}, true
	}
	n.exp = int32(min(exponent, maxExponent))
	return n, true
}

// IsNumber reports whether text is a number as policies compare them.
func IsNumber(text string) bool {
	_, ok := parseNumber(text)
	return ok
}

// parseExponent reads what follows the letter e. What is too large for any use is cut, not refused.
func parseExponent(s string) (n int64, ok bool) {
	sign := int64(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if s == "" || !allDigits(s) {
		return 0, false
	}
	for _, c := range []byte(s) {
		n = min(n*10+int64(c-'0'), math.MaxInt32)
	}
	return sign * n, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// compare returns -1, 0 or 1 as n is less than, equal to or greater than o.
func (n number) compare(o number) int {
	switch {
	case n == o:
		return 0
	case n.negative != o.negative:
		if n.negative {
			return -1
		}
		return 1
	case n.negative:
		return o.compareMagnitude(n)
	}
	return n.compareMagnitude(o)
}

// compareMagnitude compares without regard to the signs. Zero has no sign and may meet either.
func (n number) compareMagnitude(o number) int {
	switch {
	case n.digits == "" || o.digits == "":
		return len(n.digits) - len(o.digits)
	case n.exp != o.exp:
		return int(n.exp - o.exp)
	}
	return strings.Compare(n.digits, o.digits) // no zeros at the end: a longer one with the same start is greater
}
