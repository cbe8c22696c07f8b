package azuritetest

import "syscall"

// enough is how many free bytes make a folder fit for an emulator. Containers
// often have far less in memory.
const enough = 1 << 30

// hasRoom reports whether a folder is there and has room for an emulator.
func hasRoom(folder string) bool {
	var system syscall.Statfs_t
	return syscall.Statfs(folder, &system) == nil && system.Bavail*uint64(system.Bsize) >= enough
}
