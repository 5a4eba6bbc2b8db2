// The daemon under measurement: a process of its own, with the default configuration, on a ledger of its own.
//
//     daemon_prepare    copies a seeded ledger into a private folder on the disk, and syncs it
//     daemon_start      starts the daemon there and waits until it answers
//     ...               what it uses: processor time, memory, wake-ups, the size of its WAL
//     daemon_stop       SIGTERM, and waits for its end
//
// Only the paths are set; its log goes to the folder. It is sent SIGTERM when the benchmark ends early.
#ifndef COLOSSUS_BENCH_DAEMON_H
#define COLOSSUS_BENCH_DAEMON_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon {
    pid_t pid;
    char ledger[PATH_MAX], socket[PATH_MAX], log[PATH_MAX];
};

// Makes the folder anew, with copies of the ledger and of what belongs to it.
void daemon_prepare(struct daemon *daemon, const char *folder, const char *seeded_ledger);

// Gives the seconds from the start of the process to its first answer.
double daemon_start(struct daemon *daemon, const char *program);
void daemon_stop(struct daemon *daemon);

// Of all its threads, so far.
double daemon_processor_seconds(const struct daemon *daemon);
int64_t daemon_resident_bytes(const struct daemon *daemon);
// How often its threads have gone to sleep by themselves, so far: each time they were woken before.
int64_t daemon_sleeps(const struct daemon *daemon);
// Of the ledger's WAL as a file.
int64_t daemon_wal_bytes(const struct daemon *daemon);

// Removes a folder and the files in it; it may be missing. Subfolders are not expected.
void folder_remove(const char *folder);
// Makes a folder, and what is missing above it.
void folder_make(const char *folder);

// A connected stream socket.
int socket_connect(const char *path);

#endif
