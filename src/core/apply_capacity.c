// Applying a change of capacity, and what it is to an outage. Part of apply.c.
//
// An outage that stays open for long makes a cut every hour. Those that follow one another with the same GPUs
// are one change in the book, so that looking at a pool's changes stays cheap.
#include "base/memory.h"
#include "core/book_internal.h"
#include "core/outage.h"
#include <assert.h>

void book_schedule_outage(struct book *book, const struct outage *outage)
{
    if (outage->row.end.number == HOUR_NEVER.number)
        due_add(&book->urgent, hour_start(outage_next_cut(outage)), DUE_OUTAGE, outage->row.id);
}

static void open_outage(struct book *book, const struct capacity_change_row *row)
{
    book->outages =
        memory_grow(book->outages, book->outage_count, &book->outage_capacity, sizeof *book->outages);
    struct outage *outage = &book->outages[book->outage_count++];
    *outage = (struct outage){.row = *row, .cut_until = row->start};
    outage->row.note = memory_copy_text(row->note);
}

static void add_change(struct pool *pool, const struct capacity_change_row *row)
{
    pool->changes =
        memory_grow(pool->changes, pool->change_count, &pool->change_capacity, sizeof *pool->changes);
    struct capacity_change_row *change = &pool->changes[pool->change_count++];
    *change = *row;
    change->note = memory_copy_text(row->note);
}

static void cut_outage(struct book *book, struct pool *pool, const struct capacity_change_row *row)
{
    struct outage *outage = book_outage(book, row->outage);
    assert(outage != NULL && outage->cut_until.number == row->start.number);
    struct capacity_change_row *last = outage->is_cut ? &pool->changes[outage->last_cut] : NULL;
    if (last != NULL && last->gpus == row->gpus && last->end.number == row->start.number) {
        last->end = row->end;
    } else {
        outage->last_cut = pool->change_count;
        outage->is_cut = true;
        add_change(pool, row);
    }
    outage->cut_until = row->end;
    if (!book->loading)
        book_schedule_outage(book, outage);
}

static void close_outage(struct book *book, const struct capacity_change_row *row)
{
    struct outage *outage = book_outage(book, row->outage);
    assert(outage != NULL);
    outage->row.end = outage->cut_until = row->end;
}

void book_change_capacity(struct book *book, const struct capacity_change_row *row)
{
    struct pool *pool = &book->pools[row->pool];
    if (row->id >= book->next_capacity_change)
        book->next_capacity_change = row->id + 1;
    if (row->part == OUTAGE_OPENED)
        open_outage(book, row);
    else if (row->part == OUTAGE_CLOSED)
        close_outage(book, row);
    else if (row->part == OUTAGE_CUT)
        cut_outage(book, pool, row);
    else
        add_change(pool, row);
    if (!capacity_change_counts(row))
        return;
    calendar_add(pool->calendar, row->start, row->end, row->gpus);
    if (pool->firm != NULL)
        calendar_add(pool->firm, row->start, row->end, row->gpus);
    if (row->gpus > 0)
        book_freed(book, pool);
}
