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

// ---- Columns, one after the other

static struct value *next_value(struct row_values *values)
{
    assert(values->count < ROW_COLUMNS_MAX);
    struct value *value = &values->values[values->count++];
    *value = (struct value){.type = VALUE_NULL};
    return value;
}

static void put_null(struct row_values *values)
{
    next_value(values);
}

static void put_integer(struct row_values *values, int64_t integer)
{
    struct value *value = next_value(values);
    value->type = VALUE_INTEGER;
    value->integer = integer;
}

// 0 is none.
static void put_optional(struct row_values *values, int64_t integer)
{
    if (integer == 0)
        put_null(values);
    else
        put_integer(values, integer);
}

static void put_amount(struct row_values *values, struct amount amount)
{
    put_integer(values, amount.micro);
}

static void put_hour(struct row_values *values, struct hour hour)
{
    if (hour.number == HOUR_NEVER.number)
        put_null(values);
    else
        put_integer(values, hour_start(hour).seconds);
}

static void put_text_length(struct row_values *values, const char *text, size_t length)
{
    struct value *value = next_value(values);
    value->type = VALUE_TEXT;
    value->bytes = text;
    value->length = length;
}

static void put_text(struct row_values *values, const char *text)
{
    if (text == NULL)
        put_null(values);
    else
        put_text_length(values, text, strlen(text));
}

static void put_bytes(struct row_values *values, const void *bytes, size_t length)
{
    struct value *value = next_value(values);
    value->type = VALUE_BYTES;
    value->bytes = bytes;
    value->length = length;
}

static void put_pool(struct row_values *values, const struct pool_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->site);
    put_text(values, row->pool);
    put_text(values, row->gpu);
    put_integer(values, row->unit);
    put_integer(values, row->watts_per_gpu);
    put_text(values, row->note);
}

static void put_rate(struct row_values *values, const struct rate_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->pool);
    put_text(values, tier_name(row->tier));
    put_hour(values, row->start);
    put_amount(values, row->price);
    put_integer(values, row->event);
}

static void put_capacity_change(struct row_values *values, const struct capacity_change_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->pool);
    put_text(values, capacity_kind_name(row->kind));
    put_integer(values, row->gpus);
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_integer(values, row->base);
    put_text(values, row->note);
    put_text(values, outage_part_name(row->part));
    put_optional(values, row->outage);
    put_integer(values, row->event);
}

static void put_tenant(struct row_values *values, const struct tenant_row *row)
{
    put_integer(values, row->id);
    put_text(values, row->tenant);
    put_text(values, row->name);
    put_integer(values, row->suspended);
    put_text(values, row->note);
    put_integer(values, row->rate_limit.per_second);
    put_integer(values, row->rate_limit.burst);
}

static void put_token(struct row_values *values, const struct token_row *row)
{
    put_text(values, row->label);
    put_optional(values, row->tenant);
    put_bytes(values, row->salt.bytes, DIGEST_SIZE);
    put_bytes(values, row->hash.bytes, DIGEST_SIZE);
    put_integer(values, row->created.seconds);
    put_integer(values, row->revoked);
}

static void put_contract(struct row_values *values, const struct contract_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->tenant);
    put_text(values, row->contract);
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_integer(values, row->version);
    put_text(values, row->note);
}

static void put_contract_terms(struct row_values *values, const struct contract_terms_row *row)
{
    put_integer(values, row->contract);
    put_integer(values, row->version);
    put_integer(values, row->annual);
    put_amount(values, row->annual_commit);
    put_text(values, overage_name(row->overage_kind));
    put_amount(values, row->overage_amount);
    put_integer(values, row->overage_limit_bp);
    put_integer(values, row->surcharge_bp);
    put_integer(values, row->defer_bp);
    put_text(values, row->defer_until_last ? "last" : "next");
    put_text(values, shortfall_rest_name(row->then));
    put_text(values, billing_name(row->billing));
    put_integer(values, row->cancel_notice_hours);
    put_integer(values, row->late_fee_bp);
    put_integer(values, row->sla_credit_bp);
    if (row->has_termination) {
        put_integer(values, hour_start(row->termination_notice_from).seconds);
        put_integer(values, row->termination_notice_days);
    } else {
        put_null(values);
        put_null(values);
    }
    put_integer(values, row->discount_bp);
    put_integer(values, row->event);
}

static void put_contract_price(struct row_values *values, const struct contract_price_row *row)
{
    put_integer(values, row->contract);
    put_integer(values, row->version);
    put_integer(values, row->pool);
    put_text(values, tier_name(row->tier));
    put_amount(values, row->price);
}

static void put_contract_period(struct row_values *values, const struct contract_period_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->contract);
    put_integer(values, row->number);
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_amount(values, row->commit);
    if (row->overage_unlimited)
        put_null(values);
    else
        put_amount(values, row->overage_limit);
    put_amount(values, row->relief);
    put_amount(values, row->deferred_out);
    put_amount(values, row->waived);
    put_amount(values, row->credit_used);
    put_amount(values, row->surcharge);
    put_amount(values, row->fees_billed);
    put_integer(values, row->instalments_billed);
    put_integer(values, row->threshold);
    put_integer(values, row->closed);
    put_integer(values, row->imported);
    put_hour(values, row->delivered_through);
    put_amount(values, row->delivered);
    put_amount(values, row->delivering);
}

static void put_account(struct row_values *values, const struct account_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->contract);
    put_optional(values, row->period);
    put_text(values, account_kind_name(row->kind));
    put_amount(values, row->balance);
}

static void put_reservation(struct row_values *values, const struct reservation_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->tenant);
    put_integer(values, row->pool);
    put_text(values, tier_name(row->tier));
    put_text(values, reservation_state_name(row->state));
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_integer(values, row->gpus);
    put_integer(values, row->created.seconds);
    put_optional(values, row->hold_expires.seconds);
    put_optional(values, row->wait_until.seconds);
    put_amount(values, row->cost);
    put_integer(values, row->gpu_hours);
    put_amount(values, row->fees);
    put_optional(values, row->group);
    put_optional(values, row->legs);
    put_integer(values, row->last_slice);
    put_integer(values, row->last_layer);
    put_optional(values, row->hold_seconds);
    put_text(values, row->client_ref);
    put_text(values, row->project);
    put_text(values, row->note);
}

static void put_slice(struct row_values *values, const struct slice_row *row)
{
    put_integer(values, row->reservation);
    put_integer(values, row->number);
    if (row->removed)
        return; // found by its key alone
    put_integer(values, row->layer);
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_integer(values, row->gpus);
    put_amount(values, row->price);
    put_integer(values, row->period);
}

static void put_interruption(struct row_values *values, const struct interruption_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->reservation);
    put_optional(values, row->capacity_change);
    put_hour(values, row->start);
    put_hour(values, row->end);
    put_integer(values, row->gpus);
    put_amount(values, row->price);
    put_integer(values, row->period);
    put_amount(values, row->relief);
    put_amount(values, row->sla_credit);
    put_integer(values, row->event);
}

void row_lay_out_fingerprint(const struct fingerprint *fingerprint, uint8_t bytes[ROW_FINGERPRINT_SIZE])
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(fingerprint->high >> (56 - 8 * i));
        bytes[8 + i] = (uint8_t)(fingerprint->low >> (56 - 8 * i));
    }
}

static void put_client_ref(struct row_values *values, const struct client_ref_row *row, int64_t batch)
{
    row_lay_out_fingerprint(&row->request, values->fingerprint);
    put_optional(values, row->scope);
    put_text(values, row->client_ref);
    put_text(values, row->method);
    put_bytes(values, values->fingerprint, sizeof values->fingerprint);
    put_optional(values, row->thing);
    put_integer(values, row->is_group);
    put_optional(values, row->event);
    put_integer(values, batch);
}

static void put_event(struct row_values *values, const struct event_row *row, int64_t batch)
{
    put_integer(values, row->seq);
    put_integer(values, row->at.seconds);
    put_text(values, row->type);
    put_text(values, row->actor);
    put_optional(values, row->tenant);
    put_optional(values, row->reservation);
    put_text_length(values, row->data, row->data_length);
    put_integer(values, batch);
}

static void put_transfer(struct row_values *values, const struct transfer_row *row)
{
    put_integer(values, row->id);
    put_integer(values, row->at.seconds);
    put_text(values, transfer_kind_name(row->kind));
    put_integer(values, row->debit_account);
    put_integer(values, row->credit_account);
    put_amount(values, row->amount);
    put_integer(values, row->period);
    put_optional(values, row->reservation);
    put_integer(values, row->event);
}

void row_values(const struct row *row, int64_t batch, struct row_values *values)
{
    values->count = 0;
    switch (row->kind) {
    case ROW_SITE:
        put_integer(values, row->site.id);
        put_text(values, row->site.site);
        put_text(values, row->site.note);
        break;
    case ROW_SITE_POWER:
        put_integer(values, row->site_power.site);
        put_hour(values, row->site_power.start);
        put_integer(values, row->site_power.watts);
        break;
    case ROW_POOL:
        put_pool(values, &row->pool);
        break;
    case ROW_RATE:
        put_rate(values, &row->rate);
        break;
    case ROW_CAPACITY_CHANGE:
        put_capacity_change(values, &row->capacity_change);
        break;
    case ROW_TENANT:
        put_tenant(values, &row->tenant);
        break;
    case ROW_UID:
        put_integer(values, row->uid.uid);
        put_optional(values, row->uid.tenant);
        put_integer(values, row->uid.revoked);
        break;
    case ROW_TOKEN:
        put_token(values, &row->token);
        break;
    case ROW_CONTRACT:
        put_contract(values, &row->contract);
        break;
    case ROW_CONTRACT_TERMS:
        put_contract_terms(values, &row->contract_terms);
        break;
    case ROW_CONTRACT_PRICE:
        put_contract_price(values, &row->contract_price);
        break;
    case ROW_CONTRACT_POOL:
        put_integer(values, row->contract_pool.contract);
        put_integer(values, row->contract_pool.version);
        put_integer(values, row->contract_pool.pool);
        break;
    case ROW_CONTRACT_PERIOD:
        put_contract_period(values, &row->contract_period);
        break;
    case ROW_ACCOUNT:
        put_account(values, &row->account);
        break;
    case ROW_RESERVATION:
        put_reservation(values, &row->reservation);
        break;
    case ROW_SLICE:
        put_slice(values, &row->slice);
        break;
    case ROW_INTERRUPTION:
        put_interruption(values, &row->interruption);
        break;
    case ROW_CLIENT_REF:
        put_client_ref(values, &row->client_ref, batch);
        break;
    case ROW_EVENT:
        put_event(values, &row->event, batch);
        break;
    case ROW_TRANSFER:
        put_transfer(values, &row->transfer);
        break;
    case ROW_MANIFEST:
        put_text(values, row->manifest.note);
        break;
    }
}
