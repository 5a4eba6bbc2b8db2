#include "core/tariff.h"

// The first hour after this one at which a contract of the tenant begins that covers the pool.
static struct hour next_contract(const struct book *book, uint32_t tenant, uint32_t pool, struct hour hour)
{
    const struct tenant *found = &book->tenants[tenant];
    struct hour next = HOUR_NEVER;
    for (size_t i = 0; i < found->contract_count; i++) {
        struct hour start = book->contracts[found->contracts[i]].row.start;
        if (start.number > hour.number && start.number < next.number &&
            book_contract_at(book, tenant, pool, start) == found->contracts[i])
            next = start;
    }
    return next;
}

// Can the period be settled when so much more is booked in it? The same question as when it is booked.
static bool is_settleable(const struct book *book, uint32_t period, struct amount added, struct instant now)
{
    struct amount balances[ACCOUNT_PERIOD_COUNT];
    for (int kind = 0; kind < ACCOUNT_PERIOD_COUNT; kind++)
        balances[kind] = period_balance(book, period, (enum account_kind)kind);
    struct commitment commitment;
    return amount_add(balances[ACCOUNT_ENCUMBERED], added, &balances[ACCOUNT_ENCUMBERED]) &&
           period_commitment(book, &book->periods[period].row, balances, now, &commitment) &&
           commitment_settleable(&commitment);
}

int64_t period_room(const struct book *book, uint32_t period, struct instant now)
{
    int64_t most = INT64_MAX;
    if (!book->periods[period].row.overage_unlimited)
        most = amount_max(period_balance(book, period, ACCOUNT_AUTHORITY), AMOUNT_ZERO).micro;
    if (is_settleable(book, period, (struct amount){most}, now))
        return most;
    int64_t low = 0; // can be added, as nothing is added then
    while (low < most) {
        int64_t middle = low + (most - low) / 2 + (most - low) % 2;
        if (is_settleable(book, period, (struct amount){middle}, now))
            low = middle;
        else
            most = middle - 1;
    }
    return low;
}

static void add_piece(struct tariff *tariff, struct tariff_piece piece, const struct book *book,
                      struct instant now, struct arena *arena)
{
    struct tariff_piece *last = tariff->count > 0 ? &tariff->pieces[tariff->count - 1] : NULL;
    if (last != NULL && last->end.number == piece.start.number && last->period == piece.period &&
        last->price.micro == piece.price.micro) {
        last->end = piece.end;
        return;
    }
    tariff->pieces =
        arena_grow(arena, tariff->pieces, tariff->count, &tariff->capacity, sizeof *tariff->pieces);
    tariff->pieces[tariff->count++] = piece;
    // A contract's periods follow each other, so a period's pieces do too.
    if (tariff->room_count > 0 && tariff->rooms[tariff->room_count - 1].period == piece.period)
        return;
    tariff->rooms =
        arena_grow(arena, tariff->rooms, tariff->room_count, &tariff->room_capacity, sizeof *tariff->rooms);
    tariff->rooms[tariff->room_count++] =
        (struct tariff_room){.period = piece.period, .micro = period_room(book, piece.period, now)};
}

void tariff_reckon(struct tariff *tariff, const struct book *book, uint32_t tenant, uint32_t pool,
                   enum tier tier, struct hour from, struct hour end, struct instant now, struct arena *arena)
{
    *tariff = (struct tariff){.until = end};
    for (struct hour hour = from, until; hour.number < end.number; hour = until) {
        if (tariff->count == TARIFF_PIECES_MAX) {
            tariff->until = hour;
            return;
        }
        uint32_t contract = book_contract_at(book, tenant, pool, hour);
        if (contract == 0) {
            until = next_contract(book, tenant, pool, hour);
            continue;
        }
        struct tariff_piece piece = {.start = hour, .period = contract_period_at(book, contract, hour)};
        bool rated = contract_price_at(book, contract, pool, tier, hour, &piece.price, &until);
        if (until.number > book->periods[piece.period].row.end.number)
            until = book->periods[piece.period].row.end;
        piece.end = until.number < end.number ? until : end;
        if (rated)
            add_piece(tariff, piece, book, now, arena);
    }
}

int64_t tariff_room(const struct tariff *tariff, uint32_t period)
{
    for (size_t i = 0; i < tariff->room_count; i++)
        if (tariff->rooms[i].period == period)
            return tariff->rooms[i].micro;
    return 0;
}
