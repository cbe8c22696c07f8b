package triggers

import "encoding/json"

// binding is one entry of function.json. The names follow Microsoft's schema.
type binding struct {
	Type       Kind     `json:"type"`
	Direction  string   `json:"direction"`
	Name       string   `json:"name"`
	AuthLevel  Level    `json:"authLevel,omitempty"`
	Methods    []string `json:"methods,omitempty"`
	Route      string   `json:"route,omitempty"`
	QueueName  string   `json:"queueName,omitempty"`
	Connection string   `json:"connection,omitempty"`
	Schedule   string   `json:"schedule,omitempty"`
	UseMonitor *bool    `json:"useMonitor,omitempty"`
}

type file struct {
	Bindings []binding `json:"bindings"`
}

// connection is the storage account of the queue: the host's own, which is the hub's.
const connection = "AzureWebJobsStorage"

// File returns the function's function.json.
func (f Function) File() []byte {
	text, err := json.MarshalIndent(file{f.bindings()}, "", "  ")
	if err != nil { // it is plain text
		panic(err)
	}
	return append(text, '\n')
}

func (f Function) bindings() []binding {
	switch f.Kind {
	case Queue:
		return []binding{{Type: Queue, Direction: "in", Name: Message, QueueName: "%" + f.Setting + "%", Connection: connection}}
	case Timer:
		monitor := true // a schedule that was missed is made up for
		return []binding{{Type: Timer, Direction: "in", Name: Schedule, Schedule: "%" + f.Setting + "%", UseMonitor: &monitor}}
	}
	return []binding{
		{Type: HTTP, Direction: "in", Name: request, AuthLevel: f.Level, Methods: f.Methods, Route: f.Route},
		{Type: "http", Direction: "out", Name: response},
	}
}
