#include "ledger/fit.h"

#include "core/schedule.h"

static bool is_there(uint32_t id, uint32_t count)
{
    return id >= 1 && id <= count;
}

// The periods of a contract follow one another, and contracts one another, in the order of their ids.
static bool follows(const struct book *book, const struct contract_period_row *row)
{
    uint32_t count = book_period_count(book);
    const struct contract_period_row *before = count == 0 ? NULL : book_period_row(book, count);
    if (before != NULL && before->contract == row->contract)
        return row->number == before->number + 1 && row->start.number == before->end.number;
    return row->number == 1 && (before == NULL || row->contract > before->contract);
}

static bool period_fits(const struct book *book, const struct contract_period_row *row)
{
    return is_there(row->contract, book_contract_count(book)) && row->start.number < row->end.number &&
           follows(book, row) && row->delivered_through.number >= row->start.number &&
           row->delivered_through.number <= row->end.number &&
           row->instalments_billed <= (uint32_t)schedule_instalment_count(row->start, row->end);
}

static bool account_fits(const struct book *book, const struct account_row *row)
{
    bool is_own = row->kind >= ACCOUNT_COMMITMENT;
    return is_there(row->contract, book_contract_count(book)) &&
           (is_own ? row->period == 0 : is_there(row->period, book_period_count(book)));
}

// What is part of an outage follows the change that opened it, in the same pool.
static bool change_fits(const struct book *book, const struct capacity_change_row *row)
{
    if (!is_there(row->pool, book_pool_count(book)))
        return false;
    if (row->part == OUTAGE_NONE || row->part == OUTAGE_OPENED)
        return row->outage == (row->part == OUTAGE_OPENED ? row->id : 0);
    return book_outage_pool(book, row->outage) == row->pool && row->start.number < row->end.number;
}

bool row_fits(const struct book *book, const struct row *row, int64_t before)
{
    uint32_t pools = book_pool_count(book), tenants = book_tenant_count(book);
    uint32_t contracts = book_contract_count(book);
    switch (row->kind) {
    case ROW_SITE:
        return row->site.id == before + 1;
    case ROW_SITE_POWER:
        return is_there(row->site_power.site, book_site_count(book));
    case ROW_POOL:
        return row->pool.id == before + 1 && is_there(row->pool.site, book_site_count(book)) &&
               row->pool.unit >= 1;
    case ROW_RATE:
        return is_there(row->rate.pool, pools);
    case ROW_CAPACITY_CHANGE:
        return change_fits(book, &row->capacity_change);
    case ROW_TENANT:
        return row->tenant.id == before + 1;
    case ROW_UID:
        return row->uid.tenant <= tenants;
    case ROW_TOKEN:
        return row->token.tenant <= tenants;
    case ROW_CONTRACT:
        return row->contract.id == before + 1 && is_there(row->contract.tenant, tenants) &&
               row->contract.start.number < row->contract.end.number;
    case ROW_CONTRACT_TERMS:
        return is_there(row->contract_terms.contract, contracts);
    case ROW_CONTRACT_PRICE:
        return is_there(row->contract_price.contract, contracts) && is_there(row->contract_price.pool, pools);
    case ROW_CONTRACT_POOL:
        return is_there(row->contract_pool.contract, contracts) && is_there(row->contract_pool.pool, pools);
    case ROW_CONTRACT_PERIOD:
        return row->contract_period.id == before + 1 && period_fits(book, &row->contract_period);
    case ROW_ACCOUNT:
        return row->account.id == before + 1 && account_fits(book, &row->account);
    case ROW_INTERRUPTION:
        return row->interruption.id == before + 1 &&
               is_there(row->interruption.period, book_period_count(book)) &&
               row->interruption.start.number < row->interruption.end.number && row->interruption.gpus >= 1;
    case ROW_CLIENT_REF:
        return row->client_ref.scope <= tenants;
    default:
        return true;
    }
}

bool reservation_fits(const struct book *book, const struct reservation_row *row, int64_t last)
{
    return row->id == last + 1 && is_there(row->tenant, book_tenant_count(book)) &&
           is_there(row->pool, book_pool_count(book));
}

bool slice_fits(const struct book *book, const struct slice_row *row)
{
    if (!is_there(row->period, book_period_count(book)))
        return false;
    const struct contract_period_row *period = book_period_row(book, row->period);
    struct amount hourly, cost;
    return row->start.number >= period->start.number && row->start.number < row->end.number &&
           row->end.number <= period->end.number && row->gpus >= 1 && row->price.micro >= 0 &&
           amount_multiply(row->price, row->gpus, &hourly) &&
           amount_multiply(hourly, row->end.number - row->start.number, &cost);
}
