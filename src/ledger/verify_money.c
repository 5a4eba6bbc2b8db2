// Money: every balance is the sum of its transfers, the whole sums to zero, nothing is used beyond the
// authority, and what the slices come to is what their periods hold.
#include "base/memory.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- Accounts against transfers

struct ledger_account {
    uint32_t contract, period;
    struct amount balance; // as its row says
    struct amount sum;     // of its transfers
    char *name;
};

struct accounts {
    struct ledger_account *list; // by id; element 0 is unused
    size_t count;
    uint32_t *contract_of; // by period
    size_t period_count;
};

static bool load_accounts(struct verification *verification, struct accounts *accounts)
{
    int64_t last_account, last_period;
    if (!connection_integer(verification->connection, "SELECT max(id) FROM account", &last_account,
                            verification->error) ||
        !connection_integer(verification->connection, "SELECT max(id) FROM contract_period", &last_period,
                            verification->error))
        return false;
    int64_t dense_accounts, dense_periods;
    if (!connection_integer(verification->connection, "SELECT count(*) FROM account WHERE id > 0",
                            &dense_accounts, verification->error) ||
        !connection_integer(verification->connection, "SELECT count(*) FROM contract_period WHERE id > 0",
                            &dense_periods, verification->error))
        return false;
    if (last_account != dense_accounts || last_period != dense_periods) {
        verify_find(verification, "%s: rows are missing, %" PRId64 " of %" PRId64 " are there",
                    last_account != dense_accounts ? "account" : "contract_period",
                    last_account != dense_accounts ? dense_accounts : dense_periods,
                    last_account != dense_accounts ? last_account : last_period);
        return true;
    }
    accounts->count = (size_t)last_account;
    accounts->list = memory_allocate(accounts->count + 1, sizeof *accounts->list);
    accounts->period_count = (size_t)last_period;
    accounts->contract_of = memory_allocate(accounts->period_count + 1, sizeof *accounts->contract_of);
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_ACCOUNTS);
    bool found = statement != NULL;
    while (found) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        // Ids are 1 to the count, and foreign keys hold, as was checked.
        struct ledger_account *account = &accounts->list[sqlite3_column_int64(statement, 0)];
        account->contract = (uint32_t)sqlite3_column_int64(statement, 1);
        account->period = (uint32_t)sqlite3_column_int64(statement, 2);
        account->balance.micro = sqlite3_column_int64(statement, 3);
        account->name = memory_copy_text((const char *)sqlite3_column_text(statement, 4));
        if (account->period != 0)
            accounts->contract_of[account->period] = account->contract;
    }
    return statement != NULL;
}

static void post(struct verification *verification, struct accounts *accounts, sqlite3_stmt *statement)
{
    int64_t id = sqlite3_column_int64(statement, 0);
    struct ledger_account *debit = &accounts->list[sqlite3_column_int64(statement, 1)];
    struct ledger_account *credit = &accounts->list[sqlite3_column_int64(statement, 2)];
    struct amount amount = {sqlite3_column_int64(statement, 3)};
    uint32_t contract = accounts->contract_of[sqlite3_column_int64(statement, 4)];
    if (debit == credit || amount.micro <= 0)
        verify_find(verification, "transfer %" PRId64 ": it moves nothing", id);
    if (debit->contract != contract || credit->contract != contract)
        verify_find(verification,
                    "transfer %" PRId64 ": it moves money of another contract than its period's", id);
    if (!amount_subtract(debit->sum, amount, &debit->sum) || !amount_add(credit->sum, amount, &credit->sum))
        verify_find(verification, "transfer %" PRId64 ": a balance passes the largest amount", id);
}

static bool post_all(struct verification *verification, struct accounts *accounts)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_TRANSFERS);
    bool found = statement != NULL;
    int64_t done = 0;
    while (found && verification->report->sound) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (found)
            post(verification, accounts, statement);
        if (++done % 65536 == 0)
            verify_progress(verification, "transfers", done, verification->report->transfers);
    }
    if (statement != NULL)
        sqlite3_reset(statement);
    return statement != NULL;
}

static void compare_balances(struct verification *verification, const struct accounts *accounts)
{
    struct amount whole = AMOUNT_ZERO;
    for (size_t i = 1; i <= accounts->count; i++) {
        const struct ledger_account *account = &accounts->list[i];
        if (account->balance.micro != account->sum.micro) {
            char said[AMOUNT_TEXT_SIZE], sum[AMOUNT_TEXT_SIZE];
            amount_format(account->balance, said);
            amount_format(account->sum, sum);
            verify_find(verification, "account %zu (%s): its balance is %s, but its transfers sum to %s", i,
                        account->name == NULL ? "" : account->name, said, sum);
        }
        if (!amount_add(whole, account->balance, &whole))
            verify_find(verification, "account %zu: the balances pass the largest amount", i);
    }
    if (whole.micro != 0)
        verify_find(verification, "account: all balances together are not zero");
}

static bool check_sets(struct verification *verification)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_ACCOUNT_SETS);
    bool found;
    if (statement == NULL || !verify_step(verification, statement, &found))
        return false;
    if (found)
        verify_find(verification, "account: contract %s, period %lld, lacks some of its accounts",
                    (const char *)sqlite3_column_text(statement, 0),
                    (long long)sqlite3_column_int64(statement, 1));
    sqlite3_reset(statement);
    return true;
}

static bool check_authority(struct verification *verification)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_AUTHORITY);
    bool found;
    if (statement == NULL || !verify_step(verification, statement, &found))
        return false;
    if (found) {
        char start[INSTANT_TEXT_SIZE];
        instant_format((struct instant){sqlite3_column_int64(statement, 1)}, start);
        verify_find(verification, "contract_period %s/%s: more is used than its authority",
                    (const char *)sqlite3_column_text(statement, 0), start);
    }
    sqlite3_reset(statement);
    return true;
}

bool verify_money(struct verification *verification)
{
    struct accounts accounts = {0};
    bool read = load_accounts(verification, &accounts) &&
                (!verification->report->sound || post_all(verification, &accounts)) &&
                (!verification->report->sound || (check_sets(verification) && check_authority(verification)));
    if (read && verification->report->sound)
        compare_balances(verification, &accounts);
    for (size_t i = 1; accounts.list != NULL && i <= accounts.count; i++)
        free(accounts.list[i].name);
    free(accounts.list);
    free(accounts.contract_of);
    return read;
}

// ---- Periods against their slices

bool verify_load_periods(struct verification *verification)
{
    int64_t count;
    if (!connection_integer(verification->connection, "SELECT max(id) FROM contract_period", &count,
                            verification->error))
        return false;
    verification->period_count = (size_t)count;
    verification->periods = memory_allocate((size_t)count + 1, sizeof *verification->periods);
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_PERIODS);
    bool found = statement != NULL;
    while (found) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        struct verified_period *period = &verification->periods[sqlite3_column_int64(statement, 0)];
        period->contract = memory_copy_text((const char *)sqlite3_column_text(statement, 1));
        period->start = hour_of_instant((struct instant){sqlite3_column_int64(statement, 2)});
        period->end = hour_of_instant((struct instant){sqlite3_column_int64(statement, 3)});
        period->delivered_through = hour_of_instant((struct instant){sqlite3_column_int64(statement, 4)});
        period->delivered.micro = sqlite3_column_int64(statement, 5);
        period->delivering.micro = sqlite3_column_int64(statement, 6);
        period->consumed.micro = sqlite3_column_int64(statement, 7);
        period->encumbered.micro = sqlite3_column_int64(statement, 8);
    }
    return statement != NULL;
}

static void compare(struct verification *verification, const struct verified_period *period, const char *what,
                    struct amount said, struct amount reckoned)
{
    if (said.micro == reckoned.micro)
        return;
    char start[INSTANT_TEXT_SIZE], said_text[AMOUNT_TEXT_SIZE], reckoned_text[AMOUNT_TEXT_SIZE];
    instant_format(hour_start(period->start), start);
    amount_format(said, said_text);
    amount_format(reckoned, reckoned_text);
    verify_find(verification, "contract_period %s/%s: %s is %s, but its slices come to %s", period->contract,
                start, what, said_text, reckoned_text);
}

void verify_deliveries(struct verification *verification)
{
    for (size_t i = 1; i <= verification->period_count; i++) {
        const struct verified_period *period = &verification->periods[i];
        struct amount delivered, undelivered;
        if (!amount_add(period->consumed, period->delivered, &delivered) ||
            !amount_subtract(period->encumbered, period->delivered, &undelivered)) {
            verify_find(verification, "contract_period %zu: an amount passes the largest one", i);
            return;
        }
        compare(verification, period, "what was delivered", delivered, period->slices_before);
        compare(verification, period, "what is encumbered and not delivered", undelivered,
                period->slices_after);
        // What runs to the end of the period is not taken back there: no hour follows.
        if (period->delivered_through.number < period->end.number)
            compare(verification, period, "delivering_micro", period->delivering, period->slices_running);
    }
}
