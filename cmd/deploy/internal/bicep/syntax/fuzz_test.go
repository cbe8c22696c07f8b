package syntax_test

import (
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, cases := range [][][2]string{statementCases, expressionCases, typeCases, parameterCases} {
		for _, c := range cases {
			f.Add(c[0], false)
		}
	}
	for _, c := range parameterCases {
		f.Add(c[0], true)
	}
	f.Fuzz(func(t *testing.T, text string, parameters bool) {
		name := "main.bicep"
		if parameters {
			name = "main.bicepparam"
		}
		check(t, parse(name, text))
	})
}
