package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/inq"
)

func TestEveryPictureBecomesAThumbnailOrADeadLetter(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "new", "folder")
	writePicture(t, in, "wide.jpg", 300, 100)
	writePicture(t, in, "high.PNG", 90, 600)
	writePicture(t, in, "small.jpeg", 40, 30)
	writePicture(t, in, "half.jpg", 300, 300)
	writePicture(t, in, "half.png", 300, 300)
	require.NoError(t, halve(filepath.Join(in, "half.jpg")))
	require.NoError(t, halve(filepath.Join(in, "half.png")))
	writeText(t, in, "letter.png", "Dear Sir or Madam,")
	writeText(t, in, "empty.jpg", "")
	writeText(t, in, "bell\a.png", "a name that no message can hold")
	writeText(t, in, "notes.txt", "no picture, and its name says so")
	require.NoError(t, os.Mkdir(filepath.Join(in, "folder.png"), 0o755))

	for run := range 2 { // the second finds what the first has left
		t.Run(fmt.Sprint("run ", run+1), func(t *testing.T) {
			output, err := runThumbnails(t, "-in", in, "-out", out, "-size", "100", "-workers", "3")
			require.NoError(t, err, output)

			require.Equal(t, image.Pt(100, 33), sizeOf(t, filepath.Join(out, "wide.jpg")))
			require.Equal(t, image.Pt(15, 100), sizeOf(t, filepath.Join(out, "high.PNG")))
			require.Equal(t, image.Pt(40, 30), sizeOf(t, filepath.Join(out, "small.jpeg")))
			entries, err := os.ReadDir(out)
			require.NoError(t, err)
			require.Len(t, entries, 4, "three thumbnails and the dead-letter file")

			dead := readDeadLetters(t, out)
			require.Len(t, dead, 4)
			for _, name := range []string{"half.jpg", "half.png", "letter.png", "empty.jpg"} {
				require.Contains(t, dead, name)
				require.Equal(t, maxAttempts, dead[name].ReceiveCount)
				require.Contains(t, dead[name].Reason, "cannot be decoded: ")
			}
			require.Contains(t, output, "Left out, as neither PNG nor JPEG by name: 1\n")
			require.Contains(t, output, `Left out, as its name is not plain text: "bell\a.png"`)
			require.Contains(t, output, "done: 7 of 7")
			require.Regexp(t, `thumbnails +3 `, output)
			require.Regexp(t, `dead letters +4 `, output)
			require.Regexp(t, `retries +8\n`, output)
		})
	}
}

func TestAPictureThatNoRetryWillHelpIsBuriedAtTheFirst(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	writePicture(t, in, "huge.png", 1, 1)
	claimSize(t, filepath.Join(in, "huge.png"), 20_000, 20_000)

	output, err := runThumbnails(t, "-in", in, "-out", out)

	require.NoError(t, err, output)
	huge := readDeadLetters(t, out)["huge.png"]
	require.Equal(t, 1, huge.ReceiveCount)
	require.Equal(t, "is too large: 20000 x 20000 pixels", huge.Reason)
	require.ErrorIs(t, makeThumbnail(filepath.Join(in, "gone.png"), filepath.Join(out, "gone.png"), 10), errGone)
}

func TestAPictureThatFailsForAnotherReasonFailsTheProgram(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	writePicture(t, in, "a.png", 20, 20)
	writePicture(t, in, "b.png", 20, 20)
	require.NoError(t, os.MkdirAll(filepath.Join(out, "a.png", "in the way"), 0o755))

	output, err := runThumbnails(t, "-in", in, "-out", out)

	require.ErrorContains(t, err, "1 dead letters are not the pictures' fault")
	dead := readDeadLetters(t, out)
	require.Len(t, dead, 1)
	require.Equal(t, maxAttempts, dead["a.png"].ReceiveCount)
	require.Contains(t, dead["a.png"].Reason, "a.png")
	require.Contains(t, output, "(attempt 3 of 3, to the dead-letter file)")
	require.Equal(t, image.Pt(20, 20), sizeOf(t, filepath.Join(out, "b.png")))
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-workers", "0"}, "-workers is 0 and must be from 1 to 1000"},
		{[]string{"-size", "10001"}, "-size is 10001 and must be from 1 to 10000"},
		{[]string{"-in", dir, "-out", filepath.Join(dir, ".")}, "-in and -out are the same folder"},
		{[]string{"-in", dir, "-out", t.TempDir()}, "there are no PNG or JPEG files in " + dir},
		{[]string{"-in", filepath.Join(dir, "none"), "-out", dir}, "no such file"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			_, err := runThumbnails(t, c.args...)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSamplePicturesAreWholeExceptThoseCutShort(t *testing.T) {
	dir := t.TempDir()
	canvas := image.NewRGBA(image.Rect(0, 0, 80, 60))
	broken := 0
	for i, name := range sampleNames() {
		paint(canvas, i)
		require.NoError(t, writeSample(filepath.Join(dir, name), canvas))
		if _, err := decodeFile(filepath.Join(dir, name)); err != nil {
			require.ErrorIs(t, err, errUndecodable)
			require.Contains(t, cutShort, name)
			broken++
		}
	}
	require.Equal(t, len(cutShort), broken)
	require.GreaterOrEqual(t, len(sampleNames()), 60)
}

func TestRenderingStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, renderSamples(ctx, t.TempDir(), func() {}), context.Canceled)
}

func TestThumbnailsKeepProportionsAndAreNeverEmpty(t *testing.T) {
	for _, c := range []struct{ width, height, size, wantWidth, wantHeight int }{
		{200, 100, 50, 50, 25},
		{100, 200, 50, 25, 50},
		{50, 50, 50, 50, 50},
		{51, 50, 50, 50, 49},
		{10, 5, 50, 10, 5},
		{9000, 3, 50, 50, 1},
		{3, 9000, 50, 1, 50},
	} {
		require.Equal(t, image.Rect(0, 0, c.wantWidth, c.wantHeight), fit(c.width, c.height, c.size), c)
	}
}

// runThumbnails runs the program in a bubble, where the waits between attempts take no time.
func runThumbnails(t *testing.T, args ...string) (output string, err error) {
	var stdout bytes.Buffer
	synctest.Test(t, func(t *testing.T) { err = run(t.Context(), args, &stdout) })
	return stdout.String(), err
}

func writePicture(t *testing.T, dir, name string, width, height int) {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	paint(m, len(name))
	var b bytes.Buffer
	if strings.EqualFold(filepath.Ext(name), ".png") {
		require.NoError(t, png.Encode(&b, m))
	} else {
		require.NoError(t, jpeg.Encode(&b, m, nil))
	}
	writeText(t, dir, name, b.String())
}

func writeText(t *testing.T, dir, name, text string) {
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

// claimSize rewrites the header of a PNG file, with a valid checksum: length and type take 8 bytes after the 8 of the
// signature, then come width and height, and the checksum after 13 bytes of header.
func claimSize(t *testing.T, name string, width, height uint32) {
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	binary.BigEndian.PutUint32(data[16:], width)
	binary.BigEndian.PutUint32(data[20:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	require.NoError(t, os.WriteFile(name, data, 0o644))
}

func sizeOf(t *testing.T, name string) image.Point {
	m, err := decodeFile(name)
	require.NoError(t, err)
	return m.Bounds().Size()
}

// readDeadLetters returns the lines of the dead-letter file by the name of the picture, each of which must be there once.
func readDeadLetters(t *testing.T, out string) map[string]inq.DeadLetter {
	data, err := os.ReadFile(filepath.Join(out, deadLetterFile))
	require.NoError(t, err)
	dead := map[string]inq.DeadLetter{}
	for line := range strings.Lines(string(data)) {
		var d inq.DeadLetter
		require.NoError(t, json.Unmarshal([]byte(line), &d))
		require.NotContains(t, dead, d.Body)
		dead[d.Body] = d
	}
	return dead
}
