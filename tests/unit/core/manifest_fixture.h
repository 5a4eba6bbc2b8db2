// A book with a small inventory, and short ways to decide and apply, for the tests of what operators do.
#ifndef COLOSSUS_TESTS_MANIFEST_FIXTURE_H
#define COLOSSUS_TESTS_MANIFEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/digest.h"
#include "core/book.h"
#include "core/book_internal.h"
#include "core/describe_manifest.h"
#include "core/manifest.h"
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static inline struct hour hour_from(const char *text)
{
    struct hour hour;
    assert_true(hour_parse(text, strlen(text), &hour));
    return hour;
}

static inline struct instant instant_from(const char *text)
{
    struct instant instant;
    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

static inline struct amount dollars(int64_t number)
{
    return (struct amount){number * 1000000};
}

struct fixture {
    struct book *book;
    struct arena arena;
    struct instant now;
    struct decision decision;
};

static inline struct fixture fixture_at(const char *now)
{
    struct fixture fixture = {.now = instant_from(now)};
    struct book_options options = {
        .horizon_years = 10, .hold_seconds_max = 604800, .origin = hour_of_instant(fixture.now)};
    fixture.book = book_create(&options);
    book_loaded(fixture.book, fixture.now, 0, 0);
    return fixture;
}

static inline void fixture_end(struct fixture *fixture)
{
    book_destroy(fixture->book);
    arena_free(&fixture->arena);
}

// Decides as an operator, and applies unless it is a refusal or a dry run.
static inline const struct decision *decide(struct fixture *fixture, struct request request)
{
    request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    book_decide(fixture->book, &request, fixture->now, &fixture->arena, &fixture->decision);
    if (fixture->decision.verdict == VERDICT_DONE && !request.dry_run)
        book_apply_rows(fixture->book, fixture->decision.rows, fixture->decision.row_count);
    return &fixture->decision;
}

static inline const struct decision *apply_manifest(struct fixture *fixture, const struct manifest *manifest)
{
    return decide(fixture, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = manifest});
}

static inline void assert_refused(const struct decision *decision, enum verdict verdict, const char *path)
{
    assert_int_equal(decision->verdict, verdict);
    assert_int_equal(decision->row_count, 0);
    assert_non_null(decision->refusal.message);
    if (path != NULL)
        assert_string_equal(decision->refusal.path, path);
}

static inline size_t count_rows(const struct decision *decision, enum row_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < decision->row_count; i++)
        count += decision->rows[i].kind == kind;
    return count;
}

static inline size_t count_events(const struct decision *decision, const char *type)
{
    size_t count = 0;
    for (size_t i = 0; i < decision->row_count; i++)
        count += decision->rows[i].kind == ROW_EVENT && strcmp(decision->rows[i].event.type, type) == 0;
    return count;
}

// A manifest that tests change parts of: one site, one pool of 800 GPUs growing to 1000, two tenants, and a
// contract of two listed periods.
struct sample {
    struct manifest manifest;
    struct manifest_step power[1], capacity[2];
    struct manifest_site sites[1];
    struct manifest_rate rates[2];
    struct manifest_change changes[2];
    struct manifest_pool pools[2];
    uint32_t operators[2], acme_uids[2], globex_uids[2];
    struct manifest_tenant tenants[2];
    struct manifest_period periods[2];
    struct manifest_price prices[1];
    const char *scope[1];
    struct manifest_contract contracts[2];
};

static inline void sample_pool(struct sample *sample)
{
    sample->capacity[0] = (struct manifest_step){hour_from("2026-01-01T00:00:00Z"), 800};
    sample->capacity[1] = (struct manifest_step){hour_from("2026-07-01T00:00:00Z"), 1000};
    sample->rates[0] = (struct manifest_rate){
        .from = hour_from("2026-01-01T00:00:00Z"), .has = {true, true}, .price = {dollars(2), dollars(1)}};
    sample->pools[0] = (struct manifest_pool){.pool = "north/h100",
                                              .gpu = "H100",
                                              .unit = 8,
                                              .watts_per_gpu = 1275,
                                              .capacity = sample->capacity,
                                              .capacity_count = 2,
                                              .rates = sample->rates,
                                              .rate_count = 1,
                                              .changes = sample->changes};
}

static inline void sample_contract(struct sample *sample)
{
    sample->periods[0] = (struct manifest_period){hour_from("2026-01-01T00:00:00Z"), dollars(1200)};
    sample->periods[1] = (struct manifest_period){hour_from("2027-01-01T00:00:00Z"), dollars(2400)};
    sample->contracts[0] = (struct manifest_contract){
        .contract = "acme-2026",
        .tenant = "acme",
        .start = hour_from("2026-01-01T00:00:00Z"),
        .end = hour_from("2028-01-01T00:00:00Z"),
        .pools = sample->scope,
        .periods = sample->periods,
        .period_count = 2,
        .prices = sample->prices,
        .terms = {.overage_kind = OVERAGE_PERCENT, .overage_limit_bp = 1000, .surcharge_bp = 2000},
    };
}

// The arrays are inside the sample: it must not be moved afterwards.
static inline void sample_fill(struct sample *sample)
{
    *sample = (struct sample){0};
    sample->power[0] = (struct manifest_step){hour_from("2026-01-01T00:00:00Z"), 300000000};
    sample->sites[0] = (struct manifest_site){.site = "north", .power = sample->power, .power_count = 1};
    sample_pool(sample);
    sample->acme_uids[0] = 1001;
    sample->globex_uids[0] = 1002;
    sample->tenants[0] = (struct manifest_tenant){
        .tenant = "acme", .name = "Acme", .has_uids = true, .uids = sample->acme_uids, .uid_count = 1};
    sample->tenants[1] = (struct manifest_tenant){
        .tenant = "globex", .name = "Globex", .has_uids = true, .uids = sample->globex_uids, .uid_count = 1};
    sample_contract(sample);
    sample->manifest = (struct manifest){
        .note = "a sample",
        .has_operator_uids = true,
        .operator_uids = sample->operators,
        .operator_uid_count = 1,
        .sites = sample->sites,
        .site_count = 1,
        .pools = sample->pools,
        .pool_count = 1,
        .tenants = sample->tenants,
        .tenant_count = 2,
        .contracts = sample->contracts,
        .contract_count = 1,
    };
}

// A reservation put into the book by its rows alone, in the first contract's first period.
static inline void put_reservation(struct fixture *fixture, int64_t id, enum tier tier, struct hour start,
                                   struct hour end, int32_t gpus)
{
    struct row row = {.kind = ROW_RESERVATION};
    row.reservation = (struct reservation_row){.id = id,
                                               .tenant = 1,
                                               .pool = 1,
                                               .tier = tier,
                                               .state = STATE_BOOKED,
                                               .start = start,
                                               .end = end,
                                               .gpus = gpus,
                                               .created = fixture->now,
                                               .last_slice = 1,
                                               .last_layer = 1};
    book_apply(fixture->book, &row);
    row = (struct row){.kind = ROW_SLICE};
    row.slice = (struct slice_row){.reservation = id,
                                   .number = 1,
                                   .layer = 1,
                                   .start = start,
                                   .end = end,
                                   .gpus = gpus,
                                   .price = dollars(1),
                                   .period = 1};
    book_apply(fixture->book, &row);
}

#endif
