#include "ledger/connection.h"

#include "base/memory.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Readers and the writer don't wait for each other in WAL mode. Who may have to wait a moment is one that
// opens the file while another closes it, and the writer for an operator who has opened a transaction to
// write.
#define BUSY_TIMEOUT_MS 5000

// How much of a path an error shows.
#define PATH_SHOWN 120

void ledger_fail(struct ledger_error *error, const char *path, const char *format, ...)
{
    char sentence[LEDGER_ERROR_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    error->sqlite_code = 0;
    // Of a long path the end says more than the beginning, and the sentence says more than both.
    size_t used = strlen(path);
    const char *shown = used > PATH_SHOWN ? path + (used - PATH_SHOWN) : path;
    snprintf(error->message, sizeof error->message, "%s: %.*s", shown,
             (int)(sizeof error->message - PATH_SHOWN - 3), sentence);
}

void connection_failed(const struct connection *connection, const char *doing, struct ledger_error *error)
{
    int code = sqlite3_extended_errcode(connection->database);
    ledger_fail(error, connection->path, "%s: %s (SQLite %d)", doing, sqlite3_errmsg(connection->database),
                code);
    error->sqlite_code = code;
}

static bool configure(struct connection *connection, struct ledger_error *error)
{
    sqlite3 *database = connection->database;
    int defensive = 0, trusted = 1, quoted_data = 1, quoted_schema = 1, closing = 0;
    sqlite3_extended_result_codes(database, 1);
    sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
    if (sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, &defensive) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &trusted) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DML, 0, &quoted_data) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_DQS_DDL, 0, &quoted_schema) != SQLITE_OK ||
        sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &closing) != SQLITE_OK ||
        defensive != 1 || trusted != 0 || quoted_data != 0 || quoted_schema != 0 || closing != 1) {
        connection_failed(connection, "SQLite did not take its settings", error);
        return false;
    }
    return connection_set(connection, "trusted_schema", 0, error) &&
           connection_set(connection, "cell_size_check", 1, error) &&
           connection_set(connection, "mmap_size", 0, error) &&
           connection_set(connection, "foreign_keys", 1, error);
}

// SQLite counts its memory under a mutex, with every allocation, unless it is told not to before it is first
// used. Nobody reads the counts. Where a program has used SQLite by itself before, it goes on counting.
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool connection_open(struct connection *connection, const char *path, bool writable,
                     struct ledger_error *error)
{
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    (void)pthread_once(&configured, configure_library); // can't fail: what it is given is right
    *connection = (struct connection){.path = memory_copy_text(path)};
    int flags = (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE;
    int code = sqlite3_open_v2(path, &connection->database, flags, NULL);
    if (code != SQLITE_OK) {
        connection_failed(connection, "can't open the ledger", error);
        connection_close(connection);
        return false;
    }
    if (!configure(connection, error)) {
        connection_close(connection);
        return false;
    }
    return true;
}

void connection_close(struct connection *connection)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(connection->statements[i]);
    sqlite3_close_v2(connection->database);
    free(connection->path);
    *connection = (struct connection){0};
}

bool connection_open_reader(struct connection *connection, const char *path, struct ledger_error *error)
{
    if (!connection_open(connection, path, false, error))
        return false;
    int64_t application, version;
    bool read = connection_set(connection, "query_only", 1, error) &&
                connection_integer(connection, "PRAGMA application_id", &application, error) &&
                connection_integer(connection, "PRAGMA user_version", &version, error);
    if (read && application != LEDGER_APPLICATION_ID) {
        ledger_fail(error, path, "this is not a ledger of colossusd");
        read = false;
    } else if (read && version != (int64_t)migration_count) {
        ledger_fail(error, path, "the ledger's schema is version %lld and this release reads version %zu",
                    (long long)version, migration_count);
        read = false;
    }
    if (!read)
        connection_close(connection);
    return read;
}

sqlite3_stmt *connection_statement(struct connection *connection, enum statement statement,
                                   struct ledger_error *error)
{
    sqlite3_stmt **place = &connection->statements[statement];
    if (*place != NULL) {
        sqlite3_reset(*place);
        sqlite3_clear_bindings(*place);
        return *place;
    }
    if (sqlite3_prepare_v3(connection->database, statement_sql[statement], -1, SQLITE_PREPARE_PERSISTENT,
                           place, NULL) != SQLITE_OK) {
        connection_failed(connection, "can't prepare a statement", error);
        return NULL;
    }
    return *place;
}

static const char *name_of(const struct connection *connection, const sqlite3_stmt *statement)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (connection->statements[i] == statement)
            return statement_names[i];
    return "a statement";
}

bool connection_step(struct connection *connection, sqlite3_stmt *statement, bool *row,
                     struct ledger_error *error)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    connection_failed(connection, name_of(connection, statement), error);
    return false;
}

bool connection_run(struct connection *connection, enum statement statement, struct ledger_error *error)
{
    sqlite3_stmt *prepared = connection_statement(connection, statement, error);
    bool row;
    bool done = prepared != NULL && connection_step(connection, prepared, &row, error);
    if (prepared != NULL)
        sqlite3_reset(prepared);
    return done;
}

bool connection_execute(struct connection *connection, const char *sql, struct ledger_error *error)
{
    if (sqlite3_exec(connection->database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    connection_failed(connection, "can't carry out a statement", error);
    return false;
}

bool connection_integer(struct connection *connection, const char *sql, int64_t *value,
                        struct ledger_error *error)
{
    sqlite3_stmt *statement = NULL;
    *value = 0;
    if (sqlite3_prepare_v2(connection->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        connection_failed(connection, sql, error);
        return false;
    }
    bool row;
    bool read = connection_step(connection, statement, &row, error);
    if (read && row)
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return read;
}

bool connection_set(struct connection *connection, const char *pragma, int64_t value,
                    struct ledger_error *error)
{
    char sql[80];
    int64_t taken;
    snprintf(sql, sizeof sql, "PRAGMA %s = %lld", pragma, (long long)value);
    if (!connection_execute(connection, sql, error))
        return false;
    snprintf(sql, sizeof sql, "PRAGMA %s", pragma);
    if (!connection_integer(connection, sql, &taken, error))
        return false;
    if (taken == value)
        return true;
    ledger_fail(error, connection->path, "SQLite did not take %s = %lld: it is %lld", pragma,
                (long long)value, (long long)taken);
    return false;
}
