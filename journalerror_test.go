package inq

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenJournal_SaysWhatIsWrongOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	key, other := make([]byte, 32), []byte(strings.Repeat("k", 32))
	j, err := OpenJournal(dir, WithJournalKey(key))
	require.NoError(t, err)
	refused := func(sentinel error, text string, opts ...JournalOption) {
		t.Helper()
		_, err := OpenJournal(dir, opts...)
		require.ErrorIs(t, err, sentinel)
		require.EqualError(t, err, "inq: opening journal "+dir+": "+text)
	}
	refused(ErrJournalInUse, "journal is in use", WithJournalKey(key))
	require.NoError(t, j.Close())
	_, err = NewStandard("q", WithJournal(j))
	require.ErrorIs(t, err, ErrClosed)
	require.EqualError(t, err, "inq: queue is closed: WithJournal: the journal is closed")
	refused(ErrJournalKey, "key of the journal is missing or wrong: 0000000000000001.inqj is encrypted and no key was given")
	_, err = OpenJournal(dir, WithJournalKey(other))
	require.ErrorIs(t, err, ErrJournalKey)
	require.Regexp(t, "^inq: opening journal "+regexp.QuoteMeta(dir)+": key of the journal is missing or wrong: 0000000000000001.inqj is encrypted "+
		"with the key of id [0-9a-f]{16}, which was not given$", err.Error())

	file := filepath.Join(dir, "0000000000000001.inqj")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	bad := append([]byte(nil), whole...)
	bad[len(bad)/2] ^= 1
	require.NoError(t, os.WriteFile(file, bad, 0o600))
	_, err = OpenJournal(dir, WithJournalKey(key))
	require.ErrorIs(t, err, ErrJournalCorrupt)
	require.ErrorContains(t, err, "inq: opening journal "+dir+": journal is damaged: 0000000000000001.inqj at offset ")

	_, err = OpenJournal("")
	require.ErrorIs(t, err, ErrMissingParameter)
	_, err = OpenJournal(file)
	require.ErrorContains(t, err, "inq: opening journal "+file+": ")
	require.ErrorContains(t, err, "not a directory")
	_, err = OpenJournal(dir, WithJournalKey(key[:5]))
	require.EqualError(t, err, "inq: invalid parameter value: WithJournalKey: a key has 32 bytes, not 5")
}

func TestJournal_ANilOneIsRefused(t *testing.T) {
	_, err := NewStandard("jobs", WithJournal(nil))
	require.ErrorIs(t, err, ErrMissingParameter)
	_, err = NewFIFO("jobs.fifo", WithJournal(nil))
	require.ErrorIs(t, err, ErrMissingParameter)
	_, err = NewBroker(WithBrokerJournal(nil))
	require.ErrorIs(t, err, ErrMissingParameter)
}
