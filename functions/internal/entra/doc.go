// Package entra tells whether a bearer token makes its sender an operator: one
// that an Entra tenant signed, for this application and with the operators' app
// role. The checking itself is go-oidc's.
package entra
