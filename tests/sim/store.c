#include "store.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

// The key of a row in its table, or its place where the table only grows. False for those that are not kept.
static bool key_of(struct store *store, const struct row *row, int64_t *first, int64_t *second)
{
    *second = 0;
    switch (row->kind) {
    case ROW_SITE:
        *first = row->site.id;
        return true;
    case ROW_SITE_POWER:
        *first = row->site_power.site;
        *second = row->site_power.start.number;
        return true;
    case ROW_POOL:
        *first = row->pool.id;
        return true;
    case ROW_TENANT:
        *first = row->tenant.id;
        return true;
    case ROW_UID:
        *first = row->uid.uid;
        return true;
    case ROW_CONTRACT:
        *first = row->contract.id;
        return true;
    case ROW_CONTRACT_PERIOD:
        *first = row->contract_period.id;
        return true;
    case ROW_ACCOUNT:
        *first = row->account.id;
        return true;
    case ROW_RESERVATION:
        *first = row->reservation.id;
        return true;
    case ROW_SLICE:
        *first = row->slice.reservation;
        *second = row->slice.number;
        return true;
    case ROW_MANIFEST:
        *first = 1;
        return true;
    case ROW_EVENT:
    case ROW_TRANSFER:
        return false;
    default:
        *first = ++store->sequence;
        return true;
    }
}

static void keep_texts(struct store *store, struct row *row)
{
#define KEEP(member) row->member = arena_copy_text(&store->texts, row->member)
    switch (row->kind) {
    case ROW_SITE:
        KEEP(site.site);
        KEEP(site.note);
        break;
    case ROW_POOL:
        KEEP(pool.pool);
        KEEP(pool.gpu);
        KEEP(pool.note);
        break;
    case ROW_CAPACITY_CHANGE:
        KEEP(capacity_change.note);
        break;
    case ROW_TENANT:
        KEEP(tenant.tenant);
        KEEP(tenant.name);
        KEEP(tenant.note);
        break;
    case ROW_CONTRACT:
        KEEP(contract.contract);
        KEEP(contract.note);
        break;
    case ROW_RESERVATION:
        KEEP(reservation.client_ref);
        KEEP(reservation.project);
        KEEP(reservation.note);
        break;
    case ROW_CLIENT_REF:
        KEEP(client_ref.client_ref);
        KEEP(client_ref.method);
        break;
    case ROW_TOKEN:
        KEEP(token.label);
        break;
    case ROW_MANIFEST:
        KEEP(manifest.note);
        break;
    default:
        break;
    }
#undef KEEP
}

// The place of the first row whose key is not less.
static size_t place_of(const struct store *store, enum row_kind kind, int64_t first, int64_t second)
{
    size_t low = 0, high = store->count[kind];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct stored_row *row = &store->rows[kind][middle];
        if (row->first < first || (row->first == first && row->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put(const struct model *model, struct store *store, struct row row)
{
    int64_t first, second;
    if (!key_of(store, &row, &first, &second))
        return;
    enum row_kind kind = row.kind;
    size_t place = place_of(store, kind, first, second);
    struct stored_row *rows = store->rows[kind];
    bool known = place < store->count[kind] && rows[place].first == first && rows[place].second == second;
    size_t after = store->count[kind] - place;
    if (kind == ROW_SLICE && row.slice.removed) {
        MODEL_CHECK(model, known);
        memmove(&rows[place], &rows[place + 1], (after - 1) * sizeof *rows);
        store->count[kind]--;
        return;
    }
    keep_texts(store, &row);
    if (!known) {
        if (store->count[kind] == store->capacity[kind]) {
            store->capacity[kind] = store->capacity[kind] * 2 + 16;
            rows = store->rows[kind] = realloc(rows, store->capacity[kind] * sizeof *rows);
            assert_non_null(rows);
        }
        memmove(&rows[place + 1], &rows[place], after * sizeof *rows);
        store->count[kind]++;
    }
    rows[place] = (struct stored_row){first, second, row};
}

static void move(const struct model *model, struct store *store, const struct transfer_row *transfer)
{
    MODEL_EQUAL(model, transfer->id, store->last_transfer + 1);
    MODEL_CHECK(model, transfer->amount.micro > 0);
    MODEL_CHECK(model, transfer->event >= 1 && transfer->event <= store->last_event);
    MODEL_CHECK(model, transfer->debit_account != transfer->credit_account);
    uint32_t highest = transfer->debit_account > transfer->credit_account ? transfer->debit_account
                                                                          : transfer->credit_account;
    if (highest >= store->balance_count) {
        size_t count = highest + 64;
        store->balances = realloc(store->balances, count * sizeof *store->balances);
        assert_non_null(store->balances);
        memset(&store->balances[store->balance_count], 0,
               (count - store->balance_count) * sizeof *store->balances);
        store->balance_count = count;
    }
    store->balances[transfer->debit_account] -= transfer->amount.micro;
    store->balances[transfer->credit_account] += transfer->amount.micro;
    store->last_transfer = transfer->id;
    if (transfer->kind == TRANSFER_FEE) {
        store->fees = memory_grow(store->fees, store->fee_count, &store->fee_capacity, sizeof *store->fees);
        store->fees[store->fee_count++] = *transfer;
    }
}

// In tables that only grow the numbers follow one another, as the rows do.
static void check_number(const struct model *model, const struct store *store, const struct row *row)
{
    int64_t last = (int64_t)store->count[row->kind];
    if (row->kind == ROW_CAPACITY_CHANGE)
        MODEL_EQUAL(model, row->capacity_change.id, last + 1);
    if (row->kind == ROW_RATE)
        MODEL_EQUAL(model, row->rate.id, last + 1);
    if (row->kind == ROW_INTERRUPTION)
        MODEL_EQUAL(model, row->interruption.id, last + 1);
}

void store_rows(const struct model *model, struct store *store, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        if (row->kind == ROW_EVENT) {
            MODEL_EQUAL(model, row->event.seq, store->last_event + 1);
            MODEL_CHECK(model, strlen(row->event.data) == row->event.data_length);
            MODEL_CHECK(model,
                        row->event.data[0] == '{' && row->event.data[row->event.data_length - 1] == '}');
            store->last_event = row->event.seq;
        } else if (row->kind == ROW_TRANSFER) {
            move(model, store, &row->transfer);
        }
        check_number(model, store, row);
        put(model, store, *row);
    }
}

void store_check(const struct model *model, const struct store *store)
{
    for (size_t i = 0; i < store->count[ROW_ACCOUNT]; i++) {
        const struct account_row *account = &store->rows[ROW_ACCOUNT][i].row.account;
        int64_t sum = account->id < store->balance_count ? store->balances[account->id] : 0;
        if (account->balance.micro != sum)
            MODEL_FAIL(model, "account %u (%s of period %u) has %lld, and its transfers add up to %lld",
                       account->id, account_kind_name(account->kind), account->period,
                       (long long)account->balance.micro, (long long)sum);
    }
}

static enum account_kind kind_of(const struct store *store, uint32_t account)
{
    return store->rows[ROW_ACCOUNT][account - 1].row.account.kind;
}

void store_check_fees(const struct model *model, const struct store *store)
{
    int64_t billed[MODEL_PERIODS + 1] = {0};
    for (size_t i = 0; i < store->fee_count; i++) {
        const struct transfer_row *transfer = &store->fees[i];
        if (kind_of(store, transfer->debit_account) == ACCOUNT_RECEIVABLE &&
            kind_of(store, transfer->credit_account) == ACCOUNT_BILLED)
            billed[transfer->period] += transfer->amount.micro;
    }
    for (size_t i = 0; i < store->count[ROW_CONTRACT_PERIOD]; i++) {
        const struct contract_period_row *period = &store->rows[ROW_CONTRACT_PERIOD][i].row.contract_period;
        if (period->fees_billed.micro != billed[period->id])
            MODEL_FAIL(model, "period %u has billed %lld of fees, and its transfers add up to %lld",
                       period->id, (long long)period->fees_billed.micro, (long long)billed[period->id]);
    }
}

static void load_slices(const struct store *store, struct book *book,
                        const struct reservation_row *reservation)
{
    bool ended = reservation->state == STATE_COMPLETED || reservation->state == STATE_CANCELLED ||
                 reservation->state == STATE_EXPIRED;
    for (size_t i = place_of(store, ROW_SLICE, reservation->id, 0);
         i < store->count[ROW_SLICE] && store->rows[ROW_SLICE][i].first == reservation->id; i++) {
        const struct row *slice = &store->rows[ROW_SLICE][i].row;
        // Of one that has ended only what its period has not reckoned as delivered matters.
        if (!ended ||
            slice->slice.end.number > book_period_row(book, slice->slice.period)->delivered_through.number)
            book_apply(book, slice);
    }
}

struct book *store_load(const struct model *model, const struct store *store)
{
    static const enum row_kind order[] = {ROW_MANIFEST,       ROW_SITE,
                                          ROW_SITE_POWER,     ROW_POOL,
                                          ROW_RATE,           ROW_CAPACITY_CHANGE,
                                          ROW_TENANT,         ROW_UID,
                                          ROW_TOKEN,          ROW_CONTRACT,
                                          ROW_CONTRACT_TERMS, ROW_CONTRACT_PRICE,
                                          ROW_CONTRACT_POOL,  ROW_CONTRACT_PERIOD,
                                          ROW_ACCOUNT};
    struct book_options options = {.horizon_years = model->horizon_years,
                                   .hold_seconds_max = model->hold_seconds_max,
                                   .origin = hour_of_instant((struct instant){model->now})};
    struct book *book = book_create(&options);
    for (size_t i = 0; i < COUNT_OF(order); i++)
        for (size_t k = 0; k < store->count[order[i]]; k++)
            book_apply(book, &store->rows[order[i]][k].row);
    for (size_t i = 0; i < store->count[ROW_RESERVATION]; i++) {
        const struct row *row = &store->rows[ROW_RESERVATION][i].row;
        book_apply(book, row);
        load_slices(store, book, &row->reservation);
    }
    static const enum row_kind last[] = {ROW_INTERRUPTION, ROW_CLIENT_REF};
    for (size_t i = 0; i < COUNT_OF(last); i++)
        for (size_t k = 0; k < store->count[last[i]]; k++)
            book_apply(book, &store->rows[last[i]][k].row);
    book_loaded(book, (struct instant){model->now}, store->last_event, store->last_transfer);
    return book;
}

void store_free(struct store *store)
{
    for (int kind = 0; kind < STORE_KINDS; kind++)
        free(store->rows[kind]);
    free(store->balances);
    free(store->fees);
    arena_free(&store->texts);
}
