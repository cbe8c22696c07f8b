package host

import (
	"io"
	"log/slog"
)

// LogHandler returns what writes the log of a hosted process, which goes to its standard output: each line there becomes a trace in
// Application Insights, with the level Information, while every line on standard error becomes an error. So a record is one line of
// JSON whatever is in it, and has its own level as a field:
//
//	traces | extend log = parse_json(message) | where log.level == "WARN"
//
// A line that begins with LanguageWorkerConsoleLog would be hidden from the app's owner; a JSON object does not.
func LogHandler(out io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level})
}
