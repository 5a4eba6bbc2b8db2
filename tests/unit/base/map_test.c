// The two maps: what was put is found, through growth and collisions, and nothing else is.
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MANY 5000

static void test_names(void **state)
{
    (void)state;
    struct name_map map = {0};
    assert_int_equal(name_map_get(&map, "anthropic"), 0);
    char name[32];
    for (unsigned i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "pool-%u", i);
        name_map_put(&map, name, i);
    }
    memset(name, 0, sizeof name); // the map has its own copies
    assert_int_equal(map.count, MANY);
    for (unsigned i = 1; i <= MANY; i++) {
        snprintf(name, sizeof name, "pool-%u", i);
        assert_int_equal(name_map_get(&map, name), i);
    }
    assert_int_equal(name_map_get(&map, "pool-0"), 0);
    assert_int_equal(name_map_get(&map, "pool-"), 0);
    assert_int_equal(name_map_get(&map, ""), 0);
    name_map_put(&map, "", 77);
    assert_int_equal(name_map_get(&map, ""), 77);
    name_map_put(&map, "pool-1", UINT64_MAX);
    assert_true(name_map_get(&map, "pool-1") == UINT64_MAX);
    assert_int_equal(map.count, MANY + 1);
    name_map_free(&map);
    assert_int_equal(name_map_get(&map, "pool-1"), 0);
}

static void test_fingerprints(void **state)
{
    (void)state;
    struct fingerprint_map map = {0};
    assert_null(fingerprint_map_get(&map, (struct fingerprint){0, 0}));
    for (uint64_t i = 1; i <= MANY; i++) {
        // Keys that differ only far from the bits that choose the place, and collide.
        fingerprint_map_put(&map, (struct fingerprint){i << 40, 5}, i, i * 2);
    }
    assert_int_equal(map.count, MANY);
    for (uint64_t i = 1; i <= MANY; i++) {
        const struct fingerprint_entry *entry = fingerprint_map_get(&map, (struct fingerprint){i << 40, 5});
        assert_non_null(entry);
        assert_int_equal(entry->value, i);
        assert_int_equal(entry->detail, i * 2);
    }
    assert_null(fingerprint_map_get(&map, (struct fingerprint){1, 5}));
    assert_null(fingerprint_map_get(&map, (struct fingerprint){UINT64_C(1) << 40, 6}));

    // The key of all zeros is a key like any other.
    assert_null(fingerprint_map_get(&map, (struct fingerprint){0, 0}));
    fingerprint_map_put(&map, (struct fingerprint){0, 0}, 9, 0);
    assert_int_equal(fingerprint_map_get(&map, (struct fingerprint){0, 0})->value, 9);

    // A second put replaces.
    fingerprint_map_put(&map, (struct fingerprint){0, 0}, 10, 11);
    assert_int_equal(fingerprint_map_get(&map, (struct fingerprint){0, 0})->value, 10);
    assert_int_equal(fingerprint_map_get(&map, (struct fingerprint){0, 0})->detail, 11);
    assert_int_equal(map.count, MANY + 1);
    fingerprint_map_free(&map);
    assert_null(fingerprint_map_get(&map, (struct fingerprint){0, 0}));
}

static struct fingerprint spread(uint64_t number)
{
    return (struct fingerprint){number * UINT64_C(0x9e3779b97f4a7c15), 0};
}

// While a table is on its way to a larger one, what is in either is found, and what is put again holds.
static void test_fingerprints_on_the_way(void **state)
{
    (void)state;
    enum { PART = 10 };
    struct fingerprint_map map = {0};
    int ways = 0;
    uint64_t last_way = 0;
    for (uint64_t i = 1; i <= MANY; i++) {
        fingerprint_map_put(&map, spread(i), i, 1);
        assert_int_equal(map.count, i);
        if (map.old == NULL || map.moved != 0) {
            continue;
        }
        ways++;
        last_way = i;
        for (uint64_t again = PART; again <= i; again += PART) {
            fingerprint_map_put(&map, spread(again), again, 1 + i);
        }
        assert_int_equal(map.count, i);
        assert_non_null(map.old); // a part of it was moved, no more
        for (uint64_t known = 1; known <= i; known++) {
            const struct fingerprint_entry *entry = fingerprint_map_get(&map, spread(known));
            assert_non_null(entry);
            assert_int_equal(entry->value, known);
            assert_int_equal(entry->detail == 1 + i, known % PART == 0);
        }
        assert_null(fingerprint_map_get(&map, spread(i + 1)));
    }
    assert_in_range(ways, 5, 10);
    for (uint64_t known = 1; known <= MANY; known++) {
        bool again = known % PART == 0 && known <= last_way;
        assert_int_equal(fingerprint_map_get(&map, spread(known))->detail, again ? 1 + last_way : 1);
    }
    fingerprint_map_free(&map);

    // Given back in the middle of its way.
    for (uint64_t i = 1; map.old == NULL; i++) {
        fingerprint_map_put(&map, spread(i), i, 0);
    }
    fingerprint_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_fingerprints),
        cmocka_unit_test(test_fingerprints_on_the_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
