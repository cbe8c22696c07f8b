package httpapi

// Route is a route as a test looks at it.
type Route struct {
	Method, Path string // no method is any
	Door         Door
}

// What Route.Door is besides the doors of links.
const (
	Operators = operators
	Anyone    = anyone
)

// Routes returns every route of the API.
func Routes() (all []Route) {
	for _, r := range routes {
		all = append(all, Route{r.method, r.path, r.door})
	}
	return all
}

// Document returns the OpenAPI document for an API that is reached at a URL.
func Document(url string) string { return describe(url) }

// Followers returns how many follow what happens.
func (a *API) Followers() int {
	a.following.mu.Lock()
	defer a.following.mu.Unlock()
	return a.following.readers
}
