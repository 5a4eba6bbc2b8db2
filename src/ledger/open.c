// Opening and closing a ledger.
#include "base/log.h"
#include "base/memory.h"
#include "ledger/chain.h"
#include "ledger/disk.h"
#include "ledger/file.h"
#include "ledger/ledger_internal.h"
#include "ledger/wal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How many batches at the end of the chain are recomputed at the start.
#define TAIL_BATCHES 16

// A reader that keeps an old snapshot lets the WAL grow; once it has left, the file is cut to this size.
#define WAL_KEPT_BYTES 67108864

// What a statement needs to be undone by itself stays in memory: no other folder is written to.
#define TEMP_STORE_MEMORY 2

// FULL: the WAL is synced with every commit.
#define SYNCHRONOUS_FULL 2

static int note_wal(void *context, sqlite3 *database, const char *name, int frames)
{
    (void)database;
    (void)name;
    ((struct ledger *)context)->wal_frames = frames;
    return SQLITE_OK;
}

static bool set_journal_mode(struct connection *connection, struct ledger_error *error)
{
    sqlite3_stmt *statement = NULL;
    bool row = false, taken = false;
    if (sqlite3_prepare_v2(connection->database, "PRAGMA journal_mode = WAL", -1, &statement, NULL) !=
        SQLITE_OK) {
        connection_failed(connection, "can't set the journal's mode", error);
        return false;
    }
    bool stepped = connection_step(connection, statement, &row, error);
    if (stepped && row) {
        const char *mode = (const char *)sqlite3_column_text(statement, 0);
        taken = mode != NULL && strcmp(mode, "wal") == 0;
    }
    // The mode is written when the statement ends, and that it could not be is said only then: a ledger that
    // is written to without a WAL would not be the one that all else here is about.
    if (stepped && row)
        stepped = connection_step(connection, statement, &row, error);
    sqlite3_finalize(statement);
    if (stepped && !taken)
        ledger_fail(error, connection->path,
                    "SQLite did not take journal_mode = WAL: the file system may "
                    "not bear shared memory");
    return stepped && taken;
}

static bool keep_wal(struct connection *connection, struct ledger_error *error)
{
    int keep = 1, kept = -1;
    if (sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_PERSIST_WAL, &keep) == SQLITE_OK &&
        sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_PERSIST_WAL, &kept) == SQLITE_OK &&
        kept != -1)
        return true;
    connection_failed(connection, "SQLite did not agree to keep the WAL", error);
    return false;
}

// What holds for the one connection that writes.
static bool configure_writer(struct ledger *ledger, struct ledger_error *error)
{
    struct connection *connection = &ledger->connection;
    if (!set_journal_mode(connection, error) ||
        !connection_set(connection, "synchronous", SYNCHRONOUS_FULL, error) ||
        !connection_set(connection, "wal_autocheckpoint", 0, error) ||
        !connection_set(connection, "cache_size", CACHE_FOR_LOADING, error) ||
        !connection_set(connection, "temp_store", TEMP_STORE_MEMORY, error) || !keep_wal(connection, error))
        return false;
    // Its setting answers with the value taken, as its reading does.
    int64_t limit;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA journal_size_limit = %d", WAL_KEPT_BYTES);
    if (!connection_integer(connection, sql, &limit, error))
        return false;
    if (limit != WAL_KEPT_BYTES) {
        ledger_fail(error, ledger->path, "SQLite did not take journal_size_limit");
        return false;
    }
    sqlite3_wal_hook(connection->database, note_wal, ledger);
    return true;
}

static bool prepare_statements(struct ledger *ledger, struct ledger_error *error)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (connection_statement(&ledger->connection, (enum statement)i, error) == NULL)
            return false;
    return true;
}

static bool read_last_batch(struct ledger *ledger, struct ledger_error *error)
{
    sqlite3_stmt *statement = connection_statement(&ledger->connection, STATEMENT_LOAD_LAST_BATCH, error);
    bool row, valid = true;
    if (statement == NULL || !connection_step(&ledger->connection, statement, &row, error))
        return false;
    ledger->last_hash = CHAIN_ORIGIN;
    if (row) {
        struct chain_link link;
        valid = chain_read_link(statement, &link);
        ledger->last_batch = link.seq;
        ledger->last_time = link.at;
        if (valid)
            ledger->last_hash = link.hash;
    }
    sqlite3_reset(statement);
    if (!valid)
        ledger_fail(error, ledger->path, "the last batch holds what no batch can; run `colossus verify`");
    return valid;
}

// The hash that the ledger has for a batch. False when it has none.
static bool read_hash(struct ledger *ledger, int64_t batch, struct digest *hash, bool *found,
                      struct ledger_error *error)
{
    struct chain_link link;
    sqlite3_stmt *statement = connection_statement(&ledger->connection, STATEMENT_CHAIN_BATCHES, error);
    bool row;
    if (statement == NULL || sqlite3_bind_int64(statement, 1, batch) != SQLITE_OK ||
        !connection_step(&ledger->connection, statement, &row, error))
        return false;
    *found = row && chain_read_link(statement, &link) && link.seq == batch;
    if (*found)
        *hash = link.hash;
    sqlite3_reset(statement);
    return true;
}

static bool check_witness(struct ledger *ledger, const struct witness *witness, struct ledger_error *error)
{
    if (witness->batch > ledger->last_batch) {
        ledger_fail(error, ledger->path,
                    "the ledger ends with batch %" PRId64 ", but batch %" PRId64 " was acknowledged: %" PRId64
                    " batches are missing. Keep all files as they are and look "
                    "for a copy that has them. To go on without them, which loses bookings that were "
                    "confirmed, remove the -witness file",
                    ledger->last_batch, witness->batch, witness->batch - ledger->last_batch);
        return false;
    }
    if (witness->batch == 0)
        return true;
    struct digest hash;
    bool found;
    if (!read_hash(ledger, witness->batch, &hash, &found, error))
        return false;
    if (found && digest_equal(&hash, &witness->hash))
        return true;
    ledger_fail(error, ledger->path,
                "batch %" PRId64 " is not the one that was acknowledged: this is another ledger than the one "
                "its witness saw, or it was changed. If that is as it should be, remove the -witness file",
                witness->batch);
    return false;
}

static bool check_tail(struct ledger *ledger, struct ledger_error *error)
{
    struct chain_report report;
    int64_t first = ledger->last_batch > TAIL_BATCHES ? ledger->last_batch - TAIL_BATCHES + 1 : 1;
    if (!chain_check(&ledger->connection, first, NULL, NULL, &report, error))
        return false;
    if (!report.sound)
        ledger_fail(error, ledger->path, "%s; run `colossus verify`", report.message);
    return report.sound;
}

// Makes a new ledger, but not where the rest of one lies that was taken away: SQLite would begin by removing
// the WAL beside an empty file, and with it what was acknowledged last.
static bool make_ledger(struct ledger *ledger, struct ledger_error *error)
{
    struct witness witness = {0};
    bool made;
    if (file_size(ledger->path) == 0 && !witness_read(ledger->path, &witness, error))
        return false;
    if (witness.batch > 0) {
        ledger_fail(error, ledger->path,
                    "the ledger is not there, or empty, but it had %" PRId64
                    " batches: put the file back where it was, beside its -wal. "
                    "To begin a new ledger, move all that is named after the old one away",
                    witness.batch);
        return false;
    }
    return file_make(ledger->path, &made, error);
}

static bool open_all(struct ledger *ledger, const struct ledger_options *options, struct ledger_error *error)
{
    if (!file_make_folders(ledger->path, error))
        return false;
    ledger->lock = file_lock(ledger->path, error);
    if (ledger->lock < 0 || !make_ledger(ledger, error) ||
        !connection_open(&ledger->connection, ledger->path, true, error) ||
        !configure_writer(ledger, error) || !wal_make_durable(&ledger->connection, error) ||
        !schema_prepare(&ledger->connection, options, error) ||
        !pending_register(&ledger->pending, &ledger->connection, error) ||
        !prepare_statements(ledger, error) || !read_last_batch(ledger, error) ||
        !connection_integer(&ledger->connection, "SELECT max(id) FROM account", &ledger->last_account,
                            error) ||
        !posting_load(&ledger->connection, &ledger->postings, error))
        return false;
    struct witness witness;
    ledger->witness = witness_open(ledger->path, &witness, error);
    if (ledger->witness < 0 || !check_witness(ledger, &witness, error) || !check_tail(ledger, error) ||
        !wal_end_here(&ledger->connection, error) || !file_sync_folder(ledger->path, error))
        return false;
    struct witness now = {.batch = ledger->last_batch, .hash = ledger->last_hash};
    if (witness_write(ledger->witness, &now) && disk_sync(ledger->witness) == 0)
        return true;
    ledger_fail(error, ledger->path, "can't write the witness: %s", strerror(errno));
    return false;
}

static void give_back(struct ledger *ledger)
{
    connection_close(&ledger->connection);
    pending_free(&ledger->pending);
    if (ledger->witness >= 0)
        disk_close(ledger->witness);
    if (ledger->lock >= 0)
        disk_close(ledger->lock); // last: until then nobody else may open the file
    free(ledger->path);
    free(ledger->wal_path);
    free(ledger->writer);
    free(ledger);
}

bool ledger_open(const struct ledger_options *options, struct ledger **result, struct ledger_error *error)
{
    *result = NULL;
    struct ledger *ledger = memory_allocate(1, sizeof *ledger);
    ledger->path = file_resolve(options->path);
    ledger->wal_path = file_beside(ledger->path, "-wal");
    ledger->writer = memory_copy_text(options->writer);
    ledger->lock = ledger->witness = -1;
    ledger->wal_warn_bytes = options->wal_warn_bytes;
    if (!open_all(ledger, options, error)) {
        give_back(ledger);
        return false;
    }
    *result = ledger;
    return true;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    if (!ledger->failed) {
        // Neither is needed for what was acknowledged, so a failure is told and no more.
        sqlite3 *database = ledger->connection.database;
        if (sqlite3_exec(database, "PRAGMA optimize", NULL, NULL, NULL) != SQLITE_OK ||
            sqlite3_wal_checkpoint_v2(database, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
            log_warn("the ledger was closed without being tidied up", "path=\"%s\" error=\"%s\"",
                     ledger->path, sqlite3_errmsg(database));
        if (disk_sync(ledger->witness) != 0)
            log_warn("the witness can't be synced", "path=\"%s\" error=\"%s\"", ledger->path,
                     strerror(errno));
    }
    give_back(ledger);
}

int64_t ledger_last_batch(const struct ledger *ledger)
{
    return ledger->last_batch;
}

struct instant ledger_last_time(const struct ledger *ledger)
{
    return ledger->last_time;
}
