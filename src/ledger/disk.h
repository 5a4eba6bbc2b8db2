// The calls of the system by which the ledger reaches files and folders where SQLite does not see to them.
//
// Each is one call of the system and fails as that does, with errno. Nothing else in this folder calls the
// system for a file, so a test that has a disk of its own puts its functions in the place of these when it is
// linked, as it puts its own sqlite3_vfs in the place of SQLite's.
#ifndef COLOSSUS_LEDGER_DISK_H
#define COLOSSUS_LEDGER_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A descriptor, −1 with errno. The flags are those of open(2); O_CLOEXEC is always set.
int disk_open(const char *path, int flags, mode_t mode);
void disk_close(int descriptor);

ssize_t disk_read(int descriptor, void *bytes, size_t count, off_t offset);
ssize_t disk_write(int descriptor, const void *bytes, size_t count, off_t offset);
int disk_sync(int descriptor);
int disk_set_mode(int descriptor, mode_t mode);

// An exclusive lock that goes with the descriptor; EWOULDBLOCK when another has it.
int disk_lock(int descriptor);

// The size of a file in bytes, −1 with errno.
int64_t disk_size(const char *path);
bool disk_exists(const char *path);
int disk_make_folder(const char *path, mode_t mode);
int disk_link(const char *path, const char *other);
int disk_remove(const char *path);

// The path without symbolic links, to be freed; NULL with errno.
char *disk_resolve(const char *path);

#endif
