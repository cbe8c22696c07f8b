package main

import (
	"context"
	"errors"

	"github.com/seed21523604/holdfast/cmd/deploy/internal/azure"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/source"
	"github.com/seed21523604/holdfast/cmd/deploy/internal/tools"
)

// The exit codes. They keep their meanings, as scripts depend on them.
const (
	exitOK = iota
	exitFailure
	exitFound
	exitInput
	exitAccess
	exitCanceled
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done, and nothing was found"},
	{exitFailure, "it failed"},
	{exitFound, "done, and something was found: a finding of a check, or a change that would be made"},
	{exitInput, "what was given is wrong or missing: the command line, an input, a path, a program, or a template that can't be understood"},
	{exitAccess, "not signed in, or not allowed"},
	{exitCanceled, "canceled"},
}

// exitCode returns what the program exits with after an error.
func exitCode(err error) int {
	var usage *usageError
	var problems source.Problems
	var found *foundError
	var inputs *inputError
	var missing *tools.MissingError
	var access *azure.AccessError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &found):
		return exitFound
	case errors.As(err, &usage), errors.As(err, &problems), errors.As(err, &inputs), errors.As(err, &missing):
		return exitInput
	case errors.As(err, &access):
		return exitAccess
	case errors.Is(err, context.Canceled):
		return exitCanceled
	}
	return exitFailure
}
