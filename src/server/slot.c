#include "server/slot.h"

#include "base/memory.h"
#include "server/limits.h"
#include "wire/wire.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct slot *slot_take(struct slot_pool *pool, const char *id)
{
    struct slot *slot = pool->first;
    if (slot == NULL) {
        slot = memory_allocate(1, sizeof(*slot));
    } else {
        pool->first = slot->next;
        pool->count--;
        slot->next = NULL;
    }
    slot->method = METHOD_COUNT;
    buffer_append_text(&slot->id, id);
    return slot;
}

static void empty(struct buffer *buffer)
{
    if (buffer->capacity > KEPT_BUFFER_BYTES) {
        buffer_free(buffer);
        *buffer = (struct buffer){0};
    } else {
        buffer_clear(buffer);
    }
}

static void slot_free(struct slot *slot)
{
    buffer_free(&slot->id);
    buffer_free(&slot->text);
    free(slot);
}

void slot_give_back(struct slot_pool *pool, struct slot *slot)
{
    if (pool->count >= KEPT_SLOTS) {
        slot_free(slot);
        return;
    }
    struct buffer id = slot->id, text = slot->text;
    if (pool->metrics != NULL) {
        metrics_answered(pool->metrics, slot->method,
                         slot->filled ? slot->outcome : wire_reply_code(&text, id.length));
    }
    empty(&id);
    empty(&text);
    *slot = (struct slot){.next = pool->first, .id = id, .text = text};
    pool->first = slot;
    pool->count++;
}

void slot_pool_free(struct slot_pool *pool)
{
    while (pool->first != NULL) {
        struct slot *slot = pool->first;
        pool->first = slot->next;
        slot_free(slot);
    }
    pool->count = 0;
}

void slot_queue_push(struct slot_queue *queue, struct slot *slot)
{
    assert(slot->next == NULL && !slot->filled);
    if (queue->last == NULL) {
        queue->first = slot;
    } else {
        queue->last->next = slot;
    }
    queue->last = slot;
    queue->count++;
}

void slot_fill(struct slot_queue *queue, struct slot *slot, int64_t batch)
{
    assert(!slot->filled && (slot->text.length > 0 || slot->is_silent));
    slot->outcome = wire_reply_code(&slot->text, slot->id.length);
    if (slot->is_silent) {
        empty(&slot->text);
    }
    slot->filled = true;
    slot->batch = batch;
    slot->job = NULL;
    if (queue != NULL) {
        queue->bytes += slot->text.length;
    }
}

static void write_reply(const struct slot *slot, struct buffer *output)
{
    if (slot->opening != '\0') {
        buffer_append(output, &slot->opening, 1);
    }
    buffer_append(output, slot->text.data, slot->text.length);
    if (slot->closing != '\0') {
        buffer_append(output, &slot->closing, 1);
    }
    if (slot->ends_line) {
        buffer_append(output, "\n", 1);
    }
}

size_t slot_queue_release(struct slot_queue *queue, struct slot_pool *pool, int64_t durable,
                          struct buffer *output)
{
    size_t released = 0;
    while (queue->first != NULL && queue->first->filled && queue->first->batch <= durable) {
        struct slot *slot = queue->first;
        queue->first = slot->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        queue->count--;
        queue->bytes -= slot->text.length;
        if (!slot->is_silent) {
            write_reply(slot, output);
            queue->in_line = !slot->ends_line;
        }
        if (slot->fate != NULL) {
            *slot->fate = SLOT_LEFT;
        }
        slot_give_back(pool, slot);
        released++;
    }
    return released;
}

static void fail(struct slot_queue *queue, struct slot *slot, bool outcome_unknown)
{
    if (slot->filled) {
        queue->bytes -= slot->text.length;
    }
    slot->filled = false;
    if (slot->fate != NULL) {
        *slot->fate = SLOT_FAILED;
        slot->fate = NULL;
    }
    buffer_clear(&slot->text);
    wire_reply_ledger_unavailable(&slot->text, slot->id.data, outcome_unknown,
                                  outcome_unknown
                                      ? "the ledger failed while this was written: ask again with the same "
                                        "client_ref"
                                      : "the ledger failed before this was written: nothing was done");
    slot_fill(queue, slot, 0);
}

void slot_queue_fail(struct slot_queue *queue, int64_t durable, int64_t unknown)
{
    for (struct slot *slot = queue->first; slot != NULL; slot = slot->next) {
        if (slot->job != NULL || (slot->filled && slot->batch <= durable)) {
            continue;
        }
        // What is durable but not complete (an advance of the clock, halfway) is unknown to who asked, too.
        bool halfway = !slot->filled && slot->batch <= durable;
        fail(queue, slot, halfway || (unknown != 0 && (slot->batch == unknown || slot->replayed)));
    }
}
