package main

import (
	"context"

	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/tablestore"
	"github.com/seed21523604/holdfast/engine/store/tablestore/azuritetest"
)

// server is Azurite, on the same disk as the others' files.
type server struct{ emulator *azuritetest.Emulator }

func openAzurite(folder string) (store.Store, *server, error) {
	e, err := azuritetest.Start(azuritetest.Options{Folder: folder})
	if err != nil {
		return nil, nil, err
	}
	s, err := tablestore.Open(context.Background(), tablestore.Options{ConnectionString: e.ConnectionString(), Hub: "Bench"})
	return s, &server{e}, err
}

func (s *server) processes() []int { return []int{s.emulator.PID()} }

func (s *server) close() error { return s.emulator.Stop() }
