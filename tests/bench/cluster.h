// A PostgreSQL server of the benchmark's own: a private cluster in a folder on the disk, made anew.
//
//     cluster_find      looks for PostgreSQL's programs, once
//     cluster_make      makes an empty cluster
//     cluster_start     starts its server; and cluster_stop stops it, with its checkpoint at the end
//     cluster_run       runs one of PostgreSQL's programs beside it, as psql on a script
//     cluster_remove    removes the folder
//
// What is acknowledged is on the disk, as is PostgreSQL's default; autovacuum is on; memory and WAL are as
// one would set them for this machine. Only who runs the benchmark can connect, through a Unix socket in the
// abstract namespace: it has no file, so that nothing of it is left and no path is too long. PostgreSQL
// refuses to run as root; then it runs as the user postgres or else nobody. It is told to stop when the
// benchmark ends early.
#ifndef COLOSSUS_BENCH_CLUSTER_H
#define COLOSSUS_BENCH_CLUSTER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CLUSTER_TEXT = 64 };

struct cluster {
    char programs[PATH_MAX]; // their folder
    char version[CLUSTER_TEXT];
    char folder[PATH_MAX], data[PATH_MAX], log[PATH_MAX];
    char socket[CLUSTER_TEXT];
    char user[CLUSTER_TEXT]; // as whom it runs
    uid_t uid;
    gid_t gid;
    pid_t server; // 0: not running
};

// The cluster will be in `folder`. Says in a sentence on standard error why there is no PostgreSQL to be
// used.
bool cluster_find(struct cluster *cluster, const char *folder);

void cluster_make(struct cluster *cluster);
void cluster_start(struct cluster *cluster);
void cluster_stop(struct cluster *cluster);
void cluster_remove(struct cluster *cluster);

// Runs a program with arguments (without its name; NULL ends them) and a file as its standard input, and
// waits for its end, which must be a good one. All that it writes, on standard error too, goes to `output`,
// ended with a NUL, and must fit.
void cluster_run(const struct cluster *cluster, const char *program, const char *const *arguments,
                 const char *input, char *output, size_t size);

#endif
