package inq

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/inq/internal/tagged"
)

// recordedSettings differ from the defaults in every field that a record holds.
func recordedSettings(a account) settings {
	return settings{
		visibility: 1500 * time.Microsecond, delay: time.Nanosecond, retention: Forever, wait: 3 * time.Second, maxSize: 77,
		sender: "me", target: deadLetterARN{a, "arn:aws:sqs:us-east-1:000000000000:dead.fifo"}, maxReceives: 7,
		capMessages: 8, capBytes: math.MaxInt64, inFlight: 9, unlimited: true, contentDedup: true, scope: ScopeMessageGroup,
		throughput: PerMessageGroupID,
		stored: stored{policy: `{"a": 1}`, allow: &allowPolicy{"byQueue", []string{"arn:aws:sqs:us-east-1:000000000000:q.fifo"}},
			kmsKey: "key", kmsPeriod: 61, sseDisabled: true},
	}
}

func TestSettingsComeBackExactlyAsTheyWereRecorded(t *testing.T) {
	b := testBroker(t)
	modified := time.Unix(12, 345)
	everything := field(setManagedSSE<<1 - 1)
	s := recordedSettings(b)
	p, at, err := readSettings(appendSettings(nil, &s, everything, modified), b)
	require.NoError(t, err)
	require.Equal(t, everything&^setObserver, p.set)
	require.Equal(t, s, defaultSettings().with(&p))
	require.True(t, at.Equal(modified))

	s = defaultSettings()
	p, _, err = readSettings(appendSettings(nil, &s, everything, modified), b)
	require.NoError(t, err)
	require.Equal(t, s, defaultSettings().with(&p))

	s = recordedSettings(b)
	p, _, err = readSettings(appendSettings(nil, &s, setDelay, modified), b)
	require.NoError(t, err)
	require.Equal(t, setDelay, p.set, "what was not given is left to the defaults")
}

func TestEncryptionSettingsComeBackAfterAnyWay(t *testing.T) {
	ways := []func(p *patch){
		func(p *patch) { p.stored.kmsKey, p.set = "key", setKmsKey },
		func(p *patch) { p.stored.kmsKey, p.set = "", setKmsKey },
		func(p *patch) { p.stored.kmsPeriod, p.set = 60, setKmsPeriod },
		func(p *patch) { p.stored.kmsPeriod, p.set = 300, setKmsPeriod },
		func(p *patch) { p.stored.kmsPeriod, p.set = 300, setKmsPeriod|setKmsKey },
		func(p *patch) { p.stored.sseDisabled, p.set = false, setManagedSSE },
		func(p *patch) { p.stored.sseDisabled, p.set = true, setManagedSSE },
	}
	for i := range len(ways) * len(ways) * len(ways) {
		s, given := defaultSettings(), field(0)
		for range 3 {
			var p patch
			ways[i%len(ways)](&p)
			s, given = s.with(&p), given|p.set
			i /= len(ways)
		}
		p, _, err := readSettings(appendSettings(nil, &s, given, time.Time{}), nil)
		require.NoError(t, err)
		require.Equal(t, s, defaultSettings().with(&p))
	}
}

func TestATargetThatIsAValueOfTheProgramIsLeftToIt(t *testing.T) {
	s := defaultSettings()
	s.target, s.maxReceives, s.observer = DeadLetterFunc(nil), 3, func([]Event) {}
	p, _, err := readSettings(appendSettings(nil, &s, setDeadLetter|setObserver, time.Time{}), testBroker(t))
	require.NoError(t, err)
	require.Zero(t, p.set)
	s.target = nil
	p, _, err = readSettings(appendSettings(nil, &s, setDeadLetter, time.Time{}), testBroker(t))
	require.NoError(t, err)
	require.Equal(t, setDeadLetter, p.set, "none is what was given")
	require.Nil(t, p.target)
}

func TestRecordsOfANewerVersionAreRefusedByName(t *testing.T) {
	s := defaultSettings()
	_, _, err := readSettings(tagged.Uint(appendSettings(nil, &s, 0, time.Time{}), 1000, 1), nil)
	require.EqualError(t, err, "inq: the journal holds the settings of a queue as a newer version writes them: "+
		"tagged: field 1000 is not known to this version; a newer one wrote it")
	_, err = readTags(tagged.Uint(nil, 3, 1))
	require.ErrorContains(t, err, "the tags of a queue as a newer version writes them")
}

func TestTagsComeBackAsTheyWereRecorded(t *testing.T) {
	tags := map[string]string{"": "empty", "key": "", "Ü": "ß"}
	got, err := readTags(appendTags(nil, tags))
	require.NoError(t, err)
	require.Equal(t, tags, got)
	got, err = readTags(nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

func FuzzReadSettings(f *testing.F) {
	s := recordedSettings(nil)
	f.Add(appendSettings(nil, &s, setManagedSSE<<1-1, time.Unix(1, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, at, err := readSettings(data, nil)
		if err != nil {
			return
		}
		s := defaultSettings().with(&p)
		again, _, err := readSettings(appendSettings(nil, &s, p.set, at), nil)
		require.NoError(t, err)
		require.Equal(t, s, defaultSettings().with(&again))
		_, _ = readTags(data)
	})
}
