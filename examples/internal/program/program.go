// Package program is the frame around each example program: its flags, and how it is told to stop.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a program and ends the process: with status 0 when run returns nil or was asked for its help, 2 when it
// does not understand its arguments, and 1 for any other error, which is printed.
//
// The first Ctrl-C or SIGTERM ends ctx, and run is expected to come to a good end soon. A second Ctrl-C ends the
// process at once, because by then nobody handles it any more. A second SIGTERM changes nothing: whoever sends it to a
// process and to its group, as timeout(1) does, sends it twice and means it once, and has SIGKILL for more.
func Main(run func(ctx context.Context, args []string, stdout io.Writer) error) {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })
	os.Exit(status(run(ctx, os.Args[1:], os.Stdout), os.Stderr))
}

// status is the exit status for what a program returned. It says on stderr what went wrong.
func status(err error, stderr io.Writer) int {
	var usage *UsageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%v\nRun with -h for help.\n", err)
		return 2
	default:
		fmt.Fprintln(stderr, err)
		return 1
	}
}

// A UsageError says what is wrong with the arguments of a program.
type UsageError struct{ err error }

// Usagef makes a UsageError in the way of fmt.Errorf.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

func (e *UsageError) Error() string { return e.err.Error() }
func (e *UsageError) Unwrap() error { return e.err }

// Flags are the flags of a program, together with the text that explains it.
type Flags struct {
	flag.FlagSet
	stdout io.Writer
	about  string
}

// NewFlags makes the flags of the program with this name. Add flags to it as to any [flag.FlagSet]; -h prints about
// and the list of them to stdout.
func NewFlags(name string, stdout io.Writer, about string) *Flags {
	f := &Flags{stdout: stdout, about: about}
	f.Init(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // what flag would print about an error is in the error
	f.Usage = func() {}
	return f
}

// Parse reads the arguments. It returns flag.ErrHelp after it explained the program, and a [UsageError] for arguments
// that the program does not take.
func (f *Flags) Parse(args []string) error {
	switch err := f.FlagSet.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(f.stdout, "%s\nFlags:\n", f.about)
		f.SetOutput(f.stdout)
		f.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return Usagef("%w", err)
	case f.NArg() != 0:
		return Usagef("unexpected argument %q", f.Arg(0))
	}
	return nil
}
