// The queue of what is due, against a plain list that is searched for its first entry.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/due.h"

#define ENTRIES_MAX 400

struct listed {
    int64_t at;
    enum due_kind kind;
    int64_t id;
};

static bool before(const struct listed *a, const struct listed *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return a->kind != b->kind ? a->kind < b->kind : a->id < b->id;
}

static uint32_t random_below(uint64_t *random, uint32_t bound)
{
    // SplitMix64
    uint64_t z = *random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

static void take_first(struct due_queue *queue, struct listed *list, size_t *count, uint64_t seed)
{
    size_t first = 0;
    for (size_t i = 1; i < *count; i++)
        if (before(&list[i], &list[first]))
            first = i;
    struct due due = due_first(queue);
    if (due.at.seconds != list[first].at || due_kind(due) != list[first].kind ||
        due_id(due) != list[first].id)
        fail_msg("seed %llu: got %lld kind %d id %lld, and the first is %lld kind %d id %lld",
                 (unsigned long long)seed, (long long)due.at.seconds, (int)due_kind(due),
                 (long long)due_id(due), (long long)list[first].at, (int)list[first].kind,
                 (long long)list[first].id);
    due_remove_first(queue);
    list[first] = list[--*count];
    assert_int_equal(queue->count, *count);
}

// Few times, kinds and ids, so that many entries are equal in some of them and some in all.
static void entries_come_out_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct due_queue queue = {0};
        struct listed list[ENTRIES_MAX];
        size_t count = 0;
        uint64_t random = seed;
        for (int step = 0; step < 1500; step++) {
            bool fill = random_below(&random, 100) < (step < 750 ? 60 : 40);
            if (fill && count < ENTRIES_MAX) {
                struct listed added = {.at = random_below(&random, 20) - 10,
                                       .kind = (enum due_kind)random_below(&random, DUE_INSTALMENT + 1),
                                       .id = 1 + random_below(&random, 10)};
                due_add(&queue, (struct instant){added.at}, added.kind, added.id);
                list[count++] = added;
            } else if (count > 0) {
                take_first(&queue, list, &count, seed);
            }
        }
        while (count > 0)
            take_first(&queue, list, &count, seed);
        due_free(&queue);
    }
}

// At one instant: expiries, ends, deliveries, month ends, closes, starts, instalments.
static void kinds_of_one_instant_have_an_order(void **state)
{
    (void)state;
    static const enum due_kind order[] = {DUE_EXPIRY, DUE_END,   DUE_DELIVERY,  DUE_MONTH_END,
                                          DUE_CLOSE,  DUE_START, DUE_INSTALMENT};
    struct due_queue queue = {0};
    for (size_t i = sizeof order / sizeof order[0]; i > 0; i--)
        due_add(&queue, (struct instant){100}, order[i - 1], 1);
    due_add(&queue, (struct instant){99}, DUE_INSTALMENT, 1);
    assert_int_equal(due_first(&queue).at.seconds, 99);
    due_remove_first(&queue);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_int_equal(due_kind(due_first(&queue)), order[i]);
        due_remove_first(&queue);
    }
    assert_int_equal(queue.count, 0);
    due_free(&queue);
}

// The kind doesn't run into an id, however large.
static void large_ids_stay_whole(void **state)
{
    (void)state;
    struct due_queue queue = {0};
    int64_t largest = (INT64_C(1) << 56) - 1;
    due_add(&queue, (struct instant){0}, DUE_INSTALMENT, largest);
    due_add(&queue, (struct instant){0}, DUE_EXPIRY, largest - 1);
    assert_int_equal(due_kind(due_first(&queue)), DUE_EXPIRY);
    assert_int_equal(due_id(due_first(&queue)), largest - 1);
    due_remove_first(&queue);
    assert_int_equal(due_kind(due_first(&queue)), DUE_INSTALMENT);
    assert_int_equal(due_id(due_first(&queue)), largest);
    due_free(&queue);
    assert_int_equal(queue.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_come_out_in_order),
        cmocka_unit_test(kinds_of_one_instant_have_an_order),
        cmocka_unit_test(large_ids_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
