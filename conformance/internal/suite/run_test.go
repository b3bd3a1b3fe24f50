package suite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestChapters_NameTheirCasesOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, chapter := range Chapters() {
		for _, c := range chapter.Cases {
			id := c.Rule + "/" + c.Name
			require.False(t, seen[id], "%s stands twice", id)
			require.NotContains(t, c.Name, "/", id)
			require.NotEmpty(t, c.Name, c.Rule)
			seen[id] = true
		}
	}
}

func TestPlanned_LeavesOutWhatNeedsMore(t *testing.T) {
	chapters := []Chapter{
		{Cases: []Case{{Rule: "A-1", Name: "one"}, {Rule: "A-2", Name: "two", Needs: Time | HTTP}, {Rule: "A-1", Name: "three", Needs: Time}}},
		{Needs: Members, Cases: []Case{{Rule: "B-1", Name: "four"}}},
	}
	p := planned(chapters, Harness{Gives: Time, Differs: map[string]string{"A-1/one": "x", "B-1": "x", "A-3": "x", "A-1/two": "x"}})
	assert.Equal(t, []string{"A-1"}, p.rules)
	assert.Len(t, p.cases["A-1"], 2)
	assert.Equal(t, []string{"A-1/two", "A-3"}, p.unknown)
	assert.Equal(t, ", 2 need what is not given (Members|HTTP)", p.text())

	p = planned(chapters, Harness{Gives: Time | HTTP | Members})
	assert.Equal(t, []string{"A-1", "A-2", "B-1"}, p.rules)
	assert.Nil(t, p.unknown)
	assert.Empty(t, p.text())
}

func TestTally_TellsWhatBecameOfTheCases(t *testing.T) {
	y := tally{cases: 9, failed: 1, skipped: []string{"FIFO", "colours", "colours"}}
	assert.Equal(t, "5 cases passed, 1 failed, 3 were skipped (2 colours, 1 FIFO)", y.text())
	assert.False(t, y.empty())
	assert.True(t, (&tally{cases: 1, skipped: []string{"FIFO"}}).empty())
	assert.False(t, (&tally{}).empty(), "nothing was selected by -run")
}

func TestCode_IsThatOfTheErrorItself(t *testing.T) {
	assert.Equal(t, "OverLimit", codes.code(inq.ErrOverLimit))
	assert.Equal(t, "MissingParameter", codes.code(&inq.ParamError{Err: inq.ErrMissingParameter}))
	assert.Empty(t, codes.code(assert.AnError))
}
