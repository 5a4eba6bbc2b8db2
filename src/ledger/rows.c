#include "ledger/rows.h"

#include <assert.h>
#include <string.h>

static const char *const overage_names[] = {"none", "amount", "percent", "unlimited"};

const char *overage_name(enum overage_limit_kind kind)
{
    return overage_names[kind];
}

bool overage_parse(const char *name, enum overage_limit_kind *kind)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(overage_names[i], name) == 0) {
            *kind = (enum overage_limit_kind)i;
            return true;
        }
    }
    return false;
}

enum statement row_statement(const struct row *row)
{
    static const enum statement statements[] = {
        [ROW_SITE] = STATEMENT_WRITE_SITE,
        [ROW_SITE_POWER] = STATEMENT_WRITE_SITE_POWER,
        [ROW_POOL] = STATEMENT_WRITE_POOL,
        [ROW_RATE] = STATEMENT_WRITE_RATE,
        [ROW_CAPACITY_CHANGE] = STATEMENT_WRITE_CAPACITY_CHANGE,
        [ROW_TENANT] = STATEMENT_WRITE_TENANT,
        [ROW_UID] = STATEMENT_WRITE_UID,
        [ROW_TOKEN] = STATEMENT_WRITE_TOKEN,
        [ROW_CONTRACT] = STATEMENT_WRITE_CONTRACT,
        [ROW_CONTRACT_TERMS] = STATEMENT_WRITE_CONTRACT_TERMS,
        [ROW_CONTRACT_PRICE] = STATEMENT_WRITE_CONTRACT_PRICE,
        [ROW_CONTRACT_POOL] = STATEMENT_WRITE_CONTRACT_POOL,
        [ROW_CONTRACT_PERIOD] = STATEMENT_WRITE_CONTRACT_PERIOD,
        [ROW_ACCOUNT] = STATEMENT_WRITE_ACCOUNT,
        [ROW_RESERVATION] = STATEMENT_WRITE_RESERVATION,
        [ROW_SLICE] = STATEMENT_WRITE_SLICE,
        [ROW_CLIENT_REF] = STATEMENT_WRITE_CLIENT_REF,
        [ROW_EVENT] = STATEMENT_WRITE_EVENT,
        [ROW_TRANSFER] = STATEMENT_WRITE_TRANSFER,
        [ROW_MANIFEST] = STATEMENT_WRITE_MANIFEST,
    };
    if (row->kind == ROW_SLICE && row->slice.removed)
        return STATEMENT_REMOVE_SLICE;
    return statements[row->kind];
}

enum statement row_change_statement(const struct row *row)
{
    switch (row->kind) {
    case ROW_CONTRACT_PERIOD:
        return STATEMENT_CHANGE_CONTRACT_PERIOD;
    case ROW_ACCOUNT:
        return STATEMENT_CHANGE_ACCOUNT;
    case ROW_RESERVATION:
        return STATEMENT_CHANGE_RESERVATION;
    default:
        return STATEMENT_COUNT;
    }
}

// ---- Binding, column after column

struct binder {
    sqlite3_stmt *statement;
    int column;
    int parameters; // of the statement
    bool bound;     // all so far
};

// Moves on to the next column. False when the statement has no parameter for it.
static bool next_column(struct binder *binder)
{
    return ++binder->column <= binder->parameters;
}

static void bound(struct binder *binder, int code)
{
    if (code != SQLITE_OK)
        binder->bound = false;
}

static void bind_integer(struct binder *binder, int64_t value)
{
    if (next_column(binder))
        bound(binder, sqlite3_bind_int64(binder->statement, binder->column, value));
}

static void bind_null(struct binder *binder)
{
    if (next_column(binder))
        bound(binder, sqlite3_bind_null(binder->statement, binder->column));
}

// 0 is none.
static void bind_optional(struct binder *binder, int64_t value)
{
    if (value == 0)
        bind_null(binder);
    else
        bind_integer(binder, value);
}

static void bind_amount(struct binder *binder, struct amount amount)
{
    bind_integer(binder, amount.micro);
}

static void bind_hour(struct binder *binder, struct hour hour)
{
    if (hour.number == HOUR_NEVER.number)
        bind_null(binder);
    else
        bind_integer(binder, hour_start(hour).seconds);
}

static void bind_text(struct binder *binder, const char *text)
{
    if (text == NULL) {
        bind_null(binder);
        return;
    }
    if (next_column(binder))
        bound(binder, sqlite3_bind_text(binder->statement, binder->column, text, -1, SQLITE_STATIC));
}

static void bind_bytes(struct binder *binder, const void *bytes, int length)
{
    if (next_column(binder))
        bound(binder, sqlite3_bind_blob(binder->statement, binder->column, bytes, length, SQLITE_STATIC));
}

static void bind_pool(struct binder *binder, const struct pool_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->site);
    bind_text(binder, row->pool);
    bind_text(binder, row->gpu);
    bind_integer(binder, row->unit);
    bind_integer(binder, row->watts_per_gpu);
    bind_text(binder, row->note);
}

static void bind_rate(struct binder *binder, const struct rate_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->pool);
    bind_text(binder, tier_name(row->tier));
    bind_hour(binder, row->start);
    bind_amount(binder, row->price);
    bind_integer(binder, row->event);
}

static void bind_capacity_change(struct binder *binder, const struct capacity_change_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->pool);
    bind_text(binder, capacity_kind_name(row->kind));
    bind_integer(binder, row->gpus);
    bind_hour(binder, row->start);
    bind_hour(binder, row->end);
    bind_integer(binder, row->base);
    bind_text(binder, row->note);
    bind_integer(binder, row->event);
}

static void bind_tenant(struct binder *binder, const struct tenant_row *row)
{
    bind_integer(binder, row->id);
    bind_text(binder, row->tenant);
    bind_text(binder, row->name);
    bind_integer(binder, row->suspended);
    bind_text(binder, row->note);
}

static void bind_token(struct binder *binder, const struct token_row *row)
{
    bind_text(binder, row->label);
    bind_optional(binder, row->tenant);
    bind_bytes(binder, row->salt.bytes, DIGEST_SIZE);
    bind_bytes(binder, row->hash.bytes, DIGEST_SIZE);
    bind_integer(binder, row->created.seconds);
    bind_integer(binder, row->revoked);
}

static void bind_contract(struct binder *binder, const struct contract_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->tenant);
    bind_text(binder, row->contract);
    bind_hour(binder, row->start);
    bind_hour(binder, row->end);
    bind_integer(binder, row->version);
    bind_text(binder, row->note);
}

static void bind_contract_terms(struct binder *binder, const struct contract_terms_row *row)
{
    bind_integer(binder, row->contract);
    bind_integer(binder, row->version);
    bind_integer(binder, row->annual);
    bind_amount(binder, row->annual_commit);
    bind_text(binder, overage_name(row->overage_kind));
    bind_amount(binder, row->overage_amount);
    bind_integer(binder, row->overage_limit_bp);
    bind_integer(binder, row->surcharge_bp);
    bind_integer(binder, row->defer_bp);
    bind_text(binder, row->defer_until_last ? "last" : "next");
    bind_text(binder, shortfall_rest_name(row->then));
    bind_text(binder, billing_name(row->billing));
    bind_integer(binder, row->cancel_notice_hours);
    bind_integer(binder, row->late_fee_bp);
    bind_integer(binder, row->sla_credit_bp);
    if (row->has_termination) {
        bind_integer(binder, hour_start(row->termination_notice_from).seconds);
        bind_integer(binder, row->termination_notice_days);
    } else {
        bind_null(binder);
        bind_null(binder);
    }
    bind_integer(binder, row->discount_bp);
    bind_integer(binder, row->event);
}

static void bind_contract_price(struct binder *binder, const struct contract_price_row *row)
{
    bind_integer(binder, row->contract);
    bind_integer(binder, row->version);
    bind_integer(binder, row->pool);
    bind_text(binder, tier_name(row->tier));
    bind_amount(binder, row->price);
}

static void bind_contract_period(struct binder *binder, const struct contract_period_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->contract);
    bind_integer(binder, row->number);
    bind_hour(binder, row->start);
    bind_hour(binder, row->end);
    bind_amount(binder, row->commit);
    if (row->overage_unlimited)
        bind_null(binder);
    else
        bind_amount(binder, row->overage_limit);
    bind_amount(binder, row->relief);
    bind_amount(binder, row->deferred_out);
    bind_amount(binder, row->waived);
    bind_amount(binder, row->credit_used);
    bind_amount(binder, row->surcharge);
    bind_amount(binder, row->fees_billed);
    bind_integer(binder, row->instalments_billed);
    bind_integer(binder, row->threshold);
    bind_integer(binder, row->closed);
    bind_integer(binder, row->imported);
    bind_hour(binder, row->delivered_through);
    bind_amount(binder, row->delivered);
    bind_amount(binder, row->delivering);
}

static void bind_account(struct binder *binder, const struct account_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->contract);
    bind_optional(binder, row->period);
    bind_text(binder, account_kind_name(row->kind));
    bind_amount(binder, row->balance);
}

static void bind_reservation(struct binder *binder, const struct reservation_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->tenant);
    bind_integer(binder, row->pool);
    bind_text(binder, tier_name(row->tier));
    bind_text(binder, reservation_state_name(row->state));
    bind_hour(binder, row->start);
    bind_hour(binder, row->end);
    bind_integer(binder, row->gpus);
    bind_integer(binder, row->created.seconds);
    bind_optional(binder, row->hold_expires.seconds);
    bind_optional(binder, row->wait_until.seconds);
    bind_amount(binder, row->cost);
    bind_integer(binder, row->gpu_hours);
    bind_amount(binder, row->fees);
    bind_optional(binder, row->group);
    bind_optional(binder, row->legs);
    bind_integer(binder, row->last_slice);
    bind_integer(binder, row->last_layer);
    bind_text(binder, row->client_ref);
    bind_text(binder, row->project);
    bind_text(binder, row->note);
}

static void bind_slice(struct binder *binder, const struct slice_row *row)
{
    bind_integer(binder, row->reservation);
    bind_integer(binder, row->number);
    bind_integer(binder, row->layer); // and the rest, unless the statement removes it by its key
    bind_hour(binder, row->start);
    bind_hour(binder, row->end);
    bind_integer(binder, row->gpus);
    bind_amount(binder, row->price);
    bind_integer(binder, row->period);
}

void row_lay_out_fingerprint(const struct fingerprint *fingerprint, uint8_t bytes[ROW_FINGERPRINT_SIZE])
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(fingerprint->high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(fingerprint->low >> (56 - 8 * i));
    }
}

static void bind_client_ref(struct binder *binder, const struct client_ref_row *row, int64_t batch,
                            uint8_t fingerprint[ROW_FINGERPRINT_SIZE])
{
    row_lay_out_fingerprint(&row->request, fingerprint);
    bind_optional(binder, row->scope);
    bind_text(binder, row->client_ref);
    bind_text(binder, row->method);
    bind_bytes(binder, fingerprint, ROW_FINGERPRINT_SIZE);
    bind_optional(binder, row->thing);
    bind_integer(binder, row->is_group);
    bind_optional(binder, row->event);
    bind_integer(binder, batch);
}

static void bind_event(struct binder *binder, const struct event_row *row, int64_t batch)
{
    bind_integer(binder, row->seq);
    bind_integer(binder, row->at.seconds);
    bind_text(binder, row->type);
    bind_text(binder, row->actor);
    bind_optional(binder, row->tenant);
    bind_optional(binder, row->reservation);
    if (next_column(binder))
        bound(binder, sqlite3_bind_text64(binder->statement, binder->column, row->data, row->data_length,
                                          SQLITE_STATIC, SQLITE_UTF8));
    bind_integer(binder, batch);
}

static void bind_transfer(struct binder *binder, const struct transfer_row *row)
{
    bind_integer(binder, row->id);
    bind_integer(binder, row->at.seconds);
    bind_text(binder, transfer_kind_name(row->kind));
    bind_integer(binder, row->debit_account);
    bind_integer(binder, row->credit_account);
    bind_amount(binder, row->amount);
    bind_integer(binder, row->period);
    bind_optional(binder, row->reservation);
    bind_integer(binder, row->event);
}

bool row_bind(sqlite3_stmt *statement, const struct row *row, int64_t batch,
              uint8_t fingerprint[ROW_FINGERPRINT_SIZE])
{
    struct binder binder = {
        .statement = statement, .parameters = sqlite3_bind_parameter_count(statement), .bound = true};
    switch (row->kind) {
    case ROW_SITE:
        bind_integer(&binder, row->site.id);
        bind_text(&binder, row->site.site);
        bind_text(&binder, row->site.note);
        break;
    case ROW_SITE_POWER:
        bind_integer(&binder, row->site_power.site);
        bind_hour(&binder, row->site_power.start);
        bind_integer(&binder, row->site_power.watts);
        break;
    case ROW_POOL:
        bind_pool(&binder, &row->pool);
        break;
    case ROW_RATE:
        bind_rate(&binder, &row->rate);
        break;
    case ROW_CAPACITY_CHANGE:
        bind_capacity_change(&binder, &row->capacity_change);
        break;
    case ROW_TENANT:
        bind_tenant(&binder, &row->tenant);
        break;
    case ROW_UID:
        bind_integer(&binder, row->uid.uid);
        bind_optional(&binder, row->uid.tenant);
        bind_integer(&binder, row->uid.revoked);
        break;
    case ROW_TOKEN:
        bind_token(&binder, &row->token);
        break;
    case ROW_CONTRACT:
        bind_contract(&binder, &row->contract);
        break;
    case ROW_CONTRACT_TERMS:
        bind_contract_terms(&binder, &row->contract_terms);
        break;
    case ROW_CONTRACT_PRICE:
        bind_contract_price(&binder, &row->contract_price);
        break;
    case ROW_CONTRACT_POOL:
        bind_integer(&binder, row->contract_pool.contract);
        bind_integer(&binder, row->contract_pool.version);
        bind_integer(&binder, row->contract_pool.pool);
        break;
    case ROW_CONTRACT_PERIOD:
        bind_contract_period(&binder, &row->contract_period);
        break;
    case ROW_ACCOUNT:
        bind_account(&binder, &row->account);
        break;
    case ROW_RESERVATION:
        bind_reservation(&binder, &row->reservation);
        break;
    case ROW_SLICE:
        bind_slice(&binder, &row->slice);
        break;
    case ROW_CLIENT_REF:
        bind_client_ref(&binder, &row->client_ref, batch, fingerprint);
        break;
    case ROW_EVENT:
        bind_event(&binder, &row->event, batch);
        break;
    case ROW_TRANSFER:
        bind_transfer(&binder, &row->transfer);
        break;
    case ROW_MANIFEST:
        bind_text(&binder, row->manifest.note);
        break;
    }
    return binder.bound;
}
