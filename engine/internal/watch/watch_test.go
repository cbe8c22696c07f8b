package watch_test

import (
	"slices"
	"testing"

	"github.com/seed21523604/holdfast/engine/internal/watch"
)

func TestWhoWantsToBeToldIsToldUntilDone(t *testing.T) {
	var l watch.List
	var one, all []string
	a, doneA := l.Watch("a")
	b, doneB := l.Watch("b")
	defer doneA()
	first := l.Each(func(id string) { one = append(one, id) })
	second := l.Each(func(id string) { all = append(all, id) })
	l.Tell("a")
	<-a
	select {
	case <-b:
		t.Error("whoever watches b was told of a")
	default:
	}
	first()
	l.Tell("b")
	<-b
	doneB()
	second()
	l.Tell("c")
	if !slices.Equal(one, []string{"a"}) || !slices.Equal(all, []string{"a", "b"}) {
		t.Errorf("told %q and %q", one, all)
	}
}
