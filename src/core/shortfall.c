#include "core/shortfall.h"

#include "core/builder.h"
#include "core/tariff.h"

// How many hours of the calendars are read at a time.
#define BLOCK_HOURS 1024

// A pool that may help.
struct helper {
    uint32_t pool;
    int32_t unit;
    struct tariff tariff; // from the running hour to the period's end
    size_t piece;         // of the hour that is looked at, walking back
    int32_t *free;        // in the hours of a block
};

struct planning {
    const struct book *book;
    struct instant now;
    struct arena *arena;
    struct shortfall_plan *plan;
    struct hour start, end; // what is left of the period, as far as can be booked
    struct helper *helpers;
    size_t helper_count;
};

static bool refuse(struct shortfall_plan *plan, enum verdict verdict, const char *message, const char *member)
{
    plan->verdict = verdict;
    plan->message = message;
    plan->member = member;
    return false;
}

// ---- Which period

static bool runs(const struct book *book, uint32_t contract, struct hour hour)
{
    const struct contract_row *row = book_contract_row(book, contract);
    return row->start.number <= hour.number && hour.number < row->end.number;
}

static bool find_named(const struct book *book, const struct shortfall_query *query, struct hour running,
                       uint32_t *contract, struct shortfall_plan *plan)
{
    *contract = book_contract(book, query->contract);
    if (*contract == 0 || (query->tenant != 0 && book_contract_row(book, *contract)->tenant != query->tenant))
        return refuse(plan, VERDICT_NOT_FOUND, "there is no such contract", NULL);
    if (book_contract_row(book, *contract)->start.number > running.number)
        return refuse(plan, VERDICT_INVALID_STATE, "the contract has not begun: no period of it runs", NULL);
    if (!runs(book, *contract, running))
        return refuse(plan, VERDICT_INVALID_STATE, "the contract's last period is closed", NULL);
    return true;
}

static bool find_running(const struct book *book, const struct shortfall_query *query, struct hour running,
                         uint32_t *contract, struct shortfall_plan *plan)
{
    *contract = 0;
    if (query->tenant == 0)
        return refuse(plan, VERDICT_INVALID_PARAMS, "an operator must name the contract or the tenant",
                      "contract");
    for (uint32_t id = 1; id <= book_contract_count(book); id++) {
        if (book_contract_row(book, id)->tenant != query->tenant || !runs(book, id, running))
            continue;
        if (*contract != 0)
            return refuse(plan, VERDICT_INVALID_PARAMS, "more than one contract runs: say which", "contract");
        *contract = id;
    }
    return *contract != 0 || refuse(plan, VERDICT_INVALID_STATE,
                                    "no contract of the tenant runs: there is no open period", NULL);
}

// ---- Which pools

static void add_helper(struct planning *planning, uint32_t pool)
{
    struct helper *helper = &planning->helpers[planning->helper_count++];
    *helper = (struct helper){.pool = pool, .unit = book_pool_row(planning->book, pool)->unit};
    tariff_reckon(&helper->tariff, planning->book, planning->plan->tenant, pool, TIER_FIRM, planning->start,
                  planning->end, planning->now, planning->arena);
    helper->piece = helper->tariff.count;
    helper->free = arena_allocate(planning->arena, BLOCK_HOURS * sizeof *helper->free);
}

// ---- Offers

// What a GPU costs over the whole of what is left; false when some hour has no price.
static bool price_of_rest(const struct planning *planning, const struct tariff *tariff, wide_amount *price)
{
    struct hour reached = planning->start;
    *price = 0;
    for (size_t i = 0; i < tariff->count; i++) {
        const struct tariff_piece *piece = &tariff->pieces[i];
        if (piece->start.number != reached.number)
            return false;
        *price += (wide_amount)piece->price.micro * (piece->end.number - piece->start.number);
        reached = piece->end;
    }
    return reached.number == planning->end.number;
}

// The most units of a pool that can be booked for all of what is left at a price for each.
static int64_t most_units(const struct planning *planning, const struct helper *helper, wide_amount price)
{
    const struct book *book = planning->book;
    const struct pool *pool = &book->pools[helper->pool];
    int64_t units = calendar_least(pool_calendar(pool, TIER_FIRM), planning->start, planning->end);
    struct decision decision;
    struct builder builder;
    struct power_gap gap;
    builder_begin(&builder, book, planning->arena, planning->now, "", &decision);
    builder_powers(&builder, helper->pool, TIER_FIRM, planning->start, planning->end, 1, &gap);
    if (pool->row.watts_per_gpu > 0 && gap.least / pool->row.watts_per_gpu < units)
        units = gap.least / pool->row.watts_per_gpu;
    units = units < 0 ? 0 : units / helper->unit;
    wide_amount affordable = tariff_room(&helper->tariff, planning->plan->period) / price;
    return affordable < units ? (int64_t)affordable : units;
}

static void add_offer(struct planning *planning, const struct helper *helper)
{
    struct shortfall_plan *plan = planning->plan;
    wide_amount price;
    if (!price_of_rest(planning, &helper->tariff, &price) || price == 0)
        return;
    price *= helper->unit;
    wide_amount needed = (plan->shortfall.micro + price - 1) / price;
    int64_t most = most_units(planning, helper, price);
    int64_t units = needed < most ? (int64_t)needed : most;
    struct offer *offer = &plan->offers[plan->count];
    *offer = (struct offer){.pool = helper->pool,
                            .tier = TIER_FIRM,
                            .gpus = (int32_t)(units * helper->unit),
                            .start = planning->start,
                            .end = planning->end};
    if (units > 0 && offer_decide(planning->book, plan->tenant, planning->now, planning->arena, offer))
        plan->count++;
}

static bool comes_before(const struct offer *a, const struct offer *b)
{
    int by_rest = amount_compare(a->periods[0].after.shortfall, b->periods[0].after.shortfall);
    int by_cost = amount_compare(a->cost, b->cost);
    return by_rest != 0 ? by_rest < 0 : by_cost != 0 ? by_cost < 0 : a->pool < b->pool;
}

static void rank(struct shortfall_plan *plan)
{
    for (size_t i = 1; i < plan->count; i++) {
        struct offer moved = plan->offers[i];
        size_t place = i;
        for (; place > 0 && comes_before(&moved, &plan->offers[place - 1]); place--)
            plan->offers[place] = plan->offers[place - 1];
        plan->offers[place] = moved;
    }
}

// ---- The last chance

// What all that is free of a pool in an hour costs. Hours are asked for from the last to the first.
static wide_amount worth_of_hour(const struct planning *planning, struct helper *helper, struct hour hour,
                                 int32_t free)
{
    const struct tariff *tariff = &helper->tariff;
    while (helper->piece > 0 && tariff->pieces[helper->piece - 1].start.number > hour.number)
        helper->piece--;
    if (helper->piece == 0 || tariff->pieces[helper->piece - 1].end.number <= hour.number || free <= 0)
        return 0;
    int64_t powered = book_powered(planning->book, helper->pool, TIER_FIRM, hour);
    int64_t gpus = free / helper->unit * helper->unit;
    gpus = powered >= 0 && powered < gpus ? powered : gpus;
    return (wide_amount)tariff->pieces[helper->piece - 1].price.micro * gpus;
}

static void find_last_chance(struct planning *planning)
{
    struct shortfall_plan *plan = planning->plan;
    wide_amount worth = 0;
    for (struct hour end = planning->end, start; end.number > planning->start.number; end = start) {
        start.number = end.number - planning->start.number > BLOCK_HOURS ? end.number - BLOCK_HOURS
                                                                         : planning->start.number;
        for (size_t i = 0; i < planning->helper_count; i++)
            calendar_read(pool_calendar(&planning->book->pools[planning->helpers[i].pool], TIER_FIRM), start,
                          end, planning->helpers[i].free);
        for (struct hour hour = {end.number - 1}; hour.number >= start.number; hour.number--) {
            for (size_t i = 0; i < planning->helper_count; i++)
                worth += worth_of_hour(planning, &planning->helpers[i], hour,
                                       planning->helpers[i].free[hour.number - start.number]);
            if (worth >= plan->shortfall.micro) {
                plan->has_last_chance = true;
                plan->last_chance = hour;
                return;
            }
        }
    }
}

// ---- The plan

static void make(struct planning *planning, uint32_t contract, const uint32_t *pools, size_t pool_count)
{
    struct shortfall_plan *plan = planning->plan;
    planning->helpers = arena_allocate(planning->arena, (pool_count + 1) * sizeof *planning->helpers);
    plan->offers = arena_allocate(planning->arena, (pool_count + 1) * sizeof *plan->offers);
    for (size_t i = 0; i < pool_count; i++)
        if (book_contract_at(planning->book, plan->tenant, pools[i], planning->start) == contract)
            add_helper(planning, pools[i]);
    for (size_t i = 0; i < planning->helper_count; i++)
        add_offer(planning, &planning->helpers[i]);
    rank(plan);
    find_last_chance(planning);
}

void shortfall_plan(const struct book *book, const struct shortfall_query *query, struct instant now,
                    struct arena *arena, struct shortfall_plan *plan)
{
    *plan = (struct shortfall_plan){.verdict = VERDICT_DONE};
    struct hour running = hour_of_instant(now);
    uint32_t *pools = arena_allocate(arena, (book_pool_count(book) + 1) * sizeof *pools), contract;
    size_t pool_count;
    if (!offer_pools(book, query->pools, query->pool_count, pools, &pool_count)) {
        refuse(plan, VERDICT_NOT_FOUND, "there is no such pool", "pools");
        return;
    }
    if (query->contract != NULL ? !find_named(book, query, running, &contract, plan)
                                : !find_running(book, query, running, &contract, plan))
        return;
    plan->tenant = book_contract_row(book, contract)->tenant;
    plan->period = contract_period_at(book, contract, running);
    const struct contract_period_row *row = book_period_row(book, plan->period);
    struct amount used, floor;
    book_period_use(book, plan->period, now, &used, &floor);
    if (!amount_subtract(floor, used, &plan->shortfall) || plan->shortfall.micro <= 0) {
        plan->shortfall = AMOUNT_ZERO;
        return;
    }
    struct hour horizon = book_horizon_end(book, now);
    struct planning planning = {.book = book,
                                .now = now,
                                .arena = arena,
                                .plan = plan,
                                .start = running,
                                .end = row->end.number < horizon.number ? row->end : horizon};
    make(&planning, contract, pools, pool_count);
}
