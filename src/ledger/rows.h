// Between rows and statements: how each kind of row is bound to be written, and read back.
//
// The order of the columns here is that of schema/statements.sql. Ids of 0, instants of 0 and ends that never
// come are NULL in the ledger.
#ifndef COLOSSUS_LEDGER_ROWS_H
#define COLOSSUS_LEDGER_ROWS_H

#include "core/row.h"
#include "generated/sql.h"
#include <sqlite3.h>
#include <stdbool.h>

// The statement that writes a row.
enum statement row_statement(const struct row *row);

// Binds all columns of a row, with the batch for those that carry it. Texts are bound as they lie and must
// stay until the statement has run. False when SQLite refuses a value (out of memory, too large).
bool row_bind(sqlite3_stmt *statement, const struct row *row, int64_t batch);

// Reads the row that a statement stands on. Texts point into the statement until its next step. False when a
// column holds what no row can (an unknown name, a time that is no hour).
bool row_read(sqlite3_stmt *statement, enum row_kind kind, struct row *row);

const char *overage_name(enum overage_limit_kind kind);
bool overage_parse(const char *name, enum overage_limit_kind *kind); // false for a name that is none

#endif
