// A growing run of bytes, always followed by a NUL that its length does not count.
#ifndef COLOSSUS_BASE_BUFFER_H
#define COLOSSUS_BASE_BUFFER_H

#include <stddef.h>

// A zeroed struct buffer is empty and ready for use.
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Drops the first length bytes.
void buffer_consume(struct buffer *buffer, size_t length);

// Room for at least extra more bytes after the present ones; returns where they start.
char *buffer_reserve(struct buffer *buffer, size_t extra);

void buffer_clear(struct buffer *buffer); // keeps the memory
void buffer_free(struct buffer *buffer);

#endif
