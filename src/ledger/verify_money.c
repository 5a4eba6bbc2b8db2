// Money: every balance is the sum of its transfers, the whole sums to zero, nothing is used beyond the
// authority, and what the slices come to is what their periods hold.
#include "base/memory.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Accounts against transfers

struct ledger_account {
    uint32_t contract, period;
    enum account_kind kind;
    struct amount balance; // as its row says
    struct amount sum;     // of its transfers
    char *name;
};

// What transfers say of a period that its row says too.
struct granted {
    uint32_t contract;
    struct amount commit, overage, fees_billed, relief;
};

struct accounts {
    struct ledger_account *list; // by id; element 0 is unused
    size_t count;
    struct granted *periods; // by id; element 0 is unused
    size_t period_count;
};

// Whether the ids of a table are 1 to the number of its rows.
static bool is_dense(struct verification *verification, const char *table, size_t *count)
{
    char sql[96];
    int64_t dense, last;
    snprintf(sql, sizeof sql, "SELECT max(id) FROM %s", table);
    if (!connection_integer(verification->connection, sql, &last, verification->error))
        return false;
    snprintf(sql, sizeof sql, "SELECT count(*) - 2 * count(iif(id < 1, 1, NULL)) FROM %s", table);
    if (!connection_integer(verification->connection, sql, &dense, verification->error))
        return false;
    if (last != dense)
        verify_find(verification, "%s: its ids are not 1 to the number of its rows, or rows are missing",
                    table);
    *count = last == dense ? (size_t)last : 0;
    return true;
}

// The kind that an account has by its place: those of a contract, in their order, and then those of each
// period in theirs.
static bool is_in_order(const struct ledger_account *before, const struct ledger_account *account)
{
    bool is_first = before->kind == ACCOUNT_KIND_COUNT - 1 || before->kind == ACCOUNT_COMMITMENT - 1;
    if (account->kind == ACCOUNT_COMMITMENT || account->kind == ACCOUNT_AUTHORITY)
        return is_first && (account->period == 0) == (account->kind == ACCOUNT_COMMITMENT);
    return !is_first && account->kind == before->kind + 1 && account->period == before->period &&
           account->contract == before->contract;
}

static bool load_accounts(struct verification *verification, struct accounts *accounts)
{
    if (!is_dense(verification, "account", &accounts->count) ||
        !is_dense(verification, "contract_period", &accounts->period_count))
        return false;
    if (!verification->report->sound)
        return true;
    accounts->list = memory_allocate(accounts->count + 1, sizeof *accounts->list);
    accounts->list[0].kind = ACCOUNT_KIND_COUNT - 1;
    accounts->periods = memory_allocate(accounts->period_count + 1, sizeof *accounts->periods);
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
        account_kind_parse((const char *)sqlite3_column_text(statement, 5), &account->kind); // as was checked
        if (!is_in_order(account - 1, account))
            verify_find(verification, "account %td (%s): its kind is not that of its place",
                        account - accounts->list, account->name);
        if (account->period != 0)
            accounts->periods[account->period].contract = account->contract;
    }
    return statement != NULL;
}

// What a period is granted comes from two of its contract's accounts, and fees are billed from one side of it
// to the other; what is taken back goes the other way.
static bool note(struct granted *period, const struct ledger_account *debit,
                 const struct ledger_account *credit, struct amount amount, const char *kind)
{
    enum account_kind from = debit->kind, to = credit->kind;
    if (from == ACCOUNT_COMMITMENT && to == ACCOUNT_AUTHORITY)
        return amount_add(period->commit, amount, &period->commit);
    if (from == ACCOUNT_AUTHORITY && to == ACCOUNT_COMMITMENT)
        return amount_subtract(period->commit, amount, &period->commit);
    if (from == ACCOUNT_OVERAGE && to == ACCOUNT_AUTHORITY)
        return amount_add(period->overage, amount, &period->overage);
    if (from == ACCOUNT_AUTHORITY && to == ACCOUNT_OVERAGE)
        return amount_subtract(period->overage, amount, &period->overage);
    if (strcmp(kind, "fee") == 0 && from == ACCOUNT_RECEIVABLE && to == ACCOUNT_BILLED)
        return amount_add(period->fees_billed, amount, &period->fees_billed);
    if (strcmp(kind, "relief") == 0)
        return from == ACCOUNT_ENCUMBERED && to == ACCOUNT_AUTHORITY &&
               amount_add(period->relief, amount, &period->relief);
    return true;
}

static void post(struct verification *verification, struct accounts *accounts, sqlite3_stmt *statement)
{
    int64_t id = sqlite3_column_int64(statement, 0);
    struct ledger_account *debit = &accounts->list[sqlite3_column_int64(statement, 1)];
    struct ledger_account *credit = &accounts->list[sqlite3_column_int64(statement, 2)];
    struct amount amount = {sqlite3_column_int64(statement, 3)};
    struct granted *period = &accounts->periods[sqlite3_column_int64(statement, 4)];
    if (debit == credit || amount.micro <= 0)
        verify_find(verification, "transfer %" PRId64 ": it moves nothing", id);
    if (debit->contract != period->contract || credit->contract != period->contract)
        verify_find(verification,
                    "transfer %" PRId64 ": it moves money of another contract than its period's", id);
    if (!amount_subtract(debit->sum, amount, &debit->sum) || !amount_add(credit->sum, amount, &credit->sum))
        verify_find(verification, "transfer %" PRId64 ": a balance passes the largest amount", id);
    if (!note(period, debit, credit, amount, (const char *)sqlite3_column_text(statement, 5)))
        verify_find(verification,
                    "transfer %" PRId64
                    ": its kind is not of these accounts, or a sum passes the largest amount",
                    id);
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

static void compare_granted(struct verification *verification, sqlite3_stmt *row, int column,
                            const char *what, const char *of, struct amount sum)
{
    char start[INSTANT_TEXT_SIZE], said_text[AMOUNT_TEXT_SIZE], sum_text[AMOUNT_TEXT_SIZE];
    struct amount said = {sqlite3_column_int64(row, column)};
    if (said.micro == sum.micro)
        return;
    instant_format((struct instant){sqlite3_column_int64(row, 2)}, start);
    amount_format(said, said_text);
    amount_format(sum, sum_text);
    verify_find(verification, "contract_period %s/%s: %s is %s, but its %s come to %s",
                (const char *)sqlite3_column_text(row, 1), start, what, said_text, of, sum_text);
}

static bool check_granted(struct verification *verification, const struct accounts *accounts)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_VERIFY_GRANTED);
    bool found = statement != NULL;
    while (found) {
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found)
            break;
        const struct granted *period = &accounts->periods[sqlite3_column_int64(statement, 0)];
        compare_granted(verification, statement, 3, "commit_micro", "transfers", period->commit);
        compare_granted(verification, statement, 4, "overage_limit_micro", "transfers", period->overage);
        compare_granted(verification, statement, 5, "fees_billed_micro", "transfers", period->fees_billed);
        compare_granted(verification, statement, 6, "relief_micro", "transfers", period->relief);
        compare_granted(verification, statement, 6, "relief_micro", "interruptions",
                        (struct amount){sqlite3_column_int64(statement, 7)});
    }
    return statement != NULL;
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
                (!verification->report->sound || (check_sets(verification) && check_authority(verification) &&
                                                  check_granted(verification, &accounts)));
    if (read && verification->report->sound)
        compare_balances(verification, &accounts);
    for (size_t i = 1; accounts.list != NULL && i <= accounts.count; i++)
        free(accounts.list[i].name);
    free(accounts.list);
    free(accounts.periods);
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
