// A disk in memory that keeps what was written and what was synced apart, and can fail in every way a disk
// fails.
//
//     medium_create, medium_copy, medium_free
//     medium_register      makes it SQLite's own disk in this process: the sqlite3_vfs is in medium_vfs.c,
//     and
//                          what the ledger asks of the system itself (ledger/disk.h) in medium_calls.c
//     medium_mount         the disk on which files are opened from now on; open files stay on theirs
//     medium_cut           the power goes: of what was not synced only a part is left
//     medium_restart       the process ends but not the machine
//
// A copy shares its blocks with what it was copied from, until one of both is written to: it costs a few
// microseconds. It has none of the open files, locks or faults of the other.
//
// What it takes for granted, as SQLite does by default: a sector of 512 bytes is written whole or not at all,
// and the bytes around what is written stay as they are. What was synced stays. A name in the folder is there
// after a cut when the folder was synced, and else may be there or not.
#ifndef COLOSSUS_TESTS_SIM_MEDIUM_H
#define COLOSSUS_TESTS_SIM_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIUM_FOLDER "/sim"
#define MEDIUM_SECTOR 512
#define MEDIUM_BLOCK  4096

struct medium;

// What is to go wrong. Calls are counted from 1; of a fault that is 0 nothing goes wrong.
struct medium_faults {
    int64_t calls;   // counted: all calls but those that give something back (close, unlock)
    int64_t changes; // counted: those that change something or make it durable
    int64_t fail_at; // this call fails
    bool fail_on;    // and all that follow
    bool full;       // a write that fails says that the disk is full, else that it can't be written
    int64_t syncs;   // counted: those of files
    int64_t sync_at; // this one fails
    int64_t cut_at;  // the power goes in this change, or the process is killed: it and all that follow fail
    bool off;        // the power has gone
    bool lies;       // a sync says that it was done and does nothing
    // Called before each call, when set. Before a change the disk is what a cut would find. May set faults,
    // which then hold for this call.
    void (*observer)(void *context, struct medium *medium, bool changes);
    void *context;
};

// What becomes of bytes that were written and not synced.
enum medium_cut {
    CUT_LOSES,   // all are lost
    CUT_KEEPS,   // none
    CUT_ORDERED, // those written after some moment are lost
    CUT_PAGES,   // any of the pages is lost
    CUT_SECTORS, // any of the sectors is
    CUT_KINDS
};

struct medium *medium_create(uint64_t random);
struct medium *medium_copy(const struct medium *medium, uint64_t random);
void medium_free(struct medium *medium);

void medium_register(void);
void medium_mount(struct medium *medium);

// The faults, to be read and set.
struct medium_faults *medium_faults(struct medium *medium);

// Has a fault come to pass since it was set?
bool medium_struck(const struct medium *medium);

bool medium_has(const struct medium *medium, const char *name);

// All that is not synced counts as written, as after a sync that failed; some of it is.
void medium_give_up(struct medium *medium);

// Both end all faults, and need all files to be closed.
void medium_cut(struct medium *medium, enum medium_cut cut);
void medium_restart(struct medium *medium);

// Files that are open, for leaks.
int medium_open_files(const struct medium *medium);

#endif
