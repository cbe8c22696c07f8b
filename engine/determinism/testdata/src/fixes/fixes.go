package fixes

import (
	"time"

	"github.com/google/uuid"
	"github.com/seed21523604/holdfast/engine"
)

func flow(c *engine.Context, start time.Time) (string, error) {
	_ = time.Now()               // want `time.Now reads the clock`
	_ = time.Since(start)        // want `time.Since reads the clock`
	_ = time.Until(start)        // want `time.Until reads the clock`
	return uuid.NewString(), nil // want `uuid.NewString is different`
}
