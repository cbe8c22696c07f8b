// Package pack makes the package of a Functions app with a custom handler, a zip archive, and checks it.
//
// What is packed is the program, built for Linux without cgo and with its version in it; host.json; a folder with function.json for each
// function; and the license. Two packages of the same sources by the same Go are the same to the last byte, wherever and whenever they are made:
// the program is built without paths, dates and the state of version control, the files stand in the order of their names, and all have one date.
//
// The checks look at an archive as the platform will: at names and modes as they stand in it, at the program's first bytes, and at whether the
// program knows the functions. They do not trust what made the archive.
package pack
