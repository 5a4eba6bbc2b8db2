// What is read from the WAL at the start is made durable before anything depends on it.
//
// A WAL that is found at the start may hold what never reached the disk: a daemon that was killed between
// writing and syncing leaves it in the system's cache, and so does a sync that failed, after which the system
// takes these pages for written and no later sync writes them. The batches in it are read as if they were
// durable. Were they left like that, a loss of power would take them and, as the WAL ends where its checksums
// do, every batch that was acknowledged after them.
#ifndef COLOSSUS_LEDGER_WAL_H
#define COLOSSUS_LEDGER_WAL_H

#include "ledger/connection.h"

// Writes all of the WAL over itself and syncs it, while no other connection can write to it. Called once, on
// the writing connection, before anything is read. It costs the writing of the WAL: it is kept below 64 MiB
// where no reader holds it.
bool wal_make_durable(struct connection *connection, struct ledger_error *error);

// Makes sure that what the WAL holds after its last batch never counts. Called when the ledger was found to
// be as it should be, before anything is written or answered.
//
// A batch whose commit failed, or that a killed daemon was writing, may lie whole in the WAL and yet not be
// seen: the index beside the file does not name it, and the index lives on while any other connection has the
// file open. Whoever opened the file as the only one would make the index anew and find it. So a batch that
// was said not to be there would be there after the next start.
bool wal_end_here(struct connection *connection, struct ledger_error *error);

#endif
