// The book against a naive model of it: random worlds, requests and jumps of time, and every verdict,
// balance, free count and way out compared.
//
//     book_model_test          a few fixed seeds
//     book_model_test SEED     that one
//     book_model_test FROM TO  those
//
// MODEL_TRACE=1 prints every request and how it was answered, MODEL_STATISTICS=1 how often what was tried.
//
// Also compared: offers with a search of every hour, a dry run with the decision it foretells, the book
// before and after a dry run, and the book with one that was loaded from the rows it has written, which then
// goes on in its place.
#include "compare.h"
#include "generate.h"
#include "offers.h"
#include "store.h"

#include "base/digest.h"
#include <stdlib.h>
#include <string.h>

#define ORIGIN      489000 // in October 2025
#define SPAN_HOURS  (2 * 8766)
#define STEPS_MAX   900
#define FIXED_SEEDS 24

static uint64_t first_seed = 1, last_seed = FIXED_SEEDS;

// How often each kind of request got each verdict, and what else happened: shown when MODEL_STATISTICS is
// set.
static struct statistics {
    int done[REQUEST_CLOCK_ADVANCE + 1], refused[REQUEST_CLOCK_ADVANCE + 1], replayed, verdicts[32], lost,
        served, preempted, powerless;
    int steps, closes, expiries, reloads, manifests, extended, interrupted, closed;
} statistics;

struct sim {
    struct generator generator;
    struct model *model;
    struct book *book;
    struct store store;
    struct arena arena;
};

static void apply(struct sim *sim, const struct decision *decision)
{
    book_apply_rows(sim->book, decision->rows, decision->row_count);
    store_rows(sim->model, &sim->store, decision->rows, decision->row_count);
}

// Applies what was asked for, and what it frees goes to those that wait for it.
static void carry_out(struct sim *sim, const struct decision *decision)
{
    struct decision served;
    bool urgent;
    apply(sim, decision);
    while (book_serves_waiting(sim->book) &&
           book_decide_due(sim->book, (struct instant){sim->model->now}, &sim->arena, &served, &urgent)) {
        statistics.served += urgent;
        apply(sim, &served);
    }
}

// Goes on to a time, in one batch that writes starts and ends or leaves them for later.
static void go_on(struct sim *sim, int64_t now)
{
    struct decision decision;
    bool urgent, lazy = one_in(&sim->generator, 3);
    struct instant at = {now};
    while (book_decide_due(sim->book, at, &sim->arena, &decision, &urgent)) {
        MODEL_EQUAL(sim->model, decision.verdict, VERDICT_DONE);
        apply(sim, &decision);
        if (!urgent && lazy)
            break;
    }
    model_advance(sim->model, now);
}

static void end_batch(struct sim *sim)
{
    struct row *rows;
    size_t count;
    book_end_batch(sim->book, (struct instant){sim->model->now}, &sim->arena, &rows, &count);
    store_rows(sim->model, &sim->store, rows, count);
    store_check(sim->model, &sim->store);
    MODEL_EQUAL(sim->model, book_time(sim->book).seconds, sim->model->now);
}

// The events of two decisions, as text.
static void write_events(const struct decision *decision, struct buffer *text)
{
    buffer_append_format(text, "%zu rows\n", decision->row_count);
    for (size_t i = 0; i < decision->row_count; i++)
        if (decision->rows[i].kind == ROW_EVENT)
            buffer_append_format(text, "%s %s\n", decision->rows[i].event.type, decision->rows[i].event.data);
        else
            buffer_append_format(text, "row of kind %d\n", (int)decision->rows[i].kind);
}

static void compare_decisions(struct sim *sim, const char *what, const struct decision *a,
                              const struct decision *b)
{
    struct buffer left = {0}, right = {0};
    MODEL_EQUAL(sim->model, a->verdict, b->verdict);
    write_events(a, &left);
    write_events(b, &right);
    compare_texts(sim->model, what, &left, &right);
    buffer_free(&left);
    buffer_free(&right);
}

static void decide(struct sim *sim, const struct request *request, struct decision *decision)
{
    book_decide(sim->book, request, (struct instant){sim->model->now}, &sim->arena, decision);
}

// A dry run leaves the book as it was, and foretells the decision.
static void rehearse(struct sim *sim, const struct request *request, struct decision *foretold)
{
    struct buffer before = {0}, after = {0};
    struct request dry = *request;
    dry.dry_run = true;
    dump_book(sim->model, sim->book, &before);
    decide(sim, &dry, foretold);
    dump_book(sim->model, sim->book, &after);
    compare_texts(sim->model, "a dry run changed the book", &before, &after);
    MODEL_CHECK(sim->model, foretold->dry_run);
    buffer_free(&before);
    buffer_free(&after);
}

static void trace(const struct model *model, const struct request *request, const struct answer *answer)
{
    if (getenv("MODEL_TRACE") == NULL)
        return;
    char text[1024], now[INSTANT_TEXT_SIZE];
    model_describe(request, text, sizeof text);
    instant_format((struct instant){model->now}, now);
    print_message("%d %s %s %s%s%s -> %d", model->step, now, text,
                  request->client_ref == NULL ? "" : request->client_ref, request->dry_run ? " dry" : "",
                  answer->replayed ? " replayed" : "", (int)answer->verdict);
    for (size_t i = 0; i < answer->effect_count && answer->verdict == VERDICT_DONE; i++)
        print_message(" %lld in pool %d [%d, %d) %s", (long long)answer->effects[i].after.id,
                      answer->effects[i].after.pool, answer->effects[i].after.start,
                      answer->effects[i].after.end, reservation_state_name(answer->effects[i].after.state));
    print_message("\n");
}

static void count_answer(const struct request *request, const struct answer *answer)
{
    if (answer->verdict == VERDICT_DONE)
        statistics.done[request->kind]++;
    else
        statistics.refused[request->kind]++;
    statistics.replayed += answer->replayed;
    statistics.powerless += answer->powerless;
    *(answer->by_loss ? &statistics.lost : &statistics.preempted) += (int)answer->displaced_count;
    statistics.verdicts[answer->verdict > 1000            ? answer->verdict - 1000
                        : answer->verdict == VERDICT_DONE ? 0
                                                          : 1]++;
}

static void count_world(const struct model *model)
{
    statistics.steps += model->step;
    statistics.extended += model->extended;
    statistics.interrupted += model->interrupted;
    for (size_t i = 0; i < model->outage_count; i++)
        statistics.closed += !model->outages[i].is_open;
    for (int id = 1; id <= model->period_count; id++)
        statistics.closes += model->periods[id].closed;
    for (int64_t id = 1; id <= model->reservation_count; id++)
        statistics.expiries += model->reservations[id].state == STATE_EXPIRED;
}

static void show_statistics(void)
{
    static const char *const kinds[] = {"create", "create_group", "confirm", "change", "cancel"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        print_message("%s: %d done, %d refused\n", kinds[i], statistics.done[i], statistics.refused[i]);
    print_message("capacity.change: %d done, %d refused\n", statistics.done[REQUEST_CAPACITY_CHANGE],
                  statistics.refused[REQUEST_CAPACITY_CHANGE]);
    for (int i = 1; i < 32; i++)
        if (statistics.verdicts[i] > 0)
            print_message("verdict %d: %d\n", i == 1 ? VERDICT_INVALID_PARAMS : 1000 + i,
                          statistics.verdicts[i]);
    print_message("%d interrupted by a loss, %d by firm bookings (in %d hours for power); %d decisions for "
                  "those that waited\n",
                  statistics.lost, statistics.preempted, statistics.powerless, statistics.served);
    print_message("%d offers, %d near misses, %d plans\n", offers_statistics.offers, offers_statistics.misses,
                  offers_statistics.plans);
    print_message("%d steps, %d replays, %d closed periods, %d expired holds, %d reloads, %d manifests\n",
                  statistics.steps, statistics.replayed, statistics.closes, statistics.expiries,
                  statistics.reloads, statistics.manifests);
    print_message("open outages: %d hours cut while they were, %d interrupted, %d closed\n",
                  statistics.extended, statistics.interrupted, statistics.closed);
}

static void send_request(struct sim *sim)
{
    const struct request *request = generate_request(&sim->generator, sim->model);
    bool rehearsed = one_in(&sim->generator, 8);
    struct decision decision, foretold;
    struct answer answer;
    if (rehearsed)
        rehearse(sim, request, &foretold);
    decide(sim, request, &decision);
    if (rehearsed)
        compare_decisions(sim, "a dry run foretold something else", &foretold, &decision);
    model_decide(sim->model, request, &answer);
    trace(sim->model, request, &answer);
    compare_decision(sim->model, request, &answer, &decision);
    count_answer(request, &answer);
    if (answer.verdict == VERDICT_DONE && !request->dry_run && !answer.replayed) {
        model_commit(sim->model, request, &answer);
        carry_out(sim, &decision);
    }
    answer_free(&answer);
}

static void send_manifest(struct sim *sim)
{
    enum verdict expected;
    struct request request = {.kind = REQUEST_MANIFEST_APPLY,
                              .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
                              .dry_run = one_in(&sim->generator, 6)};
    struct decision decision;
    request.manifest = generate_addition(&sim->generator, sim->model, &expected);
    decide(sim, &request, &decision);
    if (decision.verdict != expected)
        MODEL_FAIL(sim->model, "the manifest's verdict is %d (%s at %s) and should be %d",
                   (int)decision.verdict,
                   decision.verdict == VERDICT_DONE ? "done" : decision.refusal.message,
                   decision.verdict == VERDICT_DONE ? "" : decision.refusal.path, (int)expected);
    if (expected != VERDICT_DONE || request.dry_run)
        return;
    generate_accept(sim->model);
    model_serve(sim->model);
    statistics.manifests++;
    carry_out(sim, &decision);
    decide(sim, &request, &decision); // applying it twice changes nothing
    MODEL_EQUAL(sim->model, decision.verdict, VERDICT_DONE);
    MODEL_EQUAL(sim->model, decision.row_count, 0);
}

// A book loaded from the rows is the same, decides the same, and goes on in the other's place.
static void reload(struct sim *sim)
{
    if (getenv("MODEL_TRACE") != NULL)
        print_message("%d reloaded\n", sim->model->step);
    struct book *loaded = store_load(sim->model, &sim->store);
    struct buffer live = {0}, again = {0};
    dump_book(sim->model, sim->book, &live);
    dump_book(sim->model, loaded, &again);
    // Those that ended but are not written as such are in both, so even their number is the same.
    compare_texts(sim->model, "the loaded book differs", &live, &again);
    buffer_free(&live);
    buffer_free(&again);
    for (int i = 0; i < 5; i++) {
        struct request request = *generate_request(&sim->generator, sim->model);
        struct decision of_live, of_loaded;
        request.dry_run = true;
        decide(sim, &request, &of_live);
        book_decide(loaded, &request, (struct instant){sim->model->now}, &sim->arena, &of_loaded);
        compare_decisions(sim, "the loaded book decides something else", &of_live, &of_loaded);
    }
    book_destroy(sim->book);
    sim->book = loaded;
    statistics.reloads++;
}

static void begin(struct sim *sim, uint64_t seed)
{
    *sim = (struct sim){.generator = {.random = seed}, .model = calloc(1, sizeof *sim->model)};
    assert_non_null(sim->model);
    struct model *model = sim->model;
    model->seed = seed;
    model->origin = ORIGIN + (int32_t)random_below(&sim->generator, 8766);
    model->horizon_years = 1 + (int32_t)random_below(&sim->generator, 2);
    model->hold_seconds_max = 7 * 86400;
    model->now = model->origin * INT64_C(3600) + random_below(&sim->generator, 3600);
    struct book_options options = {.horizon_years = model->horizon_years,
                                   .hold_seconds_max = model->hold_seconds_max,
                                   .origin = {model->origin}};
    sim->book = book_create(&options);
    book_loaded(sim->book, (struct instant){model->now}, 0, 0);
    struct request request = {.kind = REQUEST_MANIFEST_APPLY,
                              .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
                              .manifest = generate_world(&sim->generator, model)};
    struct decision decision;
    decide(sim, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        MODEL_FAIL(model, "the first manifest is refused: %s", decision.refusal.message);
    apply(sim, &decision);
    go_on(sim, model->now);
    end_batch(sim);
    compare_book(model, sim->book);
}

static void run(uint64_t seed)
{
    static struct sim sim;
    begin(&sim, seed);
    struct model *model = sim.model;
    int32_t end = model->origin + SPAN_HOURS;
    for (model->step = 1; model->step <= STEPS_MAX; model->step++) {
        int64_t now = generate_time(&sim.generator, model);
        if (now >= end * INT64_C(3600))
            break;
        go_on(&sim, now);
        if (one_in(&sim.generator, 3))
            compare_book(model, sim.book);
        for (uint32_t i = 1 + random_below(&sim.generator, 4); i > 0; i--)
            send_request(&sim);
        if (one_in(&sim.generator, 12))
            offers_check(&sim.generator, model, sim.book, &sim.arena);
        if (one_in(&sim.generator, 30))
            send_manifest(&sim);
        compare_book(model, sim.book);
        end_batch(&sim);
        if (one_in(&sim.generator, 25))
            reload(&sim);
        arena_reset(&sim.arena);
    }
    store_check_fees(model, &sim.store);
    count_world(model);
    book_destroy(sim.book);
    model_free(model);
    store_free(&sim.store);
    arena_free(&sim.arena);
}

static void book_is_as_the_model(void **state)
{
    (void)state;
    assert_true(digest_initialise());
    for (uint64_t seed = first_seed; seed <= last_seed; seed++)
        run(seed);
    if (getenv("MODEL_STATISTICS") != NULL)
        show_statistics();
}

int main(int argc, char **argv)
{
    if (argc > 1)
        first_seed = last_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2)
        last_seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(book_is_as_the_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
