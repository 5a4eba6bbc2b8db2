#include "world.h"

#include "base/memory.h"
#include "compare.h"
#include "ledger/chain.h"
#include "ledger/ledger_internal.h"
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORIGIN     489000 // in October 2025
#define SPAN_HOURS (2 * 8766)
#define WRITER     "simulator"

void world_find(struct world *world, enum finding finding, const char *format, ...)
{
    if (world->finding != FINDING_NONE)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->finding_text, sizeof world->finding_text, format, arguments);
    va_end(arguments);
    world->finding = finding;
}

void world_begin(struct world *world, const struct world_options *options)
{
    *world = (struct world){.options = *options, .generator = {.random = options->seed}};
    struct model *model = world->model = calloc(1, sizeof *model);
    if (model == NULL)
        abort();
    model->seed = options->seed;
    model->origin = ORIGIN + (int32_t)random_below(&world->generator, 8766);
    model->horizon_years = 1 + (int32_t)random_below(&world->generator, 2);
    model->hold_seconds_max = 7 * 86400;
    model->now = model->origin * INT64_C(3600) + random_below(&world->generator, 3600);
    world->begun.seconds = model->now;
    world->book_options = (struct book_options){.horizon_years = model->horizon_years,
                                                .hold_seconds_max = model->hold_seconds_max,
                                                .origin = {model->origin}};
    world->medium = medium_create(options->seed ^ UINT64_C(0xD15C));
    medium_faults(world->medium)->lies = options->lies;
    world_set_version(options->migrates ? 1 : 2);
    medium_register();
    // The same seed, the same salts in the WAL.
    (void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, (int)(options->seed % INT32_MAX) + 1, NULL);
}

// ---- Opening and closing

static bool open_ledger(const struct world *world, struct ledger **ledger, struct ledger_error *error)
{
    struct ledger_options options = {
        .path = WORLD_LEDGER, .manual_clock = true, .manual_time = world->begun, .writer = WRITER};
    if (!ledger_open(&options, ledger, error))
        return false;
    if (world->options.normal)
        sqlite3_exec((*ledger)->connection.database, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return true;
}

static bool load_book(const struct world *world, struct ledger *ledger, struct book **book,
                      struct ledger_error *error)
{
    struct book_options options = world->book_options;
    if (ledger_last_batch(ledger) > 0)
        options.origin = hour_of_instant(ledger_last_time(ledger));
    *book = book_create(&options);
    if (ledger_load(ledger, *book, error))
        return true;
    book_destroy(*book);
    *book = NULL;
    return false;
}

bool world_open(struct world *world)
{
    medium_mount(world->medium);
    if (!open_ledger(world, &world->ledger, &world->error)) {
        world->ledger = NULL;
        return false;
    }
    if (load_book(world, world->ledger, &world->book, &world->error))
        return true;
    world_close(world);
    return false;
}

void world_close(struct world *world)
{
    medium_mount(world->medium);
    world_release(world);
    ledger_close(world->ledger);
    if (world->book != NULL)
        book_destroy(world->book);
    world->ledger = NULL;
    world->book = NULL;
}

void world_hold(struct world *world)
{
    if (world->holder == NULL &&
        (sqlite3_open_v2(WORLD_LEDGER, &world->holder, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
             SQLITE_OK ||
         sqlite3_exec(world->holder, "BEGIN; SELECT count(*) FROM batch", NULL, NULL, NULL) != SQLITE_OK))
        world_release(world);
}

void world_release(struct world *world)
{
    sqlite3_close_v2(world->holder);
    world->holder = NULL;
}

// ---- Gathering

static void add_rows(struct world *world, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world->rows = memory_grow(world->rows, world->row_count, &world->row_capacity, sizeof *world->rows);
        world->rows[world->row_count++] = rows[i];
    }
}

static void apply(struct world *world, const struct decision *decision)
{
    book_apply_rows(world->book, decision->rows, decision->row_count);
    add_rows(world, decision->rows, decision->row_count);
}

static struct instant now_of(const struct world *world)
{
    return (struct instant){world->model->now};
}

// Goes on to a time. The clock may have stepped back meanwhile: then it is as late as it was.
static void go_on(struct world *world)
{
    struct model *model = world->model;
    int64_t to = generate_time(&world->generator, model);
    int64_t end = (model->origin + SPAN_HOURS) * INT64_C(3600);
    if (one_in(&world->generator, 12)) // the daemon was away for long, over anniversaries
        to += INT64_C(86400) * random_below(&world->generator, 400);
    if (one_in(&world->generator, 8)) // a step back
        to -= INT64_C(86400) * random_below(&world->generator, 40);
    if (to >= end || to < model->now)
        to = model->now;
    struct decision decision;
    bool urgent, lazy = one_in(&world->generator, 3);
    struct instant at = {to};
    while (book_decide_due(world->book, at, &world->arena, &decision, &urgent)) {
        apply(world, &decision);
        if (!urgent && lazy)
            break;
    }
    record_due(&world->record, at, lazy);
    model_advance(model, to);
}

static void decide(struct world *world, const struct request *request, struct decision *decision)
{
    book_decide(world->book, request, now_of(world), &world->arena, decision);
}

static bool changes(const struct decision *decision)
{
    return decision->verdict == VERDICT_DONE && !decision->dry_run && !decision->replayed;
}

static void accept(struct world *world, const struct request *request, const struct decision *decision)
{
    apply(world, decision);
    record_request(&world->record, now_of(world), request);
}

static void send_request(struct world *world)
{
    const struct request *request = generate_request(&world->generator, world->model);
    struct decision decision;
    struct answer answer;
    decide(world, request, &decision);
    model_decide(world->model, request, &answer);
    compare_decision(world->model, request, &answer, &decision);
    if (changes(&decision)) {
        accept(world, request, &decision);
        model_commit(world->model, request, &answer);
    }
    answer_free(&answer);
}

static void send_manifest(struct world *world)
{
    enum verdict expected;
    struct request request = {.kind = REQUEST_MANIFEST_APPLY,
                              .actor = {.role = ROLE_OPERATOR, .name = "uid:0"}};
    struct decision decision;
    request.manifest = generate_addition(&world->generator, world->model, &expected);
    decide(world, &request, &decision);
    MODEL_EQUAL(world->model, decision.verdict, expected);
    if (expected != VERDICT_DONE)
        return;
    generate_accept(world->model);
    accept(world, &request, &decision);
}

// What the model does not know: it changes neither bookings nor money.
static void send_other(struct world *world)
{
    char label[32];
    struct request request = {.actor = {.role = ROLE_OPERATOR, .name = "uid:0"}};
    switch (random_below(&world->generator, 4)) {
    case 0:
        request.kind = REQUEST_TOKEN_CREATE;
        snprintf(label, sizeof label, "token-%d", ++world->tokens);
        request.token = (struct token_request){.label = label, .is_operator = one_in(&world->generator, 2)};
        request.tenant = request.token.is_operator ? NULL : "tenant-1";
        memset(request.token.hash.bytes, world->tokens, sizeof request.token.hash.bytes);
        break;
    case 1:
        request.kind = REQUEST_TOKEN_REVOKE;
        snprintf(label, sizeof label, "token-%d",
                 1 + (int)random_below(&world->generator, (uint32_t)world->tokens + 1));
        request.token.label = label;
        break;
    case 2:
        request.kind = REQUEST_BACKUP;
        request.backup_name = "a-backup.db";
        break;
    default:
        request.kind = REQUEST_CLOCK_ADVANCE;
        request.advance_to = now_of(world);
    }
    struct decision decision;
    decide(world, &request, &decision);
    if (changes(&decision) && decision.row_count > 0)
        accept(world, &request, &decision);
}

static void send_first_manifest(struct world *world)
{
    struct request request = {.kind = REQUEST_MANIFEST_APPLY,
                              .actor = {.role = ROLE_OPERATOR, .name = "uid:0"}};
    struct decision decision;
    request.manifest = generate_world(&world->generator, world->model);
    decide(world, &request, &decision);
    MODEL_EQUAL(world->model, decision.verdict, VERDICT_DONE);
    accept(world, &request, &decision);
}

// ---- What a batch must be

// All that a book can be asked, at its own time.
static void describe_book(const struct book *book, struct buffer *text)
{
    static struct model clock;
    clock.now = book_time(book).seconds;
    dump_book(&clock, book, text);
    for (size_t i = 0; i < book_token_count(book); i++) {
        const struct token_row *token = book_token(book, i);
        buffer_append_format(text, "token %s of %u\n", token->label, token->tenant);
    }
}

static struct digest digest_text(const struct buffer *text)
{
    struct digest_state state;
    digest_begin(&state);
    digest_add(&state, text->data, text->length);
    return digest_end(&state);
}

static struct digest digest_of_book(const struct book *book)
{
    struct buffer text = {0};
    describe_book(book, &text);
    struct digest digest = digest_text(&text);
    buffer_free(&text);
    return digest;
}

static void expect(struct world *world, int64_t batch, const struct digest *hash)
{
    while ((size_t)batch >= world->expected_capacity) {
        size_t before = world->expected_capacity;
        world->expected_capacity = before * 2 + 64;
        world->expected = memory_resize(world->expected, world->expected_capacity, sizeof *world->expected);
        memset(world->expected + before, 0, (world->expected_capacity - before) * sizeof *world->expected);
    }
    world->expected[batch] = (struct expected_batch){.hash = *hash};
}

void world_gather(struct world *world)
{
    struct generator *generator = &world->generator;
    arena_reset(&world->arena);
    world->row_count = 0;
    if (world->model_back != NULL)
        model_free(world->model_back);
    world->model_back = model_copy(world->model);
    world->record_back = world->record.count;
    world->model->step++;
    bool is_first = world->acknowledged == 0;
    if (is_first)
        send_first_manifest(world);
    go_on(world);
    uint32_t requests = is_first ? 0 : 1 + random_below(generator, (uint32_t)world->options.requests);
    for (uint32_t i = 0; i < requests; i++)
        send_request(world);
    if (one_in(generator, 15) && !is_first)
        send_manifest(world);
    if (one_in(generator, 10))
        send_other(world);
    struct row *rows;
    size_t count;
    book_end_batch(world->book, now_of(world), &world->arena, &rows, &count);
    add_rows(world, rows, count);
    record_batch(&world->record, now_of(world));
    world->batch = (struct batch){.seq = world->acknowledged + 1,
                                  .epoch = 1,
                                  .at = now_of(world),
                                  .rows = world->rows,
                                  .row_count = world->row_count};
    struct digest before =
        world->acknowledged == 0 ? CHAIN_ORIGIN : world->expected[world->acknowledged].hash;
    struct digest hash = chain_hash(&world->batch, WRITER, &before);
    expect(world, world->batch.seq, &hash);
    world->expected[world->batch.seq].book = digest_of_book(world->book);
}

static void acknowledge(struct world *world)
{
    world->acknowledged = world->batch.seq;
    world->in_flight = false;
}

enum commit_outcome world_commit(struct world *world)
{
    world->in_flight = true;
    medium_mount(world->medium);
    enum commit_outcome outcome = ledger_commit(world->ledger, &world->batch, &world->error);
    if (outcome == COMMIT_DONE)
        acknowledge(world);
    return outcome;
}

bool world_checkpoint(struct world *world)
{
    // As if the WAL were as long as it must be for a checkpoint to be worth it.
    bool busy;
    medium_mount(world->medium);
    world->ledger->wal_frames += 8192;
    world->ledger->checkpointed_frames = 0;
    return ledger_checkpoint(world->ledger, &busy, &world->error);
}

// ---- Checking

static bool check_replay(struct world *world)
{
    struct book *replayed = record_replay(&world->record, &world->book_options, world->begun);
    if (replayed == NULL) {
        world_find(world, FINDING_WRONG, "what was acknowledged can't be replayed");
        return false;
    }
    struct buffer a = {0}, b = {0};
    describe_book(world->book, &a);
    describe_book(replayed, &b);
    bool same = a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
    if (!same) {
        size_t line = 0;
        for (size_t i = 0; i < a.length && i < b.length && a.data[i] == b.data[i]; i++)
            line = a.data[i] == '\n' ? i + 1 : line;
        world_find(world, FINDING_WRONG, "the book differs from the replayed one:\n  %.*s\n  %.*s",
                   (int)strcspn(a.data + line, "\n"), a.data + line, (int)strcspn(b.data + line, "\n"),
                   b.data + line);
    }
    buffer_free(&a);
    buffer_free(&b);
    book_destroy(replayed);
    return same;
}

static bool check_hash(struct world *world, struct ledger *ledger)
{
    int64_t last = ledger_last_batch(ledger);
    if (last == 0 || digest_equal(&ledger->last_hash, &world->expected[last].hash))
        return true;
    world_find(world, FINDING_WRONG, "batch %" PRId64 " is not the one that was written", last);
    return false;
}

static bool check_last(struct world *world, int64_t least, int64_t last)
{
    int64_t most = world->acknowledged + world->in_flight;
    if (last >= least && last <= most)
        return true;
    world_find(world, last < least ? FINDING_LOST : FINDING_WRONG,
               "the ledger ends with batch %" PRId64 ", and %" PRId64 " was acknowledged%s", last, least,
               world->in_flight ? ", and the next one written" : "");
    return false;
}

static bool verify_file(struct world *world, const char *path)
{
    struct verify_report report;
    struct ledger_error error;
    if (!ledger_verify(path, NULL, NULL, &report, &error))
        world_find(world, FINDING_WRONG, "it can't be verified: %s", error.message);
    else if (!report.sound)
        world_find(world, FINDING_WRONG, "it is not sound: %s", report.message);
    return world->finding == FINDING_NONE;
}

// The copy that a migration made before it began is whole, if it is there.
static bool check_copy(struct world *world, const struct medium *medium)
{
    if (!medium_has(medium, WORLD_LEDGER "-version-1"))
        return true;
    world_set_version(1);
    bool sound = verify_file(world, WORLD_LEDGER "-version-1");
    world_set_version(2);
    return sound;
}

// The batch in flight is there, or it is not: what was said before is unsaid.
static void settle(struct world *world)
{
    if (!world->in_flight)
        return;
    if (ledger_last_batch(world->ledger) == world->batch.seq) {
        acknowledge(world);
        return;
    }
    world->in_flight = false;
    model_go_back(world->model, world->model_back);
    world->model_back = NULL;
    record_cut(&world->record, world->record_back);
}

bool world_check(struct world *world, bool all)
{
    medium_mount(world->medium);
    if (!check_last(world, world->acknowledged, ledger_last_batch(world->ledger)) ||
        !check_hash(world, world->ledger))
        return false;
    settle(world);
    if (!check_replay(world))
        return false;
    if (!all)
        return true;
    if (world->acknowledged > 0)
        compare_book(world->model, world->book);
    return verify_file(world, WORLD_LEDGER) && check_copy(world, world->medium);
}

// ---- A disk that was cut

static bool check_book(struct world *world, const struct book *book, int64_t batch)
{
    if (batch == 0)
        return true;
    struct digest digest = digest_of_book(book);
    if (!digest_equal(&digest, &world->expected[batch].book))
        world_find(world, FINDING_WRONG, "the book after batch %" PRId64 " is not what it was", batch);
    return world->finding == FINDING_NONE;
}

bool world_probe(struct world *world, struct medium *medium, int64_t least, bool all, int64_t *batch,
                 bool *failed)
{
    struct ledger *ledger = NULL;
    struct book *book = NULL;
    struct ledger_error error = {0};
    *failed = false;
    *batch = least;
    medium_mount(medium);
    if (open_ledger(world, &ledger, &error) && load_book(world, ledger, &book, &error)) {
        *batch = ledger_last_batch(ledger);
        if (check_last(world, least, *batch) && check_hash(world, ledger) &&
            check_book(world, book, *batch) && all && verify_file(world, WORLD_LEDGER))
            check_copy(world, medium);
    } else if (medium_struck(medium)) {
        *failed = true;
    } else {
        world_find(world, FINDING_LOST, "the ledger does not open: %s", error.message);
    }
    if (book != NULL)
        book_destroy(book);
    ledger_close(ledger);
    return world->finding == FINDING_NONE;
}

void world_end(struct world *world)
{
    world_close(world);
    model_free(world->model);
    if (world->model_back != NULL)
        model_free(world->model_back);
    record_free(&world->record);
    arena_free(&world->arena);
    free(world->rows);
    free(world->expected);
    medium_free(world->medium);
}
