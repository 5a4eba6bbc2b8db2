// Periods and tenants against their events.
#include "base/memory.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// What the events say of a period.
struct told {
    int64_t closed;    // the event of its close, 0 when there is none
    int64_t threshold; // the last event of a crossing
    uint32_t level;
    uint32_t instalments;
    struct amount commit, relief, deferred_out, waived, credit_used, surcharge; // at the close
};

static bool read_amount(sqlite3_stmt *statement, int column, struct amount *amount)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return text != NULL && amount_parse(text, strlen(text), amount);
}

// How many of 50, 75, 90 and 100 % are reached after a crossing.
static bool read_level(sqlite3_stmt *statement, bool upward, uint32_t *level)
{
    static const int64_t percents[] = {50, 75, 90, 100};
    for (uint32_t i = 0; i < 4; i++) {
        if (sqlite3_column_int64(statement, 4) == percents[i]) {
            *level = upward ? i + 1 : i;
            return true;
        }
    }
    return false;
}

static bool read_event(sqlite3_stmt *statement, struct told *told)
{
    const char *type = (const char *)sqlite3_column_text(statement, 1);
    int64_t seq = sqlite3_column_int64(statement, 0);
    if (strcmp(type, "instalment.billed") == 0)
        told->instalments++;
    if (strncmp(type, "commitment.", strlen("commitment.")) == 0) {
        told->threshold = seq;
        return read_level(statement, strcmp(type, "commitment.threshold") == 0, &told->level);
    }
    if (strcmp(type, "period.closed") != 0)
        return true;
    bool once = told->closed == 0;
    told->closed = seq;
    return once && read_amount(statement, 6, &told->commit) && read_amount(statement, 7, &told->relief) &&
           read_amount(statement, 8, &told->deferred_out) && read_amount(statement, 9, &told->waived) &&
           read_amount(statement, 10, &told->credit_used) && read_amount(statement, 11, &told->surcharge);
}

static bool read_events(struct verification *verification, struct told *told)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_PERIOD_EVENTS);
    bool found = statement != NULL;
    while (found && verification->report->sound) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        int64_t period = sqlite3_column_int64(statement, 3);
        if (period < 1 || (uint64_t)period > verification->period_count)
            verify_find(verification, "event %lld: it tells of a period that does not exist",
                        (long long)sqlite3_column_int64(statement, 0));
        else if (!read_event(statement, &told[period]))
            verify_find(verification, "event %lld: it does not tell of the period what its type must",
                        (long long)sqlite3_column_int64(statement, 0));
    }
    if (statement != NULL)
        sqlite3_reset(statement);
    return statement != NULL;
}

static const char *first_difference(const struct contract_period_row *row, const struct told *told)
{
    bool settled_at_import = row->imported && told->closed == 0;
    if (row->closed != (told->closed != 0) && !settled_at_import)
        return "closed";
    if (told->closed != 0) {
        if (row->commit.micro != told->commit.micro)
            return "commit_micro";
        if (row->relief.micro != told->relief.micro)
            return "relief_micro";
        if (row->deferred_out.micro != told->deferred_out.micro)
            return "deferred_out_micro";
        if (row->waived.micro != told->waived.micro)
            return "waived_micro";
        if (row->credit_used.micro != told->credit_used.micro)
            return "credit_used_micro";
        if (row->surcharge.micro != told->surcharge.micro)
            return "surcharge_micro";
    }
    bool is_settled = row->deferred_out.micro != 0 || row->waived.micro != 0 || row->credit_used.micro != 0 ||
                      row->surcharge.micro != 0;
    if (told->closed == 0 && is_settled)
        return "what was settled at its close";
    if (told->threshold != 0 ? row->threshold != told->level : row->threshold != 0 && !row->imported)
        return "threshold";
    if (row->instalments_billed != told->instalments && !row->imported)
        return "instalments_billed";
    return NULL;
}

static bool compare_periods(struct verification *verification, const struct told *told)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_LOAD_CONTRACT_PERIODS);
    bool found = statement != NULL;
    while (found && verification->report->sound) {
        struct row row;
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        if (!row_read(statement, ROW_CONTRACT_PERIOD, &row)) {
            verify_find(verification, "contract_period %lld: a column holds what no row can",
                        (long long)sqlite3_column_int64(statement, 0));
            break;
        }
        const struct contract_period_row *period = &row.contract_period;
        const char *member = first_difference(period, &told[period->id]);
        if (member != NULL) {
            char start[INSTANT_TEXT_SIZE];
            instant_format(hour_start(period->start), start);
            verify_find(verification, "contract_period %s/%s: %s differs from what its events tell",
                        verification->periods[period->id].contract, start, member);
        }
    }
    if (statement != NULL)
        sqlite3_reset(statement);
    return statement != NULL;
}

bool verify_period_events(struct verification *verification)
{
    struct told *told = memory_allocate(verification->period_count + 1, sizeof *told);
    bool read = read_events(verification, told) &&
                (!verification->report->sound || compare_periods(verification, told));
    free(told);
    return read;
}

bool verify_tenants(struct verification *verification)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_TENANTS);
    bool found = statement != NULL;
    while (found && verification->report->sound) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        const char *tenant = (const char *)sqlite3_column_text(statement, 0);
        if (sqlite3_column_type(statement, 2) == SQLITE_NULL)
            verify_find(verification, "tenant %s: no event tells of it", tenant);
        else if (sqlite3_column_int64(statement, 1) != sqlite3_column_int64(statement, 3))
            verify_find(verification,
                        "tenant %s: suspended differs from event %lld, the last that changed it", tenant,
                        (long long)sqlite3_column_int64(statement, 2));
        else if (sqlite3_column_int64(statement, 4) == 0)
            verify_find(verification,
                        "tenant %s: the rate limit differs from event %lld, the last that changed it", tenant,
                        (long long)sqlite3_column_int64(statement, 2));
    }
    if (statement != NULL)
        sqlite3_reset(statement);
    return statement != NULL;
}
