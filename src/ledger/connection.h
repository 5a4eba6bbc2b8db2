// A connection to the ledger's file: opened as the ledger must be, its statements by name, its errors in
// words.
//
// Used by one thread at a time. A statement is prepared when it is first asked for and kept; the writer asks
// for all of them when it opens, so that none can fail to compile in the middle of a commit.
//
// Every function that can fail returns false (or NULL) and fills in the error: the file, what was being done,
// and what SQLite says.
#ifndef COLOSSUS_LEDGER_CONNECTION_H
#define COLOSSUS_LEDGER_CONNECTION_H

#include "generated/sql.h"
#include "ledger/ledger.h"
#include <sqlite3.h>

// "COLS": what PRAGMA application_id of a ledger says.
#define LEDGER_APPLICATION_ID 0x434f4c53

struct connection {
    sqlite3 *database;
    char *path;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

// Opens the file, which exists, and sets all that holds for any connection: extended result codes, defensive,
// no trust in the schema, no memory map, checked cells.
bool connection_open(struct connection *connection, const char *path, bool writable,
                     struct ledger_error *error);
void connection_close(struct connection *connection);

// Opens for reading, begins nothing, and refuses what is not a ledger of this release.
bool connection_open_reader(struct connection *connection, const char *path, struct ledger_error *error);

// The statement, reset, with nothing bound. NULL when it can't be prepared.
sqlite3_stmt *connection_statement(struct connection *connection, enum statement statement,
                                   struct ledger_error *error);

// Steps. *row says whether there is a row to read.
bool connection_step(struct connection *connection, sqlite3_stmt *statement, bool *row,
                     struct ledger_error *error);

// Runs a statement that gives no rows and has nothing to bind.
bool connection_run(struct connection *connection, enum statement statement, struct ledger_error *error);

// Runs a text of several statements.
bool connection_execute(struct connection *connection, const char *sql, struct ledger_error *error);

// The first column of the first row of a query, 0 when there is none.
bool connection_integer(struct connection *connection, const char *sql, int64_t *value,
                        struct ledger_error *error);

// Sets a pragma, reads it back and refuses if it did not take.
bool connection_set(struct connection *connection, const char *pragma, int64_t value,
                    struct ledger_error *error);

// Fills in the error with what SQLite says of the last call.
void connection_failed(const struct connection *connection, const char *doing, struct ledger_error *error);

// Fills in an error that is not SQLite's. The format says the whole sentence but the path, which goes before.
void ledger_fail(struct ledger_error *error, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
