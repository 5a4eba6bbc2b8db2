// Writing JSON text, straight into a buffer.
//
// Events and replies are JSON on the hot path, so they are written without building a tree: calls in the
// order of the text, commas put in by the writer. Reading JSON is another matter and is left to jansson, in
// the wire. Text is written as UTF-8 with the control characters, the quote and the backslash escaped; it
// must be valid UTF-8 already (the wire has checked what came in).
#ifndef COLOSSUS_BASE_JSON_H
#define COLOSSUS_BASE_JSON_H

#include "base/amount.h"
#include "base/buffer.h"
#include "base/hour.h"
#include <stdbool.h>
#include <stdint.h>

struct json {
    struct buffer *out;
    bool needs_comma;
};

static inline struct json json_begin(struct buffer *out)
{
    return (struct json){.out = out, .needs_comma = false};
}

// key is NULL inside an array and for the outermost value. Keys are plain ASCII and are not escaped.
void json_write_object(struct json *json, const char *key);
void json_write_object_end(struct json *json);
void json_write_array(struct json *json, const char *key);
void json_write_array_end(struct json *json);

void json_write_text(struct json *json, const char *key, const char *text); // NULL writes null
void json_write_text_length(struct json *json, const char *key, const char *text, size_t length);
void json_write_integer(struct json *json, const char *key, int64_t value);
void json_write_bool(struct json *json, const char *key, bool value);
void json_write_null(struct json *json, const char *key);
void json_write_amount(struct json *json, const char *key, struct amount amount);    // a decimal string
void json_write_instant(struct json *json, const char *key, struct instant instant); // RFC 3339
void json_write_hour(struct json *json, const char *key, struct hour hour);
void json_write_percent(struct json *json, const char *key, int64_t basis_points); // 1250 is written 12.5
// Text that is JSON already.
void json_write_raw(struct json *json, const char *key, const char *text, size_t length);

#endif
