// Package helpers is used by the corpora's orchestrations.
package helpers

import (
	"math/rand"
	"os"
	"slices"
	"strings"
	"time"
)

func Stamp() string { return now().String() }

func now() time.Time { return time.Now() }

type Store struct{}

func (*Store) Load() string { text, _ := os.ReadFile("x"); return string(text) }

func Pick[T any](list []T) T { return list[rand.Intn(len(list))] }

func Keys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func SortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func Upper(s string) string { return strings.ToUpper(s) }

// Build is excused: the version never changes while a binary runs.
func Build() string {
	return os.Getenv("BUILD") //determinism:allow set when the image is made
}

func Excused() string { return Build() }
