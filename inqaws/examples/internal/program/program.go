// Package program is the frame around each example program.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// Main runs a program and ends the process: with status 0 when run returns nil or has explained its
// flags, and 1 for any other error, which is printed. Ctrl-C ends ctx, and a second one the
// process.
func Main(run func(ctx context.Context, args []string, stdout io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Flags makes the flags of the program with this name. -h prints about and the list of them to
// stdout, and Parse returns flag.ErrHelp then.
func Flags(name string, stdout io.Writer, about string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stdout)
	f.Usage = func() {
		fmt.Fprintf(stdout, "%s\nFlags:\n", about)
		f.PrintDefaults()
	}
	return f
}
