#include "server/limits.h"
#include "server/slot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct slot_pool pool;
    struct slot_queue queue;
    struct buffer output;
};

static struct slot *push(struct bench *bench, const char *id)
{
    struct slot *slot = slot_take(&bench->pool, id);
    slot->ends_line = true;
    slot_queue_push(&bench->queue, slot);
    return slot;
}

static void fill(struct bench *bench, struct slot *slot, const char *text, int64_t batch)
{
    buffer_append_text(&slot->text, text);
    slot_fill(&bench->queue, slot, batch);
}

static size_t release(struct bench *bench, int64_t durable)
{
    return slot_queue_release(&bench->queue, &bench->pool, durable, &bench->output);
}

static void end(struct bench *bench)
{
    release(bench, INT64_MAX);
    assert_int_equal(bench->queue.count, 0);
    assert_int_equal(bench->queue.bytes, 0);
    slot_pool_free(&bench->pool);
    buffer_free(&bench->output);
}

static void test_in_order(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *a = push(&bench, "1"), *b = push(&bench, "2");
    fill(&bench, b, "second", 0);
    assert_int_equal(release(&bench, 0), 0);
    fill(&bench, a, "first", 0);
    assert_int_equal(bench.queue.bytes, strlen("first") + strlen("second"));
    assert_int_equal(release(&bench, 0), 2);
    assert_string_equal(bench.output.data, "first\nsecond\n");
    end(&bench);
}

static void test_waits_for_its_batch(void **state)
{
    (void)state;
    struct bench bench = {0};
    fill(&bench, push(&bench, "1"), "a", 4);
    fill(&bench, push(&bench, "2"), "b", 5);
    fill(&bench, push(&bench, "3"), "c", 0);
    assert_int_equal(release(&bench, 3), 0);
    assert_int_equal(release(&bench, 4), 1);
    assert_int_equal(release(&bench, 5), 2);
    assert_string_equal(bench.output.data, "a\nb\nc\n");
    end(&bench);
}

static void test_brackets(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *a = push(&bench, "1"), *b = push(&bench, "2");
    a->opening = '[';
    a->ends_line = false;
    b->opening = ',';
    b->closing = ']';
    fill(&bench, a, "{}", 0);
    fill(&bench, b, "{}", 0);
    release(&bench, 0);
    assert_string_equal(bench.output.data, "[{},{}]\n");
    end(&bench);
}

// Of a request without id: it has its place and waits for its batch as any other, and says nothing.
static void test_silent(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *a = push(&bench, "1"), *silent = push(&bench, "null"), *b = push(&bench, "2");
    silent->is_silent = true;
    fill(&bench, a, "a", 0);
    fill(&bench, silent, "never shown", 4);
    fill(&bench, b, "b", 0);
    assert_int_equal(bench.queue.bytes, 2);
    release(&bench, 3);
    assert_string_equal(bench.output.data, "a\n");
    assert_int_equal(bench.queue.count, 2);
    slot_queue_fail(&bench.queue, 3, 4);
    assert_int_equal(bench.queue.bytes, 1);
    release(&bench, 4);
    assert_string_equal(bench.output.data, "a\nb\n");
    end(&bench);
    struct bench unfilled = {0};
    silent = push(&unfilled, "null");
    silent->is_silent = true;
    slot_fill(&unfilled.queue, silent, 0); // a read that nobody wants
    end(&unfilled);
}

static void test_slots_are_used_again(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *a = push(&bench, "1");
    a->replayed = true;
    a->is_silent = true;
    fill(&bench, a, "a", 0);
    release(&bench, 0);
    struct slot *b = push(&bench, "22");
    assert_ptr_equal(a, b);
    assert_string_equal(b->id.data, "22");
    assert_int_equal(b->text.length, 0);
    assert_false(b->filled);
    assert_false(b->replayed);
    assert_false(b->is_silent);
    fill(&bench, b, "b", 0);
    end(&bench);
}

static size_t free_slots(const struct bench *bench)
{
    size_t count = 0;
    for (const struct slot *slot = bench->pool.first; slot != NULL; slot = slot->next)
        count++;
    return count;
}

static void test_what_only_a_flood_needed_is_given_back(void **state)
{
    (void)state;
    struct bench bench = {0};
    for (int flood = 0; flood < 2; flood++) {
        for (int i = 0; i < 3 * KEPT_SLOTS; i++)
            fill(&bench, push(&bench, "1"), "a", 0);
        assert_int_equal(free_slots(&bench), 0);
        release(&bench, 0);
        assert_int_equal(free_slots(&bench), KEPT_SLOTS);
    }
    end(&bench);
}

static bool says(const struct slot *slot, const char *words)
{
    return strstr(slot->text.data, words) != NULL;
}

static void test_failure(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *durable = push(&bench, "1"), *unknown = push(&bench, "2"), *open = push(&bench, "3"),
                *replay = push(&bench, "4"), *job = push(&bench, "5");
    replay->replayed = true;
    job->job = (struct job *)&bench; // never looked into
    job->batch = 8;
    fill(&bench, durable, "done", 6);
    fill(&bench, unknown, "done", 7);
    fill(&bench, open, "done", 8);
    fill(&bench, replay, "done", 8);
    slot_queue_fail(&bench.queue, 6, 7);
    assert_string_equal(durable->text.data, "done");
    assert_true(says(unknown, "\"unknown\"") && says(unknown, "1012"));
    assert_true(says(open, "\"none\"") && says(open, "\"id\":3"));
    assert_true(says(replay, "\"unknown\""));
    assert_false(job->filled);
    fill(&bench, job, "later", 0);
    assert_int_equal(release(&bench, 6), 5);
    end(&bench);
}

static void test_failure_before_the_write(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *slot = push(&bench, "1");
    fill(&bench, slot, "done", 7);
    slot_queue_fail(&bench.queue, 6, 0);
    assert_true(says(slot, "\"none\""));
    end(&bench);
}

// Each slot is counted once, whether its reply left or not, and with what it said at last.
static void test_each_is_counted(void **state)
{
    (void)state;
    static struct metrics metrics;
    struct bench bench = {.pool.metrics = &metrics};
    static const char *const replies[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":\"a,\\\"error\\\"\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a,\\\"error\\\"\",\"error\":{\"code\":-32602,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"a,\\\"error\\\"\",\"error\":{\"code\":1006,\"message\":\"\"}}"};
    for (size_t i = 0; i < 3; i++) {
        struct slot *slot = push(&bench, "\"a,\\\"error\\\"\"");
        slot->method = METHOD_POOL_LIST;
        slot->is_silent = i == 2;
        fill(&bench, slot, replies[i], (int64_t)i);
    }
    release(&bench, 0);
    slot_queue_fail(&bench.queue, 1, 0); // the last one
    release(&bench, 2);
    slot_give_back(&bench.pool, slot_take(&bench.pool, "1"));
    const int64_t *of = metrics.requests[METHOD_POOL_LIST];
    assert_int_equal(of[METRICS_DONE], 1);
    assert_int_equal(of[METRICS_ERROR(rpc_error_index(RPC_INVALID_PARAMS))], 1);
    assert_int_equal(of[METRICS_ERROR(rpc_error_index(RPC_CAPACITY_EXCEEDED))], 0);
    assert_int_equal(of[METRICS_ERROR(rpc_error_index(RPC_LEDGER_UNAVAILABLE))], 1);
    assert_int_equal(metrics.requests[METHOD_COUNT][METRICS_ABANDONED], 1);
    end(&bench);
}

static void test_what_became_of_it(void **state)
{
    (void)state;
    struct bench bench = {0};
    enum slot_fate left = SLOT_WAITING, failed = SLOT_WAITING;
    struct slot *first = push(&bench, "1"), *second = push(&bench, "2");
    first->fate = &left;
    second->fate = &failed;
    fill(&bench, first, "done", 6);
    fill(&bench, second, "done", 7);
    assert_int_equal(release(&bench, 5), 0);
    assert_int_equal(left, SLOT_WAITING);
    slot_queue_fail(&bench.queue, 6, 7);
    assert_int_equal(failed, SLOT_FAILED);
    assert_int_equal(release(&bench, 6), 2);
    assert_int_equal(left, SLOT_LEFT);
    assert_int_equal(failed, SLOT_FAILED); // though the error left in its place
    enum slot_fate silent = SLOT_WAITING;
    struct slot *slot = push(&bench, "null");
    assert_null(slot->fate); // it was used before
    slot->is_silent = true;
    slot->fate = &silent;
    fill(&bench, slot, "done", 0);
    end(&bench);
    assert_int_equal(silent, SLOT_LEFT);
}

static void test_within_a_line(void **state)
{
    (void)state;
    struct bench bench = {0};
    struct slot *slots[4];
    for (int i = 0; i < 4; i++) {
        slots[i] = push(&bench, "1");
        slots[i]->ends_line = i == 2;
        slots[i]->is_silent = i == 3; // the last of a batch, without an answer, after the line's end
    }
    fill(&bench, slots[0], "a", 0);
    release(&bench, 0);
    assert_true(bench.queue.in_line);
    fill(&bench, slots[1], "b", 0);
    release(&bench, 0);
    assert_true(bench.queue.in_line);
    fill(&bench, slots[2], "c", 0);
    release(&bench, 0);
    assert_false(bench.queue.in_line);
    fill(&bench, slots[3], "d", 0);
    release(&bench, 0);
    assert_false(bench.queue.in_line);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_waits_for_its_batch),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_slots_are_used_again),
        cmocka_unit_test(test_what_only_a_flood_needed_is_given_back),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_failure_before_the_write),
        cmocka_unit_test(test_each_is_counted),
        cmocka_unit_test(test_what_became_of_it),
        cmocka_unit_test(test_within_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
