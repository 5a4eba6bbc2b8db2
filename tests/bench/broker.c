#include "broker.h"

#include "base/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

int64_t nanoseconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        bench_fail("there is no clock");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void broker_open(struct broker *broker, const char *path, struct hour from)
{
    struct ledger_error error = {0};
    struct ledger_options options = {.path = path, .writer = "bench"};
    *broker = (struct broker){.now = hour_start(from)};
    if (path != NULL && !ledger_open(&options, &broker->ledger, &error))
        bench_fail("%s", error.message);
    if (path != NULL)
        broker->last_batch = ledger_last_batch(broker->ledger);
    if (broker->last_batch > 0)
        broker->now = ledger_last_time(broker->ledger);
    // Calendars begin where the daemon lets them begin, so that loading puts into them what it does there.
    struct book_options book = {
        .horizon_years = 10, .hold_seconds_max = 7 * 86400, .origin = hour_of_instant(broker->now)};
    broker->book = book_create(&book);
    if (path == NULL)
        book_loaded(broker->book, broker->now, 0, 0);
    else if (!ledger_load(broker->ledger, broker->book, &error))
        bench_fail("%s", error.message);
}

void broker_close(struct broker *broker)
{
    ledger_close(broker->ledger);
    book_destroy(broker->book);
    arena_free(&broker->arena);
    free(broker->rows);
    *broker = (struct broker){0};
}

static void gather(struct broker *broker, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        broker->rows =
            memory_grow(broker->rows, broker->row_count, &broker->row_capacity, sizeof *broker->rows);
        broker->rows[broker->row_count++] = rows[i];
    }
}

void broker_decide(struct broker *broker, const struct request *request, struct decision *decision)
{
    struct request asked = *request;
    asked.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    book_decide(broker->book, &asked, broker->now, &broker->arena, decision);
    if (decision->verdict != VERDICT_DONE || decision->replayed)
        return;
    book_apply_rows(broker->book, decision->rows, decision->row_count);
    gather(broker, decision->rows, decision->row_count);
}

void broker_end_batch(struct broker *broker)
{
    struct row *rows;
    size_t count;
    book_end_batch(broker->book, broker->now, &broker->arena, &rows, &count);
    gather(broker, rows, count);
}

void broker_commit(struct broker *broker)
{
    struct ledger_error error = {0};
    broker_end_batch(broker);
    struct batch batch = {.seq = broker->last_batch + 1,
                          .epoch = 1,
                          .at = broker->now,
                          .rows = broker->rows,
                          .row_count = broker->row_count};
    if (broker->ledger != NULL) {
        bool busy;
        if (ledger_commit(broker->ledger, &batch, &error) != COMMIT_DONE ||
            !ledger_checkpoint(broker->ledger, &busy, &error))
            bench_fail("%s", error.message);
        broker->last_batch++;
    }
    broker->row_count = 0;
    arena_reset(&broker->arena);
}
