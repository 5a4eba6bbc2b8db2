// Loading the book: every table once, in an order in which whatever a row names is there already.
//
// Reservations and their slices are read side by side, in the order of their ids, so that a million of them
// take two passes over two tables and no look-ups.
#include "ledger/fit.h"
#include "ledger/ledger_internal.h"
#include "ledger/rows.h"

static bool is_terminal(enum reservation_state state)
{
    return state == STATE_COMPLETED || state == STATE_CANCELLED || state == STATE_EXPIRED;
}

static bool unreadable(struct ledger *ledger, const char *table, struct ledger_error *error)
{
    ledger_fail(error, ledger->path, "table %s: a column holds what no row can; run `colossus verify`",
                table);
    return false;
}

static bool unfit(struct ledger *ledger, const char *table, struct ledger_error *error)
{
    ledger_fail(error, ledger->path,
                "table %s: a row names what is not there, or one before it is missing; run `colossus verify`",
                table);
    return false;
}

static bool load_table(struct ledger *ledger, struct book *book, enum row_kind kind, enum statement statement,
                       const char *table, struct ledger_error *error)
{
    sqlite3_stmt *prepared = connection_statement(&ledger->connection, statement, error);
    if (prepared == NULL)
        return false;
    struct row row;
    bool found = true;
    for (int64_t before = 0; found; before++) {
        if (!connection_step(&ledger->connection, prepared, &found, error))
            return false;
        if (!found)
            break;
        if (!row_read(prepared, kind, &row))
            return unreadable(ledger, table, error);
        if (!row_fits(book, &row, before))
            return unfit(ledger, table, error);
        book_apply(book, &row);
    }
    sqlite3_reset(prepared);
    return true;
}

// Is the slice of use to the book? Of a reservation that has ended only what ends after the hour through
// which its period has reckoned what is delivered: the running hour of what was cancelled, and ends whose
// change is still to be reckoned, which lie before now where the next booking costs as much and so nothing
// changed.
static bool wanted(const struct book *book, const struct row *reservation, const struct row *slice)
{
    const struct contract_period_row *period = book_period_row(book, slice->slice.period);
    return !is_terminal(reservation->reservation.state) ||
           slice->slice.end.number > period->delivered_through.number;
}

// Applies the slices of one reservation. The statement stands on the first slice that was not applied yet.
static bool load_slices(struct ledger *ledger, struct book *book, sqlite3_stmt *slices, bool *found,
                        const struct row *reservation, struct ledger_error *error)
{
    while (*found && sqlite3_column_int64(slices, 0) <= reservation->reservation.id) {
        struct row slice;
        if (!row_read(slices, ROW_SLICE, &slice))
            return unreadable(ledger, "slice", error);
        if (!slice_fits(book, &slice.slice))
            return unfit(ledger, "slice", error);
        if (slice.slice.reservation == reservation->reservation.id && wanted(book, reservation, &slice))
            book_apply(book, &slice);
        if (!connection_step(&ledger->connection, slices, found, error))
            return false;
    }
    return true;
}

static bool load_reservations(struct ledger *ledger, struct book *book, struct ledger_error *error)
{
    struct connection *connection = &ledger->connection;
    sqlite3_stmt *reservations = connection_statement(connection, STATEMENT_LOAD_RESERVATIONS, error);
    sqlite3_stmt *slices = connection_statement(connection, STATEMENT_LOAD_SLICES, error);
    bool found = true, slice_found;
    if (reservations == NULL || slices == NULL || !connection_step(connection, slices, &slice_found, error))
        return false;
    for (int64_t last = 0; found; last++) {
        if (!connection_step(connection, reservations, &found, error))
            return false;
        if (!found)
            break;
        struct row row;
        if (!row_read(reservations, ROW_RESERVATION, &row))
            return unreadable(ledger, "reservation", error);
        if (!reservation_fits(book, &row.reservation, last))
            return unfit(ledger, "reservation", error);
        book_apply(book, &row);
        if (!load_slices(ledger, book, slices, &slice_found, &row, error))
            return false;
    }
    sqlite3_reset(reservations);
    sqlite3_reset(slices);
    return true;
}

bool ledger_load(struct ledger *ledger, struct book *book, struct ledger_error *error)
{
    static const struct {
        enum row_kind kind;
        enum statement statement;
        const char *table;
    } tables[] = {
        {ROW_MANIFEST, STATEMENT_LOAD_MANIFEST, "manifest"},
        {ROW_SITE, STATEMENT_LOAD_SITES, "site"},
        {ROW_SITE_POWER, STATEMENT_LOAD_SITE_POWER, "site_power"},
        {ROW_POOL, STATEMENT_LOAD_POOLS, "pool"},
        {ROW_RATE, STATEMENT_LOAD_RATES, "rate"},
        {ROW_CAPACITY_CHANGE, STATEMENT_LOAD_CAPACITY_CHANGES, "capacity_change"},
        {ROW_TENANT, STATEMENT_LOAD_TENANTS, "tenant"},
        {ROW_UID, STATEMENT_LOAD_UIDS, "tenant_uid"},
        {ROW_TOKEN, STATEMENT_LOAD_TOKENS, "token"},
        {ROW_CONTRACT, STATEMENT_LOAD_CONTRACTS, "contract"},
        {ROW_CONTRACT_TERMS, STATEMENT_LOAD_CONTRACT_TERMS, "contract_terms"},
        {ROW_CONTRACT_PRICE, STATEMENT_LOAD_CONTRACT_PRICES, "contract_price"},
        {ROW_CONTRACT_POOL, STATEMENT_LOAD_CONTRACT_POOLS, "contract_pool"},
        {ROW_CONTRACT_PERIOD, STATEMENT_LOAD_CONTRACT_PERIODS, "contract_period"},
        {ROW_ACCOUNT, STATEMENT_LOAD_ACCOUNTS, "account"},
    };
    // The handle is the only writer, so what it reads can't change meanwhile.
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (!load_table(ledger, book, tables[i].kind, tables[i].statement, tables[i].table, error))
            return false;
    if (!load_reservations(ledger, book, error) ||
        !load_table(ledger, book, ROW_INTERRUPTION, STATEMENT_LOAD_INTERRUPTIONS, "interruption", error) ||
        !load_table(ledger, book, ROW_CLIENT_REF, STATEMENT_LOAD_CLIENT_REFS, "client_ref", error))
        return false;
    sqlite3_stmt *ends = connection_statement(&ledger->connection, STATEMENT_LOAD_ENDS, error);
    bool found;
    if (ends == NULL || !connection_step(&ledger->connection, ends, &found, error))
        return false;
    int64_t last_event = sqlite3_column_int64(ends, 0), last_transfer = sqlite3_column_int64(ends, 1);
    sqlite3_reset(ends);
    book_loaded(book, ledger->last_time, last_event, last_transfer);
    return connection_set(&ledger->connection, "cache_size", CACHE_FOR_WRITING, error);
}
