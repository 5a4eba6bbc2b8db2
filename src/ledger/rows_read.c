// The other half of rows.c: from a statement's columns back to a row.
#include "ledger/rows.h"

#include <string.h>

struct columns {
    sqlite3_stmt *statement;
    int column;
    bool valid; // all so far
};

static int64_t read_integer(struct columns *columns)
{
    return sqlite3_column_int64(columns->statement, columns->column++); // NULL reads as 0
}

// A number that a field of 32 bits can hold.
static int32_t read_small(struct columns *columns)
{
    int64_t value = read_integer(columns);
    if (value < INT32_MIN || value > INT32_MAX) {
        columns->valid = false;
        return 0;
    }
    return (int32_t)value;
}

static uint32_t read_id(struct columns *columns)
{
    int64_t value = read_integer(columns);
    if (value < 0 || value > UINT32_MAX) {
        columns->valid = false;
        return 0;
    }
    return (uint32_t)value;
}

static bool read_bool(struct columns *columns)
{
    return read_integer(columns) != 0;
}

static struct amount read_amount(struct columns *columns)
{
    return (struct amount){read_integer(columns)};
}

static struct instant read_instant(struct columns *columns)
{
    return (struct instant){read_integer(columns)};
}

static bool is_null(const struct columns *columns)
{
    return sqlite3_column_type(columns->statement, columns->column) == SQLITE_NULL;
}

static struct hour read_hour(struct columns *columns)
{
    if (is_null(columns)) {
        columns->column++;
        return HOUR_NEVER;
    }
    int64_t seconds = read_integer(columns);
    int64_t number = seconds / SECONDS_PER_HOUR;
    if (seconds % SECONDS_PER_HOUR != 0 || number < INT32_MIN || number >= INT32_MAX) {
        columns->valid = false;
        return (struct hour){0};
    }
    return (struct hour){(int32_t)number};
}

static const char *read_text(struct columns *columns)
{
    return (const char *)sqlite3_column_text(columns->statement, columns->column++);
}

// A name, for a parser that must not be given NULL.
static const char *read_name(struct columns *columns)
{
    const char *name = read_text(columns);
    return name == NULL ? "" : name;
}

static void read_bytes(struct columns *columns, void *bytes, int length)
{
    const void *blob = sqlite3_column_blob(columns->statement, columns->column);
    if (blob == NULL || sqlite3_column_bytes(columns->statement, columns->column) != length)
        columns->valid = false;
    else
        memcpy(bytes, blob, (size_t)length);
    columns->column++;
}

static void read_tier(struct columns *columns, enum tier *tier)
{
    columns->valid = tier_parse(read_name(columns), tier) && columns->valid;
}

static void read_pool(struct columns *columns, struct pool_row *row)
{
    row->id = read_id(columns);
    row->site = read_id(columns);
    row->pool = read_text(columns);
    row->gpu = read_text(columns);
    row->unit = read_small(columns);
    row->watts_per_gpu = read_integer(columns);
    row->note = read_text(columns);
}

static void read_rate(struct columns *columns, struct rate_row *row)
{
    row->id = read_integer(columns);
    row->pool = read_id(columns);
    read_tier(columns, &row->tier);
    row->start = read_hour(columns);
    row->price = read_amount(columns);
    row->event = read_integer(columns);
}

static void read_capacity_change(struct columns *columns, struct capacity_change_row *row)
{
    row->id = read_integer(columns);
    row->pool = read_id(columns);
    columns->valid = capacity_kind_parse(read_name(columns), &row->kind) && columns->valid;
    row->gpus = read_small(columns);
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->base = read_bool(columns);
    row->note = read_text(columns);
    const char *part = read_text(columns);
    row->part = OUTAGE_NONE;
    columns->valid = (part == NULL || outage_part_parse(part, &row->part)) && columns->valid;
    row->outage = read_integer(columns);
    row->event = read_integer(columns);
}

static void read_tenant(struct columns *columns, struct tenant_row *row)
{
    row->id = read_id(columns);
    row->tenant = read_text(columns);
    row->name = read_text(columns);
    row->suspended = read_bool(columns);
    row->note = read_text(columns);
    row->rate_limit.per_second = read_small(columns);
    row->rate_limit.burst = read_small(columns);
}

static void read_token(struct columns *columns, struct token_row *row)
{
    row->label = read_text(columns);
    row->tenant = read_id(columns);
    read_bytes(columns, row->salt.bytes, DIGEST_SIZE);
    read_bytes(columns, row->hash.bytes, DIGEST_SIZE);
    row->created = read_instant(columns);
    row->revoked = read_bool(columns);
}

static void read_contract(struct columns *columns, struct contract_row *row)
{
    row->id = read_id(columns);
    row->tenant = read_id(columns);
    row->contract = read_text(columns);
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->version = read_id(columns);
    row->note = read_text(columns);
}

static void read_contract_terms(struct columns *columns, struct contract_terms_row *row)
{
    row->contract = read_id(columns);
    row->version = read_id(columns);
    row->annual = read_bool(columns);
    row->annual_commit = read_amount(columns);
    const char *overage = read_name(columns);
    columns->valid = overage_parse(overage, &row->overage_kind) && columns->valid;
    row->overage_amount = read_amount(columns);
    row->overage_limit_bp = read_integer(columns);
    row->surcharge_bp = read_integer(columns);
    row->defer_bp = read_integer(columns);
    row->defer_until_last = strcmp(read_name(columns), "last") == 0;
    columns->valid = shortfall_rest_parse(read_name(columns), &row->then) && columns->valid;
    columns->valid = billing_parse(read_name(columns), &row->billing) && columns->valid;
    row->cancel_notice_hours = read_small(columns);
    row->late_fee_bp = read_integer(columns);
    row->sla_credit_bp = read_integer(columns);
    row->has_termination = !is_null(columns);
    if (row->has_termination) {
        row->termination_notice_from = read_hour(columns);
        row->termination_notice_days = read_small(columns);
    } else {
        row->termination_notice_from = (struct hour){0};
        row->termination_notice_days = 0;
        columns->column += 2;
    }
    row->discount_bp = read_integer(columns);
    row->event = read_integer(columns);
}

static void read_contract_price(struct columns *columns, struct contract_price_row *row)
{
    row->contract = read_id(columns);
    row->version = read_id(columns);
    row->pool = read_id(columns);
    read_tier(columns, &row->tier);
    row->price = read_amount(columns);
}

static void read_contract_period(struct columns *columns, struct contract_period_row *row)
{
    row->id = read_id(columns);
    row->contract = read_id(columns);
    row->number = read_id(columns);
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->commit = read_amount(columns);
    row->overage_unlimited = is_null(columns);
    row->overage_limit = read_amount(columns);
    row->relief = read_amount(columns);
    row->deferred_out = read_amount(columns);
    row->waived = read_amount(columns);
    row->credit_used = read_amount(columns);
    row->surcharge = read_amount(columns);
    row->fees_billed = read_amount(columns);
    row->instalments_billed = read_id(columns);
    row->threshold = read_id(columns);
    row->closed = read_bool(columns);
    row->imported = read_bool(columns);
    row->delivered_through = read_hour(columns);
    row->delivered = read_amount(columns);
    row->delivering = read_amount(columns);
}

static void read_account(struct columns *columns, struct account_row *row)
{
    row->id = read_id(columns);
    row->contract = read_id(columns);
    row->period = read_id(columns);
    columns->valid = account_kind_parse(read_name(columns), &row->kind) && columns->valid;
    row->balance = read_amount(columns);
}

static void read_reservation(struct columns *columns, struct reservation_row *row)
{
    row->id = read_integer(columns);
    row->tenant = read_id(columns);
    row->pool = read_id(columns);
    read_tier(columns, &row->tier);
    columns->valid = reservation_state_parse(read_name(columns), &row->state) && columns->valid;
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->gpus = read_small(columns);
    row->created = read_instant(columns);
    row->hold_expires = read_instant(columns);
    row->wait_until = read_instant(columns);
    row->cost = read_amount(columns);
    row->gpu_hours = read_integer(columns);
    row->fees = read_amount(columns);
    row->group = read_integer(columns);
    row->legs = read_small(columns);
    row->last_slice = read_small(columns);
    row->last_layer = read_small(columns);
    row->hold_seconds = read_small(columns);
    row->client_ref = read_text(columns);
    row->project = read_text(columns);
    row->note = read_text(columns);
}

static void read_slice(struct columns *columns, struct slice_row *row)
{
    row->reservation = read_integer(columns);
    row->number = read_small(columns);
    row->layer = read_small(columns);
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->gpus = read_small(columns);
    row->price = read_amount(columns);
    row->period = read_id(columns);
    row->removed = false;
}

static void read_interruption(struct columns *columns, struct interruption_row *row)
{
    row->id = read_integer(columns);
    row->reservation = read_integer(columns);
    row->capacity_change = read_integer(columns);
    row->start = read_hour(columns);
    row->end = read_hour(columns);
    row->gpus = read_small(columns);
    row->price = read_amount(columns);
    row->period = read_id(columns);
    row->relief = read_amount(columns);
    row->sla_credit = read_amount(columns);
    row->event = read_integer(columns);
}

static void read_client_ref(struct columns *columns, struct client_ref_row *row)
{
    uint8_t fingerprint[16] = {0};
    row->scope = read_id(columns);
    row->client_ref = read_text(columns);
    row->method = read_text(columns);
    read_bytes(columns, fingerprint, sizeof fingerprint);
    row->request = (struct fingerprint){0};
    for (int i = 0; i < 8; i++) {
        row->request.high = row->request.high << 8 | fingerprint[i];
        row->request.low = row->request.low << 8 | fingerprint[8 + i];
    }
    row->thing = read_integer(columns);
    row->is_group = read_bool(columns);
    row->event = read_integer(columns);
}

static void read_event(struct columns *columns, struct event_row *row)
{
    row->seq = read_integer(columns);
    row->at = read_instant(columns);
    row->type = read_text(columns);
    row->actor = read_text(columns);
    row->tenant = read_id(columns);
    row->reservation = read_integer(columns);
    row->data = (const char *)sqlite3_column_text(columns->statement, columns->column);
    row->data_length = (size_t)sqlite3_column_bytes(columns->statement, columns->column++);
    columns->valid = columns->valid && row->type != NULL && row->data != NULL;
}

static void read_transfer(struct columns *columns, struct transfer_row *row)
{
    row->id = read_integer(columns);
    row->at = read_instant(columns);
    columns->valid = transfer_kind_parse(read_name(columns), &row->kind) && columns->valid;
    row->debit_account = read_id(columns);
    row->credit_account = read_id(columns);
    row->amount = read_amount(columns);
    row->period = read_id(columns);
    row->reservation = read_integer(columns);
    row->event = read_integer(columns);
}

bool row_read(sqlite3_stmt *statement, enum row_kind kind, struct row *row)
{
    struct columns columns = {.statement = statement, .valid = true};
    row->kind = kind;
    switch (kind) {
    case ROW_SITE:
        row->site.id = read_id(&columns);
        row->site.site = read_text(&columns);
        row->site.note = read_text(&columns);
        break;
    case ROW_SITE_POWER:
        row->site_power.site = read_id(&columns);
        row->site_power.start = read_hour(&columns);
        row->site_power.watts = read_integer(&columns);
        break;
    case ROW_POOL:
        read_pool(&columns, &row->pool);
        break;
    case ROW_RATE:
        read_rate(&columns, &row->rate);
        break;
    case ROW_CAPACITY_CHANGE:
        read_capacity_change(&columns, &row->capacity_change);
        break;
    case ROW_TENANT:
        read_tenant(&columns, &row->tenant);
        break;
    case ROW_UID:
        row->uid.uid = read_id(&columns);
        row->uid.tenant = read_id(&columns);
        row->uid.revoked = read_bool(&columns);
        break;
    case ROW_TOKEN:
        read_token(&columns, &row->token);
        break;
    case ROW_CONTRACT:
        read_contract(&columns, &row->contract);
        break;
    case ROW_CONTRACT_TERMS:
        read_contract_terms(&columns, &row->contract_terms);
        break;
    case ROW_CONTRACT_PRICE:
        read_contract_price(&columns, &row->contract_price);
        break;
    case ROW_CONTRACT_POOL:
        row->contract_pool.contract = read_id(&columns);
        row->contract_pool.version = read_id(&columns);
        row->contract_pool.pool = read_id(&columns);
        break;
    case ROW_CONTRACT_PERIOD:
        read_contract_period(&columns, &row->contract_period);
        break;
    case ROW_ACCOUNT:
        read_account(&columns, &row->account);
        break;
    case ROW_RESERVATION:
        read_reservation(&columns, &row->reservation);
        break;
    case ROW_SLICE:
        read_slice(&columns, &row->slice);
        break;
    case ROW_INTERRUPTION:
        read_interruption(&columns, &row->interruption);
        break;
    case ROW_CLIENT_REF:
        read_client_ref(&columns, &row->client_ref);
        break;
    case ROW_EVENT:
        read_event(&columns, &row->event);
        break;
    case ROW_TRANSFER:
        read_transfer(&columns, &row->transfer);
        break;
    case ROW_MANIFEST:
        row->manifest.note = read_text(&columns);
        break;
    }
    return columns.valid;
}
