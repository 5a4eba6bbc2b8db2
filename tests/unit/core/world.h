// A small world for the tests of the book: one site, two pools, two tenants with a contract each, decided and
// applied in memory.
#ifndef TESTS_UNIT_CORE_WORLD_H
#define TESTS_UNIT_CORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "core/book.h"
#include <stdlib.h>
#include <string.h>

struct world {
    struct book *book;
    struct arena arena;
    struct instant now;
    struct decision decision; // the last one
    int urgent_decisions;     // timed decisions made by world_advance
    struct row rows[4096];    // all rows that were applied, the latest ones
    size_t row_count;
};

static inline struct hour hour_of(const char *text)
{
    struct hour hour;
    assert_true(hour_parse(text, strlen(text), &hour));
    return hour;
}

static inline struct instant instant_of(const char *text)
{
    struct instant instant;
    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

static inline struct amount amount_of(const char *text)
{
    struct amount amount;
    assert_true(amount_parse(text, strlen(text), &amount));
    return amount;
}

static inline void world_apply(struct world *world, const struct row *rows, size_t count)
{
    book_apply_rows(world->book, rows, count);
    for (size_t i = 0; i < count; i++)
        world->rows[world->row_count++ % 4096] = rows[i];
}

// Decides what is due by a time, applies it, and ends the batch there.
static inline void world_advance(struct world *world, const char *to)
{
    struct instant now = instant_of(to);
    bool urgent;
    struct decision decision;
    while (book_decide_due(world->book, now, &world->arena, &decision, &urgent)) {
        world->urgent_decisions += urgent;
        world_apply(world, decision.rows, decision.row_count);
    }
    struct row *rows;
    size_t count;
    book_end_batch(world->book, now, &world->arena, &rows, &count);
    world->now = now;
}

static inline enum verdict world_decide(struct world *world, struct request request)
{
    if (request.actor.role == ROLE_ANONYMOUS)
        request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    if (request.tenant == NULL && request.kind <= REQUEST_CANCEL)
        request.tenant = "acme";
    book_decide(world->book, &request, world->now, &world->arena, &world->decision);
    if (world->decision.verdict == VERDICT_DONE && !request.dry_run)
        world_apply(world, world->decision.rows, world->decision.row_count);
    return world->decision.verdict;
}

static inline struct leg leg_of(const char *pool, int64_t gpus, const char *start, const char *end)
{
    return (struct leg){.pool = pool, .gpus = gpus, .start = hour_of(start), .end = hour_of(end)};
}

static inline enum verdict world_create(struct world *world, struct leg leg, const char *client_ref)
{
    return world_decide(world, (struct request){.kind = REQUEST_CREATE,
                                                .client_ref = client_ref,
                                                .create = {.legs = &leg, .leg_count = 1}});
}

static inline int64_t created_id(const struct world *world)
{
    assert_int_equal(world->decision.outcome_count, 1);
    return world->decision.outcomes[0].image.row.id;
}

static inline enum verdict world_cancel(struct world *world, int64_t id, bool dry_run)
{
    return world_decide(
        world,
        (struct request){.kind = REQUEST_CANCEL, .dry_run = dry_run, .cancel = {.target = {.id = id}}});
}

// What a period's JSON says of one member, as text.
static inline const char *period_member(struct world *world, uint32_t period, const char *member)
{
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_object(&json, NULL);
    book_write_period(world->book, &json, period, world->now);
    json_write_object_end(&json);
    char key[64] = "\"";
    strcat(strcat(key, member), "\":");
    const char *found = strstr(out.data, key);
    assert_non_null(found);
    found += strlen(key);
    if (*found == '"')
        found++;
    char *value = arena_copy(&world->arena, found, strcspn(found, "\",}"));
    buffer_free(&out);
    return value;
}

static inline void assert_period(struct world *world, uint32_t period, const char *member, const char *value)
{
    assert_string_equal(period_member(world, period, member), value);
}

// The last event of a type, or NULL.
static inline const struct event_row *last_event(const struct world *world, const char *type)
{
    size_t kept = world->row_count < 4096 ? world->row_count : 4096;
    for (size_t i = 0; i < kept; i++) {
        const struct row *row = &world->rows[(world->row_count - 1 - i) % 4096];
        if (row->kind == ROW_EVENT && strcmp(row->event.type, type) == 0)
            return &row->event;
    }
    return NULL;
}

// The sum of all transfers of a kind.
static inline struct amount transferred(const struct world *world, enum transfer_kind kind)
{
    struct amount sum = AMOUNT_ZERO;
    assert_true(world->row_count <= 4096);
    for (size_t i = 0; i < world->row_count; i++)
        if (world->rows[i].kind == ROW_TRANSFER && world->rows[i].transfer.kind == kind)
            sum.micro += world->rows[i].transfer.amount.micro;
    return sum;
}

// acme: a year's commitment of $1,000,000 from 2026-01-01 for two years, 10 % overage at 20 % surcharge, 72
// hours' notice or half the price, monthly instalments. zeta: $100,000 a year in arrears, no overage, up to
// 15 % deferred to the last period, the rest charged. Pools: colossus-1/h100 with 1,024 GPUs in units of 8 at
// $2.00, colossus-1/gb200 with 720 in units of 72 at $4.00.
static inline struct manifest world_manifest(struct arena *arena)
{
    static struct manifest_step h100[1], gb200[1];
    static struct manifest_rate h100_rates[1], gb200_rates[1];
    static struct manifest_site sites[1];
    static struct manifest_pool pools[2];
    static struct manifest_tenant tenants[2];
    static struct manifest_contract contracts[2];
    (void)arena;
    h100[0] = (struct manifest_step){hour_of("2026-01-01T00:00:00Z"), 1024};
    gb200[0] = (struct manifest_step){hour_of("2026-01-01T00:00:00Z"), 720};
    h100_rates[0] = (struct manifest_rate){.from = h100[0].from, .has = {true}, .price = {amount_of("2.00")}};
    gb200_rates[0] =
        (struct manifest_rate){.from = h100[0].from, .has = {true}, .price = {amount_of("4.00")}};
    sites[0] = (struct manifest_site){.site = "colossus-1"};
    pools[0] = (struct manifest_pool){.pool = "colossus-1/h100",
                                      .gpu = "H100",
                                      .unit = 8,
                                      .capacity = h100,
                                      .capacity_count = 1,
                                      .rates = h100_rates,
                                      .rate_count = 1};
    pools[1] = (struct manifest_pool){.pool = "colossus-1/gb200",
                                      .gpu = "GB200",
                                      .unit = 72,
                                      .capacity = gb200,
                                      .capacity_count = 1,
                                      .rates = gb200_rates,
                                      .rate_count = 1};
    tenants[0] = (struct manifest_tenant){.tenant = "acme", .name = "Acme"};
    tenants[1] = (struct manifest_tenant){.tenant = "zeta", .name = "Zeta"};
    contracts[0] = (struct manifest_contract){
        .contract = "acme-2026",
        .tenant = "acme",
        .start = hour_of("2026-01-01T00:00:00Z"),
        .end = hour_of("2028-01-01T00:00:00Z"),
        .terms = {.annual = true,
                  .annual_commit = amount_of("1000000.00"),
                  .overage_kind = OVERAGE_PERCENT,
                  .overage_limit_bp = 1000,
                  .surcharge_bp = 2000,
                  .billing = BILLING_INSTALMENTS,
                  .cancel_notice_hours = 72,
                  .late_fee_bp = 5000},
    };
    contracts[1] = (struct manifest_contract){
        .contract = "zeta-2026",
        .tenant = "zeta",
        .start = hour_of("2026-01-01T00:00:00Z"),
        .end = hour_of("2028-01-01T00:00:00Z"),
        .terms = {.annual = true,
                  .annual_commit = amount_of("100000.00"),
                  .defer_bp = 1500,
                  .defer_until_last = true},
    };
    return (struct manifest){.sites = sites,
                             .site_count = 1,
                             .pools = pools,
                             .pool_count = 2,
                             .tenants = tenants,
                             .tenant_count = 2,
                             .contracts = contracts,
                             .contract_count = 2};
}

#define ACME_FIRST  1 // acme's first period
#define ACME_SECOND 2 // and its second
#define ZETA_FIRST  3
#define ZETA_SECOND 4

static inline int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_true(digest_initialise());
    struct book_options options = {
        .horizon_years = 10, .hold_seconds_max = 7 * 86400, .origin = hour_of("2026-01-01T00:00:00Z")};
    world->book = book_create(&options);
    book_loaded(world->book, instant_of("2026-01-01T00:00:00Z"), 0, 0);
    world->now = instant_of("2026-01-01T00:00:00Z");
    struct manifest manifest = world_manifest(&world->arena);
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    world_advance(world, "2026-01-01T00:00:00Z");
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;
    book_destroy(world->book);
    arena_free(&world->arena);
    free(world);
    return 0;
}

#endif
