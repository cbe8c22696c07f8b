package tablestore

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"github.com/seed21523604/holdfast/engine/history"
	"github.com/seed21523604/holdfast/engine/store"
	"github.com/seed21523604/holdfast/engine/store/storetest"
)

// proved reads the tables and the queue of a hub in which all instances have
// ended and everything has rung, and checks what can be read there: every
// instance's row, history and projection tell the same, and nothing else is left.
func (d *desk) proved(instances int) {
	d.Helper()
	projections := map[string]entity{}
	for _, e := range d.rows(d.store.instances) {
		e.refer(e.blobs())
		d.must(d.store.fill(d.Context(), e))
		projections[e.partition()] = e
	}
	partitions := map[string]*snapshot{}
	for _, e := range d.rows(d.store.history) {
		shot := partitions[e.partition()]
		if shot == nil {
			shot = &snapshot{}
			partitions[e.partition()] = shot
		}
		d.must(shot.add(e))
	}
	if len(projections) != instances || len(partitions) != instances {
		d.Errorf("%d instances are listed and %d are there, want %d", len(projections), len(partitions), instances)
	}
	for key, shot := range partitions {
		if what := d.flaw(shot, projections[key]); what != "" {
			d.Errorf("%s: %s", key, what)
		}
	}
	for _, e := range d.rows(d.store.due) {
		d.Errorf("a due row is left: %v", e)
	}
	if n := d.messages(); n != 0 {
		d.Errorf("%d doorbells are left", n)
	}
}

// emptied purges the instances that are there, and checks that nothing is left
// once everything has rung.
func (d *desk) emptied(instances int) {
	d.Helper()
	if n, err := d.client.PurgeMany(d.Context(), store.Query{}); n != instances || err != nil {
		d.Errorf("%d instances were purged, %v", n, err)
	}
	d.advance(2 * orphanAge)
	d.work()
	for name, table := range map[string]*aztables.Client{"history": d.store.history, "instances": d.store.instances, "due": d.store.due} {
		if rows := d.rows(table); len(rows) != 0 {
			d.Errorf("%d rows are left in %s: %v", len(rows), name, rows[0])
		}
	}
	if names := d.blobs(); len(names) != 0 {
		d.Errorf("blobs are left: %q", names)
	}
	if n := d.messages(); n != 0 {
		d.Errorf("%d doorbells are left", n)
	}
}

// blobs returns the names of all blobs.
func (d *desk) blobs() (names []string) {
	d.Helper()
	for pager := d.store.blobs.NewListBlobsFlatPager(nil); pager.More(); {
		page, err := pager.NextPage(d.Context())
		d.must(err)
		for _, item := range page.Segment.BlobItems {
			names = append(names, *item.Name)
		}
	}
	return names
}

// messages returns how many messages are in the queue, hidden ones included.
func (d *desk) messages() int {
	d.Helper()
	properties, err := d.store.queue.GetProperties(d.Context(), nil)
	d.must(err)
	return int(*properties.ApproximateMessagesCount)
}

// flaw returns what is wrong with the rows of an instance that has ended.
func (d *desk) flaw(shot *snapshot, projection entity) string {
	r := shot.record
	if r == nil {
		return "there is no row"
	}
	state, err := d.store.state(d.Context(), shot)
	switch {
	case err != nil:
		return err.Error()
	case !r.Status.IsTerminal():
		return fmt.Sprintf("it is %v", r.Status)
	case len(shot.inbox) > 0:
		return fmt.Sprintf("%d messages are left in the inbox", len(shot.inbox))
	case len(shot.history) != r.Events:
		return fmt.Sprintf("%d rows of history for %d events", len(shot.history), r.Events)
	case len(r.Hands) > 0:
		return fmt.Sprintf("work is in the hands %v", r.Hands)
	case !r.Wake.IsZero() || r.wakeBell != "":
		return fmt.Sprintf("it is to wake at %v by %q", r.Wake, r.wakeBell)
	case projection.text("RuntimeStatus") != r.Status.String() || projection.text("Output") != string(state.Instance.Output):
		return fmt.Sprintf("it is %v with %s and listed as %s with %s", r.Status, r.Output, projection.text("RuntimeStatus"), projection.text("Output"))
	case state.History[r.Events-1].Kind != history.ExecutionCompleted:
		return fmt.Sprintf("its last event is %v", state.History[r.Events-1])
	}
	if err := storetest.CheckHistory(state.History); err != nil {
		return err.Error()
	}
	return ""
}
