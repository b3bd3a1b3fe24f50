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
	s := recordedSettings(b)
	got, at, err := readSettings(appendSettings(nil, &s, modified), true, b)
	require.NoError(t, err)
	require.Equal(t, s, got)
	require.True(t, at.Equal(modified))

	p := got.patch()
	require.Equal(t, s, defaultSettings().with(&p), "a queue that is made of them has them")

	s = defaultSettings()
	got, _, err = readSettings(appendSettings(nil, &s, modified), false, nil)
	require.NoError(t, err)
	require.Equal(t, s, got)
	p = got.patch()
	require.Equal(t, s, defaultSettings().with(&p))
}

func TestTheTargetOfAQueueWithoutABrokerIsLeftToItsProgram(t *testing.T) {
	s := recordedSettings(nil)
	got, _, err := readSettings(appendSettings(nil, &s, time.Time{}), true, nil)
	require.NoError(t, err)
	require.Nil(t, got.target)
	require.Zero(t, got.maxReceives)
	p := got.patch()
	require.Zero(t, p.set&setDeadLetter)

	s = defaultSettings()
	s.target, s.maxReceives, s.observer = DeadLetterFunc(nil), 3, func([]Event) {}
	got, _, err = readSettings(appendSettings(nil, &s, time.Time{}), false, testBroker(t))
	require.NoError(t, err)
	require.Nil(t, got.target)
	require.Nil(t, got.observer)
}

func TestRecordsOfANewerVersionAreRefusedByName(t *testing.T) {
	s := defaultSettings()
	_, _, err := readSettings(tagged.Uint(appendSettings(nil, &s, time.Time{}), 1000, 1), false, nil)
	require.EqualError(t, err, "inq: the journal holds the settings of a queue as a newer version writes them: "+
		"tagged: field 1000 is not known to this version; a newer one wrote it")
	_, err = readTags(tagged.Uint(nil, 3, 1))
	require.ErrorContains(t, err, "the tags of a queue as a newer version writes them")
}

func TestSettingsThatNoQueueCanHaveAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*settings){
		"range":  func(s *settings) { s.visibility = -1 },
		"policy": func(s *settings) { s.stored.allow = &allowPolicy{permission: "some"} },
		"both":   func(s *settings) { s.scope = "here" },
	} {
		s := recordedSettings(nil)
		spoil(&s)
		_, _, err := readSettings(appendSettings(nil, &s, time.Time{}), true, nil)
		require.ErrorContains(t, err, "the settings of a queue that cannot be read", name)
	}
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
	f.Add(appendSettings(nil, &s, time.Unix(1, 1)), true)
	f.Fuzz(func(t *testing.T, data []byte, fifo bool) {
		s, at, err := readSettings(data, fifo, nil)
		if err != nil {
			return
		}
		again, _, err := readSettings(appendSettings(nil, &s, at), fifo, nil)
		require.NoError(t, err)
		require.Equal(t, s, again)
		_, _ = readTags(data)
	})
}
