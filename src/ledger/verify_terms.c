// Contracts, places, people and outages against their terms and events, and every row against what it can
// hold.
//
// SQLite does not look at a table's CHECKs on a connection that can't write, so what a column can hold is
// found by reading each row as the book would.
#include "ledger/rows.h"
#include "ledger/verify_internal.h"

static bool read_table(struct verification *verification, enum row_kind kind, enum statement statement,
                       const char *table)
{
    sqlite3_stmt *prepared = verify_statement(verification, statement);
    bool found = prepared != NULL;
    struct row row;
    while (found && verification->report->sound) {
        if (!verify_step(verification, prepared, &found))
            return false;
        if (found && !row_read(prepared, kind, &row))
            verify_find(verification, "%s %s: a column holds what no row can", table,
                        (const char *)sqlite3_column_text(prepared, 0));
    }
    if (prepared != NULL)
        sqlite3_reset(prepared);
    return prepared != NULL;
}

bool verify_columns(struct verification *verification)
{
    // Reservations and slices are read with their events.
    return read_table(verification, ROW_SITE, STATEMENT_LOAD_SITES, "site") &&
           read_table(verification, ROW_SITE_POWER, STATEMENT_LOAD_SITE_POWER, "site_power of site") &&
           read_table(verification, ROW_POOL, STATEMENT_LOAD_POOLS, "pool") &&
           read_table(verification, ROW_TENANT, STATEMENT_LOAD_TENANTS, "tenant") &&
           read_table(verification, ROW_UID, STATEMENT_LOAD_UIDS, "tenant_uid") &&
           read_table(verification, ROW_TOKEN, STATEMENT_LOAD_TOKENS, "token") &&
           read_table(verification, ROW_CONTRACT, STATEMENT_LOAD_CONTRACTS, "contract") &&
           read_table(verification, ROW_CONTRACT_PERIOD, STATEMENT_LOAD_CONTRACT_PERIODS,
                      "contract_period") &&
           read_table(verification, ROW_ACCOUNT, STATEMENT_LOAD_ACCOUNTS, "account");
}

// The first finding of a statement that says what it finds.
static bool report_first(struct verification *verification, enum statement statement)
{
    sqlite3_stmt *prepared = verify_statement(verification, statement);
    bool found;
    if (prepared == NULL || !verify_step(verification, prepared, &found))
        return false;
    const char *finding = found ? (const char *)sqlite3_column_text(prepared, 0) : NULL;
    if (found)
        verify_find(verification, "%s", finding == NULL ? "a row has no name" : finding);
    sqlite3_reset(prepared);
    return true;
}

bool verify_terms(struct verification *verification)
{
    return report_first(verification, STATEMENT_VERIFY_CONTRACTS) &&
           report_first(verification, STATEMENT_VERIFY_TOLD) &&
           report_first(verification, STATEMENT_VERIFY_OUTAGES);
}
