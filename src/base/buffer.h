// A growing run of bytes, always followed by a NUL that its length does not count.
#ifndef COLOSSUS_BASE_BUFFER_H
#define COLOSSUS_BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

// A zeroed struct buffer is empty and ready for use.
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

// Makes the memory larger, so that there is room for extra more bytes and the NUL.
void buffer_grow(struct buffer *buffer, size_t extra);

// Room for at least extra more bytes after the present ones; returns where they start.
static inline char *buffer_reserve(struct buffer *buffer, size_t extra)
{
    if (buffer->capacity - buffer->length <= extra) {
        buffer_grow(buffer, extra);
    }
    return buffer->data + buffer->length;
}

// In the header because texts are put together from many short pieces, whose copying then needs no call.
static inline void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    char *end = buffer_reserve(buffer, length);
    if (length > 0) {
        memcpy(end, bytes, length);
    }
    buffer->length += length;
    end[length] = '\0';
}

static inline void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Drops the first length bytes.
void buffer_consume(struct buffer *buffer, size_t length);

void buffer_clear(struct buffer *buffer); // keeps the memory
void buffer_free(struct buffer *buffer);

#endif
