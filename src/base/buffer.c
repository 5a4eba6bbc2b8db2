// A growing run of bytes. The memory is always one byte larger than what is in it, for the NUL.
#include "base/buffer.h"

#include "base/log.h"
#include "base/memory.h"
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buffer_grow(struct buffer *buffer, size_t extra)
{
    if (extra >= SIZE_MAX / 2 - buffer->length) {
        fatal("out of memory", "length=%zu extra=%zu", buffer->length, extra);
    }
    size_t needed = buffer->length + extra + 1;
    size_t grown = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
    while (grown < needed) {
        grown *= 2;
    }
    buffer->data = memory_resize(buffer->data, grown, 1);
    buffer->capacity = grown;
    buffer->data[buffer->length] = '\0';
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        fatal("text could not be formatted", "format=\"%s\"", format);
    }
    char *end = buffer_reserve(buffer, (size_t)length);
    int written = vsnprintf(end, (size_t)length + 1, format, again);
    va_end(again);
    if (written != length) {
        fatal("text could not be formatted", "format=\"%s\"", format);
    }
    buffer->length += (size_t)length;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    if (length == 0) {
        return;
    }
    memmove(buffer->data, buffer->data + length, buffer->length - length + 1);
    buffer->length -= length;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data != NULL) {
        buffer->data[0] = '\0';
    }
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
