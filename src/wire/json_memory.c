#include "wire/json_memory.h"

#include "base/log.h"
#include "wire/wire.h"
#include <setjmp.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

// Before each piece of jansson's: its neighbours in the list of what the present text has taken. A piece that
// outlives its text is in no list.
struct piece {
    struct piece *previous, *next;
    alignas(max_align_t) unsigned char bytes[];
};

// The text that is being read, if one is.
static _Thread_local struct {
    bool goes_on;
    jmp_buf leave;
    struct piece *last;
} reading;

static void *allocate(size_t size)
{
    struct piece *piece = size > SIZE_MAX - sizeof *piece ? NULL : malloc(sizeof *piece + size);
    if (piece == NULL) {
        if (reading.goes_on) {
            longjmp(reading.leave, 1);
        }
        fatal("out of memory", "size=%zu", size); // which does not return
    }
    // cppcheck-suppress nullPointerRedundantCheck ; neither longjmp nor fatal returns
    *piece = (struct piece){0};
    if (reading.goes_on) {
        piece->previous = reading.last;
        if (reading.last != NULL) {
            reading.last->next = piece;
        }
        reading.last = piece;
    }
    return piece->bytes;
}

static void release(void *bytes)
{
    if (bytes == NULL) {
        return;
    }
    struct piece *piece = (struct piece *)(void *)((unsigned char *)bytes - offsetof(struct piece, bytes));
    if (reading.last == piece) {
        reading.last = piece->previous;
    }
    if (piece->previous != NULL) {
        piece->previous->next = piece->next;
    }
    if (piece->next != NULL) {
        piece->next->previous = piece->previous;
    }
    free(piece);
}

void wire_set_up(void)
{
    json_set_alloc_funcs(allocate, release);
}

// What is left of a text that was read whole is its tree, and is freed with that.
static void end_reading(void)
{
    reading.goes_on = false;
    reading.last = NULL;
}

static void give_up(void)
{
    struct piece *piece = reading.last;
    end_reading();
    while (piece != NULL) {
        struct piece *previous = piece->previous;
        free(piece);
        piece = previous;
    }
}

json_t *json_load(const char *text, size_t length, size_t flags, json_error_t *error, bool *no_memory)
{
    *no_memory = false;
    reading.goes_on = true;
    if (setjmp(reading.leave) != 0) {
        give_up();
        *no_memory = true;
        return NULL;
    }
    json_t *root = json_loadb(text, length, flags, error);
    end_reading();
    return root;
}
