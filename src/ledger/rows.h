// Between rows and the ledger's columns: what is written of each kind of row, and how it is read back.
//
// The order of the columns here is that of schema/statements.sql. Ids of 0, instants of 0 and ends that never
// come are NULL in the ledger.
#ifndef COLOSSUS_LEDGER_ROWS_H
#define COLOSSUS_LEDGER_ROWS_H

#include "core/row.h"
#include "generated/sql.h"
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define ROW_FINGERPRINT_SIZE 16

// A client_ref's fingerprint as it stands in the ledger.
void row_lay_out_fingerprint(const struct fingerprint *fingerprint, uint8_t bytes[ROW_FINGERPRINT_SIZE]);

// The most columns that a kind of row has.
#define ROW_COLUMNS_MAX 22

enum value_type { VALUE_NULL, VALUE_INTEGER, VALUE_TEXT, VALUE_BYTES };

// What stands in a column. Texts and bytes lie where the row has them.
struct value {
    enum value_type type;
    int64_t integer;
    const void *bytes;
    size_t length;
};

struct row_values {
    int count;
    struct value values[ROW_COLUMNS_MAX];
    uint8_t fingerprint[ROW_FINGERPRINT_SIZE]; // of a client_ref's request, as it is written
};

// All columns of a row, with the batch for those that carry it. Of a slice that is removed its key alone.
void row_values(const struct row *row, int64_t batch, struct row_values *values);

// Reads the row that a statement stands on. Texts point into the statement until its next step. False when a
// column holds what no row can (an unknown name, a time that is no hour).
bool row_read(sqlite3_stmt *statement, enum row_kind kind, struct row *row);

const char *overage_name(enum overage_limit_kind kind);
bool overage_parse(const char *name, enum overage_limit_kind *kind); // false for a name that is none

#endif
