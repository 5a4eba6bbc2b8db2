// The schema of a ledger's file: made, migrated, and its views kept current.
#include "base/memory.h"
#include "ledger/disk.h"
#include "ledger/file.h"
#include "ledger/ledger_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What tells this text of the views from another.
static void views_fingerprint(char text[33])
{
    struct fingerprint fingerprint = fingerprint_of(views_sql, strlen(views_sql));
    snprintf(text, 33, "%016" PRIx64 "%016" PRIx64, fingerprint.high, fingerprint.low);
}

// A name beside the ledger that is not taken: "ledger.db-version-1", "ledger.db-version-1-2" and so on.
static char *copy_name(const char *path, int64_t version)
{
    char suffix[64];
    snprintf(suffix, sizeof suffix, "-version-%" PRId64, version);
    char *name = file_beside(path, suffix);
    for (int count = 2; disk_exists(name) && count < 1000; count++) {
        free(name);
        snprintf(suffix, sizeof suffix, "-version-%" PRId64 "-%d", version, count);
        name = file_beside(path, suffix);
    }
    return name;
}

static bool copy_older(const char *path, int64_t version, struct ledger_error *error)
{
    char *name = copy_name(path, version);
    bool copied = ledger_backup(path, name, error);
    free(name);
    return copied;
}

static bool replace_views(struct connection *connection, struct ledger_error *error)
{
    // Views depend on nothing but tables and each other, and nothing depends on them.
    sqlite3_stmt *statement = NULL;
    char *drops = sqlite3_mprintf("%s", "");
    bool row = true,
         read = sqlite3_prepare_v2(connection->database, "SELECT name FROM sqlite_schema WHERE type = 'view'",
                                   -1, &statement, NULL) == SQLITE_OK;
    while (read && row) {
        read = connection_step(connection, statement, &row, error);
        if (read && row) {
            char *longer = sqlite3_mprintf("%sDROP VIEW \"%w\";", drops, sqlite3_column_text(statement, 0));
            sqlite3_free(drops);
            drops = longer;
        }
    }
    sqlite3_finalize(statement);
    bool done = read && connection_execute(connection, drops, error) &&
                connection_execute(connection, views_sql, error);
    sqlite3_free(drops);
    return done;
}

// Says what the schema and the views are now. The fingerprint is hexadecimal and needs no quoting.
static bool note_schema(struct connection *connection, struct ledger_error *error)
{
    char fingerprint[33], sql[128];
    views_fingerprint(fingerprint);
    snprintf(sql, sizeof sql, "UPDATE ledger SET views = '%s', schema_version = %zu", fingerprint,
             migration_count);
    return connection_execute(connection, sql, error);
}

static bool note_clock(struct connection *connection, const struct ledger_options *options,
                       struct ledger_error *error)
{
    char sql[128];
    if (options->manual_clock)
        snprintf(sql, sizeof sql,
                 "INSERT INTO ledger (one, clock, manual_start, schema_version) VALUES (1, 'manual', %" PRId64
                 ", 0)",
                 options->manual_time.seconds);
    else
        snprintf(sql, sizeof sql, "INSERT INTO ledger (one, clock, schema_version) VALUES (1, 'system', 0)");
    return connection_execute(connection, sql, error);
}

// Everything in one transaction, so that a crash leaves the old schema or the new one.
static bool migrate(struct connection *connection, const struct ledger_options *options, int64_t version,
                    struct ledger_error *error)
{
    bool done = connection_execute(connection, "BEGIN IMMEDIATE", error);
    for (int64_t i = version; i < (int64_t)migration_count && done; i++)
        done = connection_execute(connection, migrations[i], error);
    if (done && version == 0)
        done = connection_set(connection, "application_id", LEDGER_APPLICATION_ID, error) &&
               note_clock(connection, options, error);
    done = done && connection_set(connection, "user_version", (int64_t)migration_count, error) &&
           replace_views(connection, error) && note_schema(connection, error) &&
           connection_execute(connection, "COMMIT", error);
    if (!done && !sqlite3_get_autocommit(connection->database))
        sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
    return done;
}

static bool views_are_current(struct connection *connection, bool *current, struct ledger_error *error)
{
    char fingerprint[33], sql[96];
    int64_t count;
    views_fingerprint(fingerprint);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM ledger WHERE views = '%s'", fingerprint);
    if (!connection_integer(connection, sql, &count, error))
        return false;
    *current = count == 1;
    return true;
}

static bool check_clock(struct connection *connection, const struct ledger_options *options,
                        struct ledger_error *error)
{
    int64_t manual;
    if (!connection_integer(connection, "SELECT clock = 'manual' FROM ledger", &manual, error))
        return false;
    if ((manual != 0) == options->manual_clock)
        return true;
    ledger_fail(error, connection->path,
                manual != 0
                    ? "this ledger was made with a manual clock and is never opened on the system's"
                    : "this ledger was made on the system's clock and is never opened with a manual one");
    return false;
}

bool schema_prepare(struct connection *connection, const struct ledger_options *options,
                    struct ledger_error *error)
{
    int64_t application, version, things;
    if (!connection_integer(connection, "PRAGMA application_id", &application, error) ||
        !connection_integer(connection, "PRAGMA user_version", &version, error) ||
        !connection_integer(connection, "SELECT count(*) FROM sqlite_schema", &things, error))
        return false;
    bool empty = application == 0 && version == 0 && things == 0;
    if (!empty && application != LEDGER_APPLICATION_ID) {
        ledger_fail(error, connection->path, "this is a database, but not a ledger of colossusd");
        return false;
    }
    if (version > (int64_t)migration_count) {
        ledger_fail(error, connection->path,
                    "the ledger's schema is version %" PRId64 ", from a newer colossusd; this one knows %zu",
                    version, migration_count);
        return false;
    }
    bool current = false;
    if (!empty &&
        (!check_clock(connection, options, error) || !views_are_current(connection, &current, error)))
        return false;
    if (!empty && version == (int64_t)migration_count && current)
        return true;
    if (!empty && version < (int64_t)migration_count && !copy_older(connection->path, version, error))
        return false;
    return migrate(connection, options, version, error);
}
