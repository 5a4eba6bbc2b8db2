// Files and folders, where SQLite does not see to them.
#ifndef COLOSSUS_LEDGER_FILE_H
#define COLOSSUS_LEDGER_FILE_H

#include "ledger/ledger.h"
#include <stdbool.h>
#include <stdint.h>

// The path with no symbolic link in it, to be freed; as it is when there is no such file. What stands beside
// the ledger is named after it, so one ledger must have one name: else two daemons would each have a lock of
// their own.
char *file_resolve(const char *path);

// path + suffix; to be freed.
char *file_beside(const char *path, const char *suffix);

// The folder a path lies in; to be freed.
char *file_folder(const char *path);

// Makes the folder of a path and those above it that are missing, mode 0750.
bool file_make_folders(const char *path, struct ledger_error *error);

// Makes an empty file (0640) when there is none, whatever the umask. *made says whether it did.
bool file_make(const char *path, bool *made, struct ledger_error *error);

// What a file's folder says of it is on the disk.
bool file_sync_folder(const char *path, struct ledger_error *error);

// What a file holds is on the disk.
bool file_sync(const char *path, struct ledger_error *error);

// An exclusive lock on path + "-lock", which is made and stays. Returns its descriptor, −1 when another
// process has it or it can't be made.
int file_lock(const char *path, struct ledger_error *error);

// 0 when there is none.
int64_t file_size(const char *path);

#endif
