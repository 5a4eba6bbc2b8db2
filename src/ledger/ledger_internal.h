// The inside of an open ledger, shared by the files that make it up.
#ifndef COLOSSUS_LEDGER_LEDGER_INTERNAL_H
#define COLOSSUS_LEDGER_LEDGER_INTERNAL_H

#include "ledger/connection.h"
#include "ledger/ledger.h"
#include "ledger/pending.h"
#include "ledger/posting.h"
#include "ledger/witness.h"

// SQLite's cache of pages, in KiB as a negative number. Loading reads every page once: a large cache would
// hold pages that nobody asks for again.
#define CACHE_FOR_LOADING (-4096)
#define CACHE_FOR_WRITING (-65536)

struct ledger {
    struct connection connection;
    char *path;
    char *wal_path;
    char *writer;
    int lock;    // descriptor of the lock beside the file
    int witness; // descriptor of the witness
    int64_t wal_warn_bytes;
    int64_t wal_warned_bytes; // the size that was last warned of
    int wal_frames;           // in the WAL after the last commit
    int checkpointed_frames;  // in the WAL at the last checkpoint
    bool witness_failing;     // it was said once
    bool failed;              // a commit or a checkpoint failed: nothing more is done with the handle
    int64_t last_batch;
    struct instant last_time;
    struct digest last_hash;
    int64_t last_account; // the highest id
    struct postings postings;
    struct pending pending;
};

// Brings the schema up: creates it in an empty file, migrates an older one after copying it beside itself,
// replaces the views when they changed. Refuses a newer ledger, one of the other clock, and what is no
// ledger.
bool schema_prepare(struct connection *connection, const struct ledger_options *options,
                    struct ledger_error *error);

#endif
