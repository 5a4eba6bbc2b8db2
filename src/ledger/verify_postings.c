// What is whose, as the tables by tenant say it, against the rows themselves: nothing in them that is not so,
// and nothing missing up to their marks.
#include "ledger/posting.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>

static const struct table {
    const char *name, *thing;
    enum statement statement;
} tables[POSTING_KIND_COUNT] = {
    [POSTING_EVENT] = {"tenant_event", "event", STATEMENT_VERIFY_INDEXED_EVENTS},
    [POSTING_RESERVATION] = {"tenant_reservation", "reservation", STATEMENT_VERIFY_INDEXED_RESERVATIONS},
    [POSTING_TRANSFER] = {"tenant_transfer", "transfer", STATEMENT_VERIFY_INDEXED_TRANSFERS},
};

static bool verify_table(struct verification *verification, const struct table *table, int64_t mark)
{
    bool found;
    sqlite3_stmt *statement = verify_statement(verification, table->statement);
    if (statement == NULL || sqlite3_bind_int64(statement, 1, mark) != SQLITE_OK ||
        !verify_step(verification, statement, &found))
        return false;
    if (found) {
        int64_t number = sqlite3_column_int64(statement, 0), tenant = sqlite3_column_int64(statement, 1);
        bool is_missing = sqlite3_column_int64(statement, 2) != 0;
        verify_find(verification,
                    is_missing ? "%s: tenant %" PRId64 " lacks its %s %" PRId64
                                 ", though all through %" PRId64 " are to be there"
                               : "%s: tenant %" PRId64 " has %s %" PRId64
                                 ", which is another's, does not exist or comes after %" PRId64
                                 ", the last one that is to be there",
                    table->name, tenant, table->thing, number, mark);
    }
    sqlite3_reset(statement);
    return true;
}

bool verify_postings(struct verification *verification)
{
    struct postings postings;
    int64_t marks;
    verify_progress(verification, "tenants", 0, 0);
    if (!connection_integer(verification->connection, "SELECT count(*) FROM indexed", &marks,
                            verification->error))
        return false;
    if (marks != 1) {
        verify_find(verification, "indexed: its row is missing");
        return true;
    }
    if (!posting_load(verification->connection, &postings, verification->error))
        return false;
    for (int kind = 0; kind < POSTING_KIND_COUNT && verification->report->sound; kind++) {
        if (postings.through[kind] > postings.last[kind])
            verify_find(verification,
                        "indexed: its %s is %" PRId64 ", but the last there is has number %" PRId64,
                        tables[kind].thing, postings.through[kind], postings.last[kind]);
        else if (!verify_table(verification, &tables[kind], postings.through[kind]))
            return false;
    }
    return true;
}
