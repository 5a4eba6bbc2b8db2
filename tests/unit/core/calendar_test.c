// The calendar against an array of hours: the same random operations on both, and the same answers.
//
// The seeds are fixed; CALENDAR_SEED=n runs that one instead. A failure names its seed and step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/calendar.h"
#include <stdlib.h>

#define ORIGIN   493000 // in 2026
#define STEPS    1500
#define GPUS     64
#define NO_LIMIT INT32_MAX

// Without cleverness: free GPUs by hour.
struct naive {
    struct calendar *calendar;
    int32_t origin, size;
    int32_t *free;
    uint64_t random;
    uint64_t seed;
    int step;
};

static uint32_t random_below(struct naive *naive, uint32_t bound)
{
    // SplitMix64
    uint64_t z = naive->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

#define CHECK(naive, condition)                                                                              \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("CALENDAR_SEED=%llu, step %d: %s", (unsigned long long)(naive)->seed, (naive)->step,    \
                     #condition);                                                                            \
    } while (0)

static struct hour hour_at(const struct naive *naive, int32_t offset)
{
    return (struct hour){naive->origin + offset};
}

// A window that is not empty, often at an edge, often short.
static void random_window(struct naive *naive, int32_t *from, int32_t *to)
{
    int32_t length = 1 + (int32_t)random_below(naive, random_below(naive, 2) ? 100 : (uint32_t)naive->size);
    *from = (int32_t)random_below(naive, (uint32_t)(naive->size - length + 1));
    switch (random_below(naive, 8)) {
    case 0:
        *from = 0;
        break;
    case 1:
        *from = naive->size - length;
        break;
    default:
        break;
    }
    *to = *from + length;
}

static void add(struct naive *naive, int32_t from, int32_t to, int32_t gpus)
{
    calendar_add(naive->calendar, hour_at(naive, from), hour_at(naive, to), gpus);
    for (int32_t i = from < 0 ? 0 : from; i < to && i < naive->size; i++)
        naive->free[i] += gpus;
}

static void add_somewhere(struct naive *naive)
{
    int32_t from, to;
    random_window(naive, &from, &to);
    // Sometimes what is added reaches out of the window, at either side or both.
    if (random_below(naive, 6) == 0)
        from -= (int32_t)random_below(naive, 1000);
    if (random_below(naive, 6) == 0)
        to += (int32_t)random_below(naive, 1000);
    add(naive, from, to, (int32_t)random_below(naive, GPUS) - GPUS / 2);
}

static int32_t naive_least(const struct naive *naive, int32_t from, int32_t to)
{
    int32_t least = naive->free[from];
    for (int32_t i = from; i < to; i++)
        if (naive->free[i] < least)
            least = naive->free[i];
    return least;
}

static void compare_least(struct naive *naive)
{
    int32_t from, to;
    random_window(naive, &from, &to);
    CHECK(naive, calendar_least(naive->calendar, hour_at(naive, from), hour_at(naive, to)) ==
                     naive_least(naive, from, to));
    CHECK(naive, calendar_at(naive->calendar, hour_at(naive, from)) == naive->free[from]);
    CHECK(naive, calendar_at(naive->calendar, hour_at(naive, to - 1)) == naive->free[to - 1]);
}

static void compare_searches(struct naive *naive)
{
    int32_t from, to, first_below = -1, first_at_least = -1;
    random_window(naive, &from, &to);
    int32_t gpus =
        naive->free[random_below(naive, (uint32_t)naive->size)] + (int32_t)random_below(naive, 3) - 1;
    for (int32_t i = from; i < to; i++) {
        if (naive->free[i] < gpus) {
            first_below = first_below < 0 ? i : first_below;
        } else if (first_at_least < 0) {
            first_at_least = i;
        }
    }
    struct hour start = hour_at(naive, from), end = hour_at(naive, to), found = {-7};
    CHECK(naive, calendar_first_below(naive->calendar, start, end, gpus, &found) == (first_below >= 0));
    CHECK(naive, found.number == (first_below < 0 ? -7 : naive->origin + first_below));
    found.number = -7;
    CHECK(naive, calendar_first_at_least(naive->calendar, start, end, gpus, &found) == (first_at_least >= 0));
    CHECK(naive, found.number == (first_at_least < 0 ? -7 : naive->origin + first_at_least));
}

static void compare_step(struct naive *naive)
{
    int32_t from, to, free = 0;
    struct hour until = {0};
    random_window(naive, &from, &to);
    int32_t expected = from;
    while (expected < to && naive->free[expected] == naive->free[from])
        expected++;
    calendar_step(naive->calendar, hour_at(naive, from), hour_at(naive, to), &free, &until);
    CHECK(naive, free == naive->free[from]);
    CHECK(naive, until.number == naive->origin + expected);
}

// The first start from which `hours` hours fit, −1 for none.
static int32_t naive_fit(const struct naive *naive, int32_t from, int32_t to, int32_t hours, int32_t gpus)
{
    int32_t run = 0;
    for (int32_t i = from; i < to; i++) {
        run = naive->free[i] >= gpus ? run + 1 : 0;
        if (run == hours)
            return i + 1 - hours;
    }
    return -1;
}

static void compare_next_fit(struct naive *naive)
{
    int32_t from, to;
    random_window(naive, &from, &to);
    int32_t hours = 1 + (int32_t)random_below(naive, random_below(naive, 2) ? 10 : 2000);
    int32_t gpus = naive->free[random_below(naive, (uint32_t)naive->size)];
    int32_t limit = random_below(naive, 2) ? NO_LIMIT : (int32_t)random_below(naive, 5);
    int32_t expected = naive_fit(naive, from, to, hours, gpus);
    struct hour found = {-7}, searched_until = {-7};
    bool fits = calendar_next_fit(naive->calendar, hour_at(naive, from), hours, gpus, hour_at(naive, to),
                                  limit, &found, &searched_until);
    int32_t searched = searched_until.number - naive->origin;
    if (fits) {
        CHECK(naive, found.number == naive->origin + expected);
    } else if (searched == to) {
        CHECK(naive, expected < 0); // all was searched, in vain
    } else {
        CHECK(naive, limit != NO_LIMIT); // only then may it give up
        CHECK(naive, searched >= from && searched < to);
        CHECK(naive, expected < 0 || expected >= searched); // and it has passed over nothing
    }
    CHECK(naive, fits || limit != NO_LIMIT || searched == to);
}

// From either end; what is given up goes no further than the first start that can't be ruled out.
static void compare_fit(struct naive *naive)
{
    int32_t from, to;
    random_window(naive, &from, &to);
    bool last = random_below(naive, 2) == 0, limited = random_below(naive, 2) == 0;
    int32_t hours = 1 + (int32_t)random_below(naive, random_below(naive, 2) ? 10 : 2000);
    int32_t gpus = naive->free[random_below(naive, (uint32_t)naive->size)];
    int32_t budget = limited ? (int32_t)random_below(naive, 5) : NO_LIMIT;
    int32_t expected = naive_fit(naive, from, to, hours, gpus);
    for (int32_t next = expected; last && next >= 0; next = naive_fit(naive, next + 1, to, hours, gpus))
        expected = next;
    struct hour found = {-7};
    enum calendar_fit fit = calendar_fit(naive->calendar, last, hour_at(naive, from), hours, gpus,
                                         hour_at(naive, to), &budget, &found);
    int32_t place = found.number - naive->origin;
    CHECK(naive, fit != CALENDAR_GAVE_UP || (limited && budget <= 0));
    CHECK(naive, fit != CALENDAR_FIT || place == expected);
    CHECK(naive, fit != CALENDAR_NO_FIT || expected < 0);
    if (fit == CALENDAR_GAVE_UP) {
        CHECK(naive, place >= from && place + hours <= to);
        CHECK(naive, expected < 0 || (last ? expected <= place : expected >= place));
    }
}

static void compare_read(struct naive *naive)
{
    int32_t from, to;
    random_window(naive, &from, &to);
    int32_t *free_gpus = calloc((size_t)(to - from), sizeof *free_gpus);
    assert_non_null(free_gpus);
    calendar_read(naive->calendar, hour_at(naive, from), hour_at(naive, to), free_gpus);
    for (int32_t i = from; i < to; i++)
        CHECK(naive, free_gpus[i - from] == naive->free[i]);
    free(free_gpus);
}

static void advance(struct naive *naive)
{
    int32_t by = (int32_t)random_below(naive, 4) == 0
                     ? (int32_t)random_below(naive, (uint32_t)naive->size * 2)
                     : (int32_t)random_below(naive, 3000);
    int32_t last = naive->free[naive->size - 1];
    for (int32_t i = 0; i < naive->size; i++)
        naive->free[i] = (int64_t)i + by < naive->size ? naive->free[i + by] : last;
    naive->origin += by;
    calendar_advance(naive->calendar, (struct hour){naive->origin});
    CHECK(naive, calendar_origin(naive->calendar).number == naive->origin);
    CHECK(naive, calendar_end(naive->calendar).number == naive->origin + naive->size);
}

static void run(uint64_t seed)
{
    struct naive naive = {.random = seed, .seed = seed, .origin = ORIGIN};
    naive.calendar = calendar_create((struct hour){ORIGIN}, 1 + (int32_t)random_below(&naive, 7000));
    naive.size = calendar_end(naive.calendar).number - ORIGIN;
    naive.free = calloc((size_t)naive.size, sizeof *naive.free);
    assert_non_null(naive.free);
    add(&naive, 0, naive.size, GPUS);
    for (naive.step = 0; naive.step < STEPS; naive.step++) {
        uint32_t choice = random_below(&naive, 100);
        if (choice < 25)
            add_somewhere(&naive);
        else if (choice < 40)
            compare_least(&naive);
        else if (choice < 60)
            compare_searches(&naive);
        else if (choice < 75)
            compare_step(&naive);
        else if (choice < 86)
            compare_next_fit(&naive);
        else if (choice < 97)
            compare_fit(&naive);
        else if (choice < 98)
            compare_read(&naive);
        else
            advance(&naive);
    }
    for (int32_t i = 0; i < naive.size; i++)
        CHECK(&naive, calendar_at(naive.calendar, hour_at(&naive, i)) == naive.free[i]);
    calendar_destroy(naive.calendar);
    free(naive.free);
}

static void answers_are_those_of_an_array_of_hours(void **state)
{
    (void)state;
    const char *chosen = getenv("CALENDAR_SEED");
    if (chosen != NULL) {
        run(strtoull(chosen, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 20; seed++)
        run(seed);
}

static void window_has_at_least_a_year_to_spare(void **state)
{
    (void)state;
    static const int32_t hours[] = {1, 24, 8784, 87660, 100000};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        struct calendar *calendar = calendar_create((struct hour){ORIGIN}, hours[i]);
        int32_t size = calendar_end(calendar).number - calendar_origin(calendar).number;
        assert_int_equal(calendar_origin(calendar).number, ORIGIN);
        assert_true(size >= hours[i] + 366 * 24);
        assert_int_equal(size & (size - 1), 0);
        assert_int_equal(calendar_least(calendar, (struct hour){ORIGIN}, calendar_end(calendar)), 0);
        calendar_destroy(calendar);
    }
    calendar_destroy(NULL);
}

static void what_lies_outside_is_passed_over(void **state)
{
    (void)state;
    struct calendar *calendar = calendar_create((struct hour){ORIGIN}, 24);
    struct hour start = {ORIGIN}, end = calendar_end(calendar);
    calendar_add(calendar, (struct hour){0}, start, 8);                              // before
    calendar_add(calendar, end, (struct hour){INT32_MAX}, 8);                        // after
    calendar_add(calendar, (struct hour){ORIGIN + 5}, (struct hour){ORIGIN + 5}, 8); // empty
    calendar_add(calendar, (struct hour){ORIGIN + 9}, (struct hour){ORIGIN + 5}, 8); // turned around
    assert_int_equal(calendar_least(calendar, start, end), 0);
    struct hour found;
    assert_false(calendar_first_at_least(calendar, start, end, 1, &found));
    calendar_add(calendar, (struct hour){0}, (struct hour){INT32_MAX}, 8); // all of it
    assert_int_equal(calendar_least(calendar, start, end), 8);
    assert_false(calendar_first_below(calendar, start, end, 8, &found));
    calendar_destroy(calendar);
}

// An hour of every other day is short: each blocked place costs one of the limit's jumps.
static void next_fit_gives_up_after_its_limit(void **state)
{
    (void)state;
    struct calendar *calendar = calendar_create((struct hour){ORIGIN}, 24 * 100);
    struct hour end = {ORIGIN + 24 * 100}, found, searched_until;
    calendar_add(calendar, (struct hour){ORIGIN}, end, 8);
    for (int32_t day = 0; day < 50; day++)
        calendar_add(calendar, (struct hour){ORIGIN + day * 24 + 12}, (struct hour){ORIGIN + day * 24 + 13},
                     -8);
    // 24 hours on end are free from the hour after day 49's.
    assert_true(calendar_next_fit(calendar, (struct hour){ORIGIN}, 24, 8, end, 51, &found, &searched_until));
    assert_int_equal(found.number, ORIGIN + 49 * 24 + 13);
    assert_false(calendar_next_fit(calendar, (struct hour){ORIGIN}, 24, 8, end, 10, &found, &searched_until));
    assert_int_equal(searched_until.number, ORIGIN + 9 * 24 + 13);
    // What no window can hold is searched to the end.
    assert_false(
        calendar_next_fit(calendar, (struct hour){ORIGIN}, 24, 16, end, 10, &found, &searched_until));
    assert_int_equal(searched_until.number, end.number);
    assert_false(
        calendar_next_fit(calendar, (struct hour){ORIGIN}, 2401, 8, end, 10, &found, &searched_until));
    assert_int_equal(searched_until.number, end.number);
    calendar_destroy(calendar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_an_array_of_hours),
        cmocka_unit_test(window_has_at_least_a_year_to_spare),
        cmocka_unit_test(what_lies_outside_is_passed_over),
        cmocka_unit_test(next_fit_gives_up_after_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
