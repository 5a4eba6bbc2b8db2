#include "server/store.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

static int64_t milliseconds(void)
{
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool store_open(const struct config *config, struct instant now, struct store *store,
                struct ledger_error *error)
{
    int64_t begun = milliseconds();
    struct ledger_options options = {
        .path = config->ledger,
        .manual_clock = config->manual_clock,
        .manual_time = config->manual_time,
        .writer = config->writer,
        .wal_warn_bytes = config->wal_warn_bytes,
    };
    if (!ledger_open(&options, &store->ledger, error)) {
        store->ledger = NULL;
        return false;
    }
    struct instant last = ledger_last_time(store->ledger);
    struct book_options book_options = {
        .horizon_years = (int32_t)config->horizon_years,
        .hold_seconds_max = config->hold_seconds_max,
        .origin = hour_of_instant(ledger_last_batch(store->ledger) > 0 ? last : now),
    };
    random_bytes(book_options.reference_key, sizeof book_options.reference_key);
    store->book = book_create(&book_options);
    if (!ledger_load(store->ledger, store->book, error)) {
        store_close(store);
        return false;
    }
    log_info("ledger is open", "path=\"%s\" last_batch=%lld reservations=%zu milliseconds=%lld",
             config->ledger, (long long)ledger_last_batch(store->ledger), book_live_count(store->book),
             (long long)(milliseconds() - begun));
    return true;
}

void store_close(struct store *store)
{
    if (store->book != NULL) {
        book_destroy(store->book);
        store->book = NULL;
    }
    if (store->ledger != NULL) {
        ledger_close(store->ledger);
        store->ledger = NULL;
    }
}

bool store_has_room(const struct config *config)
{
    struct statvfs disk;
    char *path = memory_copy_text(config->ledger);
    bool known = statvfs(dirname(path), &disk) == 0 && disk.f_frsize > 0;
    free(path);
    // A folder that can't be asked is no reason to refuse: the commit will say what is wrong.
    return !known || (uint64_t)disk.f_bavail >= (uint64_t)config->min_free_bytes / (uint64_t)disk.f_frsize;
}
