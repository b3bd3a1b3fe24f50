package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	samplePictures = 60
	sampleWidth    = 2000
	sampleHeight   = 1500
)

// cutShort are the sample pictures of which only the first half is there, as after a copy that was interrupted.
var cutShort = []string{"cut-short-1.jpg", "cut-short-2.png", "cut-short-3.jpg"}

// renderSamples fills a folder with pictures to work on, on all cores, and calls step after each, from any of them.
func renderSamples(ctx context.Context, dir string, step func()) error {
	names := sampleNames()
	var (
		painters sync.WaitGroup
		next     atomic.Int64
		failed   = make([]error, len(names))
	)
	for range runtime.NumCPU() {
		painters.Go(func() {
			canvas := image.NewRGBA(image.Rect(0, 0, sampleWidth, sampleHeight))
			for i := int(next.Add(1)) - 1; i < len(names) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				paint(canvas, i)
				failed[i] = writeSample(filepath.Join(dir, names[i]), canvas)
				step()
			}
		})
	}
	painters.Wait()
	return errors.Join(append(failed, ctx.Err())...)
}

func sampleNames() []string {
	var names []string
	for i := range samplePictures {
		names = append(names, fmt.Sprintf("sample-%02d%s", i+1, []string{".jpg", ".png"}[i%2]))
	}
	return append(names, cutShort...)
}

func writeSample(name string, m image.Image) error {
	err := writeWhole(name, func(w io.Writer) error {
		if filepath.Ext(name) == ".png" {
			return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, m)
		}
		return jpeg.Encode(w, m, nil)
	})
	if err != nil {
		return err
	}
	if slices.Contains(cutShort, filepath.Base(name)) {
		return halve(name)
	}
	return nil
}

// halve cuts off the second half of a file.
func halve(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.Truncate(name, info.Size()/2)
}

// paint draws the pattern of this number: two colours that fade into each other, with rings around a point.
func paint(m *image.RGBA, pattern int) {
	from := color.RGBA{uint8(40 + pattern*37), uint8(90 + pattern*71), uint8(160 + pattern*13), 255}
	to := color.RGBA{255 - from.G, 255 - from.B, 255 - from.R, 255}
	size := m.Bounds().Size()
	centre := image.Pt(size.X*(pattern%7+1)/8, size.Y*(pattern%5+1)/6)
	for y := range size.Y {
		row := m.Pix[y*m.Stride : y*m.Stride+4*size.X]
		for x := range size.X {
			dx, dy := x-centre.X, y-centre.Y
			shade := ((dx*dx + dy*dy) >> 11) & 31 // rings that become narrower towards the outside
			row[4*x] = blend(from.R, to.R, x, size.X, shade)
			row[4*x+1] = blend(from.G, to.G, y, size.Y, shade)
			row[4*x+2] = blend(from.B, to.B, x+y, size.X+size.Y, shade)
			row[4*x+3] = 255
		}
	}
}

// blend is the colour at part of whole on the way between two, a little darker by shade.
func blend(from, to uint8, part, whole, shade int) uint8 {
	return uint8(max(0, int(from)+(int(to)-int(from))*part/whole-shade))
}
