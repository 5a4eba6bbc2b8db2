// A daemon and its clients on a disk in memory, without threads, sockets or a clock: requests go into the
// book as generate.h makes them, batches into the real ledger as the server's writer does it, and whatever
// the disk does to them, what is found after a restart is compared with what was acknowledged.
//
//     world_begin      an empty disk; nothing is open
//     world_open       opens and loads the ledger. False when it can't be
//     world_gather     decides a batch of random requests at a random time
//     world_commit     writes it; done, or unknown, after which only closing helps
//     world_checkpoint, world_restart (a clean end and a new start)
//     world_close      gives everything back that is open, as the end of the process does
//     world_check      after world_open: is all there, and nothing else?
//     world_end
//
// Whatever is wrong is a finding: its kind is in the world, with a sentence. What a model can't agree with
// ends the program through MODEL_FAIL.
#ifndef COLOSSUS_TESTS_SIM_WORLD_H
#define COLOSSUS_TESTS_SIM_WORLD_H

#include "generate.h"
#include "ledger/ledger.h"
#include "medium.h"
#include "model.h"
#include "record.h"
#include <sqlite3.h>

#define WORLD_LEDGER MEDIUM_FOLDER "/ledger.db"

enum finding {
    FINDING_NONE,
    FINDING_LOST,  // what was acknowledged is not there, or the ledger does not open
    FINDING_WRONG, // what is there is not what was acknowledged
};

// How the disk and the ledger are to be worse than they are, for tests that expect a finding.
struct world_options {
    uint64_t seed;
    bool normal;   // PRAGMA synchronous = NORMAL
    bool lies;     // syncs do nothing
    int requests;  // a batch has at most so many
    bool migrates; // begins with the schema of version 1 and goes on with the simulator's version 2
};

// What a batch must be, when it is found.
struct expected_batch {
    struct digest hash; // of the chain
    struct digest book; // of the book loaded from it, as text
};

struct world {
    struct world_options options;
    struct generator generator;
    struct medium *medium;
    struct ledger *ledger;
    struct book *book;
    struct model *model;
    struct record record;
    struct book_options book_options;
    struct instant begun;
    struct ledger_error error; // of the last call that failed

    // The batch that is gathered and maybe written.
    struct arena arena;
    struct row *rows;
    size_t row_count, row_capacity;
    struct batch batch;
    bool in_flight;           // written, and not known to be there
    struct model *model_back; // as before the batch
    size_t record_back;

    int64_t acknowledged; // the last batch
    struct expected_batch *expected;
    size_t expected_capacity;
    int tokens;
    sqlite3 *holder; // a reader that keeps an old snapshot

    enum finding finding;
    char finding_text[LEDGER_ERROR_SIZE + 256];
};

void world_begin(struct world *world, const struct world_options *options);
bool world_open(struct world *world);
void world_gather(struct world *world);
enum commit_outcome world_commit(struct world *world);
bool world_checkpoint(struct world *world);
void world_close(struct world *world);
bool world_check(struct world *world, bool all);
void world_end(struct world *world);

// A reader begins to read, and ends. Neither changes what is expected.
void world_hold(struct world *world);
void world_release(struct world *world);

// The next opening migrates.
void world_set_version(int version);

// Opens and loads what is on a disk that was cut, as the daemon does at its start, and compares it with what
// must be there: the last batch is the acknowledged one, or the one in flight. *batch is the last batch. Of
// what was found in a recovery before, `least` is the batch that must be there. False with the world's
// finding; or, when a fault that was set for this disk came to pass, with *failed.
bool world_probe(struct world *world, struct medium *medium, int64_t least, bool all, int64_t *batch,
                 bool *failed);

void world_find(struct world *world, enum finding finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
