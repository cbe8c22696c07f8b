package hosttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// route is the path of an HTTP function: literal segments, {name}, {name?} and a last {*name}.
type route struct{ segments []string }

func parseRoute(prefix, pattern string) (route, error) {
	pattern = strings.Trim(pattern, "/")
	first, _, _ := strings.Cut(strings.ToLower(pattern), "/")
	if first == "admin" || first == "runtime" {
		return route{}, fmt.Errorf("the route %s begins with what is the host's", pattern)
	}
	if strings.Contains(pattern, "//") || strings.Contains(pattern, "{}") || strings.Count(pattern, "{") != strings.Count(pattern, "}") {
		return route{}, fmt.Errorf("the route %s is wrong", pattern)
	}
	return route{segmentsOf(prefix + "/" + pattern)}, nil
}

func segmentsOf(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

// match returns what stands for the route's names.
func (r route) match(path string) (values map[string]string, ok bool) {
	values = map[string]string{}
	have := segmentsOf(path)
	for i, segment := range r.segments {
		name, isName := strings.CutPrefix(strings.TrimSuffix(segment, "}"), "{")
		switch rest, isRest := strings.CutPrefix(name, "*"); {
		case isName && isRest:
			values[rest] = strings.Join(have[min(i, len(have)):], "/")
			return values, len(have) >= i
		case i >= len(have):
			return values, isName && strings.HasSuffix(name, "?")
		case isName:
			name, _, _ = strings.Cut(strings.TrimSuffix(name, "?"), ":")
			values[name] = have[i]
		case !strings.EqualFold(segment, have[i]):
			return nil, false
		}
	}
	return values, len(have) <= len(r.segments)
}

// literal is how many of the segments are no names: the more, the sooner the route is tried.
func (r route) literal() (n int) {
	for _, s := range r.segments {
		if !strings.HasPrefix(s, "{") {
			n++
		}
	}
	return n
}

// checkRoutes finds two functions that answer the same requests.
func checkRoutes(all []*function) error {
	var problems []error
	seen := map[string]string{}
	for _, f := range all {
		if f.trigger.Type != httpTrigger {
			continue
		}
		methods := f.trigger.Methods
		if len(methods) == 0 {
			methods = []string{"*"}
		}
		for _, method := range methods {
			key := strings.ToLower(method + " " + strings.Join(f.route.segments, "/"))
			if other := seen[key]; other != "" {
				problems = append(problems, fmt.Errorf("the functions %s and %s have one route", other, f.name))
			}
			seen[key] = f.name
		}
	}
	return errors.Join(problems...)
}
