package inq_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDoc_TheAPIAtAGlanceNamesWhatThereIs keeps names that were changed or taken away from staying
// in the list at the top of the package's documentation.
func TestDoc_TheAPIAtAGlanceNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(text), "//\tMake ")
	require.True(t, found)
	list, _, _ = strings.Cut(list, "//\n")

	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var code strings.Builder
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			code.Write(text)
		}
	}
	label := regexp.MustCompile(`(?m)^//\t[A-Z][A-Za-z ]{10}`)
	names := regexp.MustCompile(`[A-Z][A-Za-z]+`).FindAllString(label.ReplaceAllString(list, ""), -1)
	require.Greater(t, len(names), 40)
	for _, name := range names {
		if name != "With" { // for all options
			require.True(t, regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type )`+name+`\b`).MatchString(code.String()), name)
		}
	}
}
