// The parts of verifying, shared by the files that do it.
#ifndef COLOSSUS_LEDGER_VERIFY_INTERNAL_H
#define COLOSSUS_LEDGER_VERIFY_INTERNAL_H

#include "ledger/connection.h"
#include "ledger/ledger.h"

// A period as the checks of its slices need it.
struct verified_period {
    char *contract;
    struct hour start, end, delivered_through;
    struct amount delivered, delivering; // as its row says
    struct amount consumed, encumbered;  // as its accounts say
    struct amount slices_before;         // what its slices come to before delivered_through
    struct amount slices_after;          // and from there on
    struct amount slices_running;        // and in the hour there
};

struct verification {
    struct connection *connection;
    struct verify_report *report;
    struct ledger_error *error;
    ledger_progress progress;
    void *context;
    struct verified_period *periods; // by id; element 0 is unused
    size_t period_count;             // the highest id
};

// Reports a finding: the table, the key and what is wrong. The first one stands.
void verify_find(struct verification *verification, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void verify_progress(struct verification *verification, const char *step, int64_t done, int64_t total);

// The statement, or NULL with the error filled in.
sqlite3_stmt *verify_statement(struct verification *verification, enum statement statement);
bool verify_step(struct verification *verification, sqlite3_stmt *statement, bool *found);

// Each false when the file can't be read; findings are in the report.

// Accounts against transfers, and what may be spent against what is.
bool verify_money(struct verification *verification);

// Reads the periods for the checks of the slices.
bool verify_load_periods(struct verification *verification);
// Reservations and slices against the last event of each; adds the slices to their periods and their pools.
bool verify_reservations(struct verification *verification);
// What the slices of each period come to, against its accounts.
void verify_deliveries(struct verification *verification);
// Periods and tenants against their events.
bool verify_period_events(struct verification *verification);
bool verify_tenants(struct verification *verification);
// Every row against what it can hold.
bool verify_columns(struct verification *verification);
// Contracts, places and people against their terms and the last event of each.
bool verify_terms(struct verification *verification);
// What is whose, as it is found by tenant, against whose it is.
bool verify_postings(struct verification *verification);

// ---- Hours: what is reserved in each, against the capacity (invariant 1)

struct occupancy;

struct occupancy *occupancy_create(void);
void occupancy_destroy(struct occupancy *occupancy);
// Returns false when the hours are further apart than any booking can be.
bool occupancy_add(struct occupancy *occupancy, const struct slice_row *slice, uint32_t pool);
// Finds the first hour in which a pool has more reserved than there is.
bool occupancy_check(struct occupancy *occupancy, struct verification *verification);

#endif
