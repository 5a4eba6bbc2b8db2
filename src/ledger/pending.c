#include "ledger/pending.h"

#include "base/memory.h"
#include "ledger/rows.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// What the planner is told: a few hundred rows, which are read from the first to the last.
#define EXPECTED_ROWS 256

enum pending_table {
    PENDING_MANIFEST,
    PENDING_SITE,
    PENDING_SITE_POWER,
    PENDING_POOL,
    PENDING_TENANT,
    PENDING_UID,
    PENDING_TOKEN,
    PENDING_EVENT,
    PENDING_RATE,
    PENDING_CAPACITY_CHANGE,
    PENDING_CONTRACT,
    PENDING_CONTRACT_TERMS,
    PENDING_CONTRACT_PRICE,
    PENDING_CONTRACT_POOL,
    PENDING_CONTRACT_PERIOD,
    PENDING_ACCOUNT,
    PENDING_BALANCE,
    PENDING_RESERVATION,
    PENDING_SLICE,
    PENDING_REMOVED_SLICE,
    PENDING_INTERRUPTION,
    PENDING_TRANSFER,
    PENDING_CLIENT_REF,
};

_Static_assert(PENDING_CLIENT_REF + 1 == PENDING_TABLE_COUNT, "one place for each table");

struct table {
    const char *name;
    const char *columns; // in the order of ledger/rows.c
    enum statement statement;
};

static const struct table tables[PENDING_TABLE_COUNT] = {
    [PENDING_MANIFEST] = {"pending_manifest", "note", STATEMENT_WRITE_MANIFEST},
    [PENDING_SITE] = {"pending_site", "id, site, note", STATEMENT_WRITE_SITE},
    [PENDING_SITE_POWER] = {"pending_site_power", "site, start, watts", STATEMENT_WRITE_SITE_POWER},
    [PENDING_POOL] = {"pending_pool", "id, site, pool, gpu, unit, watts_per_gpu, note", STATEMENT_WRITE_POOL},
    [PENDING_TENANT] = {"pending_tenant",
                        "id, tenant, name, suspended, note, requests_per_second, requests_burst",
                        STATEMENT_WRITE_TENANT},
    [PENDING_UID] = {"pending_uid", "uid, tenant, revoked", STATEMENT_WRITE_UID},
    [PENDING_TOKEN] = {"pending_token", "label, tenant, salt, hash, created, revoked", STATEMENT_WRITE_TOKEN},
    [PENDING_EVENT] = {"pending_event", "seq, at, type, actor, tenant, reservation, data, batch",
                       STATEMENT_WRITE_EVENT},
    [PENDING_RATE] = {"pending_rate", "id, pool, tier, start, price_micro, event", STATEMENT_WRITE_RATE},
    [PENDING_CAPACITY_CHANGE] = {"pending_capacity_change",
                                 "id, pool, kind, gpus, start, end, base, note, part, outage, event",
                                 STATEMENT_WRITE_CAPACITY_CHANGE},
    [PENDING_CONTRACT] = {"pending_contract", "id, tenant, contract, start, end, version, note",
                          STATEMENT_WRITE_CONTRACT},
    [PENDING_CONTRACT_TERMS] =
        {"pending_contract_terms",
         "contract, version, annual, annual_commit_micro, overage, overage_limit_micro, "
         "overage_limit_bp, surcharge_bp, defer_bp, defer_until, shortfall_then, "
         "billing, cancel_notice_hours, late_fee_bp, sla_credit_bp, "
         "termination_notice_from, termination_notice_days, discount_bp, event",
         STATEMENT_WRITE_CONTRACT_TERMS},
    [PENDING_CONTRACT_PRICE] = {"pending_contract_price", "contract, version, pool, tier, price_micro",
                                STATEMENT_WRITE_CONTRACT_PRICE},
    [PENDING_CONTRACT_POOL] = {"pending_contract_pool", "contract, version, pool",
                               STATEMENT_WRITE_CONTRACT_POOL},
    [PENDING_CONTRACT_PERIOD] = {"pending_contract_period",
                                 "id, contract, number, start, end, commit_micro, overage_limit_micro, "
                                 "relief_micro, deferred_out_micro, waived_micro, credit_used_micro, "
                                 "surcharge_micro, fees_billed_micro, instalments_billed, threshold, closed, "
                                 "imported, delivered_through, delivered_micro, delivering_micro",
                                 STATEMENT_WRITE_CONTRACT_PERIOD},
    [PENDING_ACCOUNT] = {"pending_account", "id, contract, period, kind, balance_micro",
                         STATEMENT_WRITE_ACCOUNT},
    [PENDING_BALANCE] = {"pending_balance", "id, contract, period, kind, balance_micro",
                         STATEMENT_WRITE_BALANCE},
    [PENDING_RESERVATION] = {"pending_reservation",
                             "id, tenant, pool, tier, state, start, end, gpus, created, hold_expires, "
                             "wait_until, cost_micro, gpu_hours, fees_micro, \"group\", legs, last_slice, "
                             "last_layer, hold_seconds, client_ref, project, note",
                             STATEMENT_WRITE_RESERVATION},
    [PENDING_SLICE] = {"pending_slice", "reservation, number, layer, start, end, gpus, price_micro, period",
                       STATEMENT_WRITE_SLICE},
    [PENDING_REMOVED_SLICE] = {"pending_removed_slice", "reservation, number", STATEMENT_REMOVE_SLICE},
    [PENDING_INTERRUPTION] = {"pending_interruption",
                              "id, reservation, capacity_change, start, end, gpus, price_micro, period, "
                              "relief_micro, sla_credit_micro, event",
                              STATEMENT_WRITE_INTERRUPTION},
    [PENDING_TRANSFER] = {"pending_transfer",
                          "id, at, kind, debit_account, credit_account, amount_micro, period, reservation, "
                          "event",
                          STATEMENT_WRITE_TRANSFER},
    [PENDING_CLIENT_REF] = {"pending_client_ref",
                            "tenant, client_ref, method, request, thing, is_group, event, batch",
                            STATEMENT_WRITE_CLIENT_REF},
};

static enum pending_table table_of(const struct row *row, int64_t last_account)
{
    static const enum pending_table by_kind[] = {
        [ROW_SITE] = PENDING_SITE,
        [ROW_SITE_POWER] = PENDING_SITE_POWER,
        [ROW_POOL] = PENDING_POOL,
        [ROW_RATE] = PENDING_RATE,
        [ROW_CAPACITY_CHANGE] = PENDING_CAPACITY_CHANGE,
        [ROW_TENANT] = PENDING_TENANT,
        [ROW_UID] = PENDING_UID,
        [ROW_TOKEN] = PENDING_TOKEN,
        [ROW_CONTRACT] = PENDING_CONTRACT,
        [ROW_CONTRACT_TERMS] = PENDING_CONTRACT_TERMS,
        [ROW_CONTRACT_PRICE] = PENDING_CONTRACT_PRICE,
        [ROW_CONTRACT_POOL] = PENDING_CONTRACT_POOL,
        [ROW_CONTRACT_PERIOD] = PENDING_CONTRACT_PERIOD,
        [ROW_ACCOUNT] = PENDING_ACCOUNT,
        [ROW_RESERVATION] = PENDING_RESERVATION,
        [ROW_SLICE] = PENDING_SLICE,
        [ROW_INTERRUPTION] = PENDING_INTERRUPTION,
        [ROW_CLIENT_REF] = PENDING_CLIENT_REF,
        [ROW_EVENT] = PENDING_EVENT,
        [ROW_TRANSFER] = PENDING_TRANSFER,
        [ROW_MANIFEST] = PENDING_MANIFEST,
    };
    if (row->kind == ROW_ACCOUNT && row->account.id <= last_account)
        return PENDING_BALANCE;
    if (row->kind == ROW_SLICE && row->slice.removed)
        return PENDING_REMOVED_SLICE;
    return by_kind[row->kind];
}

void pending_gather(struct pending *pending, const struct batch *batch, int64_t last_account)
{
    for (size_t i = 0; i < PENDING_TABLE_COUNT; i++)
        pending->tables[i].count = 0;
    pending->batch = batch->seq;
    for (size_t i = 0; i < batch->row_count; i++) {
        struct pending_rows *rows = &pending->tables[table_of(&batch->rows[i], last_account)];
        // An array of pointers to rows: NOLINTNEXTLINE(bugprone-sizeof-expression)
        rows->rows = memory_grow(rows->rows, rows->count, &rows->capacity, sizeof(*rows->rows));
        rows->rows[rows->count++] = &batch->rows[i];
    }
}

bool pending_write(const struct pending *pending, struct connection *connection, struct ledger_error *error)
{
    for (size_t i = 0; i < PENDING_TABLE_COUNT; i++)
        if (pending->tables[i].count > 0 && !connection_run(connection, tables[i].statement, error))
            return false;
    return true;
}

void pending_free(struct pending *pending)
{
    for (size_t i = 0; i < PENDING_TABLE_COUNT; i++)
        free(pending->tables[i].rows);
    *pending = (struct pending){0};
}

// ---- The virtual tables, as SQLite calls them

struct view {
    sqlite3_vtab base;
    const struct pending_rows *rows;
};

struct cursor {
    sqlite3_vtab_cursor base;
    const struct pending_rows *rows;
    size_t at;
    struct row_values values; // of the row it stands on
};

static int view_connect(sqlite3 *database, void *context, int count, const char *const *arguments,
                        sqlite3_vtab **result, char **message)
{
    (void)count;
    (void)arguments;
    (void)message;
    const struct pending_rows *rows = context;
    char declaration[512];
    int length = snprintf(declaration, sizeof declaration, "CREATE TABLE pending (%s)", rows->columns);
    assert(length > 0 && (size_t)length < sizeof declaration);
    (void)length;
    int code = sqlite3_declare_vtab(database, declaration);
    if (code != SQLITE_OK)
        return code;
    struct view *view = sqlite3_malloc(sizeof *view);
    if (view == NULL)
        return SQLITE_NOMEM;
    *view = (struct view){.rows = rows};
    *result = &view->base;
    return SQLITE_OK;
}

static int view_disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int view_plan(sqlite3_vtab *base, sqlite3_index_info *plan)
{
    (void)base;
    plan->estimatedCost = EXPECTED_ROWS;
    plan->estimatedRows = EXPECTED_ROWS;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *base, sqlite3_vtab_cursor **result)
{
    struct cursor *cursor = sqlite3_malloc(sizeof *cursor);
    if (cursor == NULL)
        return SQLITE_NOMEM;
    cursor->base = (sqlite3_vtab_cursor){0};
    cursor->rows = ((struct view *)base)->rows;
    cursor->at = 0;
    *result = &cursor->base;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static void stand_on(struct cursor *cursor, size_t at)
{
    cursor->at = at;
    if (at < cursor->rows->count)
        row_values(cursor->rows->rows[at], cursor->rows->pending->batch, &cursor->values);
}

static int cursor_first(sqlite3_vtab_cursor *base, int plan, const char *name, int count,
                        sqlite3_value **arguments)
{
    (void)plan;
    (void)name;
    (void)count;
    (void)arguments;
    stand_on((struct cursor *)base, 0);
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
    struct cursor *cursor = (struct cursor *)base;
    stand_on(cursor, cursor->at + 1);
    return SQLITE_OK;
}

static int cursor_is_over(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = (struct cursor *)base;
    return cursor->at >= cursor->rows->count;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
    const struct cursor *cursor = (struct cursor *)base;
    assert(column < cursor->values.count);
    const struct value *value = &cursor->values.values[column];
    switch (value->type) {
    case VALUE_NULL:
        sqlite3_result_null(context);
        break;
    case VALUE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case VALUE_TEXT:
        sqlite3_result_text64(context, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
        break;
    case VALUE_BYTES:
        sqlite3_result_blob64(context, value->bytes, value->length, SQLITE_STATIC);
        break;
    }
    return SQLITE_OK;
}

static int cursor_number(sqlite3_vtab_cursor *base, sqlite3_int64 *number)
{
    *number = (sqlite3_int64)((struct cursor *)base)->at;
    return SQLITE_OK;
}

// Without xCreate a table is there by its name alone, and none can be created.
static const sqlite3_module module = {
    .xConnect = view_connect,
    .xBestIndex = view_plan,
    .xDisconnect = view_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_first,
    .xNext = cursor_next,
    .xEof = cursor_is_over,
    .xColumn = cursor_column,
    .xRowid = cursor_number,
};

bool pending_register(struct pending *pending, struct connection *connection, struct ledger_error *error)
{
    *pending = (struct pending){0};
    for (size_t i = 0; i < PENDING_TABLE_COUNT; i++) {
        pending->tables[i].pending = pending;
        pending->tables[i].columns = tables[i].columns;
        if (sqlite3_create_module(connection->database, tables[i].name, &module, &pending->tables[i]) !=
            SQLITE_OK) {
            connection_failed(connection, "can't make the rows of a batch known to SQLite", error);
            return false;
        }
    }
    return true;
}
