// The simulator has teeth: where the disk or the ledger is made worse than it may be, it finds it. And the
// disk in memory does what a disk does.
#include "simulate.h"

#include "base/digest.h"
#include "base/log.h"
#include "medium_internal.h"
#include <string.h>

static char text[FINDING_SIZE];

// How many of some lives end with something that was acknowledged and is gone.
static int lives_with_losses(struct world_options options, int count)
{
    struct tally tally = {0};
    int losses = 0;
    for (int i = 1; i <= count; i++) {
        options.seed = (uint64_t)i;
        options.requests = 4;
        losses += simulate_seed(&options, &tally, text) == FINDING_LOST;
    }
    return losses;
}

static void nothing_is_lost(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct world_options options = {.seed = seed, .requests = 4, .migrates = seed % 4 == 0};
        enum finding finding = simulate_seed(&options, &tally, text);
        if (finding != FINDING_NONE)
            fail_msg("seed %d: %s", (int)seed, text);
    }
    // It went through what it is to go through.
    assert_true(tally.batches > 150 && tally.cuts > 50 && tally.kills > 20 && tally.errors > 10);
    assert_true(tally.checkpoints > 20 && tally.recoveries_cut > 20 && tally.migrations > 0);
}

static void a_commit_that_is_not_synced_is_found(void **state)
{
    (void)state;
    assert_true(lives_with_losses((struct world_options){.normal = true}, 16) >= 3);
}

static void a_disk_that_lies_is_found(void **state)
{
    (void)state;
    assert_true(lives_with_losses((struct world_options){.lies = true}, 8) >= 4);
}

static void the_power_may_go_at_any_change(void **state)
{
    (void)state;
    struct cuts cuts = {.seed = 1, .most = 400, .batches = 12, .verify_one_in = 10, .nested_one_in = 10};
    if (simulate_cuts(&cuts, text) != FINDING_NONE)
        fail_msg("seed %d, cut %d: %s", (int)cuts.seed, (int)cuts.done, text);
    assert_int_equal(cuts.done, 400);
    assert_true(cuts.nested > 20);
}

static void any_call_may_fail(void **state)
{
    (void)state;
    struct sweep sweep = {.seed = 5, .one_in = 37};
    if (simulate_sweep(&sweep, text) != FINDING_NONE)
        fail_msg("%s", text);
    assert_true(sweep.points > 50);
}

// A sync that fails while the file is turned to a WAL: either the ledger does not open, or it has its WAL.
static void a_ledger_is_never_open_without_its_wal(void **state)
{
    (void)state;
    int refused = 0;
    for (int64_t sync = 1; sync <= 8; sync++) {
        static struct world world;
        struct world_options options = {.seed = (uint64_t)sync, .requests = 1};
        world_begin(&world, &options);
        medium_faults(world.medium)->sync_at = sync;
        bool opened = world_open(&world);
        if (opened)
            assert_true(medium_has(world.medium, WORLD_LEDGER "-wal"));
        refused += !opened;
        world_end(&world);
    }
    assert_in_range(refused, 1, 8);
}

// ---- The disk

#define NAME MEDIUM_FOLDER "/file"

static int make_synced(struct medium *medium, const char *bytes)
{
    int file = medium_make(medium, NAME);
    medium_write(medium, file, bytes, strlen(bytes), 0);
    medium_sync(medium, file);
    medium_sync_folder(medium);
    return file;
}

static void assert_holds(struct medium *medium, const char *expected)
{
    char bytes[16] = {0};
    int file = medium_find(medium, NAME);
    assert_true(file >= 0);
    medium_read(medium, file, bytes, sizeof bytes - 1, 0);
    assert_string_equal(bytes, expected);
}

static void what_was_synced_stays(void **state)
{
    (void)state;
    struct medium *medium = medium_create(1);
    int file = make_synced(medium, "one");
    medium_write(medium, file, "two", 3, 0);
    assert_holds(medium, "two");
    struct medium *copy = medium_copy(medium, 2);
    medium_cut(copy, CUT_LOSES);
    assert_holds(copy, "one");
    assert_holds(medium, "two"); // the copy is another disk
    medium_cut(medium, CUT_KEEPS);
    assert_holds(medium, "two");
    medium_free(copy);
    medium_free(medium);
}

static void a_name_needs_its_folder_synced(void **state)
{
    (void)state;
    struct medium *medium = medium_create(1);
    medium_sync(medium, medium_make(medium, NAME));
    medium_cut(medium, CUT_LOSES);
    assert_false(medium_has(medium, NAME));
    make_synced(medium, "one");
    medium_remove(medium, NAME);
    assert_false(medium_has(medium, NAME));
    medium_cut(medium, CUT_LOSES);
    assert_holds(medium, "one");
    medium_free(medium);
}

// After a sync that failed, the one that follows writes nothing of what was written before it.
static void a_failed_sync_is_final(void **state)
{
    (void)state;
    int lost = 0;
    for (uint64_t seed = 1; seed <= 32; seed++) {
        char bytes[4] = {0};
        struct medium *medium = medium_create(seed);
        int file = make_synced(medium, "one");
        medium_write(medium, file, "two", 3, 0);
        medium_sync_failed(medium, file);
        medium_sync(medium, file);
        assert_holds(medium, "two");
        medium_cut(medium, CUT_KEEPS);
        medium_read(medium, medium_find(medium, NAME), bytes, 3, 0);
        lost += strcmp(bytes, "one") == 0;
        medium_free(medium);
    }
    assert_in_range(lost, 4, 28);
}

// Of two sectors that were written either may be lost without the other, and what is found may be older than
// the last write.
static void sectors_are_lost_one_by_one(void **state)
{
    (void)state;
    int seen[3][3] = {{0}};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        char first, second;
        struct medium *medium = medium_create(seed);
        int file = medium_make(medium, NAME);
        static const char zeros[2 * MEDIUM_SECTOR];
        medium_write(medium, file, zeros, sizeof zeros, 0);
        medium_sync(medium, file);
        medium_sync_folder(medium);
        for (char value = 1; value <= 2; value++) {
            medium_write(medium, file, &value, 1, 0);
            medium_write(medium, file, &value, 1, MEDIUM_SECTOR);
        }
        medium_cut(medium, CUT_SECTORS);
        medium_read(medium, file, &first, 1, 0);
        medium_read(medium, file, &second, 1, MEDIUM_SECTOR);
        seen[(int)first][(int)second]++;
        medium_free(medium);
    }
    for (int i = 0; i < 9; i++)
        assert_true(seen[i / 3][i % 3] > 0);
}

static int begin(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    medium_register();
    return digest_initialise() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_stays),     cmocka_unit_test(a_name_needs_its_folder_synced),
        cmocka_unit_test(a_failed_sync_is_final),    cmocka_unit_test(sectors_are_lost_one_by_one),
        cmocka_unit_test(nothing_is_lost),           cmocka_unit_test(a_commit_that_is_not_synced_is_found),
        cmocka_unit_test(a_disk_that_lies_is_found), cmocka_unit_test(the_power_may_go_at_any_change),
        cmocka_unit_test(any_call_may_fail),         cmocka_unit_test(a_ledger_is_never_open_without_its_wal),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
