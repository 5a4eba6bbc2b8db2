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

// The statement that changes a row which is there already, for the kinds of rows that have one;
// STATEMENT_COUNT for the others.
enum statement row_change_statement(const struct row *row);

#define ROW_FINGERPRINT_SIZE 16

// A fingerprint as the ledger has it: the high half, then the low one, the highest byte first.
void row_lay_out_fingerprint(const struct fingerprint *fingerprint, uint8_t bytes[ROW_FINGERPRINT_SIZE]);

// Binds the columns of a row, with the batch for those that carry it, up to the last one that the statement
// has a parameter for. Texts and bytes are bound as they lie and must stay until the statement has run;
// a client reference's fingerprint is laid out in `fingerprint`, which must stay too. False when SQLite
// refuses a value (out of memory, too large).
bool row_bind(sqlite3_stmt *statement, const struct row *row, int64_t batch,
              uint8_t fingerprint[ROW_FINGERPRINT_SIZE]);

// Reads the row that a statement stands on. Texts point into the statement until its next step. False when a
// column holds what no row can (an unknown name, a time that is no hour).
bool row_read(sqlite3_stmt *statement, enum row_kind kind, struct row *row);

const char *overage_name(enum overage_limit_kind kind);
bool overage_parse(const char *name, enum overage_limit_kind *kind); // false for a name that is none

#endif
