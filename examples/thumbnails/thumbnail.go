package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"
)

// maxPixels bounds what is decoded: a few kilobytes can claim to be a picture that would need gigabytes of memory.
const maxPixels = 100_000_000

var (
	// errUndecodable is returned for a file that does not hold a whole picture. It may be one that somebody is
	// still copying into the folder, so another attempt makes sense.
	errUndecodable = errors.New("cannot be decoded")
	// errTooLarge is returned for a picture of more than maxPixels. No further attempt will make it smaller.
	errTooLarge = errors.New("is too large")
	// errGone is returned for a picture that was taken away after the message about it was sent.
	errGone = errors.New("is no longer there")
)

// isPicture reports whether the program handles files of this name.
func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg":
		return true
	}
	return false
}

// makeThumbnail reads the picture in the file from and writes it to the file to, in the format its name says, with at
// most size pixels on the longer side. Small pictures keep their size.
func makeThumbnail(from, to string, size int) error {
	src, err := decodeFile(from)
	if err != nil {
		return err
	}
	b := src.Bounds()
	scaled := image.NewRGBA(fit(b.Dx(), b.Dy(), size))
	draw.BiLinear.Scale(scaled, scaled.Bounds(), src, b, draw.Src, nil)

	return writeWhole(to, func(w io.Writer) error {
		if strings.EqualFold(filepath.Ext(to), ".png") {
			return png.Encode(w, scaled)
		}
		return jpeg.Encode(w, scaled, &jpeg.Options{Quality: 85})
	})
}

// decodeFile looks at the size a picture claims before it decodes the rest.
func decodeFile(name string) (image.Image, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	header, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	if header.Width <= 0 || header.Height <= 0 {
		return nil, fmt.Errorf("%w: it has no pixels", errUndecodable)
	}
	if header.Width > maxPixels/header.Height {
		return nil, fmt.Errorf("%w: %d x %d pixels", errTooLarge, header.Width, header.Height)
	}
	picture, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return picture, nil
}

// fit returns the size of a thumbnail: the picture's proportions, no side longer than size or shorter than a pixel.
func fit(width, height, size int) image.Rectangle {
	longer := max(width, height)
	if longer <= size {
		return image.Rect(0, 0, width, height)
	}
	return image.Rect(0, 0, max(1, width*size/longer), max(1, height*size/longer))
}

// writeWhole writes a file that is there complete or not at all. A queue may deliver a message more than once, even to
// two workers at the same time; with this, the second thumbnail simply replaces the first.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".unfinished-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
