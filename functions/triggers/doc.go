// Package triggers is the one table of the app's functions on Azure Functions: what each is called, what sets it off, and under which
// settings. The files function.json, the app's routes and the check of a package all follow this table.
//
// The Functions host finds the functions of a custom handler by those files alone, one in a folder of the function's name beside
// host.json. A queue's name and a schedule stand there as %Setting%, which the host replaces from the app's settings; so both can be changed
// by a template, and the host does not load a function whose setting is missing.
//
// # A function more
//
// To give the app another function, which another package or file does:
//
//  1. Add a row to [Table], and a constant for its name. An HTTP function has a Route behind the prefix /api/, the Methods that the host is to
//     let through, and a Level: Keyed if the host is to ask for its own key, Anonymous if the app asks itself who calls, by a signature or a link. A
//     queue or a timer has the Setting with the queue's name or the schedule, which stands in functions/settings.
//  2. Run go test ./functions/triggers -update, which writes the folder with function.json.
//  3. Give an HTTP function its handler in functions/routes.go, under [Function.Path] and the same methods, and name both in the test
//     of functions/triggers_test.go, which asks the app for every row of the table. A queue or a timer gets its function in functions/wake.go.
//
// Tests fail while any of these is missing: a folder without a row, a row without a folder, a setting that is not in the table of settings or in
// local.settings.json.example, a route that the app does not answer or that the host would refuse.
//
// # Levels
//
// The level of an HTTP function cannot be such a setting: the host reads it as one of three words before it replaces anything.
package triggers
