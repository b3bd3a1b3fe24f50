package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"example.com/inq/internal/journal"
)

const aboutJournal = `inqd journal looks after the files in a directory of inqd -data, while no inqd has it open.

    inqd journal check [flags] DIR    reads everything and changes nothing. Status 0: the data
                                      is whole, 1: it is not, or cannot be read. Without its
                                      keys the checksums alone are looked at
    inqd journal salvage [flags] DIR NEW
                                      copies all that is whole to the directory NEW, which must
                                      be empty or not be there, and says what it left out. DIR
                                      is not changed

Any journal will do, not only one of inqd. Flags stand before the directories:
`

// runJournal is the part of the program that looks after the files.
func runJournal(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return &usageError{errors.New("journal needs to be told what to do: check or salvage; inqd journal -h tells more")}
	}
	what := args[0]
	f := flag.NewFlagSet("inqd journal", flag.ContinueOnError)
	f.SetOutput(io.Discard) // what it would print about an error is in the error
	f.Usage = func() {}
	keyFile := f.String("key-file", "", "the `file` with the keys that the data is encrypted with")
	rest := args[1:]
	if what == "-h" || what == "-help" || what == "--help" {
		rest = args
	}
	switch err := f.Parse(rest); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, aboutJournal)
		f.SetOutput(stdout)
		f.PrintDefaults()
		return flag.ErrHelp
	case err != nil:
		return &usageError{err}
	}
	options := journal.Options{Progress: tellProgress(stdout)}
	if *keyFile != "" {
		keys, err := readKeys(*keyFile)
		if err != nil {
			return err
		}
		options.Key, options.OldKeys = keys[0], keys[1:]
	}
	switch {
	case what == "check" && f.NArg() == 1:
		return checkJournal(f.Arg(0), options, stdout)
	case what == "check":
		return &usageError{errors.New("journal check needs one directory, and flags before it")}
	case what == "salvage" && f.NArg() == 2:
		return salvageJournal(f.Arg(0), f.Arg(1), options, stdout)
	case what == "salvage":
		return &usageError{errors.New("journal salvage needs two directories, the one to read and a new one, and flags before them")}
	}
	return &usageError{fmt.Errorf("journal can check or salvage, not %q", what)}
}

// tellProgress prints how far a long read is.
func tellProgress(stdout io.Writer) func(done, total int64) {
	next := time.Now().Add(progressEvery)
	return func(done, total int64) {
		if now := time.Now(); now.After(next) {
			next = now.Add(progressEvery)
			fmt.Fprintf(stdout, "read %d of %d MiB\n", done>>20, total>>20)
		}
	}
}

// checkJournal reads a directory and says whether it is whole.
func checkJournal(dir string, options journal.Options, stdout io.Writer) error {
	report, err := journal.Check(dir, options)
	if err != nil {
		return journalFault(dir, err)
	}
	tellReport(report, stdout)
	switch {
	case errors.Is(report.Err, journal.ErrKey) && damagedBytes(report) == 0:
		fmt.Fprintf(stdout, "%s is whole by its checksums. Whether it can be read with its key is not known: %v.\n", dir, report.Err)
	case report.Err != nil:
		return journalFault(dir, report.Err)
	case report.Torn:
		fmt.Fprintf(stdout, "%s ends in what a crash left half written. The next start cuts it off; nothing that was acknowledged is in it.\n", dir)
	default:
		fmt.Fprintf(stdout, "%s is whole.\n", dir)
	}
	return nil
}

// salvageJournal copies what is whole.
func salvageJournal(from, to string, options journal.Options, stdout io.Writer) error {
	report, err := journal.Salvage(from, to, options)
	if err != nil {
		return journalFault(from, err)
	}
	tellReport(report, stdout)
	if damages := damagedBytes(report); damages > 0 {
		fmt.Fprintf(stdout, "%s has all that is whole of %s. What stood in the damaged bytes, %d in all, is missing there, and messages may be back whose deletes stood in them.\n", to, from, damages)
	} else {
		fmt.Fprintf(stdout, "%s has all of %s.\n", to, from)
	}
	return nil
}

func damagedBytes(report journal.Report) (n int64) {
	for _, s := range report.Segments {
		for _, d := range s.Damages {
			n += d.Length
		}
	}
	return n
}

// tellReport prints a line for each file, and one for each damage.
func tellReport(report journal.Report, stdout io.Writer) {
	for _, s := range report.Segments {
		fmt.Fprintf(stdout, "%s: %d bytes, %d frames", s.File, s.Bytes, s.Frames)
		switch {
		case s.Records > 0 && s.Encrypted:
			fmt.Fprintf(stdout, ", %d records, encrypted with key %s", s.Records, s.KeyID)
		case s.Encrypted:
			fmt.Fprintf(stdout, ", encrypted with key %s", s.KeyID)
		default:
			fmt.Fprintf(stdout, ", %d records", s.Records)
		}
		fmt.Fprintln(stdout)
		for _, d := range s.Damages {
			fmt.Fprintf(stdout, "    %d bytes from byte %d on: %s\n", d.Length, d.Offset, d.Reason)
		}
	}
}

// journalFault says what to do about an error.
func journalFault(dir string, err error) error {
	switch {
	case errors.Is(err, journal.ErrInUse):
		return fmt.Errorf("%s: %w; stop the process that has it open, or look at a copy", dir, err)
	case errors.Is(err, journal.ErrCorrupt):
		return fmt.Errorf("%s: %w\ninqd journal salvage %s NEW copies all that is whole to a new directory", dir, err, dir)
	case errors.Is(err, journal.ErrKey):
		return fmt.Errorf("%s: %w; give it by -key-file", dir, err)
	}
	return fmt.Errorf("%s: %w", dir, err)
}
