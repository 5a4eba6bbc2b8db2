#include "record.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

enum step_kind { STEP_DUE, STEP_REQUEST, STEP_BATCH };

struct record_step {
    enum step_kind kind;
    struct instant at;
    bool is_lazy;
    const struct request *request;
};

static struct record_step *add(struct record *record, enum step_kind kind, struct instant at)
{
    record->steps = memory_grow(record->steps, record->count, &record->capacity, sizeof *record->steps);
    struct record_step *step = &record->steps[record->count++];
    *step = (struct record_step){.kind = kind, .at = at};
    return step;
}

void record_due(struct record *record, struct instant now, bool is_lazy)
{
    add(record, STEP_DUE, now)->is_lazy = is_lazy;
}

void record_batch(struct record *record, struct instant at)
{
    add(record, STEP_BATCH, at);
}

void record_cut(struct record *record, size_t count)
{
    record->count = count;
}

// ---- Copying requests

static void *copy_array(struct arena *arena, const void *array, size_t count, size_t size)
{
    void *copy = arena_allocate(arena, count * size + 1);
    if (count > 0)
        memcpy(copy, array, count * size);
    return copy;
}

#define COPY_ARRAY(member, number) ((member) = copy_array(arena, (member), (number), sizeof *(member)))
#define COPY_TEXT(member)          ((member) = arena_copy_text(arena, (member)))

static void copy_pool(struct arena *arena, struct manifest_pool *pool)
{
    COPY_TEXT(pool->pool);
    COPY_TEXT(pool->gpu);
    COPY_TEXT(pool->note);
    COPY_ARRAY(pool->capacity, pool->capacity_count);
    COPY_ARRAY(pool->rates, pool->rate_count);
    COPY_ARRAY(pool->changes, pool->change_count);
    for (size_t i = 0; i < pool->change_count; i++)
        COPY_TEXT(pool->changes[i].note);
}

static void copy_contract(struct arena *arena, struct manifest_contract *contract)
{
    COPY_TEXT(contract->contract);
    COPY_TEXT(contract->tenant);
    COPY_TEXT(contract->note);
    COPY_ARRAY(contract->pools, contract->pool_count);
    for (size_t i = 0; i < contract->pool_count; i++)
        COPY_TEXT(contract->pools[i]);
    COPY_ARRAY(contract->periods, contract->period_count);
    COPY_ARRAY(contract->prices, contract->price_count);
    for (size_t i = 0; i < contract->price_count; i++)
        COPY_TEXT(contract->prices[i].pool);
}

static const struct manifest *copy_manifest(struct arena *arena, const struct manifest *original)
{
    struct manifest *manifest = copy_array(arena, original, 1, sizeof *original);
    COPY_TEXT(manifest->note);
    COPY_ARRAY(manifest->operator_uids, manifest->operator_uid_count);
    COPY_ARRAY(manifest->sites, manifest->site_count);
    for (size_t i = 0; i < manifest->site_count; i++) {
        COPY_TEXT(manifest->sites[i].site);
        COPY_TEXT(manifest->sites[i].note);
        COPY_ARRAY(manifest->sites[i].power, manifest->sites[i].power_count);
    }
    COPY_ARRAY(manifest->pools, manifest->pool_count);
    for (size_t i = 0; i < manifest->pool_count; i++)
        copy_pool(arena, &manifest->pools[i]);
    COPY_ARRAY(manifest->tenants, manifest->tenant_count);
    for (size_t i = 0; i < manifest->tenant_count; i++) {
        COPY_TEXT(manifest->tenants[i].tenant);
        COPY_TEXT(manifest->tenants[i].name);
        COPY_TEXT(manifest->tenants[i].note);
        COPY_ARRAY(manifest->tenants[i].uids, manifest->tenants[i].uid_count);
    }
    COPY_ARRAY(manifest->contracts, manifest->contract_count);
    for (size_t i = 0; i < manifest->contract_count; i++)
        copy_contract(arena, &manifest->contracts[i]);
    return manifest;
}

static void copy_what_is_asked(struct arena *arena, struct request *request)
{
    switch (request->kind) {
    case REQUEST_CREATE:
    case REQUEST_CREATE_GROUP:
        COPY_ARRAY(request->create.legs, request->create.leg_count);
        for (size_t i = 0; i < request->create.leg_count; i++) {
            COPY_TEXT(request->create.legs[i].pool);
            COPY_TEXT(request->create.legs[i].project);
            COPY_TEXT(request->create.legs[i].note);
        }
        break;
    case REQUEST_CANCEL:
        COPY_TEXT(request->cancel.reason);
        break;
    case REQUEST_MANIFEST_APPLY:
        request->manifest = copy_manifest(arena, request->manifest);
        break;
    case REQUEST_CAPACITY_CHANGE:
        COPY_TEXT(request->capacity.pool);
        COPY_TEXT(request->capacity.note);
        break;
    case REQUEST_TENANT_SUSPEND:
    case REQUEST_TENANT_RESUME:
        COPY_TEXT(request->reason);
        break;
    case REQUEST_TOKEN_CREATE:
    case REQUEST_TOKEN_REVOKE:
        COPY_TEXT(request->token.label);
        break;
    case REQUEST_BACKUP:
        COPY_TEXT(request->backup_name);
        break;
    case REQUEST_CONFIRM:
    case REQUEST_CHANGE:
    case REQUEST_CLOCK_ADVANCE:
        break;
    }
}

void record_request(struct record *record, struct instant now, const struct request *request)
{
    struct arena *arena = &record->arena;
    struct request *copy = copy_array(arena, request, 1, sizeof *request);
    COPY_TEXT(copy->actor.name);
    COPY_TEXT(copy->tenant);
    COPY_TEXT(copy->client_ref);
    copy_what_is_asked(arena, copy);
    add(record, STEP_REQUEST, now)->request = copy;
}

// ---- Replaying

static bool replay_step(struct book *book, const struct record_step *step, struct arena *arena)
{
    struct decision decision;
    struct row *rows;
    size_t count;
    bool urgent;
    switch (step->kind) {
    case STEP_DUE:
        while (book_decide_due(book, step->at, arena, &decision, &urgent)) {
            book_apply_rows(book, decision.rows, decision.row_count);
            if (!urgent && step->is_lazy)
                break;
        }
        return true;
    case STEP_REQUEST:
        book_decide(book, step->request, step->at, arena, &decision);
        if (decision.verdict != VERDICT_DONE || decision.dry_run)
            return false;
        book_apply_rows(book, decision.rows, decision.row_count);
        return true;
    case STEP_BATCH:
        book_end_batch(book, step->at, arena, &rows, &count);
        return true;
    }
    return false;
}

struct book *record_replay(const struct record *record, const struct book_options *options,
                           struct instant begin)
{
    struct arena arena = {0};
    struct book *book = book_create(options);
    book_loaded(book, begin, 0, 0);
    bool same = true;
    for (size_t i = 0; i < record->count && same; i++) {
        same = replay_step(book, &record->steps[i], &arena);
        if (record->steps[i].kind == STEP_BATCH)
            arena_reset(&arena);
    }
    arena_free(&arena);
    if (!same) {
        book_destroy(book);
        return NULL;
    }
    return book;
}

void record_free(struct record *record)
{
    arena_free(&record->arena);
    free(record->steps);
    *record = (struct record){0};
}
