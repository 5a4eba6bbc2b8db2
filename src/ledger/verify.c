// Verifying a ledger from its file alone.
//
// Everything is read in one transaction, so it may be done beside a running daemon. The order is from the
// ground up: SQLite's own checks, the chain over what happened, the sums of the transfers, then every table
// that is replaced in place against what happened, the tables by tenant, and the invariants. The first thing
// found is reported, because what comes after it may only follow from it.
#include "base/log.h"
#include "base/memory.h"
#include "ledger/chain.h"
#include "ledger/file.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include "ledger/witness.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void verify_find(struct verification *verification, const char *format, ...)
{
    struct verify_report *report = verification->report;
    if (!report->sound)
        return;
    report->sound = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->message, sizeof report->message, format, arguments);
    va_end(arguments);
}

void verify_progress(struct verification *verification, const char *step, int64_t done, int64_t total)
{
    if (verification->progress != NULL)
        verification->progress(verification->context, step, done, total);
}

sqlite3_stmt *verify_statement(struct verification *verification, enum statement statement)
{
    return connection_statement(verification->connection, statement, verification->error);
}

bool verify_step(struct verification *verification, sqlite3_stmt *statement, bool *found)
{
    return connection_step(verification->connection, statement, found, verification->error);
}

// ---- The file

// What SQLite finds begins with a line that only names the database, "*** in database main ***"; of what
// follows, the first line is told.
static void file_is_damaged(struct verification *verification, const char *text)
{
    const char *line = strncmp(text, "***", 3) == 0 ? strchr(text, '\n') : NULL;
    line = line != NULL ? line + 1 : text;
    verify_find(verification, "the file is damaged: %.*s", (int)strcspn(line, "\n"), line);
}

static bool verify_file(struct verification *verification)
{
    verify_progress(verification, "file", 0, 0);
    bool found;
    sqlite3_stmt *check = verify_statement(verification, STATEMENT_VERIFY_QUICK_CHECK);
    if (check == NULL || !verify_step(verification, check, &found))
        return false;
    const char *text = found ? (const char *)sqlite3_column_text(check, 0) : NULL;
    if (text == NULL || strcmp(text, "ok") != 0)
        file_is_damaged(verification, text == NULL ? "SQLite says nothing" : text);
    sqlite3_reset(check);
    return true;
}

// After the chain, which names what is missing.
static bool verify_keys(struct verification *verification)
{
    bool found;
    verify_progress(verification, "keys", 0, 0);
    sqlite3_stmt *keys = verify_statement(verification, STATEMENT_VERIFY_FOREIGN_KEYS);
    if (keys == NULL || !verify_step(verification, keys, &found))
        return false;
    if (found)
        verify_find(verification, "%s, row %lld: names a row of %s that does not exist",
                    (const char *)sqlite3_column_text(keys, 0), (long long)sqlite3_column_int64(keys, 1),
                    (const char *)sqlite3_column_text(keys, 2));
    sqlite3_reset(keys);
    return true;
}

// ---- The chain and the witness

static bool batch_hash(struct verification *verification, int64_t batch, struct digest *hash, bool *found)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_CHAIN_BATCHES);
    if (statement == NULL || sqlite3_bind_int64(statement, 1, batch) != SQLITE_OK ||
        !verify_step(verification, statement, found))
        return false;
    struct chain_link link;
    *found = *found && chain_read_link(statement, &link) && link.seq == batch;
    if (*found)
        *hash = link.hash;
    sqlite3_reset(statement);
    return true;
}

// The witness was read before the transaction began, so a running daemon can't have moved it beyond what is
// read here.
static bool verify_witness(struct verification *verification, const struct witness *witness)
{
    struct digest hash;
    bool found;
    if (witness->batch == 0)
        return true;
    if (!batch_hash(verification, witness->batch, &hash, &found))
        return false;
    if (!found)
        verify_find(verification,
                    "batch %" PRId64 " was acknowledged, says the witness beside the ledger, but the ledger "
                    "ends with batch %" PRId64,
                    witness->batch, verification->report->batches);
    else if (!digest_equal(&hash, &witness->hash))
        verify_find(verification, "batch %" PRId64 " is not the one that the witness beside the ledger saw",
                    witness->batch);
    return true;
}

static bool verify_chain(struct verification *verification)
{
    struct chain_report chain;
    if (!chain_check(verification->connection, 1, verification->progress, verification->context, &chain,
                     verification->error))
        return false;
    verification->report->batches = chain.batches;
    verification->report->events = chain.events;
    verification->report->transfers = chain.transfers;
    if (!chain.sound)
        verify_find(verification, "%s", chain.message);
    return true;
}

// ---- The whole

static bool verify_tables(struct verification *verification)
{
    bool (*const steps[])(struct verification *) = {
        verify_file,          verify_chain,   verify_keys,         verify_columns,
        verify_terms,         verify_money,   verify_load_periods, verify_reservations,
        verify_period_events, verify_tenants, verify_postings,
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && verification->report->sound; i++)
        if (!steps[i](verification))
            return false;
    if (verification->report->sound)
        verify_deliveries(verification);
    return true;
}

static void say_sound(struct verify_report *report)
{
    if (report->sound)
        snprintf(report->message, sizeof report->message,
                 "%" PRId64 " batches, %" PRId64 " events, %" PRId64 " transfers and %" PRId64
                 " reservations agree",
                 report->batches, report->events, report->transfers, report->reservations);
}

bool ledger_verify(const char *path, ledger_progress progress, void *context, struct verify_report *report,
                   struct ledger_error *error)
{
    *report = (struct verify_report){.sound = true};
    struct connection connection;
    struct witness witness;
    struct verification verification = {.connection = &connection,
                                        .report = report,
                                        .error = error,
                                        .progress = progress,
                                        .context = context};
    char *resolved = file_resolve(path);
    bool told = witness_read(resolved, &witness, error);
    free(resolved);
    if (!told || !connection_open_reader(&connection, path, error))
        return false;
    bool read = connection_run(&connection, STATEMENT_BEGIN_READ, error) && verify_tables(&verification) &&
                (!report->sound || verify_witness(&verification, &witness));
    connection_close(&connection);
    for (size_t i = 1; verification.periods != NULL && i <= verification.period_count; i++)
        free(verification.periods[i].contract);
    free(verification.periods);
    say_sound(report);
    return read;
}
