// Package infra holds the templates that Holdfast is deployed with: the same system in Bicep and in Terraform. The parts
// that follow the table of settings are written by go generate; a test of the deploy command holds the twins to each
// other and to the table.
package infra

import "embed"

//go:generate go run ./internal/generate

// Bicep is the folder bicep: main.bicep, its modules and its parameter file.
//
//go:embed bicep
var Bicep embed.FS

// Terraform is the folder terraform: one root module.
//
//go:embed terraform
var Terraform embed.FS
